"""Links within the site: whether there is a page for readers where they lead.

An app enters each kind of page that has a record behind it; the addresses of all others are known to Django.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import models
from django.urls import Resolver404, resolve

from .models import Article, Author, Category, Series, Source, Statistic

# For the name of an address that ends in a slug: the records that readers find there.
_records: dict[str, Callable[[], models.QuerySet[Any]]] = {}


def enter(name: str, records: Callable[[], models.QuerySet[Any]]) -> None:
    """Say what there is at an address: its name, and the records that have a page there."""
    _records[name] = records


def is_internal(href: str) -> bool:
    """Whether a link stays on this site, however it is written; a place on the same page is none."""
    if href.startswith("#"):
        return False
    try:
        parts, site = urlsplit(href), urlsplit(settings.SITE_URL)
    except ValueError:
        return False
    return (not parts.scheme and not parts.netloc) or (
        parts.netloc == site.netloc and parts.scheme in {"http", "https"}
    )


def dead(hrefs: Iterable[str]) -> set[str]:
    """Those of these internal links that lead readers nowhere; one query for each kind of page that they lead to."""
    found: set[str] = set()
    asked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for href in set(hrefs):
        match = _match(path_of(href))
        if match is None or match.namespaces[:1] == ["admin"] or match.view_name == "articles:shared":
            found.add(href)
        elif match.view_name in _records:
            asked[match.view_name][match.kwargs["slug"]].add(href)
    for name, by_slug in asked.items():
        there = set(_records[name]().filter(slug__in=by_slug).values_list("slug", flat=True))
        found |= {href for slug, group in by_slug.items() if slug not in there for href in group}
    return found


def path_of(href: str) -> str:
    """The path of an internal link, as the site is asked for it."""
    return unquote(urlsplit(href).path)


def _match(path: str) -> Any:
    # Without its slash an address leads to the one with it.
    for address in (path or "/", f"{path}/"):
        try:
            return resolve(address)
        except Resolver404:
            continue
    return None


enter("articles:detail", lambda: Article.objects.published())
enter("articles:topic", lambda: Category.objects.all())
enter("articles:series", lambda: Series.objects.all())
enter("articles:author", lambda: Author.objects.all())
enter("articles:source", lambda: Source.objects.all())
enter("articles:statistic", lambda: Statistic.objects.all())
