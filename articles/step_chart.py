from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from .history import Point
from .models import StatisticValue

# In pixels: the drawing's height, and the room above and below its steps for labels.
HEIGHT, ABOVE, BELOW = 220, 40, 6
MOST_LABELS = 6


@dataclass(frozen=True)
class Step:
    """A stretch of time in which one value held: x in hundredths of the width, y in pixels from the top."""

    x1: float
    x2: float
    y: float
    # The level of the step before, None where this one starts anew.
    from_y: float | None
    label: str
    is_last: bool


@dataclass(frozen=True)
class StepChart:
    """The history of a statistic as steps from its first point to today; withdrawn points are gaps."""

    steps: list[Step]
    height: int
    baseline: float
    first_text: str
    last_text: str
    description: str

    @classmethod
    def of(cls, points: Sequence[Point[StatisticValue]], today: date) -> Self | None:
        """Draw points that are in the order of time; None where there is nothing to compare."""
        shown = [point for point in points if not point.figure.is_withdrawn]
        if len(shown) < 2:
            return None
        first, last = points[0].starts_on, max(today, points[-1].starts_on)
        days = max((last - first).days, 1)
        top = max([0, *(float(point.figure.value) for point in shown)])
        bottom = min([0, *(float(point.figure.value) for point in shown)])
        scale = (HEIGHT - ABOVE - BELOW) / ((top - bottom) or 1)

        def x(day: date) -> float:
            return round(100 * (day - first).days / days, 2)

        def y(value: float) -> float:
            return round(ABOVE + (top - value) * scale, 1)

        steps: list[Step] = []
        before: float | None = None
        ends = [*(point.starts_on for point in points[1:]), last]
        for place, (point, ends_on) in enumerate(zip(points, ends, strict=True)):
            if point.figure.is_withdrawn:
                before = None
                continue
            level = y(float(point.figure.value))
            is_last = place == len(points) - 1
            is_labelled = len(shown) <= MOST_LABELS or point in (shown[0], shown[-1])
            label = point.figure.text if is_labelled else ""
            steps.append(Step(x(point.starts_on), x(ends_on), level, before, label, is_last))
            before = level
        told = ", ".join(f"{p.figure.text} from {p.starts_on:%-d %B %Y}" for p in points)
        return cls(steps, HEIGHT, y(0), f"{first:%-d %b %Y}", f"{last:%-d %b %Y}", f"Step chart: {told}.")
