"""What is held about a subscriber, all of it, for whoever asks for their own."""

from typing import Any

from .models import Delivery, SignUp, Subscriber, Suppression


def held_about(subscriber: Subscriber) -> dict[str, Any]:
    """As JSON takes it; moments are in UTC."""
    return {
        "subscriber": {
            "address": subscriber.email,
            "status": subscriber.get_status_display(),
            "first_signed_up": subscriber.created_at,
            "signed_up_at": subscriber.source,
            "confirmed": subscriber.confirmed_at,
            "ended": subscriber.ended_at,
            "paused_until": subscriber.paused_until,
            "declined_topics": [str(topic) for topic in subscriber.declined_topics.select_related("parent")],
            "secret_of_links": subscriber.token,
        },
        "consent": [
            {
                "what": event.get_kind_display(),
                "when": event.created_at,
                "form": event.form,
                "words": event.wording,
                "hash_of_network": event.network_digest,
            }
            for event in subscriber.consent_events.all()
        ],
        "requests_not_yet_handled": list(
            SignUp.objects.filter(email__iexact=subscriber.email).values("created_at", "form", "wording")
        ),
        "editions": [
            _delivery(delivery) for delivery in subscriber.deliveries.select_related("edition").order_by("pk")
        ],
        "reports_of_mail_servers": [
            {
                "what": report.get_kind_display(),
                "when": report.received_at,
                "from": report.source,
                "status": report.status,
                "words": report.diagnostic,
            }
            for report in subscriber.mail_reports.order_by("pk")
        ],
        "suppressed_as": [
            {"why": suppression.get_reason_display(), "since": suppression.created_at, "note": suppression.note}
            for suppression in Suppression.objects.for_address(subscriber.email)
        ],
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "edition": delivery.edition.subject,
        "state": delivery.get_state_display(),
        "why_left_out": delivery.get_skip_display(),
        "claimed": delivery.claimed_at,
        "attempts": delivery.attempts,
        "answer_of_mail_server": delivery.reply,
    }
