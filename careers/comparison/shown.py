"""Which salary range stands for a role in a market, now or on a day, without loading more of it than that takes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import starmap
from typing import NamedTuple, Self

from django.db import models

from articles.history import lines_of, true_on
from articles.models import Sourced
from careers.models import Market, SalaryRange
from careers.models.salaries import in_tables_by_market

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
    # For the clocks; what stands now is read without it.
    as_of: str = ""
    published_at: datetime | None = None
    supersedes_id: int | None = None

    @property
    def is_withdrawn(self) -> bool:
        return self.why == Sourced.Why.RETRACTION

    @property
    def upper(self) -> float:
        return float("inf") if self.high is None else self.high


OF_TODAY = [name for name in Standing._fields if name not in Standing._field_defaults]


@dataclass(frozen=True)
class Shown:
    """The ranges that tables show, by role and market."""

    by_role: dict[int, dict[int, Standing]]

    @classmethod
    def read(cls, markets: Sequence[Market], day: date | None = None, roles: Collection[int] | None = None) -> Self:
        """What is shown now, withdrawn figures too, or what was true on a day by all that is known now: one query.

        Of these roles, where some are given, else of all.
        """
        ranges = SalaryRange.objects.filter(market__in=markets).order_by()
        if roles is not None:
            ranges = ranges.filter(role__in=roles)
        if day is None:
            return cls(_by_role(_read(ranges.current().filter(period=YEAR), OF_TODAY)))
        true = (true_on(line, day) for line in lines_of(_read(ranges.published(), Standing._fields)))
        return cls(_by_role(row for row in true if row and row.period == YEAR))

    def pay(self, role: int, market: int) -> Standing | None:
        """What is shown of a role's pay in a market; None where there is no figure or it is withdrawn."""
        row = self.by_role.get(role, {}).get(market)
        return None if row is None or row.is_withdrawn else row

    def keys(self, roles: Iterable[int]) -> list[int]:
        """Primary keys of all that is shown of these roles, withdrawn figures too."""
        return [row.pk for role in roles for row in self.by_role.get(role, {}).values()]


def _read(ranges: models.QuerySet[SalaryRange], columns: Sequence[str]) -> list[Standing]:
    return list(starmap(Standing, ranges.values_list(*columns)))


def _by_role(standing: Iterable[Standing]) -> dict[int, dict[int, Standing]]:
    by_role: dict[int, list[Standing]] = defaultdict(list)
    for row in standing:
        by_role[row.role_id].append(row)
    return {role: in_tables_by_market(rows) for role, rows in by_role.items()}
