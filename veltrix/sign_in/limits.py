"""How many passwords and codes may be tried: sliding windows over rows of the database.

What is tried is written down before it is looked at, so that a hundred requests at once are counted like a hundred one
after the other. No limit shuts an account's owner out for good: the narrow ones are of one network, the one of the
account itself passes over networks from which its owner signed in lately, and passkeys are not counted.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from veltrix.clients import network_of
from veltrix.models import Attempt, SessionRecord

from .pages import page

logger = logging.getLogger("veltrix.sign_in")

Kind = Attempt.Kind

KEPT_FOR = timedelta(days=1)
KNOWN_FOR = timedelta(days=30)


class Limit(NamedTuple):
    most: int
    within: timedelta


@dataclass(frozen=True)
class Limits:
    """`here`: one account from one network; `network`: all accounts from it; `account`: one account from anywhere."""

    network: Limit
    here: Limit | None = None
    account: Limit | None = None


QUARTER = timedelta(minutes=15)
LIMITS = {
    Kind.PASSWORD: Limits(here=Limit(5, QUARTER), network=Limit(30, QUARTER), account=Limit(100, timedelta(days=1))),
    Kind.CODE: Limits(here=Limit(5, QUARTER), network=Limit(30, QUARTER), account=Limit(50, timedelta(days=1))),
    Kind.CHALLENGE: Limits(network=Limit(60, QUARTER)),
}


class TooManyError(Exception):
    """Nothing more may be tried for now. `seconds` says for how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def begin(request: HttpRequest, kind: Kind, username: str = "") -> Attempt:
    """Write down that something is being tried. Raises `TooManyError`; that does not make the wait longer."""
    network = network_of(request)
    attempt = Attempt.objects.create(
        kind=kind,
        account_digest=_digest("account", username.lower()) if username else "",
        network_digest=_digest("network", network),
    )
    if seconds := _wait(attempt, username, network):
        attempt.delete()
        raise TooManyError(seconds)
    return attempt


def passed(attempt: Attempt) -> None:
    """It was right: what was tried before it, for the same account and from the same network, counts no more."""
    _same_place(attempt).delete()


def too_many(request: HttpRequest, error: TooManyError) -> HttpResponse:
    logger.warning("Too many attempts from %s at %s", network_of(request), request.path)
    context = {"minutes": ceil(error.seconds / 60), "title": "Too many attempts"}
    response = page(request, "admin/sign_in/too_many.html", context, status=429)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _wait(attempt: Attempt, username: str, network: str) -> int:
    limits = LIMITS[Kind(attempt.kind)]
    of_kind = Attempt.objects.filter(kind=attempt.kind)
    waits = [_over(of_kind.filter(network_digest=attempt.network_digest), limits.network)]
    if limits.here:
        waits.append(_over(_same_place(attempt), limits.here))
    if limits.account and not _is_known(username, network):
        waits.append(_over(of_kind.filter(account_digest=attempt.account_digest), limits.account))
    return max(waits)


def _over(attempts: QuerySet[Attempt], limit: Limit) -> int:
    """For how many seconds nothing more is allowed; 0 where something is."""
    now = timezone.now()
    moments = attempts.filter(at__gt=now - limit.within).order_by("-at").values_list("at", flat=True)
    before = list(moments[limit.most : limit.most + 1])
    return max(1, ceil((before[0] + limit.within - now).total_seconds())) if before else 0


def _same_place(attempt: Attempt) -> QuerySet[Attempt]:
    return Attempt.objects.filter(
        kind=attempt.kind, account_digest=attempt.account_digest, network_digest=attempt.network_digest
    )


def _is_known(username: str, network: str) -> bool:
    """Whether the owner of the account signed in from this network lately."""
    lately = SessionRecord.objects.filter(started_at__gt=timezone.now() - KNOWN_FOR)
    return bool(network) and lately.filter(user__username=username, network=network).exists()


def _digest(what: str, value: str) -> str:
    return salted_hmac(f"veltrix.sign_in.{what}", value, algorithm="sha256").hexdigest()
