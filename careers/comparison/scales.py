from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.db.models import F, Max
from django.db.models.functions import Coalesce

from careers.models import Market, SalaryRange
from careers.models.salaries import shortened


@dataclass(frozen=True)
class Bar:
    """A range on its market's axis, in hundredths of the axis."""

    x: float
    width: float
    is_open_ended: bool


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
        # A range that names no upper figure still needs room to be seen.
        upper = Coalesce("high", F("low") * 5 / 4)
        ranges = SalaryRange.objects.in_force().filter(period=period).order_by()
        highest = dict(ranges.values("market").annotate(highest=Max(upper)).values_list("market", "highest"))
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
