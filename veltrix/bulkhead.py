"""Keeps threads free for pages that are kept, whatever becomes of those that must be made."""

import threading
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from . import metrics
from .outages import unavailable

type GetResponse = Callable[[HttpRequest], HttpResponse]

# The variable of a request that has a place already.
HAS_PLACE = "veltrix.has_place"
# So long without anybody coming or going, in seconds, and those who are in there count as stuck.
STUCK = 1.0
# Where a place is held for longer than that, in seconds on average, waiting for one is no matter of a moment.
SLOW = 0.5


class Room:
    """Places for all threads of a process but some, which answer pages that are kept.

    While places change hands quickly, whoever finds none waits in one of the other threads. Where they do not, all but
    one of those threads are left alone; where they are stuck, all are.
    """

    def __init__(self, threads: int) -> None:
        spare = max(1, threads // 4)
        self.places = threading.BoundedSemaphore(threads - spare)
        self.waiting = threading.BoundedSemaphore(max(1, spare - 1))
        self.moved_at = time.monotonic()
        self.average = 0.0

    def enter(self) -> float | None:
        """Take a place, waiting for one while there is hope; the moment at which it was taken, None without one."""
        if not (self.places.acquire(blocking=False) or self._wait()):
            return None
        self.moved_at = time.monotonic()
        return self.moved_at

    def _wait(self) -> bool:
        if time.monotonic() - self.moved_at > STUCK:
            return False
        is_slow = self.average > SLOW
        if is_slow and not self.waiting.acquire(blocking=False):
            return False
        try:
            return self.places.acquire(timeout=STUCK)
        finally:
            if is_slow:
                self.waiting.release()

    def leave(self, entered_at: float) -> None:
        self.moved_at = time.monotonic()
        self.average += (self.moved_at - entered_at - self.average) / 8
        self.places.release()


@cache
def room() -> Room:
    """The room of this process."""
    return Room(settings.WEB_THREADS)


def bulkhead(get_response: GetResponse) -> GetResponse:
    """Answer 503 where so many requests hang already that the next one would take the last threads.

    Pages that are kept never come by here: they are answered before, by the threads that are left. Who waits for a page
    that somebody else is making has a place as well.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if HAS_PLACE in request.META:
            return get_response(request)
        entered_at = room().enter()
        if entered_at is None:
            metrics.count("unavailable", "busy")
            return never_cache(unavailable)(request)
        try:
            return get_response(request)
        finally:
            room().leave(entered_at)

    return middleware
