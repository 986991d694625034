"""Preparation: the content and the audience of an edition are frozen before the first mail can be claimed."""

import logging
from collections import Counter
from contextlib import suppress

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from articles.schedule import settle

from . import composing, eligibility
from .mails import Mailing
from .models import Delivery, Edition, Exclusion, NotPossibleError, Subscriber

logger = logging.getLogger(__name__)

# Subscribers in one transaction: what is in memory at a time, whatever the length of the list.
BATCH = 5_000


def begin(edition: Edition) -> None:
    """Freeze what a due edition says, and the moment of its audience. Whoever comes second does nothing.

    An edition that cannot be composed is paused with the reason, so that it does not stand in the way of others.
    """
    # The articles' figures are those of their scheduled changes, if these are due.
    settle()
    try:
        with transaction.atomic():
            edition.lock()
            if edition.state != Edition.State.SCHEDULED:
                return
            # A mail that cannot be put into bytes would stop every sender that takes up the edition.
            Mailing(composing.freeze(edition))
            edition.state, edition.audience_at = Edition.State.PREPARING, timezone.now()
            edition.save(update_fields=["state", "audience_at", "changed_at"])
    except (OperationalError, InterfaceError):
        # The database was away, or somebody was in the way: the next round tries again.
        raise
    except Exception as error:
        logger.exception("Edition %s cannot be composed", edition.pk)
        _hold(edition, f"It could not be composed: {type(error).__name__}: {error}")


def _hold(edition: Edition, reason: str) -> None:
    with transaction.atomic():
        edition.lock()
        if edition.state == Edition.State.SCHEDULED:
            edition.state, edition.pause_reason = Edition.State.PAUSED, reason[:300]
            edition.save(update_fields=["state", "pause_reason", "changed_at"])


def prepare_batch(edition: Edition) -> bool:
    """Prepare a batch; an edition that cannot be prepared is paused with the reason, as one that cannot be composed."""
    try:
        return _prepare_batch(edition)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Edition %s cannot be prepared", edition.pk)
        with suppress(NotPossibleError):
            edition.pause(f"It could not be prepared: {type(error).__name__}: {error}")
        return False


def _prepare_batch(edition: Edition) -> bool:
    """Queue the edition for the next few thousand subscribers; False if that was not possible or not needed any more.

    Where it stopped is kept with the rows that it made, so that a crash neither loses nor repeats anybody. Candidates
    are all who are subscribed at `audience_at`; each is a delivery or is counted as an exclusion.
    """
    with transaction.atomic():
        edition.lock()
        if edition.state != Edition.State.PREPARING:
            return False
        active = Subscriber.objects.filter(
            pk__gt=edition.prepared_through, status=Subscriber.Status.ACTIVE, confirmed_at__lte=edition.audience_at
        )
        found = eligibility.candidates(edition, active.order_by("pk")[:BATCH])
        suppressed = eligibility.suppressed_among(found)
        reasons = {candidate.pk: eligibility.exclusion(candidate, suppressed) for candidate in found}
        going = [pk for pk, reason in reasons.items() if reason is None]
        Delivery.objects.bulk_create([Delivery(edition=edition, subscriber_id=pk) for pk in going])
        _count(edition, Counter(reason for reason in reasons.values() if reason))
        edition.candidates += len(found)
        edition.deliveries_made += len(going)
        if found:
            edition.prepared_through = found[-1].pk
        if len(found) < BATCH:
            edition.state = Edition.State.SENDING
            edition.prepared_at = edition.started_at = timezone.now()
        # Nothing of the draft: somebody may have saved it at this moment.
        edition.save(
            update_fields=[
                *("candidates", "deliveries_made", "prepared_through"),
                *("state", "prepared_at", "started_at", "changed_at"),
            ]
        )
    return edition.state == Edition.State.PREPARING


def _count(edition: Edition, reasons: Counter[Exclusion.Reason]) -> None:
    for reason, number in reasons.items():
        exclusion, _ = Exclusion.objects.get_or_create(edition=edition, reason=reason)
        Exclusion.objects.filter(pk=exclusion.pk).update(number=F("number") + number)
