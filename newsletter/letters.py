"""The single letters that signing up causes. Editions are another matter."""

import email.policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from veltrix import publication
from veltrix.publication import NEWSLETTER

from . import signing
from .models import ConsentEvent, Subscriber, Suppression

LIST_UNSUBSCRIBE_POST = "List-Unsubscribe=One-Click"

_css = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


class UnbrokenListHeaders(email.policy.EmailPolicy):
    """Keeps the address that mail programs call on one line: folding would encode one of 78 characters beyond use."""

    def fold(self, name: str, value: Any) -> str:
        return self._unbroken(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self._unbroken(name, value).encode("ascii") or super().fold_binary(name, value)

    def _unbroken(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if name.lower() == "list-unsubscribe" else ""


class Letter(EmailMultiAlternatives):
    def message(self, *, policy: email.policy.Policy | None = None) -> EmailMessage:
        # Seven bits also keep bodies as they were signed, whatever servers stand between.
        linesep = policy.linesep if policy else "\n"
        return super().message(policy=UnbrokenListHeaders(linesep=linesep, cte_type="7bit"))


def with_inline_styles(html: str) -> str:
    """A mail’s HTML as mail programs heed it: styles at the elements; only what depends on the screen in a sheet."""
    return _css.inline(html)


def letter_for(event: ConsentEvent) -> Letter | None:
    """The letter that answers a request or a confirmation; None if it came to nothing in the meantime."""
    subscriber = event.subscriber
    if subscriber.email and Suppression.objects.for_address(subscriber.email).lasting().exists():
        return None
    if event.kind == ConsentEvent.Kind.CONFIRMED:
        return _welcome(event) if subscriber.is_active else None
    if subscriber.is_active:
        return _already_subscribed(event)
    return _confirmation(event) if event.holds_for(subscriber) else None


def unsubscribe_url(subscriber: Subscriber) -> str:
    return settings.SITE_URL + reverse("newsletter:unsubscribe", args=[subscriber.token])


def preferences_url(subscriber: Subscriber) -> str:
    return settings.SITE_URL + reverse("newsletter:preferences", args=[subscriber.token])


def list_headers(subscriber: Subscriber) -> dict[str, str]:
    """How mail programs name the list and offer to leave it (RFC 2919, RFC 8058)."""
    return {
        "List-Id": list_id(),
        "List-Unsubscribe": f"<{unsubscribe_url(subscriber)}>",
        "List-Unsubscribe-Post": LIST_UNSUBSCRIBE_POST,
    }


def list_id() -> str:
    return f"{NEWSLETTER} <briefing.{mail_host()}>"


def _confirmation(event: ConsentEvent) -> Letter:
    path = reverse("newsletter:confirm", args=[signing.sign_confirmation(event.pk)])
    context = {"confirm_url": settings.SITE_URL + path, "days": signing.CONFIRMATION_LASTS.days}
    subject = f"Confirm your subscription to {NEWSLETTER}"
    return _letter("confirmation", subject, event, context, {"Auto-Submitted": "auto-generated"})


def _already_subscribed(event: ConsentEvent) -> Letter:
    subject = f"You are already subscribed to {NEWSLETTER}"
    return _letter("already_subscribed", subject, event, {}, list_headers(event.subscriber))


def _welcome(event: ConsentEvent) -> Letter:
    return _letter("welcome", f"Welcome to {NEWSLETTER}", event, {}, list_headers(event.subscriber))


def _letter(name: str, subject: str, event: ConsentEvent, context: dict[str, Any], headers: dict[str, str]) -> Letter:
    """Render templates/email/`name`.txt and .html. The Message-ID follows from the event: a copy is known as one."""
    is_subscribed = "List-Unsubscribe" in headers
    context = {
        **publication.context(HttpRequest()),
        "subject": subject,
        "postal_address": settings.NEWSLETTER_POSTAL_ADDRESS,
        "unsubscribe_url": unsubscribe_url(event.subscriber) if is_subscribed else "",
        "preferences_url": preferences_url(event.subscriber) if is_subscribed else "",
        **context,
    }
    message_id = f"<{name}.{event.pk}.{event.created_at:%Y%m%d%H%M%S%f}@{mail_host()}>"
    letter = Letter(
        subject=subject,
        body=render_to_string(f"email/{name}.txt", context),
        to=[event.subscriber.email],
        headers={"Message-ID": message_id, **headers},
    )
    letter.attach_alternative(with_inline_styles(render_to_string(f"email/{name}.html", context)), "text/html")
    return letter


def mail_host() -> str:
    """What stands behind the @ of a Message-ID, and in the list’s name."""
    return urlsplit(settings.SITE_URL).hostname or ""
