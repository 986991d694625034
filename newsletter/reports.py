"""What came back of mails, and what follows from it: for the address, and for deliveries whose fate is uncertain.

Every way in ends here: refusals while sending (`sending`), bounces by mail (`bounces`), providers (`webhooks`).
"""

import hashlib
import re
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from . import claims, replies
from .models import Delivery, MailReport, Subscriber

Kind = MailReport.Kind

# So many editions in a row, within so long, have to come back for now before an address is given up.
SOFT_AT_MOST = 3
SOFT_WITHIN = timedelta(days=60)
# The source of refusals while sending: none of them says anything of another attempt.
_SMTP = "smtp"

# RFC 3463: class, subject, detail. Replies often hold it twice, or behind a mark: “#5.1.1”.
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
# The subjects 5 to 7 are about the protocol, the content and the policy.
_NOT_THE_ADDRESS = r"^[245]\.[567]\."
# A wrong address, but for 5.1.7 to 5.1.9, which are about the sender's.
_GONE = re.compile(r"5\.1\.(?:[0-6]|10)", re.ASCII)


def kind_of(status: str) -> MailReport.Kind:
    """Whether a failure with this status is the last word about an address.

    Hard is 5.1.x, a wrong address. Nothing else is:

    - 5.2.1, a mailbox that takes nothing, may be opened again, and Gmail says it of one that gets mail too fast.
    - 5.2.2 is full, and 5.4.x a way that is closed: often for days only. Microsoft answers unknown names with 5.4.1,
      which therefore takes three editions.
    - 5.7.x is a policy or a block list, 5.6.x the content, 5.5.x the protocol: faults of ours, not of the address.
      They are kept as soft and count for nothing (`_row`).
    - A failure without a status says too little to never write to somebody again.
    """
    return Kind.HARD if _GONE.fullmatch(status) else Kind.SOFT


def status_in(text: str) -> str:
    """The first RFC 3463 status in the words of a server that says more than “other”; else the first; else ""."""
    found = [".".join(parts) for parts in _STATUS.findall(text[:10_000])]
    telling = [status for status in found if not status.endswith(".0.0")]
    return (telling or found or [""])[0]


def key_of(*parts: object) -> str:
    """What makes a report the same when it comes again, in the length that fits."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()


def record(
    kind: MailReport.Kind,
    source: str,
    key: str,
    *,
    delivery: Delivery | None = None,
    subscriber: Subscriber | None = None,
    status: str = "",
    diagnostic: str = "",
) -> MailReport | None:
    """Keep a report once, and do what follows from it; None if it is known already or tells nothing.

    A hard bounce ends the subscription, and so do soft ones in a row; a complaint ends it at once. The address is
    suppressed by that. That a mail was delivered is kept only of one whose fate is not known: of the others, a million
    rows would say what the deliveries say. A report of neither a delivery nor a subscriber tells nothing.
    """
    if delivery:
        subscriber = delivery.subscriber
    if subscriber is None:
        return None
    if kind == Kind.DELIVERED and (delivery is None or not _is_open(delivery)):
        return None
    with transaction.atomic():
        if delivery and delivery.state == Delivery.State.UNCERTAIN:
            _settle(delivery, kind, source, diagnostic)
        # Held before the report is inserted, which would take a weaker lock that two could not both strengthen.
        subscriber.lock()
        report, is_new = MailReport.objects.get_or_create(
            source=source,
            key=key,
            defaults={
                "kind": kind,
                "subscriber": subscriber,
                "delivery": delivery,
                "edition_id": delivery.edition_id if delivery else None,
                "status": status[:20],
                "diagnostic": replies.without_addresses(diagnostic),
            },
        )
        if not is_new:
            return None
        if ending := _ending(report, subscriber, delivery):
            subscriber.end(ending, form=source)
    return report


def record_refusal(delivery: Delivery, code: int | None, reply: str) -> MailReport | None:
    """Keep that a mail server refused a mail for good while it was being sent.

    A reply without a status is none of the address's unless it comes again and again: many servers answer a block list
    and an unknown name alike with a bare 550. Codes of a provider's API are no SMTP replies and say nothing of it.
    """
    if code is None or not 500 <= code < 600:
        return None
    status = status_in(reply)
    key = f"{delivery.pk}.{delivery.attempts}"
    return record(kind_of(status), _SMTP, key, delivery=delivery, status=status, diagnostic=reply)


def settle_reported() -> None:
    """Settle uncertain deliveries by reports that had come before they were uncertain: while they were being sent."""
    reports = MailReport.objects.filter(delivery=OuterRef("pk")).exclude(source=_SMTP)
    for delivery in Delivery.objects.uncertain().filter(Exists(reports)):
        report = delivery.reports.exclude(source=_SMTP).latest("pk")
        _settle(delivery, report.kind, report.source, report.diagnostic)


def _settle(delivery: Delivery, kind: str, source: str, diagnostic: str) -> None:
    """A mail that was reported had been taken, and has come back or arrived."""
    state = Delivery.State.FAILED if kind in {Kind.HARD, Kind.SOFT} else Delivery.State.SENT
    claims.settle(delivery, state, f"Reported by {source}: {Kind(kind).label.lower()}. {diagnostic}".strip())


def _is_open(delivery: Delivery) -> bool:
    return delivery.state in {Delivery.State.SENDING, Delivery.State.UNCERTAIN}


def _ending(report: MailReport, person: Subscriber, delivery: Delivery | None) -> Subscriber.Status | None:
    """How the subscription ends by this report, if it does."""
    if report.kind == Kind.COMPLAINT:
        return Subscriber.Status.COMPLAINED
    if delivery and person.confirmed_at and delivery.claimed_at and delivery.claimed_at < person.confirmed_at:
        return None  # The address has answered a letter since.
    if report.kind == Kind.HARD or (report.kind == Kind.SOFT and delivery and _row(delivery) >= SOFT_AT_MOST):
        return Subscriber.Status.BOUNCED
    return None


def _row(delivery: Delivery) -> int:
    """How many editions in a row have come back from this subscriber, this one the last; counted as far as it matters.

    A mail that was taken and never came back ends the row. One that was refused for another reason than the address
    neither ends it nor counts.
    """
    reports = MailReport.objects.filter(
        delivery=OuterRef("pk"),
        subscriber=delivery.subscriber_id,
        kind=Kind.SOFT,
        received_at__gt=timezone.now() - SOFT_WITHIN,
    ).exclude(status__regex=_NOT_THE_ADDRESS)
    settled = [Delivery.State.SENT, Delivery.State.FAILED]
    recent = (
        Delivery.objects.filter(subscriber=delivery.subscriber_id, pk__lte=delivery.pk, state__in=settled)
        .order_by("-pk")
        .values_list("state", Exists(reports))
    )
    row = 0
    for state, came_back in recent[: 3 * SOFT_AT_MOST]:
        if not came_back and state == Delivery.State.SENT:
            break
        row += came_back
    return row
