"""What pages tell machines of themselves: JSON-LD in the words of schema.org.

Only what a page shows is said, in the page’s own words. The functions give a page’s nodes; the template tag of the same
name prints them.
"""

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import capfirst

from veltrix.publication import NAME, PUBLISHER

from .cards import Card
from .models import Article, Author, Byline, Category, Source, StatisticValue
from .models.article import ArticleQuerySet
from .pages import Correction, Page

type Node = dict[str, Any]

LANGUAGE = "en-GB"
# So many articles are asked for what an author did for them: their whole texts are read for it.
MOST_CREDITS = 100
SOURCE_TYPES = {
    Source.Kind.REPORT: "Report",
    Source.Kind.DATASET: "Dataset",
    Source.Kind.ARTICLE: "Article",
    Source.Kind.WEB_PAGE: "WebPage",
    Source.Kind.BOOK: "Book",
}
# What leads from a figure to what is said of it, and where a line of text ends.
NOTE_MARK = re.compile(r'<span class="note-mark">.*?</span>')
END_OF_LINE = re.compile(r"</(?:p|li|blockquote)>|<br>")


def node(kind: str, place: str = "", /, **values: Any) -> Node:
    """A node of this type, without what is unknown. `place` is its id’s path on this site."""
    known = {name: value for name, value in values.items() if value not in (None, "", [])}
    return {"@type": kind, **({"@id": settings.SITE_URL + place} if place else {}), **known}


def address(path: str) -> str:
    return settings.SITE_URL + path


def breadcrumbs(*crumbs: tuple[str, str]) -> Node:
    """The way to a page, by names and paths; the page itself comes last."""
    items = [
        node("ListItem", position=place, name=name, item=node("WebPage", path))
        for place, (name, path) in enumerate(crumbs, start=1)
    ]
    return node("BreadcrumbList", f"{crumbs[-1][1]}#breadcrumbs", itemListElement=items)


def publisher() -> Node:
    return node("Organization", "/#organisation", name=PUBLISHER, url=address("/"))


def of_home() -> list[Node]:
    site = node(
        "WebSite",
        "/#website",
        name=NAME,
        url=address("/"),
        inLanguage=LANGUAGE,
        publisher=publisher(),
    )
    return [publisher(), site]


def of_article(article: Article, page: Page, card: Card) -> list[Node]:
    """A published article as its page shows it, with its questions and answers."""
    path = article.get_absolute_url()
    writers = [byline["author"] for byline in page.bylines if byline["credit"] == Byline.WRITTEN_BY]
    described = node(
        "Article",
        f"{path}#article",
        headline=page.title,
        description=page.standfirst,
        url=address(path),
        image=address(card.address(article.slug)),
        inLanguage=LANGUAGE,
        articleSection=page.category.name if page.category else None,
        isPartOf=page.series
        and node(
            "CreativeWorkSeries",
            f"{page.series.get_absolute_url()}#series",
            name=page.series.name,
            url=address(page.series.get_absolute_url()),
        ),
        datePublished=page.published_at and timezone.localdate(page.published_at).isoformat(),
        dateModified=page.changed_at and timezone.localdate(page.changed_at).isoformat(),
        author=[person(author) for author in writers],
        publisher=publisher(),
        citation=[_cited(note.source) for note in page.sources],
        correction=[_correction(correction) for correction in page.corrections],
    )
    questions = [item for part in page.parts if part.type == "faq-item" for item in part.items]
    nodes = [described]
    if page.category:
        nodes.append(breadcrumbs(*_way_to(page.category), (page.title, path)))
    if questions:
        nodes.append(node("FAQPage", f"{path}#questions", mainEntity=[_question(item) for item in questions]))
    return nodes


def of_topic(category: Category) -> list[Node]:
    return [breadcrumbs(*_way_to(category))] if category.parent else []


def of_author(author: Author, articles: ArticleQuerySet) -> list[Node]:
    """Whoever wrote one of the latest of these articles is a person; what has other credits need not be one.

    `articles` are those whose live version names the author.
    """
    latest = articles.newest_first().values_list("live_version__document__bylines")[:MOST_CREDITS]
    written_by = {"author": author.slug, "credit": Byline.WRITTEN_BY}
    return [person(author)] if any(written_by in bylines for (bylines,) in latest) else []


def of_source(source: Source) -> list[Node]:
    path = source.get_absolute_url()
    kind = SOURCE_TYPES[Source.Kind(source.kind)]
    described = node(
        kind,
        f"{path}#source",
        name=source.title,
        version=source.edition,
        author=[node("Person", familyName=family, givenName=given) for family, given in source.persons],
        publisher=node("Organization", name=source.producer),
        datePublished=source.published,
        url=source.address,
        archivedAt=source.archive_url,
        identifier=source.doi,
        isbn=source.isbn if kind == "Book" else None,
    )
    return [described, breadcrumbs(("Sources", reverse("articles:sources")), (source.title, path))]


def of_figure(value: StatisticValue) -> list[Node]:
    """The current figure of a statistic; nothing where it was withdrawn."""
    if value.is_withdrawn:
        return []
    path = value.get_absolute_url()
    observation = node(
        "Observation",
        f"{path}#figure",
        name=value.statistic.claim,
        value=value.text,
        unitText=capfirst(value.statistic.unit),
        observationDate=value.as_of,
        url=address(path),
    )
    return [observation]


def person(author: Author) -> Node:
    path = author.get_absolute_url()
    return node(
        "Person",
        f"{path}#person",
        name=author.name,
        description=capfirst(author.description),
        url=address(path),
    )


def _way_to(category: Category) -> Iterable[tuple[str, str]]:
    topics = [category.parent, category] if category.parent else [category]
    return [(topic.name, topic.get_absolute_url()) for topic in topics]


def _cited(source: Source) -> Node:
    path = source.get_absolute_url()
    kind = SOURCE_TYPES[Source.Kind(source.kind)]
    return node(kind, f"{path}#source", name=source.citation, url=address(path))


def _correction(correction: Correction) -> Node:
    day = timezone.localdate(correction.published_at).isoformat()
    return node("CorrectionComment", text=correction.statement, description=correction.reason, datePublished=day)


def _question(item: dict[str, Any]) -> Node:
    return node("Question", name=item["question"], acceptedAnswer=node("Answer", text=words_of(item["html"])))


def words_of(html: str) -> str:
    """The words of a text as its page shows them, on one line."""
    return " ".join(unescape(strip_tags(END_OF_LINE.sub(" ", NOTE_MARK.sub("", html)))).split())
