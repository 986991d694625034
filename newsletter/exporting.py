"""Subscribers as CSV, of any number: rows are read and written a few thousand at a time."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from articles.open_data import LIST_DELIMITER, neutral

from .models import Subscriber

BATCH = 2_000
COLUMNS = [
    "address",
    "status",
    "signed_up_on",
    "source",
    "confirmed_on",
    "paused_until",
    "declined_topics",
    "ended_on",
]

FIELDS = ["pk", "email", "status", "created_at", "source", "confirmed_at", "paused_until", "ended_at"]


def lines(status: str) -> Iterator[str]:
    """The file in pieces. Each piece is a query by the key of the last one: nothing is held open in between, and who
    comes or goes meanwhile may be in it or not. Who was erased has no address and is left out.
    """
    yield _csv([COLUMNS])
    people = Subscriber.objects.exclude(status=Subscriber.Status.ERASED).order_by("pk")
    wanted = people.filter(status=status) if status else people
    last = 0
    while found := list(wanted.filter(pk__gt=last).values_list(*FIELDS, named=True)[:BATCH]):
        declined = _declined([subscriber.pk for subscriber in found])
        yield _csv([_cells(subscriber, declined.get(subscriber.pk, [])) for subscriber in found])
        last = found[-1].pk


def _declined(subscribers: list[int]) -> dict[int, list[str]]:
    through: Any = Subscriber.declined_topics.through
    declined: dict[int, list[str]] = {}
    chosen = through.objects.filter(subscriber__in=subscribers).order_by("category__slug")
    for subscriber, slug in chosen.values_list("subscriber_id", "category__slug"):
        declined.setdefault(subscriber, []).append(slug)
    return declined


def _cells(subscriber: Any, declined: list[str]) -> list[str]:
    return [
        subscriber.email,
        subscriber.status,
        _day(subscriber.created_at),
        subscriber.source,
        _day(subscriber.confirmed_at),
        _day(subscriber.paused_until),
        LIST_DELIMITER.join(declined),
        _day(subscriber.ended_at),
    ]


def _day(moment: datetime | None) -> str:
    return timezone.localtime(moment).date().isoformat() if moment else ""


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[neutral(cell) for cell in row] for row in rows])
    return text.getvalue()
