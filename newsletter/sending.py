"""A slice of sending: one coordinator, which alone speaks with the database, and lanes, which alone speak with servers.

No more mails are on their way at a time than there are lanes, so that a crash leaves at most as many uncertain.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from queue import SimpleQueue

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Sum

from . import claims, replies, reports
from .claims import NOTHING, Claimed
from .lanes import Lane, Outcome, Verdict
from .mails import Mail, Mailing, Recipient, clock
from .models import Delivery, Edition, MailReport, NotPossibleError, Sender
from .models.editions import RATE_COUNTS_FROM

logger = logging.getLogger(__name__)

# How long a slice looks for more to do, seconds: so that editions take turns, and workers their new settings.
SLICE = 30.0
# How often a sign of life is given at least, and how often the rates of failures are looked at.
BEAT = 1.0
LOOK = 5.0
# Without a server: how long to rest after the first error and at most, and after how many in a row to pause.
REST, REST_AT_MOST = 0.5, 30.0
ERRORS_UNTIL_PAUSE = 10
# How long a slice that is to end waits for a database that is away.
PATIENCE = 60.0

NEVER_BEGUN = Outcome(Verdict.UNREACHABLE, None, "Claimed while the database went away, and never begun.")


class Slice:
    """Send mails of an edition for a while. `lane` opens one lane; `is_stopping` is set to let the slice drain."""

    def __init__(
        self,
        edition: Edition,
        lane: Callable[[], Lane],
        number: int,
        is_stopping: threading.Event,
        length: float = SLICE,
    ) -> None:
        self.edition, self.number, self.is_stopping = edition, number, is_stopping
        self.mailing = Mailing(edition.content)
        self.lanes: SimpleQueue[Lane] = SimpleQueue()
        for _ in range(number):
            self.lanes.put(lane())
        self.ends_at = clock() + length
        self.in_flight: dict[Future[Outcome], int] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.is_over = self.is_unsure = self.has_got_through = False
        self.rests_until, self.ill_until, self.rest = 0.0, 0.0, REST
        self.looks_at = clock() + LOOK
        self.errors = edition.connection_errors

    def run(self) -> None:
        make_commits_last()
        self.sender = Sender.objects.create(
            edition=self.edition, host=socket.gethostname()[:100], process=os.getpid(), lanes=self.number
        )
        self.beat_at = clock()
        with ThreadPoolExecutor(self.number, thread_name_prefix="lane") as pool:
            try:
                while not (self._is_ending and not self.in_flight):
                    for recipient in self._turn():
                        self.in_flight[pool.submit(self._send, self.mailing.mail_for(recipient))] = recipient.delivery
                    self._collect()
            finally:
                # Whatever ended the loop: lanes come to the end of their mail, and what came of it is written down.
                self.is_over = True
                wait(self.in_flight)
                self._collect()
                self._turn()
                self._end()

    @property
    def _is_ending(self) -> bool:
        return self.is_over or self.is_stopping.is_set() or clock() > self.ends_at

    def _send(self, mail: Mail) -> Outcome:
        """In a thread of its own: send one mail by whichever lane is free."""
        lane = self.lanes.get()
        try:
            return lane.send(mail, self._may_go)
        except Exception as error:
            # A fault of ours, at an unknown place: perhaps it was taken.
            logger.exception("A lane failed")
            return Outcome(Verdict.UNKNOWN, None, type(error).__name__)
        finally:
            self.lanes.put(lane)

    def _may_go(self) -> bool:
        """Whether nobody can have taken this process for dead: it may have been stopped in the meantime."""
        return clock() < self.beat_at + claims.LEASE.total_seconds() / 2

    def _collect(self) -> None:
        """Wait for outcomes, or for the next sign of life to be due, and take what there is."""
        if self.in_flight:
            done = wait(self.in_flight, timeout=BEAT, return_when=FIRST_COMPLETED).done
            for future in done:
                self.outcomes[self.in_flight.pop(future)] = future.result()
        elif not self._is_ending:
            time.sleep(min(max(self.rests_until - clock(), 0.01), BEAT))

    def _turn(self) -> list[Recipient]:
        """Record what came of mails and claim others, in one transaction; tried until the database has taken it."""
        outcomes, began_at = self.outcomes, clock()
        while True:
            try:
                if self.is_unsure:
                    make_commits_last()  # This may be another connection.
                with transaction.atomic():
                    claimed = self._recorded(outcomes)
                break
            except (OperationalError, InterfaceError) as error:
                logger.warning("The database is away: %s", type(error).__name__)
                self.is_unsure = True
                connection.close()
                if self._is_ending and clock() > began_at + PATIENCE:
                    self.is_over = True
                    return []
                time.sleep(0.25)
        self.is_unsure = False
        self.outcomes = {}
        if claimed.wait:
            self.rests_until = clock() + claimed.wait
        try:
            self._heed(outcomes)
        except Exception:
            # The mails that have just been claimed must not be lost over it.
            logger.exception("What came of mails could not be heeded")
        return claimed.recipients

    def _recorded(self, outcomes: dict[int, Outcome]) -> Claimed:
        at = clock()
        is_alive = claims.beat(self.sender)
        if self.is_unsure:
            known = {*self.in_flight.values(), *outcomes}
            outcomes = outcomes | dict.fromkeys(claims.begun_by_nobody(self.sender, known), NEVER_BEGUN)
        if outcomes:
            claims.record(self.sender, outcomes)
        if not is_alive:
            self.is_over = True
            return NOTHING
        self.beat_at = at
        room = self.number - len(self.in_flight)
        if self._is_ending or not room or clock() < self.rests_until:
            return NOTHING
        claimed = claims.claim(self.sender, self.edition, room)
        # Nothing is due, nothing is on its way: what was put off is another slice's.
        self.is_over = not (claimed.found or claimed.wait or self.in_flight)
        return claimed

    def _heed(self, outcomes: dict[int, Outcome]) -> None:
        """Rest, or pause the edition, when what came of mails asks for it; in transactions of their own."""
        with suppress(OperationalError, InterfaceError, NotPossibleError):
            self._refusals(outcomes)
            verdicts = {outcome.verdict for outcome in outcomes.values()}
            has_got_through = bool(verdicts - {Verdict.UNKNOWN, Verdict.UNREACHABLE, Verdict.LOCKED_OUT})
            self.has_got_through |= has_got_through
            if locked := next((o for o in outcomes.values() if o.verdict == Verdict.LOCKED_OUT), None):
                self._pause(f"The mail server refuses us: {_told(locked)}")
            elif Verdict.UNREACHABLE in verdicts:
                self._unreachable([o for o in outcomes.values() if o.verdict == Verdict.UNREACHABLE])
            elif has_got_through:
                self.rest = REST
            if clock() > self.looks_at:
                self._look()

    def _look(self) -> None:
        """Every few seconds: forget errors that are over, and pause an edition that too many refuse."""
        self.looks_at = clock() + LOOK
        if self.has_got_through:
            self.has_got_through = False
            Edition.objects.filter(pk=self.edition.pk, connection_errors__gt=0).update(connection_errors=0)
        if reason := too_many_failures(self.edition):
            self._pause(reason)

    def _unreachable(self, errors: list[Outcome]) -> None:
        if clock() < self.ill_until:
            return  # What was on its way beside the first that failed fails with it: that is one error.
        self.ill_until = self.rests_until = clock() + self.rest
        self.rest = min(self.rest * 2, REST_AT_MOST)
        self.errors = 0 if self.has_got_through else self.errors
        self.has_got_through = False
        self.edition.refresh_from_db(fields=["connection_errors"])
        # A sender's own errors in a row, begun anew where another got through: several senders do not add theirs up.
        self.errors = min(self.errors, self.edition.connection_errors) + 1
        Edition.objects.filter(pk=self.edition.pk, connection_errors__lt=self.errors).update(
            connection_errors=self.errors
        )
        logger.warning("Edition %s: no server, %s", self.edition.pk, _told(errors[0]))
        if self.errors >= ERRORS_UNTIL_PAUSE:
            self._pause(f"The mail server could not be reached {ERRORS_UNTIL_PAUSE} times in a row: {_told(errors[0])}")

    def _refusals(self, outcomes: dict[int, Outcome]) -> None:
        """Count the bounces that came while sending. Those of a process that dies before are met again next time."""
        refused = {pk: outcome for pk, outcome in outcomes.items() if outcome.verdict == Verdict.REFUSED}
        if refused:
            for delivery in Delivery.objects.select_related("subscriber").filter(pk__in=refused):
                reports.record_refusal(delivery, refused[delivery.pk].code, refused[delivery.pk].reply)

    def _pause(self, reason: str) -> None:
        self.edition.pause(reason)
        logger.warning("Edition %s is paused: %s", self.edition.pk, reason)

    def _end(self) -> None:
        with suppress(OperationalError, InterfaceError):
            claims.end(self.sender)
        while not self.lanes.empty():
            self.lanes.get().close()


def make_commits_last() -> None:
    """Let a claim outlive a loss of power, whatever the settings say: without it a mail could be claimed twice."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET synchronous_commit TO on")
        else:
            cursor.execute("PRAGMA synchronous=FULL")


def too_many_failures(edition: Edition) -> str:
    """Why an edition should be paused for what has become of its mails since it was resumed last; "" if it need not."""
    senders = edition.senders.all()
    if edition.resumed_at:
        senders = senders.filter(started_at__gte=edition.resumed_at)
    sums = senders.aggregate(sent=Sum("sent", default=0), failed=Sum("failed", default=0))
    tried = sums["sent"] + sums["failed"]
    if tried < RATE_COUNTS_FROM:
        return ""
    if sums["failed"] * 100 > tried * settings.NEWSLETTER_FAILURES_PERCENT:
        return f"{sums['failed']} of {tried} mails were refused."
    complaints = MailReport.objects.filter(edition=edition, kind=MailReport.Kind.COMPLAINT)
    if edition.resumed_at:
        # Of the mails that left since: readers of those before go on complaining, of many more mails.
        complaints = complaints.filter(delivery__claimed_at__gte=edition.resumed_at)
    if (number := complaints.count()) * 1000 > tried * settings.NEWSLETTER_COMPLAINTS_PER_MILLE:
        return f"{number} of {tried} readers reported the edition as spam."
    return ""


def _told(outcome: Outcome) -> str:
    return " ".join(filter(None, [str(outcome.code or ""), replies.without_addresses(outcome.reply)]))
