"""Rows of an article's form whose records are found together: one query for each kind, however many rows there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseInlineFormSet

# Digits of the longest key that any of the databases takes.
MOST_DIGITS = 18


class RecordField(forms.ModelChoiceField):
    """A reference whose possible values its formset has fetched: `known`, by the text of their keys."""

    known: Mapping[str, models.Model] = {}

    def to_python(self, value: Any) -> models.Model | None:
        if value in self.empty_values:
            return None
        if (record := self.known.get(str(value))) is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return record


class RecordSelect(AutocompleteSelect):
    """The stock field for a reference, which asks the database for the name of what is chosen, with what is known."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list[Any]:
        field = self.choices.field
        chosen = next((field.known[key] for key in map(str, value) if key in field.known), None)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        if chosen:
            label = field.label_from_instance(chosen)
            options.append(self.create_option(name, chosen.pk, label, True, len(options)))
        return [(None, options, 0)]


class RowForm(forms.ModelForm):
    def validate_constraints(self) -> None:
        """A row that is as it was stands in the database, which holds it to the same."""
        if self.has_changed():
            super().validate_constraints()


class RowFormSet(BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if index is None:
            return
        key = form.fields["id"]
        row = RecordField(key.queryset, initial=key.initial, required=False, widget=key.widget)
        row.known = self._rows
        form.fields["id"] = row
        for name, field in form.fields.items():
            if isinstance(field, RecordField) and name != "id":
                field.known = self._records(name, field.queryset)

    @property
    def _rows(self) -> Mapping[str, models.Model]:
        if not hasattr(self, "_row_by_key"):
            self._row_by_key = {str(row.pk): row for row in self.get_queryset()}
        return self._row_by_key

    def _records(self, name: str, queryset: Any) -> Mapping[str, models.Model]:
        """What the rows refer to by this field, and what they shall refer to."""
        if not hasattr(self, "_record_by_field"):
            self._record_by_field: dict[str, dict[str, models.Model]] = {}
        if name not in self._record_by_field:
            records = [getattr(row, name) for row in self.get_queryset()]
            known = {str(record.pk): record for record in records if record}
            sent = (self.data.get(f"{self.add_prefix(place)}-{name}", "") for place in range(self.total_form_count()))
            new = {key for key in sent if key.isdecimal() and key.isascii() and len(key) <= MOST_DIGITS} - known.keys()
            if new:
                known |= {str(record.pk): record for record in queryset.filter(pk__in=new)}
            self._record_by_field[name] = known
        return self._record_by_field[name]
