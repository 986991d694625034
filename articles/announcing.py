"""Telling others of news: a hub of the feeds (W3C WebSub), and search engines of pages (indexnow.org).

What every address said when it was last announced is kept; what differs from that is announced. So nothing depends on
who made a change, a moment that was scheduled comes as any other, and what was announced is not announced again. An
act that readers see lets it be looked for at once; every worker looks now and then all the same.
"""

from collections.abc import Callable, Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.tasks import task

from . import pings
from .models import Announcement

# By the path of an address a text that is another one whenever the address has news.
type States = Mapping[str, str]

# So many addresses at most go into one task.
FEEDS_AT_ONCE, PAGES_AT_ONCE = 20, 1_000
# The row whose lock whoever announces holds.
LOCK = ""

_pages: list[Callable[[], States]] = []
_feeds: list[Callable[[], States]] = []


def enter(*, pages: Callable[[], States] | None = None, feeds: Callable[[], States] | None = None) -> None:
    """Say what pages or feeds there are to announce: those that readers see now."""
    _pages.extend([pages] if pages else [])
    _feeds.extend([feeds] if feeds else [])


def is_wanted() -> bool:
    return bool(settings.WEBSUB_HUB or settings.INDEXNOW_KEY)


def soon() -> None:
    """Let news be looked for as soon as this transaction is done; nothing where nobody is to be told."""
    if is_wanted():
        transaction.on_commit(announce.enqueue)


@task(priority=-10)
def announce() -> None:
    look()


def look() -> int:
    """Hand on what has changed since it was last looked; how many addresses that were."""
    if not is_wanted() or not _news():
        return 0
    with transaction.atomic():
        Announcement.objects.get_or_create(path=LOCK)
        Announcement.objects.select_for_update().get(path=LOCK)
        news = _news()
        _remember(news)
        if feeds := [item.path for item in news if item.is_feed and item.state]:
            _in_tasks(pings.ping_hub, feeds, FEEDS_AT_ONCE)
        if pages := [item.path for item in news if not item.is_feed]:
            _in_tasks(pings.submit_pages, pages, PAGES_AT_ONCE)
    return len(news)


def _news() -> list[Announcement]:
    """What is to be announced, as it is to be remembered; the state of what is gone is empty."""
    asked = [(True, _feeds)] * bool(settings.WEBSUB_HUB) + [(False, _pages)] * bool(settings.INDEXNOW_KEY)
    news = []
    for is_feed, sources in asked:
        known = dict(Announcement.objects.exclude(path=LOCK).filter(is_feed=is_feed).values_list("path", "state"))
        now = {path: state for source in sources for path, state in source().items()}
        differing = [(path, state) for path, state in now.items() if known.get(path) != state]
        differing += [(path, "") for path in known if path not in now]
        news += [Announcement(path=path, is_feed=is_feed, state=state) for path, state in differing]
    return news


def _remember(news: Iterable[Announcement]) -> None:
    there = [item for item in news if item.state]
    Announcement.objects.filter(path__in=[item.path for item in news if not item.state]).delete()
    Announcement.objects.bulk_create(
        there, update_conflicts=True, unique_fields=["path"], update_fields=["state", "is_feed", "announced_at"]
    )


def _in_tasks(ping: pings.Ping, paths: list[str], most: int) -> None:
    for start in range(0, len(paths), most):
        ping.enqueue(paths[start : start + most], 0)
