"""What one role pays, range by range, for the pages and embeds that show it large."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from articles.history import true_on

from .comparison import PayCell, Scale
from .models import SalaryRange


def pay_of(lines: Iterable[list[SalaryRange]], day: date | None = None) -> list[PayCell]:
    """The ranges at the ends of a role's lines, withdrawn ones too, or those that were true on a day.

    Each lies on the axis of its market and period.
    """
    figures = [line[-1] if day is None else true_on(line, day) for line in lines]
    own = [figure for figure in figures if figure]
    periods = list(SalaryRange.Period)
    own.sort(key=lambda s: (periods.index(SalaryRange.Period(s.period)), s.market.order, s.market.code, s.pk))
    markets = {salary.market for salary in own}
    scales = {
        period: Scale.shared(markets, period) if day is None else Scale.of_day(markets, day, period)
        for period in {salary.period for salary in own}
    }
    cells = [PayCell.of(s.market, s, scales[s.period][s.market_id]) for s in own]
    # What links to the role's pay in a market leads to the first range there.
    first_of = {cell.market.pk: cell for cell in reversed(cells)}
    return [
        replace(cell, anchor=f"pay-{cell.market.slug}") if first_of[cell.market.pk] is cell else cell for cell in cells
    ]
