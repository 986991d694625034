"""Published numbers in the admin: what is current is changed by publishing a successor, what is past is only read."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from articles.models import Sourced
from articles.models.sourced import SupersededFigureError

EVIDENCE: Any = ("Evidence", {"fields": ["source", "locator", "quote", "as_of"]})
CHECK: Any = ("Check", {"fields": ["check_status", "check_note", "checked_on", "review_by"]})
CHANGE: Any = (
    "Reason of this change",
    {
        "fields": ["why", "why_note"],
        "description": "Saving publishes a new figure; the earlier one stays as history.",
    },
)

RESOURCED = "“Re-sourced” keeps the figure and changes its evidence. For another figure choose update or correction."
UNSOURCED = "A confirmed figure has a source and the day of the check."
OUTDATED_CHECK = "This check was of the earlier figure. Set the day of the new check, or “unchecked”."
SUPERSEDED = "A newer figure was published in the meantime. Nothing was saved: open the current one and change that."
UNCHANGED = (
    "Nothing but the reason was changed, so there is no new figure to publish. Change the figure or its evidence."
)


class SourcedForm(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        if self.instance.pk:
            if type(self.instance)._default_manager.exclude(superseded_at=None).filter(pk=self.instance.pk).exists():
                raise ValidationError(SUPERSEDED)
            if not set(self.changed_data) - {"why", "why_note"}:
                raise ValidationError(UNCHANGED)
            self._check_reason()
        if self.cleaned_data.get("check_status") == Sourced.CheckStatus.CONFIRMED and not (
            self.cleaned_data.get("source") and self.cleaned_data.get("checked_on")
        ):
            self.add_error("check_status", UNSOURCED)
        return super().clean()

    def _check_reason(self) -> None:
        """The reason and the check must fit what was changed."""
        changed = set(self.changed_data)
        if not changed & set(self.instance.figure_fields):
            return
        if self.cleaned_data.get("why") == Sourced.Why.RESOURCED:
            self.add_error("why", RESOURCED)
        is_checked = self.cleaned_data.get("check_status") != Sourced.CheckStatus.UNCHECKED
        if is_checked and not changed & {"checked_on", "check_status"}:
            self.add_error("check_status", OUTDATED_CHECK)

    def _post_clean(self) -> None:
        # The rules are those of the published row that saving makes, its read-only fields included.
        published_at, self.instance.published_at = self.instance.published_at, timezone.now()
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(None, error)
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

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["published_at", "superseded_at"]
        return [*obj.owner_fields, "published_at", "superseded_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A figure is never lost: published ones stay as history."""
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"why": Sourced.Why.NEW, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if change and "why" in form.base_fields:
            reasons = [choice for choice in Sourced.Why.choices if choice[0] != Sourced.Why.NEW]
            form.base_fields["why"].choices = [("", "Choose the reason"), *reasons]  # type: ignore[attr-defined]
        return form

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if request.method == "POST" or obj is None or obj.superseded_at is not None:
            return obj
        if self.has_change_permission(request, obj):
            # The reason asked for is that of the change to come, not that of the figure on the page.
            obj.why, obj.why_note = "", ""
        return obj

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is only read. Whoever sends a form that has become history meanwhile is told so by the form."""
        is_past = obj is not None and obj.superseded_at is not None
        return super().has_change_permission(request, obj) and (not is_past or request.method == "POST")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        figure = kwargs.get("obj")
        if figure is not None and figure.superseded_at and request.method != "POST":
            text = format_html("This is history. <a href='{}'>Open the current figure.</a>", self._url(figure.latest()))
            self.message_user(request, text, messages.INFO)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        response = super().response_change(request, obj)
        # “Save and continue editing” goes on with the figure that is now current, which has a page of its own.
        goes_on = isinstance(response, HttpResponseRedirect) and response.url.startswith(request.path)
        return HttpResponseRedirect(self._url(obj)) if goes_on else response

    def _url(self, figure: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[figure.pk])

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (SupersededFigureError, IntegrityError):
            # Somebody else's figure came between the check of the form and its saving: all was taken back.
            self.message_user(request, SUPERSEDED, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.published_at = timezone.now()
            super().save_model(request, obj, form, change)
            return
        changes = {name: form.cleaned_data[name] for name in form.cleaned_data if name not in obj.owner_fields}
        successor = self.model._default_manager.get(pk=obj.pk).publish_successor(**changes)
        # What follows (the log entry, the way back to the form) is about the figure that is now current.
        obj.__dict__.update(successor.__dict__)

    @admin.display(description="state", ordering="superseded_at")
    def state(self, obj: Any) -> str:
        return "Past" if obj.superseded_at else "Current"
