"""The rules about live articles."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import cast

from django.db import models
from django.utils.text import get_text_list

from .models import Article, ArticleVersion, LiveReference, Sourced, StatisticValue
from .models.article import ArticleQuerySet
from .review import Severity, record_rule

MOST_NAMED = 5


def year_in(title: str) -> int | None:
    """The latest year from 1990 to 2199 that a title names; sums of money, shares and longer numbers are none."""
    years = re.findall(r"(?<![0-9£$€.,])(199[0-9]|2[01][0-9]{2})(?![0-9%]|[.,][0-9])", title)
    return max(map(int, years), default=None)


@record_rule("title-year", "The title names a later year than a figure", Severity.WARNING)
def title_year(today: date) -> Iterator[tuple[Article, str]]:
    dated = Article.objects.published().exclude(live_version__title_year=None)
    articles = {article.pk: article for article in _with_versions(dated)}
    earlier: dict[int, dict[Sourced, int]] = defaultdict(dict)
    for kind in LiveReference.kinds():
        for key, figure in kind.figures_shown(dated):
            year, named = _year_of(figure), key in articles and _live(articles[key]).title_year
            if year and named and year < named:
                earlier[key][figure] = year
    for key, figures in earlier.items():
        names = [f"{figure.text} ({year})" for figure, year in figures.items()]
        rest = len(names) - MOST_NAMED
        shown = names if rest < 1 else [*names[:MOST_NAMED], f"{rest} more"]
        what = "a figure" if len(names) == 1 else "figures"
        title = f"Its title names {_live(articles[key]).title_year}"
        yield articles[key], f"{title}, but it shows {what} from before: {get_text_list(shown, 'and')}."


@record_rule("bare-figure", "A bare number in the text", Severity.WARNING)
def bare_figure(today: date) -> Iterator[tuple[Article, str, str]]:
    """One finding for each number of an article, however often it stands there."""
    for article in _with_versions(Article.objects.published().exclude(live_version__bare_figures=[])):
        found: dict[str, list[dict[str, str]]] = defaultdict(list)
        for figure in _live(article).bare_figures:
            found[" ".join(figure["text"].split())].append(figure)
        for text, figures in found.items():
            again = f" and {len(figures) - 1} more" if len(figures) > 1 else ""
            message = (
                f"“{text}” is typed in, where a reference to a figure should stand: {figures[0]['place']}{again}, "
                f"“{figures[0]['context']}”."
            )
            yield article, message, text[:40]


def _with_versions(articles: ArticleQuerySet) -> ArticleQuerySet:
    return articles.select_related("live_version").defer("live_version__document").fetch_mode(models.FETCH_RAISE)


def _live(article: Article) -> ArticleVersion:
    return cast("ArticleVersion", article.live_version)


def _year_of(figure: Sourced) -> int | None:
    """The year that a figure speaks of: the one that it projects, else that of its as-of date."""
    if isinstance(figure, StatisticValue) and figure.horizon_year:
        return figure.horizon_year
    return int(figure.as_of[:4]) if figure.as_of else None
