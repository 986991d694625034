"""What is to come: publications, changes of live articles, and withdrawals.

A first publication and a withdrawal are conditions of every query that readers' pages ask, so they need no act. A
change is made by whoever asks for any page first after its moment, before the page is read: `settle`. So none of them
waits for a job, and all pages that name an article change together.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import live_references
from .models import Article, ArticleVersion
from .models.versions import Cancellation
from .publishing import CHANGE_IS_SCHEDULED, in_words, lock, make_version, publish, ready

logger = logging.getLogger(__name__)

type GetResponse = Callable[[HttpRequest], HttpResponse]

FARTHEST = timedelta(days=5 * 366)
IS_PAST = "Choose a moment to come."
TOO_FAR = "Choose a moment within the next five years."
NOTHING_TO_WITHDRAW = "Readers do not see this article."


class NotScheduledError(Exception):
    """What was to be scheduled, moved or cancelled cannot be. `args[0]` says why, in a sentence."""


@dataclass(frozen=True)
class Event:
    """Something that readers will see, or saw, from a moment on: `what` is said of the article, by its title then."""

    moment: datetime
    article: Article
    title: str
    what: str


def schedule(
    article: Article, *, at: datetime, by: User | None, note: str = "", reason: str = "", seen: str | None = None
) -> ArticleVersion:
    """Let readers see the draft from a moment on: an article that they do not see yet, or a change of one that they do.

    Raises what `publish` raises, and `NotScheduledError` for a moment that is past or too far; nothing is changed then.
    """
    _check(at)
    with transaction.atomic():
        article = lock(article)
        if article.next_version_id:
            raise NotScheduledError(CHANGE_IS_SCHEDULED.format(in_words(article.next_at)))
        if not article.is_public:
            article.published_at, article.withdrawn_at = at, None
            article.save(update_fields=["published_at", "withdrawn_at"])
            return publish(article, by=by, note=note, reason=reason, seen=seen)
        draft = ready(article)
        if article.live_version and draft.says_what(article.live_version):
            raise NotScheduledError("The draft says what readers see already: there is no change to schedule.")
        version = make_version(article, draft, at=at, by=by, note=note, reason=reason, seen=seen)
        article.next_version, article.next_at = version, at
        article.save(update_fields=["next_version", "next_at"])
        live_references.announce(article, live_references.records_in(draft.document))
    return version


def cancel(article: Article, *, by: User | None) -> str:
    """Take back what is to come of an article, first of all its change; say what that was."""
    with transaction.atomic():
        article = lock(article)
        if version := article.next_version:
            said = f"the change of {in_words(article.next_at)}"
            Cancellation.objects.create(version=version, cancelled_by=by)
            article.next_version, article.next_at = None, None
            article.save(update_fields=["next_version", "next_at"])
            live_references.forget_coming(article)
        elif article.withdrawn_at and not article.is_withdrawn:
            said = f"the withdrawal of {in_words(article.withdrawn_at)}"
            article.withdrawn_at = None
            article.save(update_fields=["withdrawn_at"])
        elif article.live_version and article.published_at and article.published_at > timezone.now():
            said = f"the publication of {in_words(article.published_at)}"
            Cancellation.objects.create(version=article.live_version, cancelled_by=by)
            article.live_version, article.published_at, article.withdrawn_at = None, None, None
            article.save(update_fields=["live_version", "published_at", "withdrawn_at"])
            live_references.renew(article, [])
        else:
            raise NotScheduledError("Nothing is to come: it may have come meanwhile.")
    return said


def move(article: Article, *, at: datetime, by: User | None) -> str:
    """Give what is to come of an article another moment; say what that was.

    A version bears its moment for good, so a moved change is written once more, and the first one is cancelled.
    """
    _check(at)
    with transaction.atomic():
        article = lock(article)
        if version := article.next_version:
            said = f"the change of {in_words(article.next_at)}"
            Cancellation.objects.create(version=version, cancelled_by=by)
            version.pk, version.published_at, version.published_by = None, at, by
            version._state.adding = True
            version.save()
            article.next_version, article.next_at = version, at
            article.save(update_fields=["next_version", "next_at"])
        elif article.withdrawn_at and not article.is_withdrawn:
            said = f"the withdrawal of {in_words(article.withdrawn_at)}"
            article.withdrawn_at = at
            article.save(update_fields=["withdrawn_at"])
        elif article.live_version_id and article.published_at and article.published_at > timezone.now():
            said = f"the publication of {in_words(article.published_at)}"
            article.published_at = at
            article.save(update_fields=["published_at"])
        else:
            raise NotScheduledError("Nothing is to come: it may have come meanwhile.")
    return said


def withdraw(article: Article, *, at: datetime | None = None) -> None:
    """Let readers no longer see an article, from now or from a moment on. Its address says that it is gone."""
    if at:
        _check(at)
    with transaction.atomic():
        article = lock(article)
        if not article.is_public:
            raise NotScheduledError(NOTHING_TO_WITHDRAW)
        if article.next_at and (at is None or article.next_at >= at):
            raise NotScheduledError(CHANGE_IS_SCHEDULED.format(in_words(article.next_at)))
        article.withdrawn_at = at or timezone.now()
        article.save(update_fields=["withdrawn_at"])


def _check(at: datetime) -> None:
    now = timezone.now()
    if at <= now:
        raise NotScheduledError(IS_PAST)
    if at > now + FARTHEST:
        raise NotScheduledError(TOO_FAR)


def settle() -> int:
    """Make the changes whose moment has come; how many there were. One query where none is due."""
    due = list(Article.objects.due().values_list("pk", flat=True))
    for pk in due:
        with transaction.atomic():
            lock(Article(pk=pk))
    return len(due)


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
    """When a page will next change by itself; None where nothing is scheduled."""
    now = timezone.now()
    live = Article.objects.exclude(live_version=None)
    moments = live.aggregate(
        published=Min("published_at", filter=Q(published_at__gt=now)),
        changed=Min("next_at", filter=Q(next_at__gt=now)),
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
