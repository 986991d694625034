"""Published numbers in the admin: what is current is changed by publishing a successor, what is past is only read."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from articles.models import Sourced
from articles.models.sources import SupersededFigureError

EVIDENCE: Any = ("Evidence", {"fields": ["source", "locator", "quote", "as_of"]})
CHECK: Any = ("Check", {"fields": ["check_status", "check_note", "checked_on", "review_by"]})
CHANGE: Any = (
    "Reason of this change",
    {
        "fields": ["why", "why_note"],
        "description": "Saving publishes a new figure; the earlier one stays as history.",
    },
)

SUPERSEDED = "A newer figure was published in the meantime. Nothing was saved: open the current one and change that."


class SourcedForm(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        if self.instance.pk and type(self.instance).objects.exclude(superseded_at=None).filter(pk=self.instance.pk):
            raise ValidationError(SUPERSEDED)
        return super().clean()

    def _post_clean(self) -> None:
        # Uniqueness of the current figure is judged as if the row were published, which saving makes it.
        published_at, self.instance.published_at = self.instance.published_at, timezone.now()
        super()._post_clean()  # type: ignore[misc]
        self.instance.published_at = published_at


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("past", "History"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Current"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(superseded_at__isnull=self.value() != "past")


class SourcedAdmin(admin.ModelAdmin):
    form = SourcedForm
    # What the figure belongs to: chosen once, the same for all its history.
    owner_fields: Sequence[str] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["published_at", "superseded_at"]
        if obj.superseded_at and request.method != "POST":
            return [field.name for field in self.opts.fields if not field.primary_key]
        return [*self.owner_fields, "published_at", "superseded_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A figure is never lost: published ones stay as history."""
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"why": Sourced.Why.NEW, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if change and "why" in form.base_fields:
            reasons = [choice for choice in Sourced.Why.choices if choice[0] != Sourced.Why.NEW]
            form.base_fields["why"].choices = reasons  # type: ignore[attr-defined]
        return form

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and obj.superseded_at is None and request.method != "POST":
            # The reason asked for is that of the change to come, not that of the figure on the page.
            obj.why, obj.why_note = Sourced.Why.UPDATE, ""
        return obj

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.published_at = timezone.now()
            super().save_model(request, obj, form, change)
        elif set(form.changed_data) - {"why", "why_note"}:
            current = self.model._default_manager.get(pk=obj.pk)
            changes = {name: form.cleaned_data[name] for name in form.cleaned_data if name not in self.owner_fields}
            try:
                successor = current.publish_successor(**changes)
            except SupersededFigureError:
                self.message_user(request, SUPERSEDED, messages.ERROR)
                return
            # What follows (the log entry, the way back to the form) is about the figure that is now current.
            obj.__dict__.update(successor.__dict__)

    @admin.display(description="state", ordering="superseded_at")
    def state(self, obj: Any) -> str:
        return "Past" if obj.superseded_at else "Current"
