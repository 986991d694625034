"""Published numbers in the admin: what is current is changed by publishing a successor, what is past is only read."""

from collections.abc import Iterable
from copy import copy
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from articles.models import Sourced
from articles.open_data import plain
from articles.succession import NO_REASON, NO_WORDS, problems, problems_alone
from articles.uses import readings

EVIDENCE: Any = ("Evidence", {"fields": ["source", "locator", "quote", "as_of"]})
CHECK: Any = ("Check", {"fields": ["check_status", "check_note", "checked_on", "review_by"]})
CHANGE: Any = (
    "Reason of this change",
    {
        "fields": ["why", "why_note"],
        "description": "The new figure takes the place of this one everywhere; this one stays as history.",
    },
)

SUPERSEDED = (
    "A newer figure was published in the meantime. Nothing was saved, and what you typed is still here: open <a href="
    "'{}' target='_blank'>the current one</a> beside this page and change that."
)
WITHDRAWN = (
    "This figure was withdrawn. An update puts a later one in its place; a correction brings it back, with the reason "
    "why withdrawing it was wrong."
)


class SourcedForm(forms.ModelForm):
    """A figure to publish: the first one, or the successor of the one on the form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(number := self.initial.get("value"), Decimal):
            self.initial["value"] = plain(number)

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        # Said at its field, in place of the constraint’s word about the whole.
        if self.cleaned_data.get("why") in Sourced.CORRECTING and not self.cleaned_data.get("why_note"):
            self.add_error("why_note", NO_WORDS)
        # Whoever comes second waits here, and is told below.
        self.earlier = self.instance.locked() if self.instance.pk else None
        if self.earlier and self.earlier.superseded_at is not None:
            raise ValidationError(format_html(SUPERSEDED, admin_url(self.earlier.latest(), "change")))
        return data

    def _post_clean(self) -> None:
        # The rules are those of the published row that saving makes, its read-only fields included.
        published_at, self.instance.published_at = self.instance.published_at, timezone.now()
        super()._post_clean()  # type: ignore[misc]
        if self.instance.pk is None:
            self.instance.lock_owner()
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(None, error)
        self.instance.published_at = published_at
        # What is no date cannot be compared with others.
        if not self.non_field_errors() and "as_of" not in self.errors:
            self._check_succession()

    def _check_succession(self) -> None:
        earlier = self.earlier
        found = problems_alone(self.instance) if earlier is None else problems(earlier, self.instance)
        for field, sentence in found:
            if field not in self.errors:
                self.add_error(field or None, sentence)


def admin_url(record: models.Model, view: str) -> str:
    """A page of a record in the admin: `change`, `preview`."""
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{view}", args=[record.pk])


def _named(form: forms.ModelForm, name: str, messages: Iterable[str]) -> list[str]:
    """The messages of a field, each with the field’s label in front."""
    label = form.fields[name].label if name in form.fields else ""
    return [f"{label}: {message}" if label else message for message in messages]


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
    change_form_template = "admin/articles/sourced/change_form.html"
    view_on_site = False  # “Reader’s page” leads there

    class Media:
        js = ["js/admin/figure-preview.js"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["published_at", "superseded_at"]
        return [*obj.owner_fields, "published_at", "superseded_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A figure is never lost: published ones stay as history."""
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "why_note":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"why": Sourced.Why.NEW, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if change and "why" in form.base_fields:
            reasons = [choice for choice in Sourced.Why.choices if choice[0] != Sourced.Why.NEW]
            form.base_fields["why"].choices = [("", "Choose the reason"), *reasons]  # type: ignore[attr-defined]
            form.base_fields["why"].error_messages["required"] = NO_REASON
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
            text = format_html(
                "This is history. <a href='{}'>Open the current figure.</a>", admin_url(figure.latest(), "change")
            )
            self.message_user(request, text, messages.INFO)
        if figure is not None and not figure.superseded_at:
            current = self.model._default_manager.for_review().get(pk=figure.pk)
            if current.is_withdrawn and request.method != "POST":
                self.message_user(request, WITHDRAWN, messages.INFO)
            # What heads the page is the figure on record, whatever stands in the fields.
            context |= {"original": current, "subtitle": str(current)}
            if self.has_change_permission(request, figure):
                context["title"] = "Publish a new figure"
                context["preview_url"] = admin_url(figure, "preview")
            context["readings"] = readings(current, context["adminform"].form.instance)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        done = "is withdrawn" if obj.is_withdrawn else f"is published ({obj.why_text.lower()})"
        figure = (obj.supersedes if obj.is_withdrawn else obj).text
        text = format_html("{} {}: <a href='{}'>see it as readers do</a>.", figure, done, obj.get_absolute_url())
        self.message_user(request, text, messages.SUCCESS)
        # Whoever goes on editing goes on with the figure that is now current, which has a page of its own.
        if "_continue" in request.POST:
            return HttpResponseRedirect(admin_url(obj, "change"))
        return self.response_post_save_change(request, obj)

    # How every place will read

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_preview"
        view = self.admin_site.admin_view(self.preview_view)
        return [path("<int:pk>/preview/", view, name=name), *super().get_urls()]

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how every place that shows this figure would read with what the form holds; nothing is saved."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        figure = get_object_or_404(self.model._default_manager.for_review(), pk=pk)
        with transaction.atomic():
            form = self.get_form(request, figure, change=True)(request.POST, instance=copy(figure))
            form.is_valid()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": figure,
            "title": f"How “{figure.subject}” will read",
            "errors": [line for name, messages in form.errors.items() for line in _named(form, name, messages)],
            "readings": readings(figure, form.instance),
        }
        is_part = request.headers.get("Sec-Fetch-Dest") == "empty"
        return render(request, "admin/articles/sourced/preview.html" + ("#readings" if is_part else ""), context)

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
        if obj.superseded_at:
            return "Past"
        return "Withdrawn" if obj.is_withdrawn else "Current"
