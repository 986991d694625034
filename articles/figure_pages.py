"""What the pages about figures and their sources print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import CharField, Count, QuerySet, Value
from django.utils import timezone

from .history import lines_of
from .models import Article, Source, Sourced, Statistic, StatisticValue
from .models.sourced import kinds_of_figures
from .models.versions import StatisticReference

CORRECTIONS_A_PAGE = 50
MOST_FIGURES = 200
MOST_ARTICLES = 50


def line_of(statistic: Statistic) -> list[StatisticValue]:
    """All published values of a statistic from the first to the current one, with their evidence: one query."""
    lines = lines_of(statistic.values.published().for_review())
    return lines[0] if lines else []


def articles_showing(statistic: Statistic) -> QuerySet[Article]:
    """Published articles in which a statistic stands or which lead with it, newest first."""
    shown = StatisticReference.objects.filter(target=statistic, is_live=True).values("article")
    led = Article.objects.filter(live_version__headline=statistic).values("pk")
    # Asked for at once, by “or”, every article would be looked at.
    return Article.objects.published().filter(pk__in=shown.union(led)).for_index()[:MOST_ARTICLES]


@dataclass
class Change:
    """A row of a figure’s history: what was published, and what became of it."""

    figure: Sourced
    is_current: bool
    # Whether it was taken back as wrong, so that it is no point of the history.
    is_wrong: bool

    @property
    def is_of_a_day(self) -> bool:
        """Whether it was shown on one day only, so that hours tell its time from that of others."""
        began, ended = self.figure.published_at, self.figure.superseded_at
        return bool(began and ended and timezone.localdate(began) == timezone.localdate(ended))


def changes_of(line: Sequence[Sourced]) -> list[Change]:
    """The history of a line, latest first."""
    following = [*line[1:], None]
    changes = [
        Change(figure, later is None, later is not None and later.why in Sourced.CORRECTING)
        for figure, later in zip(line, following, strict=True)
    ]
    return changes[::-1]


def figures_of(source: Source) -> list[Sourced]:
    """Figures in force that rest on a source, at most `MOST_FIGURES` of each kind."""
    found: list[Sourced] = []
    for kind in kinds_of_figures():
        figures: Any = kind._default_manager.in_force().filter(source=source).for_review()  # type: ignore[attr-defined]
        found.extend(figures.order_by(*kind.owner_fields, "pk")[:MOST_FIGURES])
    return found


def count_figures(sources: Iterable[Source]) -> dict[int, int]:
    """How many figures in force rest on each of these sources."""
    keys = [source.pk for source in sources]
    counts: dict[int, int] = dict.fromkeys(keys, 0)
    for kind in kinds_of_figures():
        cited = kind._default_manager.in_force().filter(source__in=keys).order_by().values("source")  # type: ignore[attr-defined]
        for key, count in cited.annotate(count=Count("pk")).values_list("source", "count"):
            counts[key] += count
    return counts


def corrections(number: int, *, a_page: int = CORRECTIONS_A_PAGE) -> Page:
    """A page of the corrections and retractions of all kinds of figures, latest first; `EmptyPage` beyond the last."""
    places: QuerySet[Any] | None = None
    for kind in kinds_of_figures():
        label = Value(kind._meta.label_lower, output_field=CharField())
        own = kind._default_manager.corrections().order_by().annotate(figure_kind=label)  # type: ignore[attr-defined]
        rows = own.values_list("published_at", "figure_kind", "pk")
        places = rows if places is None else places.union(rows, all=True)
    if places is None:
        return Paginator([], a_page).page(1)
    page = Paginator(places.order_by("-published_at", "figure_kind", "-pk"), a_page).page(number)
    page.object_list = _in_bulk(list(page.object_list))
    return page


def _in_bulk(places: list[tuple[datetime, str, int]]) -> list[Sourced]:
    found: dict[tuple[str, int], Sourced] = {}
    for kind in kinds_of_figures():
        label = kind._meta.label_lower
        keys = [pk for _, own, pk in places if own == label]
        rows: Any = kind._default_manager.for_review()  # type: ignore[attr-defined]
        found |= {(label, pk): row for pk, row in rows.in_bulk(keys).items()} if keys else {}
    return [found[label, pk] for _, label, pk in places]
