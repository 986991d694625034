"""How long what is held about people is kept. The README's table of settings and the privacy promise follow it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from .models import ConsentEvent, SignUp, Subscriber

UNCONFIRMED = timedelta(days=30)
GONE = timedelta(days=30)
NETWORKS = timedelta(days=30)
SIGN_UPS = timedelta(days=1)
SIGN_UPS_UNHANDLED = timedelta(days=7)

# Rows in one transaction: what is in memory and locked at a time, however many there are.
BATCH = 1_000


def prune(within: timedelta | None = None) -> dict[str, int]:
    """Delete or anonymise what has outlived its purpose, batch by batch, and say how much of what.

    Several may do so at a time. After `within` no further batch is begun; the next call goes on from there.
    """
    now = timezone.now()
    until = time.monotonic() + within.total_seconds() if within else float("inf")
    rounds: dict[str, Callable[[], int]] = {
        "Unconfirmed subscribers deleted": lambda: delete_unconfirmed(now - UNCONFIRMED),
        "Former subscribers anonymised": lambda: anonymise_gone(now - GONE),
        "Networks forgotten": lambda: forget_networks(now - NETWORKS),
        "Sign-ups deleted": lambda: delete_sign_ups(now - SIGN_UPS, now - SIGN_UPS_UNHANDLED),
    }
    return {what: _repeated(act, until) for what, act in rounds.items()}


def _repeated(act: Callable[[], int], until: float) -> int:
    """Act until there is nothing left to do, or the time is over."""
    total = 0
    while time.monotonic() < until and (number := act()):
        total += number
    return total


def delete_unconfirmed(since: datetime) -> int:
    """Delete a few who never confirmed. They are locked first: who confirms at this moment is no longer one of them."""
    with transaction.atomic():
        doomed = Subscriber.objects.never_confirmed(since).order_by("created_at")
        keys = list(doomed.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:BATCH])
        Subscriber.objects.filter(pk__in=keys).delete()
    return len(keys)


def anonymise_gone(since: datetime) -> int:
    """Erase a few of those who are gone, each in a transaction of its own."""
    gone = Subscriber.objects.gone(since).order_by("ended_at")[:BATCH]
    return sum(subscriber.erase(form="retention") for subscriber in gone)


def forget_networks(since: datetime) -> int:
    """Forget the networks of a few events, found by an index that holds none but those with one."""
    old = ConsentEvent.objects.filter(created_at__lt=since).exclude(network_digest="").order_by("created_at")
    return ConsentEvent.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BATCH])).forget_networks()


def delete_sign_ups(handled: datetime, at_all: datetime) -> int:
    keys = list(SignUp.objects.expired(handled, at_all).order_by("created_at").values_list("pk", flat=True)[:BATCH])
    return SignUp.objects.filter(pk__in=keys).delete()[0]
