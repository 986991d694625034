from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Max, Q

from careers.models import Market, SalaryRange
from careers.models.salaries import shortened


@dataclass(frozen=True)
class Bar:
    """A range on its market's axis, in hundredths of the axis."""

    x: float
    width: float
    is_open_ended: bool


def room_for(low: int, high: int | None) -> int:
    """How far an axis has to reach for a range; one that names no upper figure still needs room to be seen."""
    return low * 5 // 4 if high is None else high


@dataclass(frozen=True)
class Scale:
    """A market's shared axis for yearly pay: from nothing to `top` whole currency units."""

    market: Market
    top: int

    @classmethod
    def reaching(cls, market: Market, highest: int) -> Self:
        """An axis that ends on the first round figure that is not below the highest."""
        step = 10 ** max(len(str(highest)) - 2, 0) * 5
        return cls(market, -(-highest // step) * step or step)

    @classmethod
    def shared(cls, markets: Iterable[Market], period: str = SalaryRange.Period.YEAR) -> dict[int, Self]:
        """The axes of all current ranges of a period by market key, whichever of them are shown: one query."""
        return cls._of(markets, SalaryRange.objects.in_force().filter(period=period))

    @classmethod
    def of_day(cls, markets: Iterable[Market], day: date, period: str = SalaryRange.Period.YEAR) -> dict[int, Self]:
        """The axes of a day by market key: they reach all ranges of a period up to then that were not wrong; one query.

        Nothing that is published later moves them, but a correction.
        """
        correcting = SalaryRange.objects.filter(why__in=SalaryRange.CORRECTING).exclude(supersedes=None)
        # Corrections are few: a list of what they put right is quicker than a look at each range's successor.
        right = SalaryRange.objects.published().exclude(pk__in=correcting.order_by().values("supersedes"))
        right = right.exclude(why=SalaryRange.Why.RETRACTION).filter(period=period)
        # Partial dates are text that sorts in time order.
        dated = Q(as_of__gt="", as_of__lte=day.isoformat()) | Q(as_of="", published_at__date__lte=day)
        return cls._of(markets, right.filter(dated))

    @classmethod
    def _of(cls, markets: Iterable[Market], ranges: models.QuerySet[SalaryRange]) -> dict[int, Self]:
        ends = ranges.order_by().values("market").annotate(named=Max("high"), unnamed=Max("low", filter=Q(high=None)))
        highest = {row["market"]: max(row["named"] or 0, room_for(row["unnamed"] or 0, None)) for row in ends}
        return {market.pk: cls.reaching(market, highest.get(market.pk, 0)) for market in markets}

    @property
    def low_text(self) -> str:
        return f"{self.market.symbol}0"

    @property
    def high_text(self) -> str:
        return f"{self.market.symbol}{shortened(self.top)}"

    def bar(self, salary: SalaryRange) -> Bar:
        upper = self.top if salary.high is None else salary.high
        x = round(100 * salary.low / self.top, 2)
        return Bar(x, max(round(100 * upper / self.top - x, 2), 0.5), salary.is_open_ended)
