"""Where a figure is shown, and how each place reads with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone

from . import references
from .models import Article, StatisticValue
from .open_data import plain

MOST_ARTICLES = 50
# How many figures the front page shows, those of the newest articles.
FIGURES_AT_HOME = 3


@dataclass(frozen=True)
class Use:
    """A place that shows a figure: its name and address, what it prints given the figure, and whether it shows it."""

    where: str
    url: str
    reads: Callable[[Any], str]
    shows: Callable[[Any], bool] = lambda figure: True


@dataclass(frozen=True)
class Reading:
    """How a place reads now, and how it will with another figure."""

    use: Use
    now: str
    then: str


def readings(figure: Any, candidate: Any) -> list[Reading]:
    """How every place that shows a published figure reads, and would read with `candidate` in its stead."""
    uses = (use for use in figure.uses() if use.shows(figure) or use.shows(candidate))
    return [Reading(use, use.reads(figure), use.reads(candidate)) for use in uses]


def shown_in(articles: Any) -> list[Article]:
    """Published and scheduled articles of a set with their documents, newest first; none that is withdrawn."""
    shown = articles.exclude(live_version=None).exclude(withdrawn_at__lte=timezone.now())
    return list(shown.select_related("live_version").newest_first()[:MOST_ARTICLES])


def uses_in_texts(articles: Iterable[Article], is_meant: Callable[[str], bool]) -> list[Use]:
    """Where texts of these articles refer to a figure, with the words around; `is_meant` knows its references."""
    uses = []
    for article in articles:
        texts = [block.get("html", "") for block in article.live_version.document["blocks"]]  # type: ignore[union-attr]
        for before, after in (words for text in texts for words in references.around(text, is_meant)):
            uses.append(Use(f"Text of article {article}", article.get_absolute_url(), _sentence(before, after)))
    return uses


def _sentence(before: str, after: str) -> Callable[[Any], str]:
    return lambda figure: f"{before}{figure.text}{after}"


def uses_of_statistic(value: StatisticValue) -> list[Use]:
    """The statistic’s own page, and whatever in articles shows it, blocks before cards."""
    statistic = value.statistic
    uses = [Use("Its own page", statistic.get_absolute_url(), lambda v: f"{v.text}: {statistic.claim}")]
    articles = shown_in(Article.objects.filter(statisticreference__target=statistic))
    for article in articles:
        document = article.live_version.document  # type: ignore[union-attr]
        is_block = any(b["type"] == "statistic" and b["statistic"] == statistic.slug for b in document["blocks"])
        if is_block:
            uses.append(Use(f"Article {article}", article.get_absolute_url(), lambda v: f"{v.text} {statistic.claim}"))
    uses += uses_in_texts(articles, lambda reference: reference == f"statistic:{statistic.slug}")
    for article in shown_in(Article.objects.filter(live_version__headline=statistic)):
        where = f"Card of article {article}"
        uses.append(Use(where, article.get_absolute_url(), lambda v: "No figure" if v.is_withdrawn else v.text))
    if value in StatisticValue.objects.in_force().on_live_pages(FIGURES_AT_HOME):
        uses.append(Use("Front page", reverse("home"), lambda v: f"{v.text} {statistic.claim}"))
    uses.append(Use("Data file", reverse("articles:statistics_csv"), _in_the_file))
    return uses


def _in_the_file(value: StatisticValue) -> str:
    return "is_withdrawn" if value.is_withdrawn else f"{value.display_text} {plain(value.value)}"
