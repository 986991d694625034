"""Subscribers from a table of another system: who would be taken, who stays out and why, and the taking.

They agreed somewhere else, so each row needs word of where and how; it is kept as the evidence. Nobody is taken who has
left, was erased, or must not be written to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import batched
from typing import NamedTuple

import tablib
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from articles.open_data import without_apostrophe

from . import addresses, signing
from .models import ConsentEvent, Subscriber, Suppression

# An import is one transaction, in which SQLite lets nobody else write: as many rows as take a few seconds.
MAX_ROWS = 25_000
MAX_CONSENT = 500
BATCH = 1_000
EARLIEST = date(1990, 1, 1)

ADDRESS_NAMES = ("address", "email", "e-mail", "email_address", "e-mail_address")
CONFIRMED_ON, CONSENT = "confirmed_on", "consent"

NO_DATE = "“{}” is no day such as 2024-05-31."
NOT_YET = "{} is yet to come."
TOO_EARLY = "{} is too long ago."
NO_CONSENT = "It does not say where and how they agreed."
LONG_CONSENT = f"Where and how they agreed takes at most {MAX_CONSENT} characters."
ADDRESS_IN_CONSENT = "Leave addresses out of where and how they agreed: it outlives them."


class Verdict(models.TextChoices):
    NEW = "new", "New: will be subscribed"
    WAITING = "waiting", "Had asked here and not confirmed: will be subscribed"
    SUBSCRIBED = "subscribed", "Is subscribed already"
    REPEATED = "repeated", "Stands further up in the file"
    GONE = "gone", "Stays out: has left, or was erased"
    SUPPRESSED = "suppressed", "Stays out: must not be written to"
    THROW_AWAY = "throw-away", "Stays out: a throw-away address"
    INVALID = "invalid", "Cannot be read"


TAKEN = (Verdict.NEW, Verdict.WAITING)

_OF_STATUS = {
    Subscriber.Status.ACTIVE: Verdict.SUBSCRIBED,
    Subscriber.Status.PENDING: Verdict.WAITING,
    Subscriber.Status.UNSUBSCRIBED: Verdict.GONE,
    Subscriber.Status.BOUNCED: Verdict.SUPPRESSED,
    Subscriber.Status.COMPLAINED: Verdict.SUPPRESSED,
}


class Entry(NamedTuple):
    """Whom a row brings: the address as mail is sent to it, when they confirmed it there, where and how they agreed."""

    address: str
    confirmed_on: date | None
    consent: str

    @property
    def key(self) -> str:
        return addresses.key(self.address)

    @property
    def words(self) -> str:
        return f"{self.consent} (confirmed there on {self.confirmed_on})" if self.confirmed_on else self.consent


@dataclass(frozen=True)
class Row:
    """A row of the file by its number in the spreadsheet, and what becomes of it."""

    number: int
    typed: str
    verdict: Verdict
    why: str = ""
    entry: Entry | None = None


def problem_of_header(headers: Sequence[str]) -> str:
    """Why the columns do not do; empty if they do. Columns of other names are not read."""
    found = [name for name in ADDRESS_NAMES if name in headers]
    if not found:
        return "No column is called address (or email): the first row names the columns."
    if len(found) > 1:
        return f"Which column holds the address: {' or '.join(found)}? Take one of them out."
    return ""


def judged(table: tablib.Dataset, consent: str) -> Iterator[Row]:
    """What would become of each row. `consent` is where and how they agreed where the row itself does not say."""
    for rows in batched(_read(table, consent), BATCH):
        known = _verdicts_on(row.entry.key for row in rows if row.entry)
        for row in rows:
            verdict = known.get(row.entry.key) if row.entry else None
            yield replace(row, verdict=verdict) if verdict else row


def _read(table: tablib.Dataset, consent: str) -> Iterator[Row]:
    """Each row as far as it can be judged by itself and those above it."""
    places = {name: place for place, name in enumerate(table.headers or [])}
    address_at = next(places[name] for name in ADDRESS_NAMES if name in places)
    first_at: dict[str, int] = {}
    for number, cells in enumerate(table, start=2):
        if not any(cells):
            continue
        typed = without_apostrophe(cells[address_at].strip())
        said = {name: cells[places[name]].strip() if name in places else "" for name in (CONFIRMED_ON, CONSENT)}
        try:
            address = addresses.canonical(typed)
            if addresses.is_disposable(address):
                yield Row(number, typed, Verdict.THROW_AWAY)
                continue
            entry = Entry(address, _day(said[CONFIRMED_ON]), checked_consent(said[CONSENT] or consent))
        except ValidationError as error:
            yield Row(number, typed[:300], Verdict.INVALID, " ".join(error.messages))
            continue
        above = first_at.setdefault(entry.key, number)
        if above != number:
            yield Row(number, typed, Verdict.REPEATED, f"Row {above} has it.")
        else:
            yield Row(number, typed, Verdict.NEW, entry=entry)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError as error:
        raise ValidationError(NO_DATE.format(text[:40])) from error
    if day > timezone.localdate():
        raise ValidationError(NOT_YET.format(day))
    if day < EARLIEST:
        raise ValidationError(TOO_EARLY.format(day))
    return day


def checked_consent(text: str) -> str:
    """Where and how people agreed, if it can be kept as evidence; raises `ValidationError`."""
    if not text:
        raise ValidationError(NO_CONSENT)
    if len(text) > MAX_CONSENT:
        raise ValidationError(LONG_CONSENT)
    if "@" in text:
        raise ValidationError(ADDRESS_IN_CONSENT)
    return text


def _verdicts_on(keys: Iterable[str]) -> dict[str, Verdict]:
    """What the site knows of these addresses, in two queries; the suppression list has the last word."""
    wanted = set(keys)
    people = Subscriber.objects.exclude(email_key="").filter(email_key__in=wanted)
    known = {key: _OF_STATUS[Subscriber.Status(status)] for key, status in people.values_list("email_key", "status")}
    owners = {digest: key for key in wanted for digest in signing.address_digests(key)}
    for digest, reason in Suppression.objects.filter(digest__in=owners).values_list("digest", "reason"):
        if known.get(owners[digest]) != Verdict.SUBSCRIBED:
            known[owners[digest]] = Verdict.GONE if reason == Suppression.Reason.LEFT else Verdict.SUPPRESSED
    return known


def take(entries: Iterable[Entry], source: str) -> int:
    """Subscribe all of them in one transaction, and say how many they were.

    Whoever must stay out by now does, whatever was shown before. `source` is the name of this import, by which editions
    can be sent to those who came with it.
    """
    # In one order, so that two imports at a time wait for each other rather than stop each other.
    ordered = sorted(entries, key=lambda entry: entry.key)
    with transaction.atomic():
        return sum(_take(batch, source) for batch in batched(ordered, BATCH))


def _take(entries: Sequence[Entry], source: str) -> int:
    now = timezone.now()
    known = _verdicts_on(entry.key for entry in entries)
    by_key = {entry.key: entry for entry in entries if known.get(entry.key, Verdict.NEW) in TAKEN}
    taken = {**_add(by_key, known, source, now), **_confirm(by_key, known, source, now)}
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            subscriber_id=pk,
            kind=ConsentEvent.Kind.IMPORTED,
            created_at=now,
            form=source,
            wording=by_key[key].words,
        )
        for key, pk in taken.items()
    )
    return len(taken)


def _add(by_key: dict[str, Entry], known: dict[str, Verdict], source: str, now: datetime) -> dict[str, int]:
    """Add those who are not known yet: their keys, by address. Who signs up at this moment is passed over."""
    new = [
        Subscriber(
            email=entry.address,
            email_key=key,
            status=Subscriber.Status.ACTIVE,
            created_at=_moment(entry, now),
            confirmed_at=_moment(entry, now),
            source=source,
        )
        for key, entry in by_key.items()
        if key not in known
    ]
    Subscriber.objects.bulk_create(new, ignore_conflicts=True)
    tokens = [subscriber.token for subscriber in new]
    return dict(Subscriber.objects.filter(token__in=tokens).values_list("email_key", "pk"))


def _confirm(by_key: dict[str, Entry], known: dict[str, Verdict], source: str, now: datetime) -> dict[str, int]:
    """Subscribe those who had asked here and not confirmed it, if that is still so."""
    waiting = Subscriber.objects.filter(
        email_key__in=[key for key in by_key if known.get(key) == Verdict.WAITING], status=Subscriber.Status.PENDING
    ).exclude(email_key="")
    people = list(waiting.order_by("pk").select_for_update())
    for subscriber in people:
        subscriber.status, subscriber.source = Subscriber.Status.ACTIVE, source
        subscriber.confirmed_at = _moment(by_key[subscriber.email_key], now)
    Subscriber.objects.bulk_update(people, ["status", "source", "confirmed_at"])
    return {subscriber.email_key: subscriber.pk for subscriber in people}


def _moment(entry: Entry, now: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(entry.confirmed_on, time.min)) if entry.confirmed_on else now


def source_of(file_name: str) -> str:
    """The name of an import: the day and the file. No address is kept in it."""
    return f"import of {timezone.localdate()}: {file_name.replace('@', '-')}"[: signing.MAX_FORM_NAME]
