"""What mail providers report by HTTP, in the common words that Anymail puts it into."""

from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from veltrix.mail_urls import PROVIDERS

from . import addresses, replies, reports, signing
from .models import Delivery, MailReport, Subscriber

Kind = MailReport.Kind
# What providers call a policy, where they give no status: of the sender or the content, not of the address.
_POLICY = "5.7.0"
_VIEWS = {
    "brevo": "anymail.webhooks.brevo.BrevoTrackingWebhookView",
    "mailgun": "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    "resend": "anymail.webhooks.resend.ResendTrackingWebhookView",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView",
}


def answer(provider: str, secret: str, request: HttpRequest) -> HttpResponse:
    """Let Anymail's view read a report. Raises `AnymailWebhookValidationFailure` for whoever is not the provider.

    Not by `as_view`, to which the password is none of a view's attributes.
    """
    view = import_string(_VIEWS[provider])(**{PROVIDERS[provider].signed_by or "webhook_secret": secret})
    view.setup(request)
    return view.dispatch(request)


def receive(*, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Record one event. What Anymail could not place, and what says nothing of a mail's fate, is passed over."""
    source = esp_name.lower()
    delivery = _delivery(event.metadata)
    subscriber = delivery.subscriber if delivery else _subscriber(event.recipient)
    if subscriber and event.event_type == EventType.UNSUBSCRIBED:
        # By a link that the provider had put in, or at its desk: it stops their mail, so it ends the subscription.
        subscriber.end(Subscriber.Status.UNSUBSCRIBED, form=source)
    if kind_and_status := _judged(event):
        kind, status = kind_and_status
        reports.record(
            kind,
            source,
            reports.key_of(event.event_id, event.message_id, event.event_type, event.timestamp, event.recipient),
            delivery=delivery,
            subscriber=subscriber,
            status=status,
            diagnostic=_words(event),
        )


tracking.connect(receive, dispatch_uid="newsletter.webhooks")


def _judged(event: AnymailTrackingEvent) -> tuple[MailReport.Kind, str] | None:
    """A provider that has not even tried an address says as much as one to which it came back."""
    if event.event_type == EventType.DELIVERED:
        return Kind.DELIVERED, ""
    if event.event_type == EventType.COMPLAINED:
        return Kind.COMPLAINT, ""
    if event.event_type not in {EventType.BOUNCED, EventType.REJECTED}:
        return None
    status = reports.status_in(_words(event))
    if event.reject_reason == RejectReason.INVALID:
        return Kind.HARD, status
    if not status and event.reject_reason in {RejectReason.BLOCKED, RejectReason.SPAM}:
        status = _POLICY
    return reports.kind_of(status), status


def _delivery(metadata: Any) -> Delivery | None:
    name = metadata.get("delivery") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name.isascii():
        return None
    number = signing.read_delivery(name)
    return Delivery.objects.select_related("subscriber").filter(pk=number).first() if number else None


def _subscriber(recipient: Any) -> Subscriber | None:
    """By the address, which a provider is trusted with: of letters, and of mails that it got by SMTP."""
    if not isinstance(recipient, str):
        return None
    try:
        return Subscriber.objects.with_address(addresses.canonical(recipient)).first()
    except ValidationError:
        return None  # What is no address keeps no other event of the same report from being read.


def _words(event: AnymailTrackingEvent) -> str:
    return replies.words(" ".join(str(text) for text in (event.mta_response, event.description) if text))
