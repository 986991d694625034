"""What the live version of an article, and its scheduled change, refer to: the database keeps it from deletion."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models

from .models import Article, Author, LiveReference
from .models.blocks import block_types


def records_in(document: Mapping[str, Any]) -> list[models.Model]:
    """The records that a document refers to, in a number of queries that does not grow with it.

    Raises `UnknownReferenceError` where one of them is not there.
    """
    types, by_type = block_types(), defaultdict(list)
    for item in document["blocks"]:
        by_type[item["type"]].append(item)
    records = [record for name, items in by_type.items() for record in types[name].records_in(items)]
    return [*records, *Author.objects.filter(slug__in={byline["author"] for byline in document["bylines"]})]


def renew(article: Article, records: Iterable[models.Model]) -> None:
    """Let the live version of an article, of which no change is scheduled, refer to these records and no others."""
    wanted = _keys(records)
    for kind in LiveReference.kinds():
        kind.renew(article, wanted.get(kind.target_model(), set()))


def announce(article: Article, records: Iterable[models.Model]) -> None:
    """Let the scheduled change of an article refer to these records."""
    wanted = _keys(records)
    for kind in LiveReference.kinds():
        kind.announce(article, wanted.get(kind.target_model(), set()))


def promote(article: Article) -> None:
    """Make what the scheduled change refers to what the live version does.

    What that is was written down when it was scheduled: whatever has happened to names since, the change comes.
    """
    for kind in LiveReference.kinds():
        kind.promote(article)


def forget_coming(article: Article) -> None:
    """Set free what only the scheduled change refers to."""
    for kind in LiveReference.kinds():
        kind.forget_coming(article)


def latest_figures(articles: Collection[int] | models.QuerySet[Article]) -> dict[int, datetime]:
    """When the latest figure on the page of each of these articles was published; a query for each kind of figures."""
    latest: dict[int, datetime] = {}
    for kind in LiveReference.kinds():
        if kind.moments:
            live = kind._default_manager.filter(article__in=articles, is_live=True)
            for key, at in live.values("article").annotate(at=models.Max(kind.moments)).values_list("article", "at"):
                if at:
                    latest[key] = max(at, latest.get(key, at))
    return latest


def _keys(records: Iterable[models.Model]) -> dict[type[models.Model], set[Any]]:
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    for record in records:
        wanted[type(record)].add(record.pk)
    return wanted
