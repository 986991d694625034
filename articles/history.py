"""The two clocks of a figure: what was true at a time, and what the site said at a time.

A line is all the published rows of one figure, each the successor of the one before. An update adds a point to the
history; a correction, a re-sourced figure and a retraction put another row in the place of the last point.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from django.utils import timezone

from .models import Sourced
from .partial_dates import first_day, last_day


class Dated(Protocol):
    """What the clocks ask of a row: a figure, or as much of one as this."""

    @property
    def pk(self) -> Any: ...
    @property
    def why(self) -> str: ...
    @property
    def as_of(self) -> str: ...
    @property
    def published_at(self) -> datetime | None: ...
    @property
    def is_withdrawn(self) -> bool: ...


@dataclass
class Point[Figure: Sourced | Dated]:
    """A figure in time: the row that stands for it, and those it took the place of, the latest first.

    `starts_on` is the first day on which it held: by its as-of date, else by that of the row whose place it took, else
    by its publication; never later than the point that follows it.
    """

    figure: Figure
    starts_on: date
    replaced: list[Figure] = field(default_factory=list)


def lines_of[Figure: Sourced | Dated](rows: Iterable[Figure]) -> list[list[Figure]]:
    """Sort published rows into lines, each from its first figure to its current one, in the order of their starts."""
    by_predecessor: dict[int | None, list[Figure]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.published_at, row.pk)):
        by_predecessor[row.supersedes_id].append(row)  # type: ignore[union-attr]
    lines = []
    for first in by_predecessor[None]:
        line = [first]
        while successors := by_predecessor.get(line[-1].pk):
            line.append(successors[0])
        lines.append(line)
    return lines


def points_of[Figure: Sourced | Dated](line: Iterable[Figure]) -> list[Point[Figure]]:
    """The history of a line as far as it is known now, oldest first; a withdrawn figure is a point too."""
    points: list[Point[Figure]] = []
    for row in line:
        last = points.pop() if points and row.why in Sourced.REPLACING else None
        if row.as_of:
            starts_on = first_day(row.as_of)
        else:
            starts_on = last.starts_on if last else timezone.localdate(row.published_at)
        points.append(Point(row, starts_on, [last.figure, *last.replaced] if last else []))
    for earlier, later in zip(reversed(points[:-1]), reversed(points[1:]), strict=True):
        earlier.starts_on = min(earlier.starts_on, later.starts_on)
    return points


def known_at[Figure: Sourced | Dated](line: Iterable[Figure], moment: datetime) -> list[Figure]:
    """The part of a line that was published by a moment: with `points_of`, what was known then."""
    return [row for row in line if row.published_at and row.published_at <= moment]


def true_on[Figure: Sourced | Dated](line: Iterable[Figure], day: date) -> Figure | None:
    """The figure that held on a day, by all that this line says; None where there was none or it was withdrawn."""
    points = [point for point in points_of(line) if point.starts_on <= day]
    return None if not points or points[-1].figure.is_withdrawn else points[-1].figure


def said_at[Figure: Sourced | Dated](line: Iterable[Figure], moment: datetime) -> Figure | None:
    """The figure that the site showed at a moment; None where it showed none."""
    known = known_at(line, moment)
    return None if not known or known[-1].is_withdrawn else known[-1]


def end_of(partial_date: str) -> datetime:
    """The last moment, in the site's time zone, of a partial date: 2026-09 ends with 30 September."""
    following = last_day(partial_date) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(following, time.min)) - timedelta(microseconds=1)
