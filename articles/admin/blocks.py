from typing import Any, cast

from content_editor.admin import ContentEditorInline
from django import forms
from django.contrib.admin import TabularInline
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest

from articles.models import Block, Byline, Image, TableBlock
from articles.models.blocks import ProseBlock, block_types, validate_cells

from .pictures import ImageForm, PictureFormSet
from .row_forms import RecordField, RecordSelect, RowForm, RowFormSet


class WithArticlePermissionsMixin:
    """Whoever may change an article may change what it is made of: its rows have no permissions of their own."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("articles.view_article") or self._may_change(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def _may_change(self, request: HttpRequest) -> bool:
        return request.user.has_perm("articles.change_article") or request.user.has_perm("articles.add_article")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        widget = RecordSelect(db_field, self.admin_site)  # type: ignore[attr-defined]
        options = {"widget": widget, "form_class": RecordField, **kwargs}
        return super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[misc]


class BylineInline(WithArticlePermissionsMixin, TabularInline):
    model = Byline
    form = RowForm
    formset = RowFormSet
    autocomplete_fields = ["author"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("author")


class BlockInline(WithArticlePermissionsMixin, ContentEditorInline):
    """The form of one block type inside its article."""

    form = RowForm
    formset = RowFormSet

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        references = [f.name for f in self.model.content_fields() if isinstance(f, models.ForeignKey)]
        rows = super().get_queryset(request)
        return rows.select_related(*references) if references else rows


class ProseFormSet(RowFormSet):
    """Texts whose references to figures must mean a current one."""

    def clean(self) -> None:
        super().clean()
        forms = [form for form in self.forms if not (form.errors or form.cleaned_data.get(DELETION_FIELD_NAME))]
        blocks = [form.instance for form in forms if form.instance.html]
        for block, reference in cast("type[ProseBlock]", self.model).unknown_references(blocks):
            next(form for form in forms if form.instance is block).add_error(
                "html",
                f"There is no figure “{reference}”. It shows as “unknown figure” in the text: delete it there, or "
                "choose another with the button “Figure”.",
            )


class CellsField(forms.CharField):
    """A table as text: a line for each row, its cells parted by “|” or, as pasted from a spreadsheet, by tabs."""

    widget = forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField cells"})

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("encoder", None)
        kwargs.pop("decoder", None)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            has_bars = any("|" in cell for row in value for cell in row)
            return "\n".join(("\t" if has_bars else " | ").join(row) for row in value)
        return value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        ProhibitNullCharactersValidator()(text)
        lines = [line for line in text.splitlines() if line.strip()]
        return [[cell.strip() for cell in line.split("\t" if "\t" in line else "|")] for line in lines]

    def validate(self, value: Any) -> None:
        super().validate(value)
        validate_cells(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class TableForm(RowForm):
    cells = CellsField(
        help_text="A line for each row, cells parted by “|” or pasted from a spreadsheet. The first row is the header."
    )

    class Meta:
        model = TableBlock
        fields = ["caption", "cells", "note", "region", "ordering"]


# What the forms of some block types need beyond their fields.
FORMS: dict[type[Block], type[forms.ModelForm]] = {TableBlock: TableForm, Image: ImageForm}


def block_inlines() -> list[type[ContentEditorInline]]:
    """One inline for each block type of the installed apps; references are searched for by typing."""
    return [_inline(model) for model in block_types().values()]


def _inline(model: type[Block]) -> type[ContentEditorInline]:
    references = [f.name for f in model.content_fields() if isinstance(f, models.ForeignKey)]
    options: dict[str, Any] = {"autocomplete_fields": references}
    if form := FORMS.get(model):
        options["form"] = form
    if issubclass(model, ProseBlock):
        options["formset"] = ProseFormSet
    if model is Image:
        options["formset"] = PictureFormSet
    inline: type[ContentEditorInline] = BlockInline.create(model, **options)
    return inline
