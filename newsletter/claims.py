"""The transactions of sending: what came of mails is recorded, and the next ones are claimed.

A delivery leaves `pending` here, before SMTP starts, and comes back only by an outcome which says that the mail has
certainly not been taken. Nothing else in this app makes a delivery `sending`, and nothing makes it `pending` again but
this module.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from django.db import models, transaction
from django.db.models import Case, Exists, F, Value, When
from django.db.models.functions import Now

from . import eligibility, replies
from .lanes import Outcome, Verdict
from .mails import Recipient
from .models import Delivery, Edition, Sender, Subscriber
from .rates import Allowance

State = Delivery.State

# After how long a mail that was put off is tried again; after the last time it has failed.
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 25, 125, 300)]
# A sender that has not been heard of for so long is taken for dead, wherever it runs.
LEASE = timedelta(seconds=30)

_STATES = {Verdict.ACCEPTED: State.SENT, Verdict.REFUSED: State.FAILED, Verdict.UNKNOWN: State.UNCERTAIN}


def beat(sender: Sender) -> bool:
    """Give a sign of life and hold the sender's row until the transaction ends; False if it was taken for dead."""
    return Sender.objects.running().filter(pk=sender.pk).update(heartbeat_at=Now()) == 1


def record(sender: Sender, outcomes: Mapping[int, Outcome]) -> None:
    """Write down what came of deliveries that this sender has held last, and move its books.

    A delivery that had become uncertain, because the sender was taken for dead, is settled by this: it is the evidence.
    One that somebody else has settled since is left as it is. Recording the same twice changes nothing.
    """
    held = _held(sender).filter(pk__in=outcomes).order_by("pk").select_for_update(no_key=True)
    book: Counter[str] = Counter()
    alike: dict[_Change, dict[int, str]] = defaultdict(dict)
    for pk, state, attempts in held.values_list("pk", "state", "attempts"):
        if state == State.UNCERTAIN:
            book["uncertain"] -= 1
        change = _change(outcomes[pk], attempts)
        book[_entry(change.state)] += 1
        alike[change][pk] = replies.without_addresses(outcomes[pk].reply)
    for change, said in alike.items():
        change.make(said)
    _enter(sender, book)


def begun_by_nobody(sender: Sender, in_flight: Iterable[int]) -> list[int]:
    """Deliveries that this sender has claimed by a commit whose answer was lost: no lane has them.

    What came of them nobody has written down, which tells them from those of which a lane said that it is uncertain.
    """
    return list(_held(sender).filter(settled_at=None).exclude(pk__in=in_flight).values_list("pk", flat=True))


class Claimed(NamedTuple):
    """Whom to write to once the claiming transaction has been committed.

    `found` counts the due deliveries that were found, those left out included; `wait` is how many seconds the rates of
    sending ask for before the next.
    """

    recipients: list[Recipient]
    found: int = 0
    wait: float = 0.0


NOTHING = Claimed([])


def claim(sender: Sender, edition: Edition, room: int) -> Claimed:
    """Take at most `room` due deliveries, if the edition is being sent and their subscribers still want it.

    Subscribers are locked: whoever leaves does so before, and is left out, or after the mail has been claimed.
    """
    if not edition.is_sending_now():
        return NOTHING
    allowance = Allowance(edition)
    room = int(min(room, allowance.number))
    due = dict(_due(edition)[:room]) if room else {}
    if not due:
        return NOTHING if room else Claimed([], wait=allowance.wait())
    people = Subscriber.objects.filter(pk__in=due.values()).order_by("pk")
    # Locked by one statement and read by the next: the first may have waited, with other tables as they were before.
    list(people.select_for_update(no_key=True).values_list("pk"))
    found = eligibility.candidates(edition, people)
    suppressed = eligibility.suppressed_among(found)
    skips = {person.pk: eligibility.skip(person, suppressed) for person in found}
    wanting = {person.pk: person for person in found if skips[person.pk] is None}
    going = {pk: wanting[subscriber] for pk, subscriber in due.items() if subscriber in wanting}
    _leave_out(sender, {pk: skip for pk, subscriber in due.items() if (skip := skips[subscriber])})
    Delivery.objects.filter(pk__in=going).update(
        state=State.SENDING, sender=sender, claimed_at=Now(), settled_at=None, code=None, reply=""
    )
    allowance.spend(len(going))
    recipients = [Recipient(pk, person.token, person.email) for pk, person in going.items()]
    return Claimed(recipients, found=len(due))


def end(sender: Sender) -> None:
    """Close the books of a sender; one that still holds something is left to its lease, which makes that uncertain."""
    held = sender.deliveries.filter(edition=sender.edition_id, state=State.SENDING)
    Sender.objects.running().filter(~Exists(held), pk=sender.pk).update(ended_at=Now())


def expire(sender: Sender) -> bool:
    """Take a sender for dead: what it was sending has perhaps been sent. False if it had ended before."""
    with transaction.atomic():
        if not Sender.objects.running().filter(pk=sender.pk).update(ended_at=Now(), is_lost=True):
            return False
        lost = sender.deliveries.filter(edition=sender.edition_id, state=State.SENDING).update(state=State.UNCERTAIN)
        _enter(sender, Counter(uncertain=lost))
    return True


def settle(delivery: Delivery, state: Delivery.State, note: str) -> bool:
    """Say what became of an uncertain delivery: sent, failed, or pending, to be sent once more. False if it is not one.

    Only a person may choose pending: whoever does accepts that the mail arrives twice if it had been taken.
    """
    with transaction.atomic():
        # The sender first, as everywhere: two that wait for each other would both be turned away.
        sender = Sender.objects.select_for_update(of=("self",)).filter(deliveries=delivery.pk).first()
        delivery.refresh_from_db(from_queryset=Delivery.objects.select_for_update(no_key=True))
        if sender is None or delivery.sender_id != sender.pk or delivery.state != State.UNCERTAIN:
            return False
        delivery.state, delivery.reply, delivery.settled_at = state, replies.without_addresses(note), Now()
        delivery.save(update_fields=["state", "reply", "settled_at"])
        _enter(sender, Counter({"uncertain": -1, _entry(state): 1}))
    return True


def withdraw(edition: Edition, at_most: int) -> int:
    """Take waiting deliveries of a cancelled edition out of the queue; how many."""
    with transaction.atomic():
        edition.lock()
        if edition.state != Edition.State.CANCELLED:
            return 0
        waiting = list(edition.deliveries.pending().order_by("pk").values_list("pk", flat=True)[:at_most])
        number = Delivery.objects.filter(pk__in=waiting).update(
            state=State.SKIPPED, skip=Delivery.Skip.CANCELLED, settled_at=Now()
        )
        Edition.objects.filter(pk=edition.pk).update(withdrawn=F("withdrawn") + number)
    return number


def _held(sender: Sender) -> models.QuerySet[Delivery]:
    states = [State.SENDING, State.UNCERTAIN]
    return Delivery.objects.filter(edition=sender.edition_id, sender=sender, state__in=states)


def _due(edition: Edition) -> models.QuerySet[Delivery, tuple[int, int]]:
    due = Delivery.objects.pending().filter(edition=edition, due_at__lte=Now()).order_by("due_at", "pk")
    # Not by its key: who inserts a report that refers to it holds the subscriber, whom the claim locks next.
    return due.select_for_update(skip_locked=True, no_key=True).values_list("pk", "subscriber_id")


class _Change(NamedTuple):
    """What an outcome makes of a delivery; `due_in` is when it is tried again, None where it is not."""

    state: Delivery.State
    code: int | None
    attempts: int
    due_in: timedelta | None = None

    def make(self, said: Mapping[int, str]) -> None:
        """Change these deliveries, each with its own reply: one statement, which `bulk_update` would take six for."""
        different = set(said.values())
        own = Case(*(When(pk=pk, then=Value(reply)) for pk, reply in said.items()))
        # At once is now and no sum: SQLite writes sums to the microsecond and compares them as text with the next now.
        again = {} if self.due_in is None else {"due_at": Now() + self.due_in if self.due_in else Now()}
        Delivery.objects.filter(pk__in=said).update(
            state=self.state,
            code=self.code,
            attempts=self.attempts,
            settled_at=Now() if self.due_in is None else None,
            reply=Value(different.pop()) if len(different) == 1 else own,
            **again,
        )


def _change(outcome: Outcome, attempts: int) -> _Change:
    if outcome.verdict in _STATES:
        return _Change(_STATES[outcome.verdict], outcome.code, attempts)
    if outcome.verdict != Verdict.DEFERRED:
        return _Change(State.PENDING, outcome.code, attempts, timedelta())
    if attempts >= len(RETRY_AFTER):
        return _Change(State.FAILED, outcome.code, attempts)
    return _Change(State.PENDING, outcome.code, attempts + 1, RETRY_AFTER[attempts])


def _leave_out(sender: Sender, skips: Mapping[int, Delivery.Skip]) -> None:
    for skip in set(skips.values()):
        Delivery.objects.filter(pk__in=[pk for pk, reason in skips.items() if reason == skip]).update(
            state=State.SKIPPED, skip=skip, sender=sender, settled_at=Now()
        )
    _enter(sender, Counter(skipped=len(skips)))


def _entry(state: str) -> str:
    return "retried" if state == State.PENDING else state


def _enter(sender: Sender, book: Counter[str]) -> None:
    changes = {name: F(name) + number for name, number in book.items() if number}
    if changes:
        Sender.objects.filter(pk=sender.pk).update(**changes)
