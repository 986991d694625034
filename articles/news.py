"""What there is to announce of articles and of corrections; see `articles.announcing`."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from django.urls import reverse

from .announcing import States, enter
from .article_feeds import MOST_ARTICLES
from .feeds import paths_of
from .live_references import latest_figures
from .models import Article
from .models.sourced import kinds_of_figures

TOPIC, SERIES = "live_version__category", "live_version__series"


def article_pages() -> States:
    """A page has news when its text is published anew, or a figure on it is."""
    articles = Article.objects.published()
    latest = latest_figures(articles)
    return {
        reverse("articles:detail", args=[slug]): f"{version} {latest.get(key, '')}"
        for key, slug, version in articles.values_list("pk", "slug", "live_version")
    }


def article_feeds() -> States:
    """Of all articles, of those of each topic and of the one above it, and of each series.

    In a number of queries that does not grow.
    """
    newest: dict[tuple[str, str], list[object]] = defaultdict(list)
    articles = Article.objects.published()
    latest = latest_figures(articles)
    columns = (f"{TOPIC}__slug", f"{TOPIC}__parent__slug", f"{SERIES}__slug")
    for key, version, topic, above, series in articles.newest_first().values_list("pk", "live_version", *columns):
        for name, slug in (("feed", ""), ("topic-feed", topic), ("topic-feed", above), ("series-feed", series)):
            if slug is not None and len(newest[name, slug]) < MOST_ARTICLES:
                newest[name, slug].append((version, latest.get(key)))
    return {
        path: digest(entries) for (name, slug), entries in newest.items() for path in paths_of(f"articles:{name}", slug)
    }


def correction_feeds() -> States:
    rows = [kind._default_manager.corrections() for kind in kinds_of_figures()]  # type: ignore[attr-defined]
    latest = [found.values_list("pk", flat=True).first() for found in rows]
    return dict.fromkeys(paths_of("articles:corrections-feed"), digest(latest)) if any(latest) else {}


def digest(entries: Iterable[object]) -> str:
    return sha256(repr(list(entries)).encode()).hexdigest()


enter(pages=article_pages, feeds=article_feeds)
enter(feeds=correction_feeds)
