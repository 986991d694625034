"""What people of the desk see first: what waits for them, what is to come and what has happened."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from articles import review_queue
from articles.admin.sourced import admin_url
from articles.models import Article, ArticleVersion, DraftSave, ExternalLink, WorkingCopy
from articles.models.versions import ArticleVersionQuerySet
from articles.review_queue import Counts, Entry
from articles.schedule import Event, coming
from newsletter.models import ConsentEvent

MOST = 6
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Draft:
    """A draft that somebody has worked on: when they saved it, or typed something that they did not save."""

    article: Article | None
    title: str
    moment: datetime
    is_saved: bool
    window: str = ""


@dataclass(frozen=True)
class Week:
    """Readers who confirmed that they subscribe, and who left, were erased or can no longer be reached."""

    joined: int
    left: int


@dataclass(frozen=True)
class Desk:
    """Each part is None for those who may not see it."""

    drafts: Sequence[Draft] | None = None
    review: Counts | None = None
    # Findings, each with the address of its record in the admin.
    reviews: Sequence[tuple[Entry, str]] | None = None
    scheduled: Sequence[Event] | None = None
    published: ArticleVersionQuerySet | None = None
    links: Sequence[ExternalLink] | None = None
    links_broken: int = 0
    week: Week | None = None
    week_before: Week | None = None


def desk_of(user: Any) -> Desk:
    """The front page of somebody, in a number of queries that does not grow."""
    parts: dict[str, Any] = {}
    if user.has_perm("articles.view_article"):
        parts |= {"drafts": drafts_of(user), "scheduled": coming(MOST), "published": last_published()}
    if user.has_perm("articles.view_reviewmark"):
        found = review_queue.entries(timezone.localdate())
        awake = [entry for entry in found if not entry.is_resting]
        mine_first = sorted(awake, key=lambda entry: not entry.is_of(user))
        shown = [(entry, admin_url(entry.finding.subject, "change")) for entry in mine_first[:MOST]]
        parts |= {"review": Counts.of(found, user), "reviews": shown}
    if user.has_perm("articles.view_externallink"):
        broken = ExternalLink.objects.broken()
        parts |= {"links": broken.prefetch_related("articles")[:MOST], "links_broken": broken.count()}
    if user.has_perm("newsletter.view_subscriber"):
        now = timezone.now()
        parts |= {"week": week_from(now - WEEK), "week_before": week_from(now - 2 * WEEK)}
    return Desk(**parts)


def drafts_of(user: Any) -> list[Draft]:
    """What somebody has typed and not saved, then drafts that they saved and that readers do not see as they are."""
    copies = WorkingCopy.objects.unsaved().filter(user=user).select_related("article").order_by("-typed_at")[:MOST]
    typed = [
        Draft(copy.article, copy.title, copy.typed_at, is_saved=False, window=copy.window)
        for copy in copies
        if copy.typed_at
    ]
    unfinished = Q(live_version=None) | Q(changed_at__gt=F("live_version__written_at"))
    saved_by_them = DraftSave.objects.filter(article=OuterRef("pk"), saved_by=user)
    articles = Article.objects.filter(unfinished, Exists(saved_by_them)).order_by("-changed_at")[:MOST]
    return [*typed, *(Draft(article, article.title, article.changed_at, is_saved=True) for article in articles)]


def last_published() -> ArticleVersionQuerySet:
    now = timezone.now()
    live = ArticleVersion.objects.filter(article__published_at__lte=now, published_at__lte=now, cancellation=None)
    return live.select_related("article", "published_by").defer("document").order_by("-published_at", "-pk")[:MOST]


def week_from(start: datetime) -> Week:
    events = ConsentEvent.objects.filter(created_at__gte=start, created_at__lt=start + WEEK).order_by()
    counts = Counter(dict(events.values_list("kind").annotate(Count("pk"))))
    left = ConsentEvent.Kind.LEFT, ConsentEvent.Kind.BOUNCED, ConsentEvent.Kind.COMPLAINED, ConsentEvent.Kind.ERASED
    return Week(joined=counts[ConsentEvent.Kind.CONFIRMED], left=sum(counts[kind] for kind in left))
