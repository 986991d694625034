"""Where a reader goes from an article: the ones before and after it, and those related to it."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, Count, Q, QuerySet, Subquery, When
from django.urls import reverse
from django.utils import timezone

from veltrix.prepared import Prepared

from .models import Article
from .models.statistics import give_current
from .models.versions import StatisticReference


class Neighbour(NamedTuple):
    """What a link to the article before or after prints."""

    number: int
    slug: str
    title: str

    def get_absolute_url(self) -> str:
        return reverse("articles:detail", args=[self.slug])


def _neighbours(now: datetime, number: int) -> QuerySet[Any, Any]:
    published = Article.objects.published(now)
    numbers = published.values("number")
    before = numbers.filter(number__lt=number).order_by("-number")[:1]
    after = numbers.filter(number__gt=number).order_by("number")[:1]
    found = published.filter(Q(number=Subquery(before)) | Q(number=Subquery(after)))
    return found.order_by("number").values_list("number", "slug", "live_version__title")


_NEIGHBOURS = Prepared(_neighbours, now=datetime, number=int)


def previous_and_next(article: Article) -> tuple[Neighbour | None, Neighbour | None]:
    """The published neighbours by number, in one query."""
    found = [Neighbour(*row) for row in _NEIGHBOURS.rows(now=timezone.now(), number=article.number)]
    previous = next((neighbour for neighbour in found if neighbour.number < article.number), None)
    return previous, next((neighbour for neighbour in found if neighbour.number > article.number), None)


RELATED = 3
# However many of them are the article itself or were found already.
_ENOUGH = 2 * RELATED


def _sharing(now: datetime, article: int, category: int) -> QuerySet[Any, Any]:
    """Those that share most figures with an article, those of its topic first where they share as many."""
    shown = StatisticReference.objects.filter(article=article, is_live=True).values("target")
    sharing = Article.objects.published(now).exclude(pk=article)
    sharing = sharing.filter(statisticreference__target__in=shown, statisticreference__is_live=True)
    ranked = sharing.values("pk", "published_at", "number").annotate(
        shares=Count("statisticreference"), same=Case(When(live_category=category, then=1), default=0)
    )
    return ranked.order_by("-shares", "-same", "-published_at", "-number").values_list("pk")[:RELATED]


def _newest_of_topic(now: datetime, category: int) -> QuerySet[Any, Any]:
    return Article.objects.published(now).filter(live_category=category).newest_first().values_list("pk")[:_ENOUGH]


def _newest(now: datetime) -> QuerySet[Any, Any]:
    return Article.objects.published(now).newest_first().values_list("pk")[:_ENOUGH]


_SHARING = Prepared(_sharing, now=datetime, article=int, category=int)
_NEWEST_OF_TOPIC = Prepared(_newest_of_topic, now=datetime, category=int)
_NEWEST = Prepared(_newest, now=datetime)
_CARDS = Prepared(lambda keys: Article.objects.filter(pk__in=keys).cards(), keys=[int])


def related(article: Article) -> list[Article]:
    """Published articles that share its figures, then those of its topic, then the newest; never itself."""
    version, now = article.live_version, timezone.now()
    if version is None:
        return []
    keys = [key for (key,) in _SHARING.rows(now=now, article=article.pk, category=version.category_id)]
    if len(keys) < RELATED:
        newest = _NEWEST_OF_TOPIC.rows(now=now, category=version.category_id) + _NEWEST.rows(now=now)
        keys = list(dict.fromkeys([*keys, *(key for (key,) in newest if key != article.pk)]))[:RELATED]
    found = {card.pk: card for card in _CARDS.objects(keys=keys)}
    give_current([card.live_version.headline for card in found.values() if card.live_version.headline])
    return [found[key] for key in keys if key in found]
