"""Whom an edition goes to: asked once when its audience is frozen, and again in the transaction that claims a mail."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils import timezone

from . import signing
from .models import Delivery, Edition, Exclusion, Subscriber, Suppression

# Days beyond these are no moments everywhere, and mean as much: editors write 9999 for no end.
_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)


class Candidate(NamedTuple):
    """A subscriber as sending sees one."""

    pk: int
    status: str
    email: str
    token: str
    is_paused: bool
    has_declined: bool
    is_elsewhere: bool
    is_out_of_date: bool


def candidates(edition: Edition, subscribers: QuerySet[Subscriber]) -> list[Candidate]:
    """These subscribers and what the edition's segment says of them, in one query."""
    return [Candidate(*row) for row in _asked(edition, subscribers).values_list(*Candidate._fields)]


def expected(edition: Edition) -> int:
    """How many would get the edition now; those whose addresses are suppressed are counted in."""
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE).order_by()
    return _asked(edition, active).filter(**dict.fromkeys(Candidate._fields[-4:], False)).count()


def _asked(edition: Edition, subscribers: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
    """Subscribers with the last four of the `Candidate`’s answers."""
    declined = Subscriber.declined_topics.through.objects.filter(subscriber=OuterRef("pk"), category=edition.topic_id)
    return subscribers.annotate(
        is_paused=_truth(Q(paused_until__isnull=False, paused_until__gt=Now())),
        has_declined=Exists(declined) if edition.topic_id else Value(False),
        is_elsewhere=_truth(~Q(source=edition.source)) if edition.source else Value(False),
        is_out_of_date=_truth(~_in_time(edition)),
    )


def exclusion(candidate: Candidate, suppressed: frozenset[int]) -> Exclusion.Reason | None:
    """Why an edition is not prepared for an active subscriber; None if it is."""
    reasons = (
        (candidate.pk in suppressed, Exclusion.Reason.SUPPRESSED),
        (candidate.is_elsewhere, Exclusion.Reason.SOURCE),
        (candidate.is_out_of_date, Exclusion.Reason.DATE),
        (candidate.has_declined, Exclusion.Reason.DECLINED),
        (candidate.is_paused, Exclusion.Reason.PAUSED),
    )
    return next((reason for holds, reason in reasons if holds), None)


def skip(candidate: Candidate, suppressed: frozenset[int]) -> Delivery.Skip | None:
    """Why a mail that was prepared is not sent after all; None if it is."""
    reasons = (
        (candidate.status != Subscriber.Status.ACTIVE, Delivery.Skip.LEFT),
        (candidate.pk in suppressed, Delivery.Skip.SUPPRESSED),
        (candidate.has_declined, Delivery.Skip.DECLINED),
        (candidate.is_paused, Delivery.Skip.PAUSED),
    )
    return next((reason for holds, reason in reasons if holds), None)


def suppressed_among(candidates: Iterable[Candidate]) -> frozenset[int]:
    """The keys of those whose address must not be written to, in one query."""
    owners = {
        digest: candidate.pk
        for candidate in candidates
        if candidate.email
        for digest in signing.address_digests(candidate.email)
    }
    found = Suppression.objects.filter(digest__in=owners).values_list("digest", flat=True)
    return frozenset(owners[digest] for digest in found)


def _truth(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())


def _in_time(edition: Edition) -> Q:
    """The segment's days, in the site's time zone, the last included."""
    days = Q(pk__isnull=False)
    if edition.signed_up_from:
        days &= Q(created_at__gte=_midnight(min(edition.signed_up_from, _LAST)))
    if edition.signed_up_until:
        days &= Q(created_at__lt=_midnight(min(edition.signed_up_until, _LAST) + timedelta(days=1)))
    return days


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(max(day, _FIRST), time.min))
