"""Which salary range stands for a role in a market, now or on a day, without loading more of it than that takes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import starmap
from typing import NamedTuple, Self

from articles.history import lines_of, true_on
from articles.models import Sourced
from careers.models import Market, SalaryRange
from careers.models.salaries import in_tables_by_market

from .scales import Scale

YEAR = SalaryRange.Period.YEAR


class Standing(NamedTuple):
    """Of a salary range what choosing, sorting and measuring it takes."""

    pk: int
    role_id: int
    market_id: int
    kind: str
    level: str
    period: str
    low: int
    high: int | None
    is_open_ended: bool
    why: str
    as_of: str
    published_at: datetime
    supersedes_id: int | None

    @property
    def is_withdrawn(self) -> bool:
        return self.why == Sourced.Why.RETRACTION

    @property
    def upper(self) -> float:
        return float("inf") if self.high is None else self.high


@dataclass(frozen=True)
class Shown:
    """The ranges that tables show, by role and market, and the axes on which they lie, by market."""

    by_role: dict[int, dict[int, Standing]]
    scales: dict[int, Scale]

    @classmethod
    def read(cls, markets: Sequence[Market], day: date | None = None, roles: Collection[int] | None = None) -> Self:
        """What is shown now, withdrawn figures too, or what was true on a day by all that is known now.

        The axes are those of all roles, even where only some roles are asked for. One query for a day, two for now.
        """
        ranges = SalaryRange.objects.filter(market__in=markets).order_by()
        if day is None:
            now = ranges.current().filter(period=YEAR)
            standing = _read(now if roles is None else now.filter(role__in=roles))
            scales = Scale.shared(markets)
        else:
            true = [true_on(line, day) for line in lines_of(_read(ranges.published()))]
            standing = [row for row in true if row and row.period == YEAR]
            scales = _scales(markets, standing)
        by_role: dict[int, list[Standing]] = defaultdict(list)
        for row in standing:
            by_role[row.role_id].append(row)
        return cls({role: in_tables_by_market(rows) for role, rows in by_role.items()}, scales)

    def pay(self, role: int, market: int) -> Standing | None:
        """What is shown of a role's pay in a market; None where there is no figure or it is withdrawn."""
        row = self.by_role.get(role, {}).get(market)
        return None if row is None or row.is_withdrawn else row

    def keys(self, roles: Iterable[int]) -> list[int]:
        """Primary keys of all that is shown of these roles, withdrawn figures too."""
        return [row.pk for role in roles for row in self.by_role.get(role, {}).values()]


def _read(ranges: Iterable[SalaryRange]) -> list[Standing]:
    return list(starmap(Standing, ranges.values_list(*Standing._fields)))  # type: ignore[attr-defined]


def _scales(markets: Iterable[Market], standing: Iterable[Standing]) -> dict[int, Scale]:
    highest: dict[int, int] = defaultdict(int)
    for row in standing:
        upper = row.low * 5 // 4 if row.high is None else row.high
        highest[row.market_id] = max(highest[row.market_id], upper)
    return {market.pk: Scale.reaching(market, highest[market.pk]) for market in markets}
