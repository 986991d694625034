from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from . import announcing, bare_figures, live_references
from .article_rules import year_in
from .documents import document_of, say_the_same
from .models import Article, ArticleVersion, Cancellation, Category
from .obstacles import Obstacles, obstacles_of

CHANGE_IS_SCHEDULED = "A change of this article is scheduled for {}. Cancel it first, so that it does not undo this."


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
        article = lock(article)
        if article.next_version_id:
            raise NotPublishableError([CHANGE_IS_SCHEDULED.format(in_words(article.next_at))])
        draft = ready(article)
        live = article.live_version
        if live and draft.says_what(live) and not article.is_withdrawn:
            return live
        waits = article.published_at is not None and article.published_at > timezone.now()
        if waits:
            at = article.published_at or at
        version = make_version(article, draft, at=at, by=by, note=note, reason=reason, seen=seen)
        if waits and live:
            Cancellation.objects.create(version=live, cancelled_by=by)
        article.live_version = version
        article.published_at = article.published_at or at
        article.withdrawn_at = None if article.is_withdrawn else article.withdrawn_at
        article.save(update_fields=["live_version", "published_at", "withdrawn_at"])
        live_references.renew(article, live_references.records_in(draft.document))
        announcing.soon()
    return version


@dataclass(frozen=True)
class Draft:
    """A draft that lacks nothing, and the errors that it has."""

    document: dict[str, Any]
    obstacles: Obstacles

    def says_what(self, version: ArticleVersion) -> bool:
        """Whether it says what a version says, and leaves open what that left open."""
        is_same = say_the_same(self.document, version.document)
        return is_same and version.open_points == self.obstacles.sentences()


def lock(article: Article) -> Article:
    """The article's row, kept from others until the end of the transaction, with a change that is due made."""
    article = Article.objects.select_for_update(of=("self",)).get(pk=article.pk)
    if article.next_at and article.next_at <= timezone.now():
        promote(article)
    return article


def promote(article: Article) -> None:
    """Make the scheduled change of a locked article the live version; one that was withdrawn is seen again."""
    # Nobody may have asked for a page between the change and a withdrawal after it: that one stays.
    if article.withdrawn_at and article.next_at and article.withdrawn_at <= article.next_at:
        article.withdrawn_at = None
    article.live_version, article.next_version, article.next_at = article.next_version, None, None
    article.save(update_fields=["live_version", "next_version", "next_at", "withdrawn_at"])
    live_references.promote(article)
    announcing.soon()


def ready(article: Article) -> Draft:
    """Raises `NotPublishableError` where something is missing."""
    document = document_of(article)
    if missing := what_is_missing(document):
        raise NotPublishableError(missing)
    return Draft(document, obstacles_of(document))


def make_version(
    article: Article, draft: Draft, *, at: datetime, by: User | None, note: str, reason: str, seen: str | None
) -> ArticleVersion:
    """Write a version; see `publish` for what is said and raised."""
    if seen is not None and seen != draft.obstacles.state_with(article):
        raise ChangedMeanwhileError
    if draft.obstacles and not reason:
        raise UnresolvedErrorsError(draft.obstacles)
    document = draft.document
    return ArticleVersion.objects.create(
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
        open_points=draft.obstacles.sentences(),
        open_reason=reason if draft.obstacles else "",
    )


def in_words(moment: datetime | None) -> str:
    """A moment as the desk writes it, in the site's time zone and with its name."""
    return f"{timezone.localtime(moment):%-d %B %Y, %H:%M} ({settings.TIME_ZONE})" if moment else ""


def what_is_missing(document: Mapping[str, Any]) -> list[str]:
    """Say what stands between a draft and its publication, a sentence each."""
    checks = [
        (document["standfirst"], "Write a standfirst: lists and search results show it."),
        (document["category"], "Choose a category."),
        (document["bylines"], "Add at least one byline."),
        (document["blocks"], "Add at least one block: the article is empty."),
    ]
    return [sentence for is_there, sentence in checks if not is_there]
