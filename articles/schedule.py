"""What is to come: publications, changes of live articles, and withdrawals.

A first publication and a withdrawal are conditions of every query that readers' pages ask, so they need no act. A
change is made by whoever asks for any page first after its moment, before the page is read: `settle`. So none of them
waits for a job, and all pages that name an article change together.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.contrib.auth.models import User
from django.db import DatabaseError, models, transaction
from django.db.models import F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from veltrix.impatience import transaction_waiting_at_most
from veltrix.prepared import Prepared

from . import announcing, live_references
from .models import Article, ArticleVersion
from .models.versions import Cancellation
from .publishing import CHANGE_IS_SCHEDULED, in_words, lock, make_version, publish, ready

logger = logging.getLogger(__name__)

type GetResponse = Callable[[HttpRequest], HttpResponse]

FARTHEST = timedelta(days=5 * 366)
IS_PAST = "Choose a moment to come."
TOO_FAR = "Choose a moment within the next five years."
NOTHING_TO_WITHDRAW = "Readers do not see this article."
SAYS_THE_SAME = "The draft says what readers see already: there is no change to schedule."
NOT_TO_COME = "This is no longer to come: it has come meanwhile, or somebody has cancelled it."
GONE_BY_THEN = "A change can only come before the withdrawal, which is scheduled for {}."
PUBLICATION_IS_SCHEDULED = (
    "The publication is scheduled for {} already. Move it, or publish the draft to change what readers will see then."
)
WITHDRAWAL_IS_SCHEDULED = "The withdrawal is scheduled for {} already. Move it, or cancel it."


# Asked before every page.
DUE = Prepared(lambda now: Article.objects.due_at(now).values_list("pk"), now=datetime)


class NotScheduledError(Exception):
    """What was to be scheduled, moved or cancelled cannot be. `args[0]` says why, in a sentence."""


class What(models.TextChoices):
    """What can be to come of an article. The return of a withdrawn article is a change too: of what readers see."""

    PUBLICATION = "publication", "the publication"
    CHANGE = "change", "the change"
    WITHDRAWAL = "withdrawal", "the withdrawal"


@dataclass(frozen=True)
class Coming:
    """Something that is to come of an article, and its moment."""

    what: What
    moment: datetime

    def __str__(self) -> str:
        return f"{self.what.label} of {in_words(self.moment)}"


@dataclass(frozen=True)
class Event:
    """Something that readers will see, or saw, from a moment on: `what` is said of the article, by its title then."""

    moment: datetime
    article: Article
    title: str
    what: str


def coming_of(article: Article) -> list[Coming]:
    """All that is to come of an article, soonest first; no query."""
    if article.live_version_id is None:
        return []
    now = timezone.now()
    moments = [
        (What.PUBLICATION, article.published_at),
        (What.CHANGE, article.next_at),
        (What.WITHDRAWAL, article.withdrawn_at),
    ]
    found = [Coming(what, moment) for what, moment in moments if moment and moment > now]
    return sorted(found, key=lambda coming: coming.moment)


def schedule(
    article: Article, *, at: datetime, by: User | None, note: str = "", reason: str = "", seen: str | None = None
) -> ArticleVersion:
    """Let readers see the draft from a moment on: for the first time, as a change, or where the article is withdrawn.

    Raises what `publish` raises, and `NotScheduledError` for a moment that is past or too far; nothing is changed then.
    """
    _check(at)
    with transaction.atomic():
        article = lock(article)
        if article.next_version_id:
            raise NotScheduledError(CHANGE_IS_SCHEDULED.format(in_words(article.next_at)))
        if article.live_version and not (article.is_public or article.is_withdrawn):
            raise NotScheduledError(PUBLICATION_IS_SCHEDULED.format(in_words(article.published_at)))
        if article.live_version is None:
            article.published_at = at
            article.save(update_fields=["published_at"])
            return publish(article, by=by, note=note, reason=reason, seen=seen)
        draft = ready(article)
        if article.is_public and draft.says_what(article.live_version):
            raise NotScheduledError(SAYS_THE_SAME)
        version = make_version(article, draft, at=at, by=by, note=note, reason=reason, seen=seen)
        article.next_version, article.next_at = version, at
        _save(article)
        live_references.announce(article, live_references.records_in(draft.document))
    return version


def cancel(article: Article, what: What, *, by: User | None) -> Coming:
    """Take back something that is to come; say what that was."""
    with transaction.atomic():
        article = lock(article)
        coming = _still_to_come(article, what)
        if what is What.WITHDRAWAL:
            article.withdrawn_at = None
        elif what is What.CHANGE:
            _note_cancelled(article.next_version, by)
            article.next_version, article.next_at = None, None
            live_references.forget_coming(article)
        else:
            _note_cancelled(article.live_version, by)
            article.live_version, article.published_at = None, None
            live_references.renew(article, [])
        _save(article)
    return coming


def move(article: Article, what: What, *, at: datetime, by: User | None) -> Coming:
    """Give something that is to come another moment; say what it was, and when.

    A version bears its moment for good, so one that is moved is written once more, and the first is cancelled.
    """
    _check(at)
    with transaction.atomic():
        article = lock(article)
        coming = _still_to_come(article, what)
        if what is What.WITHDRAWAL:
            article.withdrawn_at = at
        elif what is What.CHANGE:
            article.next_version, article.next_at = _again(article.next_version, at, by), at
        else:
            article.live_version, article.published_at = _again(article.live_version, at, by), at
        _save(article)
    return coming


def withdraw(article: Article, *, at: datetime | None = None) -> None:
    """Let readers no longer see an article, from now or from a moment on. Its address says that it is gone."""
    if at:
        _check(at)
    with transaction.atomic():
        article = lock(article)
        if not article.is_public:
            raise NotScheduledError(NOTHING_TO_WITHDRAW)
        if at and article.withdrawn_at:
            raise NotScheduledError(WITHDRAWAL_IS_SCHEDULED.format(in_words(article.withdrawn_at)))
        if article.next_at and at is None:
            raise NotScheduledError(CHANGE_IS_SCHEDULED.format(in_words(article.next_at)))
        article.withdrawn_at = at or timezone.now()
        _save(article)
        announcing.soon()


def _check(at: datetime) -> None:
    now = timezone.now()
    if at <= now:
        raise NotScheduledError(IS_PAST)
    if at > now + FARTHEST:
        raise NotScheduledError(TOO_FAR)


def _still_to_come(article: Article, what: What) -> Coming:
    for coming in coming_of(article):
        if coming.what is what:
            return coming
    raise NotScheduledError(NOT_TO_COME)


def _save(article: Article) -> None:
    """Save when readers see what of a locked article, where that makes sense."""
    goes_at = None if article.is_withdrawn else article.withdrawn_at
    if article.next_at and goes_at and article.next_at >= goes_at:
        raise NotScheduledError(GONE_BY_THEN.format(in_words(goes_at)))
    article.save(update_fields=["live_version", "published_at", "next_version", "next_at", "withdrawn_at"])


def _note_cancelled(version: ArticleVersion | None, by: User | None) -> None:
    Cancellation.objects.create(version=cast("ArticleVersion", version), cancelled_by=by)


def _again(version: ArticleVersion | None, at: datetime, by: User | None) -> ArticleVersion:
    """The same version once more, for another moment; the first one is cancelled."""
    _note_cancelled(version, by)
    columns = [field.attname for field in ArticleVersion._meta.concrete_fields if not field.primary_key]
    values = {name: getattr(version, name) for name in columns}
    return ArticleVersion.objects.create(**{**values, "published_at": at, "published_by": by})


def settle() -> int:
    """Make the changes whose moment has come; how many were made. One query where none is due."""
    made = 0
    for (pk,) in DUE.rows(now=timezone.now()):
        try:
            with transaction_waiting_at_most(1):
                lock(Article(pk=pk))
            made += 1
        except DatabaseError:
            # Somebody has locked it: its page is still right as of a moment ago, and the others go on.
            logger.exception("The change of article %s that is due could not be made", pk)
    return made


def settled(get_response: GetResponse) -> GetResponse:
    """Before a page is made, make the changes that are due."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            settle()
        except DatabaseError:
            # The page is still right as of a moment ago, or it fails by itself.
            logger.exception("Changes that are due could not be made")
        return get_response(request)

    return middleware


def next_moment() -> datetime | None:
    """When a page will next change by itself; None where nothing is scheduled.

    A moment that has come already belongs to a change that could not be made yet: no page may be kept then.
    """
    now = timezone.now()
    live = Article.objects.exclude(live_version=None)
    moments = live.aggregate(
        published=Min("published_at", filter=Q(published_at__gt=now)),
        changed=Min("next_at"),
        withdrawn=Min("withdrawn_at", filter=Q(withdrawn_at__gt=now)),
    )
    return min((moment for moment in moments.values() if moment), default=None)


def coming(most: int) -> list[Event]:
    """What is to come, soonest first."""
    now = timezone.now()
    return events(now + timedelta(microseconds=1), now + FARTHEST + timedelta(days=1), most=most)


def events(start: datetime, end: datetime, *, most: int = 1_000) -> list[Event]:
    """What readers see, or saw, for the first time from `start` on and before `end`: three queries."""
    span = (start, end - timedelta(microseconds=1))
    articles = Article.objects.defer("live_version__document").select_related("live_version")
    public = articles.exclude(live_version=None)
    found = [
        Event(article.published_at, article, _title(article), "Published")
        for article in public.filter(published_at__range=span).order_by("published_at")[:most]
        if article.published_at
    ]
    found += [
        Event(article.withdrawn_at, article, _title(article), "Withdrawn")
        for article in public.filter(withdrawn_at__range=span).order_by("withdrawn_at")[:most]
        if article.withdrawn_at
    ]
    changes = ArticleVersion.objects.filter(published_at__range=span, cancellation=None)
    later = changes.filter(published_at__gt=F("article__published_at")).select_related("article").defer("document")
    found += [
        Event(version.published_at, version.article, version.title, "Changed")
        for version in later.order_by("published_at")[:most]
    ]
    return sorted(found, key=lambda event: (event.moment, event.article.pk))[:most]


def _title(article: Article) -> str:
    return article.live_version.title if article.live_version else article.title
