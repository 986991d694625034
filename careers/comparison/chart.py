"""The comparison as a picture: each role's range as a bar that floats on its market's axis."""

from dataclasses import dataclass
from typing import Self

from careers.models import Market, Role
from careers.models.salaries import shortened

from .scales import Bar, Scale
from .table import Comparison, PayCell

MOST_TICKS = 5
# On a page, in pixels: a row, whose name and figure stand above its bar, and the figures of the axis.
ROW_HEIGHT, AXIS_HEIGHT = 46, 22


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: x in hundredths of its length."""

    x: float
    text: str


@dataclass(frozen=True)
class ChartRow:
    role: Role
    text: str
    bar: Bar | None
    # From the top of the drawing on a page, in pixels.
    y: int


@dataclass(frozen=True)
class Chart:
    """The ranges of one market, a row for each role in the order of the table."""

    market: Market
    ticks: list[Tick]
    rows: list[ChartRow]
    row_height: int = ROW_HEIGHT

    @classmethod
    def of(cls, comparison: Comparison, market: Market) -> Self:
        scale = next(scale for scale in comparison.scales if scale.market == market)
        cells = [(row.role, next(cell for cell in row.pay if cell.market == market)) for row in comparison.rows]
        rows = [ChartRow(role, text_of(cell), cell.bar, place * ROW_HEIGHT) for place, (role, cell) in enumerate(cells)]
        return cls(market, ticks_of(scale), rows)

    @property
    def bottom(self) -> int:
        """Where the rows end and the axis' figures begin, in pixels."""
        return ROW_HEIGHT * len(self.rows)

    @property
    def height(self) -> int:
        return self.bottom + AXIS_HEIGHT

    @property
    def description(self) -> str:
        """What the picture says, for those who do not see it; the table beside it says the same."""
        told = "; ".join(f"{row.role.name} {row.text}" for row in self.rows)
        return f"Chart of yearly pay, {self.market}: {told}."


def charts_of(comparison: Comparison) -> list[Chart]:
    """A chart for each market that the comparison shows."""
    return [Chart.of(comparison, market) for market in comparison.markets]


def text_of(cell: PayCell) -> str:
    if cell.salary:
        return str(cell.salary)
    return "Withdrawn" if cell.withdrawn else "No figure"


def ticks_of(scale: Scale) -> list[Tick]:
    """Round figures from nothing to the end of the axis, five at most."""
    magnitude = 10 ** (len(str(scale.top)) - 1)
    steps = (magnitude * share // 100 for share in (10, 20, 25, 50, 100, 200, 250, 500))
    step = next(step for step in steps if step and scale.top // step < MOST_TICKS)
    symbol = scale.market.symbol
    return [Tick(round(100 * at / scale.top, 2), f"{symbol}{shortened(at)}") for at in range(0, scale.top + 1, step)]
