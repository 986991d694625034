"""What a view promises of its answers, and until when an answer will be right."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from articles.asked import is_tracking

# The page cache marks by this name, among the variables of a request, those whose answers it will keep.
MARK = "veltrix.page_cache"
# Until when an answer is right, as an attribute of it.
UNTIL = "kept_until"
# For other caches between here and readers; RFC 9213 for those that take more liberties than browsers may.
BROWSERS = "public, max-age=0, must-revalidate"

type View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Rule:
    """Which parameters a view reads, in the order in which it writes them itself; `lists` may be given several times.

    One that it does not know is dropped, or told to it where it names those.
    """

    names: tuple[str, ...]
    lists: tuple[str, ...]
    names_others: bool

    def read(self, asked: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Of parameters and their values those that the view reads, in its order."""
        known = [pair for pair in asked if pair[0] in self.names]
        return sorted(known, key=lambda pair: self.names.index(pair[0]))

    def minds(self, asked: Iterable[tuple[str, str]]) -> bool:
        """Whether the answer to an address with these parameters must not be kept.

        Of a parameter that is given twice the view reads one value, and anything may stand in the other.
        """
        given = Counter(name for name, _ in asked)
        if any(given[name] > 1 for name in self.names if name not in self.lists):
            return True
        return self.names_others and any(name not in self.names and not is_tracking(name) for name in given)


def kept(*names: str, lists: tuple[str, ...] = (), names_others: bool = False) -> Callable[[View], View]:
    """Let the answers of a view be kept: they depend on the host, the path and these parameters, and on nothing else.

    Those that are `lists`, too, may be given several times. With `names_others` the page says which parameters it did
    not understand; such pages are rendered each time. A view that does not use a value says so by `keep_out`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # Asked before the page is read: what is scheduled meanwhile begins a new generation.
            until = right_until() if MARK in request.META else None
            response = view(request, *args, **kwargs)
            if response.status_code == 200 and request.method in {"GET", "HEAD"}:
                _allow_caches(request, response)
                setattr(response, UNTIL, until if MARK in request.META else None)
            return response

        wrapped.rule = Rule(names, lists, names_others)  # type: ignore[attr-defined]
        return wrapped

    return decorate


def keep_out(request: HttpRequest) -> None:
    """Say that the answer must not be kept: another address has the same, and of such as this one there is no end."""
    request.META.pop(MARK, None)


def rule_of(path: str) -> Rule | None:
    """The rule of the view that answers a path; None where its answers are not to be kept."""
    try:
        return getattr(resolve(path).func, "rule", None)
    except Resolver404:
        return None


def right_until() -> datetime | None:
    """When a page that is read now will change without anybody's doing; None where that may be at any moment.

    Pages know the day, since figures grow old, and what is scheduled.
    """
    from articles.schedule import next_moment

    now = timezone.now()
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    midnight = timezone.make_aware(datetime.combine(tomorrow, time.min))
    moment = next_moment()
    if moment is None:
        return midnight
    return min(moment, midnight) if moment > now else None


def _allow_caches(request: HttpRequest, response: HttpResponse) -> None:
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        response.headers["Cache-Control"] = "private, no-cache"
        return
    if settings.BEHIND_PROXY:
        # Nginx keeps the page and takes it for over at once, so that it asks for news of it each time.
        response.headers["X-Accel-Expires"] = "@1"
    if "Cache-Control" not in response.headers:
        seconds = settings.EDGE_SECONDS
        response.headers["Cache-Control"] = f"{BROWSERS}, s-maxage={seconds}" if seconds else BROWSERS
        if seconds:
            response.headers["CDN-Cache-Control"] = (
                f"public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=86400"
            )
