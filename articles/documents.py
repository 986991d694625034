"""The document of an article: one JSON object in which references are slugs.

Format `veltrix-article/1`: number, slug, title, standfirst, social_text, category, series, headline (slugs or null),
published_at (ISO 8601 or null), bylines (author and credit) and blocks (each an object with its `type`). The same
document is what a version keeps, and the form for preview, restore, export and import. Rich text refers to figures by
`<data value="kind:key"></data>`, never by their numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime

from . import references
from .models import Article, Author, Byline, Category, Series, Statistic
from .models.blocks import Block, Item, UnknownReferenceError, block_types

FORMAT = "veltrix-article/1"


class UnreadableDocumentError(Exception):
    """A document is not of the format. `args[0]` says what is wrong."""


def blocks_of(article: Article) -> list[Block]:
    """The draft's blocks in reading order: one query for each block type."""
    blocks: list[Block] = []
    for block_type in block_types().values():
        rows = block_type.objects.filter(parent=article)
        references = [f.name for f in block_type.content_fields() if f.is_relation]
        blocks.extend(rows.select_related(*references) if references else rows)
    return sorted(blocks, key=lambda block: (block.ordering, block._meta.label, block.pk))


def document_of(
    article: Article, blocks: Iterable[Block] | None = None, bylines: Iterable[Byline] | None = None
) -> dict[str, Any]:
    """Write the draft as a document; blocks and bylines are those of its rows unless others are given."""
    if bylines is None:
        bylines = article.bylines.select_related("author")
    return {
        "format": FORMAT,
        "number": article.number,
        "slug": article.slug,
        "title": article.title,
        "standfirst": article.standfirst,
        "social_text": article.social_text,
        "category": article.category.slug if article.category else None,
        "series": article.series.slug if article.series else None,
        "headline": article.headline.slug if article.headline else None,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "bylines": [{"author": byline.author.slug, "credit": byline.credit} for byline in bylines],
        "blocks": [block.as_item() for block in (blocks_of(article) if blocks is None else blocks)],
    }


def references_in(document: Mapping[str, Any]) -> list[str]:
    """The references to figures in a document's texts, in reading order, each as often as it occurs."""
    types = block_types()
    known = (item for item in document["blocks"] if item["type"] in types)
    return [reference for item in known for reference in types[item["type"]].references_in(item)]


def unknown_references(document: Mapping[str, Any]) -> list[str]:
    """Those that mean no current figure, each once; a page leaves them out."""
    named = references_in(document)
    known = references.load(named)
    return [reference for reference in dict.fromkeys(named) if reference not in known]


def complete(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the default of every value that it leaves out, as one written by an earlier release may."""
    types = block_types()
    blocks = [
        {**types[item["type"]].defaults(), **item} if item["type"] in types else item for item in document["blocks"]
    ]
    return {**document, "blocks": blocks}


def say_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether readers of two documents read the same; moment and address are no part of what they say."""
    outside = {"published_at": None, "slug": None}
    return {**complete(one), **outside} == {**complete(other), **outside}


@transaction.atomic
def read_document(document: Mapping[str, Any], article: Article | None = None) -> Article:
    """Write a document into an article's draft, a new article without one. All or nothing; nothing is published.

    An article that was published keeps its number, address and moment.

    Raises `UnreadableDocumentError` or `UnknownReferenceError`.
    """
    if document.get("format") != FORMAT:
        raise UnreadableDocumentError(f"The document is not of the format {FORMAT}.")
    article = article or Article()
    for name in ("title", "standfirst", "social_text"):
        setattr(article, name, document[name])
    if article.live_version_id is None:
        article.number, article.slug = document["number"], document["slug"]
    article.category = _record(Category, document["category"])
    article.series = _record(Series, document["series"])
    article.headline = _record(Statistic, document["headline"])
    if article.live_version_id is None:
        article.published_at = parse_datetime(document["published_at"]) if document["published_at"] else None
    article.full_clean()
    article.save()
    article.bylines.all().delete()
    for order, byline in enumerate(document["bylines"]):
        author = _record(Author, byline["author"])
        Byline.objects.create(article=article, author=author, credit=byline["credit"], order=order)
    _replace_blocks(article, document["blocks"])
    return article


def _record(model: Any, slug: str | None) -> Any:
    if slug is None:
        return None
    record = model.objects.filter(slug=slug).first()
    if record is None:
        raise UnknownReferenceError(f"There is no {model._meta.verbose_name} “{slug}”.")
    return record


def _replace_blocks(article: Article, items: list[Item]) -> None:
    types = block_types()
    by_type: dict[str, list[tuple[int, Item]]] = defaultdict(list)
    for place, item in enumerate(items, start=1):
        if item.get("type") not in types:
            raise UnreadableDocumentError(f"There is no block type “{item.get('type')}”.")
        by_type[item["type"]].append((place, item))
    for name, block_type in types.items():
        block_type.objects.filter(parent=article).delete()
        placed = by_type.get(name, [])
        blocks = block_type.from_items([item for _, item in placed])
        for (place, _), block in zip(placed, blocks, strict=True):
            block.parent, block.region, block.ordering = article, "main", place * 10
            try:
                block.full_clean()
            except ValidationError as error:
                raise ValidationError([f"Block {place}: {sentence}" for sentence in error.messages]) from error
            block.save()
