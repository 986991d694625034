"""The feeds of articles, of all and by topic and series, and of corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html

from veltrix.publication import NAME

from .cards import Card
from .elsewhere import plain_html, writable
from .feeds import SiteFeed, guid
from .figure_pages import corrections
from .models import Article, ArticleVersion, Category, Series, Sourced
from .models.article import ArticleQuerySet
from .pages import Page

MOST_ARTICLES = 20
MOST_CORRECTIONS = 50


@dataclass(frozen=True)
class Entry:
    """An article as readers see it."""

    article: Article
    version: ArticleVersion
    page: Page
    card: Card

    def get_absolute_url(self) -> str:
        return self.article.get_absolute_url()

    @property
    def changed_at(self) -> datetime:
        """When its text was last changed, or a figure in it corrected."""
        corrected = [correction.published_at for correction in self.page.corrections]
        return max(self.article.published_at or self.version.published_at, self.version.published_at, *corrected)


def entries(articles: ArticleQuerySet) -> list[Entry]:
    """The newest of these published articles, whole, in as many queries as for one."""
    newest = list(articles.select_related("live_version").newest_first()[:MOST_ARTICLES])
    pages = Page.all_live(newest)
    cards = Card.all_live(newest, pages[0].highest_number if pages else 0)
    versions = [article.live_version for article in newest if article.live_version]
    return [Entry(*parts) for parts in zip(newest, versions, pages, cards, strict=True)]


class ArticlesFeed(SiteFeed):
    name = "articles:feed"
    subtitle = "Numbered, data-driven articles about AI and work, with every figure sourced and its check shown."

    def title(self, obj: Any) -> str:
        return writable(f"{NAME}: {obj.name}") if obj else NAME

    def page(self, obj: Any) -> str:
        return reverse("articles:index")

    def items(self, obj: Any) -> Sequence[Entry]:
        return entries(Article.objects.published())

    def item_title(self, item: Entry) -> str:
        return writable(item.page.title)

    def item_guid(self, item: Entry) -> str:
        return guid(item.article)

    def item_summary(self, item: Entry) -> str:
        return writable(item.page.standfirst)

    def item_content(self, item: Entry) -> str:
        return plain_html(item.page, item.get_absolute_url())

    def item_image(self, item: Entry) -> str:
        return settings.SITE_URL + item.card.address(item.article.slug)

    def item_authors(self, item: Entry) -> list[tuple[str, str]]:
        authors = [byline["author"] for byline in item.page.bylines]
        return [(author.name, settings.SITE_URL + author.get_absolute_url()) for author in authors]

    def item_pubdate(self, item: Entry) -> datetime | None:
        return item.article.published_at

    def item_updateddate(self, item: Entry) -> datetime:
        return item.changed_at

    def item_categories(self, item: Entry) -> list[str]:
        category, series = item.page.category, item.page.series
        above = category.parent if category else None
        return [writable(group.name) for group in (above, category, series) if group]


class TopicFeed(ArticlesFeed):
    name = "articles:topic-feed"

    def get_object(self, request: HttpRequest, slug: str) -> Category:
        return get_object_or_404(Category.objects.select_related("parent"), slug=slug)

    def page(self, obj: Category) -> str:
        return obj.get_absolute_url()

    def items(self, obj: Category) -> Sequence[Entry]:
        return entries(Article.objects.published().under(obj))


class SeriesFeed(ArticlesFeed):
    name = "articles:series-feed"

    def get_object(self, request: HttpRequest, slug: str) -> Series:
        return get_object_or_404(Series, slug=slug)

    def page(self, obj: Series) -> str:
        return obj.get_absolute_url()

    def items(self, obj: Series) -> Sequence[Entry]:
        return entries(Article.objects.published().filter(live_version__series=obj))


class CorrectionsFeed(SiteFeed):
    """The latest corrections and retractions of figures."""

    name = "articles:corrections-feed"
    title = f"{NAME}: corrections"
    subtitle = "Figures that were wrong, what they are now, and why."

    def page(self, obj: Any) -> str:
        return reverse("articles:corrections")

    def items(self, obj: Any) -> list[Sourced]:
        return list(corrections(1, a_page=MOST_CORRECTIONS).object_list)

    def item_title(self, item: Sourced) -> str:
        return writable(f"{item.change_text}: {item.subject}")

    def item_summary(self, item: Sourced) -> str:
        return writable(item.why_note)

    def item_content(self, item: Sourced) -> str:
        return format_html(
            "<p>{}: {}</p><p>{}</p>", writable(item.change_text), writable(item.subject), writable(item.why_note)
        )

    def item_pubdate(self, item: Sourced) -> datetime | None:
        return item.published_at

    def item_updateddate(self, item: Sourced) -> datetime | None:
        return item.published_at
