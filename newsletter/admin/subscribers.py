from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from newsletter import addresses
from newsletter.models import ConsentEvent, Subscriber, Suppression

from .exchanging import ExchangeMixin
from .long_lists import LongList

MOST_OF_HISTORY = 50


class ReadOnly:
    """Rows that the desk shows and never writes: people make them by what they do."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@dataclass(frozen=True)
class Latest:
    """The latest rows of a history, and whether there are earlier ones."""

    rows: list[Any]
    has_more: bool

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> "Latest":
        found = list(rows[: MOST_OF_HISTORY + 1])
        return cls(found[:MOST_OF_HISTORY], len(found) > MOST_OF_HISTORY)


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnly, ExchangeMixin, LongList):
    list_display = ["address", "status", "created_at", "confirmed_at", "ended_at"]
    list_filter = ["status", "created_at", "ended_at"]
    search_fields = ["email_key"]
    search_help_text = "A whole address, or how it begins."
    ordering = ["-created_at", "-pk"]
    fields = ["email", "status", "created_at", "source", "confirmed_at", "paused_until", "declined", "ended_at"]
    readonly_fields = ["declined"]
    actions = ["take_off", "erase"]

    @admin.display(description="e-mail address")
    def address(self, subscriber: Subscriber) -> str:
        return subscriber.email or "(erased)"

    @admin.display(description="declined topics")
    def declined(self, subscriber: Subscriber) -> str:
        declined = sorted(str(topic) for topic in subscriber.declined_topics.select_related("parent"))
        return ", ".join(declined) or self.get_empty_value_display()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscriber], search_term: str
    ) -> tuple[QuerySet[Subscriber], bool]:
        words = search_term.strip()
        return (queryset & Subscriber.objects.beginning_with(words) if words else queryset), False

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Subscriber | None = None,
    ) -> HttpResponse:
        if obj:
            context["histories"] = self._histories(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _histories(self, request: HttpRequest, subscriber: Subscriber) -> dict[str, Latest]:
        """What somebody agreed to, which editions they got, and what mail servers said, each if it may be seen."""
        histories: dict[str, QuerySet[Any]] = {
            "consentevent": subscriber.consent_events.order_by("-pk"),
            "delivery": subscriber.deliveries.select_related("edition").order_by("-edition_id"),
            "mailreport": subscriber.mail_reports.select_related("edition").order_by("-pk"),
        }
        return {
            name: Latest.of(rows)
            for name, rows in histories.items()
            if request.user.has_perm(f"newsletter.view_{name}")
        }

    def has_end_permission(self, request: HttpRequest) -> bool:
        # ReadOnly closes the form to everybody; the permission itself decides about the action.
        return request.user.has_perm("newsletter.change_subscriber")

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.erase_subscriber")

    @admin.action(description="Take off the list, because they asked you to", permissions=["end"])
    def take_off(self, request: HttpRequest, subscribers: QuerySet[Subscriber]) -> None:
        left = [s for s in subscribers if s.end(Subscriber.Status.UNSUBSCRIBED, form="desk")]
        self._log(request, left, "Taken off the list.")
        self.message_user(request, f"Taken off the list: {len(left)}.", messages.SUCCESS)

    @admin.action(description="Erase what is held about them", permissions=["erase"])
    def erase(self, request: HttpRequest, subscribers: QuerySet[Subscriber]) -> HttpResponse | None:
        """Ask first: nothing brings the address back."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Erase subscribers?",
                "subscribers": subscribers,
                "opts": self.opts,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "newsletter/admin_erase.html", context)
        erased = [s for s in subscribers if s.erase(form="desk")]
        self._log(request, erased, "Erased.")
        self.message_user(request, f"Erased: {len(erased)}.", messages.SUCCESS)
        return None

    def _log(self, request: HttpRequest, subscribers: list[Subscriber], message: str) -> None:
        for subscriber in subscribers:
            self.log_change(request, subscriber, message)


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnly, LongList):
    list_display = ["created_at", "kind", "subscriber", "form"]
    list_filter = ["created_at"]
    list_select_related = ["subscriber"]
    search_fields = ["subscriber__email_key"]
    search_help_text = "A whole address finds what its owner agreed to."
    ordering = ["-created_at", "-pk"]
    fields = ["subscriber", "kind", "created_at", "form", "wording", "network_digest"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ConsentEvent], search_term: str
    ) -> tuple[QuerySet[ConsentEvent], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            found = Subscriber.objects.with_address(addresses.canonical(search_term.strip()))
        except ValidationError:
            return queryset.none(), False
        return queryset.filter(subscriber__in=list(found.values_list("pk", flat=True))), False


class SuppressionForm(forms.ModelForm):
    """Suppress an address, of which only the hash is kept, and end the subscription that it may have."""

    ENDINGS = {
        Suppression.Reason.BOUNCE: Subscriber.Status.BOUNCED,
        Suppression.Reason.COMPLAINT: Subscriber.Status.COMPLAINED,
    }

    address = forms.EmailField(
        label="E-mail address",
        max_length=addresses.MAX_LENGTH,
        error_messages={"invalid": addresses.INVALID},
        help_text="Only its hash is kept, so it is not shown again.",
    )

    class Meta:
        model = Suppression
        fields = ["reason", "note"]
        help_texts = {
            "note": "For colleagues, and for the person if they ask what is held about them. Never the address itself."
        }

    def clean_address(self) -> str:
        address = addresses.canonical(self.cleaned_data["address"])
        if Suppression.objects.for_address(address).lasting().exists():
            raise ValidationError("This address is suppressed already.", code="suppressed")
        return address

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        if "@" in note:
            raise ValidationError("Leave the address out of the note.", code="address")
        return note

    def save(self, commit: bool = True) -> Suppression:
        address, reason = self.cleaned_data["address"], Suppression.Reason(self.cleaned_data["reason"])
        with transaction.atomic():
            for subscriber in Subscriber.objects.with_address(address):
                subscriber.end(self.ENDINGS.get(reason, Subscriber.Status.UNSUBSCRIBED), form="desk")
            self.instance = Suppression.objects.suppress(address, reason, self.cleaned_data["note"])
        return self.instance

    def save_m2m(self) -> None:
        """Nothing: the admin calls this after `save(commit=False)`."""


@admin.register(Suppression)
class SuppressionAdmin(LongList):
    form = SuppressionForm
    list_display = ["short_digest", "reason", "note", "created_at"]
    list_filter = ["reason"]
    search_fields = ["note"]
    search_help_text = "A whole e-mail address finds its entry; anything else is looked for in the notes."
    ordering = ["-pk"]

    @admin.display(description="hash of the address")
    def short_digest(self, suppression: Suppression) -> str:
        return suppression.digest[:12]

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        return ["digest", "reason", "note", "created_at"] if obj else ["address", "reason", "note"]

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        """Nothing: the form has saved it, for only the form knows the address."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        try:
            return queryset & Suppression.objects.for_address(addresses.canonical(search_term.strip())), False
        except ValidationError:
            return super().get_search_results(request, queryset, search_term)
