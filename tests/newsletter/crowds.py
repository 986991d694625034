"""Subscribers in any number, with evidence of consent, and suppressed addresses beside them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched

from django.db import transaction

from newsletter.models import ConsentEvent, Subscriber, Suppression

START = datetime(2020, 1, 1, tzinfo=UTC)
BATCH = 5_000
# Of a hundred: most are subscribed, some left, the mail of a few came back, one complained.
STATES = ["active"] * 80 + ["pending"] * 5 + ["unsubscribed"] * 9 + ["bounced"] * 3 + ["complained"] + ["erased"] * 2


def make_crowd(number: int) -> None:
    """Fill empty tables: so many subscribers and twice as many events, and a suppression for every tenth."""
    for rows in batched(range(number), BATCH):
        with transaction.atomic():
            people = Subscriber.objects.bulk_create([_subscriber(row) for row in rows])
            ConsentEvent.objects.bulk_create([event for person in people for event in _events(person)])
            Suppression.objects.bulk_create(
                [Suppression(digest=f"{row:064x}", reason="left", note=f"Note {row}") for row in rows if row % 10 == 0]
            )


def address(number: int) -> str:
    return f"reader{number:07}@mail{number % 997}.example"


def _subscriber(number: int) -> Subscriber:
    status = STATES[number * 37 % 100]
    moment = START + timedelta(minutes=number * 3)
    key = "" if status == "erased" else address(number)
    return Subscriber(
        email=key,
        email_key=key,
        status=status,
        created_at=moment,
        source="/newsletter/",
        confirmed_at=None if status == "pending" else moment + timedelta(minutes=1),
        ended_at=None if status in {"active", "pending"} else moment + timedelta(days=90),
    )


def _events(subscriber: Subscriber) -> Iterator[ConsentEvent]:
    for kind in ("asked", "confirmed"):
        yield ConsentEvent(
            subscriber=subscriber,
            kind=kind,
            created_at=subscriber.created_at,
            form="/newsletter/",
            wording="Yes, send it to me.",
        )
