"""The addresses of all pages for readers, in parts (sitemaps.org, protocol 0.9).

A page is listed where it may be indexed: every other one says `noindex` or is a way of asking a page that is listed.
`lastmod` is when the text of a page or a figure on it was last changed; where that is not known, nothing is said.
Django's own sitemaps take the site's address from the request; these take it from the settings, as canonical links do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import EmptyPage, Paginator
from django.db.models import Exists, Max, Model, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from articles.live_references import latest_figures
from articles.models import Article, Author, Category, Series, Source, Statistic
from careers.models import CareerPath, Role, Skill
from newsletter.models import Edition

from .page_cache.views import kept

MOST = 2_000
XML = "application/xml; charset=utf-8"
FIXED = [
    "home",
    "articles:index",
    "articles:sources",
    "articles:corrections",
    "careers:index",
    "careers:compare",
    "careers:fit",
    "careers:skills",
    "newsletter:index",
    "newsletter:archive",
    "search",
]


@dataclass(frozen=True)
class Place:
    """A page: its path, and when it was last changed."""

    path: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Part:
    rows: Callable[[], QuerySet[Any] | Sequence[Any]]
    places: Callable[[Sequence[Any]], Iterable[Place]]

    def pages(self) -> Paginator:
        return Paginator(self.rows(), MOST)


def _fixed(names: Sequence[str]) -> Iterable[Place]:
    return [Place(reverse(name)) for name in names]


def _plain(records: Sequence[Any]) -> Iterable[Place]:
    return [Place(record.get_absolute_url(), getattr(record, "changed", None)) for record in records]


def _articles() -> QuerySet[Article]:
    return Article.objects.published().select_related("live_version").defer("live_version__document").order_by("pk")


def _of_articles(articles: Sequence[Article]) -> Iterable[Place]:
    latest = latest_figures([article.pk for article in articles])
    for article in articles:
        version = article.live_version
        moments = [article.published_at, version and version.published_at, latest.get(article.pk)]
        yield Place(article.get_absolute_url(), max(moment for moment in moments if moment))


def _shown(**way: Any) -> Exists:
    """Whether a published article belongs to a record."""
    return Exists(Article.objects.published().filter(**way))


def _by_key[Record: Model](records: QuerySet[Record]) -> QuerySet[Record]:
    return records.order_by("pk")


PARTS = {
    "pages": Part(lambda: FIXED, _fixed),
    "articles": Part(_articles, _of_articles),
    "topics": Part(
        lambda: _by_key(
            Category.objects.filter(
                _shown(live_category=OuterRef("pk")) | _shown(live_category__parent=OuterRef("pk")),
            )
        ),
        _plain,
    ),
    "series": Part(lambda: _by_key(Series.objects.filter(_shown(live_version__series=OuterRef("pk")))), _plain),
    "authors": Part(
        lambda: _by_key(
            Author.objects.filter(_shown(authorreference__target=OuterRef("pk"), authorreference__is_live=True))
        ),
        _plain,
    ),
    "statistics": Part(
        lambda: _by_key(Statistic.objects.annotate(changed=Max("values__published_at")).exclude(changed=None)), _plain
    ),
    "sources": Part(lambda: _by_key(Source.objects.all()), _plain),
    "roles": Part(lambda: _by_key(Role.objects.annotate(changed=Max("salary_ranges__published_at"))), _plain),
    "paths": Part(lambda: _by_key(CareerPath.objects.all()), _plain),
    "skills": Part(lambda: _by_key(Skill.objects.unmerged()), _plain),
    "editions": Part(lambda: Edition.objects.in_archive().only("slug", "started_at"), lambda rows: _of_editions(rows)),
}


def _of_editions(editions: Sequence[Edition]) -> Iterable[Place]:
    return [Place(edition.get_absolute_url(), edition.started_at) for edition in editions]


@kept()
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Where the parts are; one query for each."""
    paths = [
        reverse("sitemap-part", args=[name, number])
        for name, part in PARTS.items()
        if (pages := part.pages()).count
        for number in pages.page_range
    ]
    return render(request, "sitemap_index.xml", {"paths": paths}, content_type=XML)


@kept()
@require_safe
def part(request: HttpRequest, name: str, number: int) -> HttpResponse:
    try:
        page = PARTS[name].pages().page(number)
    except (KeyError, EmptyPage) as error:
        raise Http404("There is no such part.") from error
    if not page.object_list:
        raise Http404("There is nothing in it.")
    places = PARTS[name].places(list(page.object_list))
    return render(request, "sitemap.xml", {"places": places}, content_type=XML)
