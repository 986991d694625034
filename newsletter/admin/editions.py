from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods

from articles.models import Article
from newsletter.models import Edition, EditionPart
from newsletter.reserved import validate_slug

from . import edition_preview, edition_sending

S = Edition.State
# Until its preparation an edition is its draft; after it, subscribers get what was frozen.
OPEN = {S.DRAFT, S.SCHEDULED}


class EditionForm(forms.ModelForm):
    """A draft. Somebody who has had the form open since before the preparation began changes nothing any more."""

    class Meta:
        model = Edition
        fields = [
            *("subject", "preheader", "slug", "intro", "closing"),
            *("topic", "source", "signed_up_from", "signed_up_until", "per_second", "per_hour"),
        ]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        validate_slug(slug)
        return slug

    def clean(self) -> dict[str, Any]:
        # Held until the save is committed, so that the preparation does not begin between the two.
        held = Edition.objects.select_for_update().filter(pk=self.instance.pk, state__in=OPEN)
        if self.instance.pk and not list(held.values_list("pk")):
            raise forms.ValidationError("Its preparation has begun: what subscribers get can no longer be changed.")
        return super().clean() or self.cleaned_data


class EditionPartForm(forms.ModelForm):
    class Meta:
        model = EditionPart
        fields = ["position", "article", "heading", "text"]
        help_texts = {"position": "Lower numbers come first; of equal ones, the part that was added first."}


class PartFormSet(forms.BaseInlineFormSet):
    """A new part comes last."""

    @property
    def empty_form(self) -> forms.ModelForm:
        form = super().empty_form
        form.initial["position"] = 1 + max((part.initial.get("position", 0) for part in self.initial_forms), default=0)
        return form


class EditionPartInline(admin.StackedInline):
    model = EditionPart
    form = EditionPartForm
    formset = PartFormSet
    fields = ["position", "article", "heading", "text"]
    extra = 0

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "article":
            kwargs["queryset"] = Article.objects.published().order_by("-number").only("number", "title")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        # An article is written at its own place: here one is chosen.
        widget = formset.form.base_fields["article"].widget if "article" in formset.form.base_fields else None
        if widget:
            widget.can_add_related = widget.can_change_related = widget.can_delete_related = False
        return formset


@admin.register(Edition)
class EditionAdmin(admin.ModelAdmin):
    form = EditionForm
    change_form_template = "admin/newsletter/edition/change_form.html"
    list_display = ["subject", "state", "scheduled_at", "finished_at", "progress", "changed_at"]
    list_filter = ["state", "topic"]
    search_fields = ["subject", "slug"]
    prepopulated_fields = {"slug": ["subject"]}
    autocomplete_fields = ["topic"]
    actions = None
    view_on_site = False  # readers see it from the moment at which sending begins
    inlines = [EditionPartInline]
    fieldsets = [
        (None, {"fields": ["subject", "preheader", "slug", "intro", "closing"]}),
        (
            "Who gets it",
            {
                "classes": ["collapse"],
                "description": "Everybody who is subscribed, unless you narrow it down.",
                "fields": ["topic", "source", ("signed_up_from", "signed_up_until")],
            },
        ),
        ("How fast", {"classes": ["collapse"], "fields": [("per_second", "per_hour")]}),
    ]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="sent")
    def progress(self, edition: Edition) -> str:
        if edition.started_at is None:
            return "–"
        done = edition.sent_so_far  # type: ignore[attr-defined]
        return format_html(
            '<a href="{}">{} of {}</a>',
            reverse("admin:newsletter_edition_sending", args=[edition.pk]),
            f"{done:,}",
            f"{edition.deliveries_made:,}",
        )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Edition]:
        return super().get_queryset(request).annotate(sent_so_far=models.Sum("senders__sent", default=0))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Edition | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["subject"]}

    def has_change_permission(self, request: HttpRequest, obj: Edition | None = None) -> bool:
        return (obj is None or obj.state in OPEN) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Edition | None = None) -> bool:
        """A draft may go; what was sent, or was to be, stays on record."""
        return (obj is None or obj.is_draft) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Edition, form: Any, change: bool) -> None:
        # No more than the form holds: meanwhile the state may have moved on.
        obj.save(update_fields=[*form.changed_data, "changed_at"] if change else None)

    def get_urls(self) -> list[URLPattern]:
        def address(route: str, name: str, view: Callable[..., HttpResponse], methods: list[str]) -> URLPattern:
            shown = self.admin_site.admin_view(_at_the_desk(self, view, methods))
            return path(f"<int:pk>/{route}/", shown, name=f"newsletter_edition_{name}")

        mail = self.admin_site.admin_view(_at_the_desk(self, edition_preview.mail_view, ["GET", "HEAD"]))
        policy = csp_override(edition_preview.MAIL_CSP)
        return [
            address("preview", "preview", edition_preview.preview_view, ["GET", "HEAD", "POST"]),
            address("copy", "copy", copy_view, ["POST"]),
            address("sending", "sending", edition_sending.sending_view, ["GET", "HEAD", "POST"]),
            path("<int:pk>/mail/", policy(mail), name="newsletter_edition_mail"),
            *super().get_urls(),
        ]


def copy_view(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Begin an edition with the words and readers of another, for the week after."""
    original = edition_preview.viewed(model_admin, request, pk)
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    with transaction.atomic():
        copy = original.begin_another()
        model_admin.log_addition(request, copy, f"Begun like edition {original.pk}.")
    messages.success(request, "A new draft: give it its own subject and address.")
    return HttpResponseRedirect(reverse("admin:newsletter_edition_change", args=[copy.pk]))


def _at_the_desk(
    model_admin: admin.ModelAdmin, view: Callable[..., HttpResponse], methods: list[str]
) -> Callable[..., HttpResponse]:
    @require_http_methods(methods)
    def inner(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return view(model_admin, request, **kwargs)

    return inner
