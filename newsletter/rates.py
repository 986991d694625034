"""How many mails may leave now, over all workers: the generic cell rate algorithm, its state in the database."""

from datetime import datetime, timedelta
from math import floor

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from .models import Edition, SendingRate

# Workers look a few times a second. What they may take at once for it is taken off the pace, so that no window of the
# limit's length holds more than the limit.
AT_ONCE = timedelta(milliseconds=50)


class Allowance:
    """What the limits leave at this moment. Locks them until the transaction ends: take it, claim, spend."""

    def __init__(self, edition: Edition) -> None:
        self._limits = [(*self._locked(name), pace) for name, pace in _paces(edition).items()]

    @property
    def number(self) -> float:
        """How many mails may be claimed now; infinite without limits."""
        return min((self._left(*limit) for limit in self._limits), default=float("inf"))

    def wait(self) -> float:
        """Seconds until one mail may be claimed."""
        return max(((rate.next_at - now).total_seconds() for rate, now, _ in self._limits), default=0.0)

    def spend(self, number: int) -> None:
        for rate, now, pace in self._limits:
            rate.next_at = max(rate.next_at, now - AT_ONCE) + number * pace
            rate.save(update_fields=["next_at"])

    def _locked(self, name: str) -> tuple[SendingRate, datetime]:
        """The limit's row and the database's clock: machines need not agree."""
        SendingRate.objects.get_or_create(name=name, defaults={"next_at": timezone.now()})
        rate = SendingRate.objects.annotate(now=Now()).select_for_update().get(name=name)
        return rate, rate.now

    @staticmethod
    def _left(rate: SendingRate, now: datetime, pace: timedelta) -> int:
        if rate.next_at > now:
            return 0
        return 1 + floor((now - max(rate.next_at, now - AT_ONCE)) / pace)


def _paces(edition: Edition) -> dict[str, timedelta]:
    """The time that each mail takes, for each limit that is set."""
    limits = {
        "second": (edition.per_second or settings.NEWSLETTER_PER_SECOND, timedelta(seconds=1)),
        "hour": (edition.per_hour or settings.NEWSLETTER_PER_HOUR, timedelta(hours=1)),
    }
    return {name: (window + AT_ONCE) / limit for name, (limit, window) in limits.items() if limit}
