"""What one role pays, range by range, for the pages and embeds that show it large."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from articles.history import true_on

from .comparison import PayCell, Scale
from .comparison.shown import Shown
from .models import Market, SalaryRange

YEAR = SalaryRange.Period.YEAR


def pay_of(lines: Iterable[list[SalaryRange]], day: date | None = None) -> list[PayCell]:
    """The ranges at the ends of a role's lines, withdrawn ones too, or those that were true on a day.

    Each lies on the axis of its market and period.
    """
    figures = [line[-1] if day is None else true_on(line, day) for line in lines]
    own = [figure for figure in figures if figure]
    periods = list(SalaryRange.Period)
    own.sort(key=lambda s: (periods.index(SalaryRange.Period(s.period)), s.market.order, s.market.code, s.pk))
    scales = {period: _scales([s for s in own if s.period == period], day) for period in {s.period for s in own}}
    cells = [PayCell.of(s.market, s, scales[s.period][s.market_id]) for s in own]
    # What links to the role's pay in a market leads to the first range there.
    first_of = {cell.market.pk: cell for cell in reversed(cells)}
    return [
        replace(cell, anchor=f"pay-{cell.market.slug}") if first_of[cell.market.pk] is cell else cell for cell in cells
    ]


def _scales(own: Sequence[SalaryRange], day: date | None) -> dict[int, Scale]:
    """The axes of these ranges of one period by market key; of a day only those for yearly pay reach other roles."""
    markets: set[Market] = {salary.market for salary in own}
    period = own[0].period
    if day is None:
        return Scale.shared(markets, period)
    if period == YEAR:
        return Shown.read(list(markets), day).scales(markets)
    highest = {m: max(s.high or s.low * 5 // 4 for s in own if s.market == m) for m in markets}
    return {market.pk: Scale.reaching(market, top) for market, top in highest.items()}
