from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone

from . import bare_figures
from .article_rules import year_in
from .documents import blocks_of, document_of, say_the_same
from .models import Article, ArticleVersion, Category, LiveReference
from .models.blocks import Block
from .obstacles import obstacles_of


class NotPublishableError(Exception):
    """The draft lacks something that readers need. `args[0]` lists what, a sentence each."""


class ChangedMeanwhileError(Exception):
    """The draft, or what is wrong with it, is not what was seen when the reason was given."""


class UnresolvedErrorsError(Exception):
    """The draft has unresolved errors, and no reason was given. `args[0]` holds its `Obstacles`."""


def publish(
    article: Article,
    *,
    by: User | None,
    note: str = "",
    at: datetime | None = None,
    reason: str = "",
    seen: str | None = None,
) -> ArticleVersion:
    """Make the draft what readers see, from now or from its moment of publication on, and return its version.

    A draft that says what the live version says, and leaves open what that left open, makes no new one.

    `at` is the moment that the version bears, now by default; content that is loaded bears its own. `reason` tells
    readers why it is published with unresolved errors all the same; where there are none it is not kept. `seen` is
    the state of the draft and its obstacles for which the reason was given.

    Raises `NotPublishableError` when something is missing, `UnresolvedErrorsError` when errors have no reason, and
    `ChangedMeanwhileError` when the draft or its errors are not what was seen; nothing is changed then.
    """
    at = at or timezone.now()
    with transaction.atomic():
        article = Article.objects.select_for_update(of=("self",)).get(pk=article.pk)
        blocks = blocks_of(article)
        document = document_of(article, blocks)
        if missing := what_is_missing(document):
            raise NotPublishableError(missing)
        obstacles = obstacles_of(document)
        open_points = obstacles.sentences()
        live = article.live_version
        if live and say_the_same(document, live.document) and live.open_points == open_points:
            return live
        if seen is not None and seen != obstacles.state_with(article):
            raise ChangedMeanwhileError
        if obstacles and not reason:
            raise UnresolvedErrorsError(obstacles)
        version = ArticleVersion.objects.create(
            article=article,
            document=document,
            title=article.title,
            title_year=year_in(article.title),
            bare_figures=[{"place": place, **figure._asdict()} for place, figure in bare_figures.in_document(document)],
            standfirst=article.standfirst,
            category=cast("Category", article.category),
            series=article.series,
            headline=article.headline,
            published_at=at,
            published_by=by,
            note=note,
            open_points=open_points,
            open_reason=reason if obstacles else "",
        )
        article.live_version = version
        article.published_at = article.published_at or at
        article.save(update_fields=["live_version", "published_at"])
        _renew_references(article, blocks)
    return version


def what_is_missing(document: Mapping[str, Any]) -> list[str]:
    """Say what stands between a draft and its publication, a sentence each."""
    checks = [
        (document["standfirst"], "Write a standfirst: lists and search results show it."),
        (document["category"], "Choose a category."),
        (document["bylines"], "Add at least one byline."),
        (document["blocks"], "Add at least one block: the article is empty."),
    ]
    return [sentence for is_there, sentence in checks if not is_there]


def _renew_references(article: Article, blocks: Iterable[Block]) -> None:
    """Record what the live version refers to, so that the database keeps it from deletion."""
    wanted: dict[type[models.Model], set[Any]] = {}
    by_type: dict[type[Block], list[Block]] = {}
    for block in blocks:
        by_type.setdefault(type(block), []).append(block)
    records = [record for block_type, rows in by_type.items() for record in block_type.references_of(rows)]
    for record in [*records, *(byline.author for byline in article.bylines.select_related("author"))]:
        wanted.setdefault(type(record), set()).add(record.pk)
    for kind in LiveReference.kinds():
        kind.renew(article, wanted.get(kind.target_model(), set()))
