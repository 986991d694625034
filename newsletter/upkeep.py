"""What keeps editions moving: called every few seconds by every worker, and to no effect where nothing is due."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from articles import announcing, schedule

from . import claims, interrupted, preparation, reports
from .models import Delivery, Edition, Sender

logger = logging.getLogger(__name__)

# Deliveries that are taken out of a cancelled edition's queue at once.
BATCH = 5_000


def tick() -> bool:
    """Do one round; whether there is more to do at once."""
    rounds: list[Callable[[], bool]] = [promote, prepare, expire, settle, withdraw, reopen, finish, interrupted.take_up]
    busy = [_tried(act) for act in rounds]
    return any(busy)


def announce() -> None:
    """Tell those elsewhere who want to know what has changed for readers meanwhile; see `articles.announcing`."""
    if announcing.is_wanted():
        _tried(_settle_and_look)


def _settle_and_look() -> bool:
    schedule.settle()
    return announcing.look() > 0


def _tried(act: Callable[[], bool]) -> bool:
    """Act; what fails for a reason of its own is told and keeps nothing else from its turn."""
    try:
        return act()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("A round of upkeep failed: %s", act.__name__)
        return False


def promote() -> bool:
    """Begin the preparation of editions that are due."""
    for edition in Edition.objects.due():
        preparation.begin(edition)
    return False


def prepare() -> bool:
    busy = [preparation.prepare_batch(edition) for edition in Edition.objects.being_prepared()]
    return any(busy)


def expire() -> bool:
    """Take senders for dead that have given no sign of life: their machine may be gone."""
    for sender in Sender.objects.running().filter(heartbeat_at__lt=Now() - claims.LEASE):
        claims.expire(sender)
    return False


def settle() -> bool:
    """Settle what a dead sender has left and is known from reports."""
    reports.settle_reported()
    return False


def expire_process(host: str, process: int) -> None:
    """Take for dead what a process was sending that has just ended, which its parent knows at once."""
    for sender in Sender.objects.running().filter(host=host, process=process):
        claims.expire(sender)
    interrupted.take_up_after(process)


def withdraw() -> bool:
    """Empty the queue of cancelled editions."""
    cancelled = Edition.objects.filter(_has(Delivery.State.PENDING), state=Edition.State.CANCELLED)
    busy = [claims.withdraw(edition, BATCH) == BATCH for edition in cancelled]
    return any(busy)


def reopen() -> bool:
    """Go on with an edition that was finished, when it turns out that a mail of it had not been taken."""
    sent = Edition.objects.filter(_has(Delivery.State.PENDING), state=Edition.State.SENT)
    sent.update(state=Edition.State.SENDING, finished_at=None)
    return False


def finish() -> bool:
    """Close editions of which nothing waits and nothing is on its way. What is uncertain does not hold them up."""
    done = Edition.objects.being_sent().exclude(_has(Delivery.State.PENDING, Delivery.State.SENDING))
    done.update(state=Edition.State.SENT, finished_at=timezone.now())
    return False


def _has(*states: Delivery.State) -> Q:
    """Whether an edition has deliveries in one of these states, each found by an index of its own."""
    deliveries = [Delivery.objects.filter(edition=OuterRef("pk"), state=state) for state in states]
    return Q.create([Q(Exists(found)) for found in deliveries], connector=Q.OR)
