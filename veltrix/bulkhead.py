"""Keeps threads free for pages that are kept, whatever becomes of those that must be made."""

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from . import metrics
from .outages import unavailable

type GetResponse = Callable[[HttpRequest], HttpResponse]

# So long without anybody coming or going, in seconds, and those who are in there count as stuck.
STUCK = 2.0


class Room:
    """Room for so many requests at a time."""

    def __init__(self, places: int) -> None:
        self.places = threading.BoundedSemaphore(places)
        self.moved_at = time.monotonic()

    def enter(self) -> bool:
        """Take a place, waiting for one while there is hope; false where there is none."""
        is_in = self.places.acquire(blocking=False)
        if not is_in and time.monotonic() - self.moved_at < STUCK:
            is_in = self.places.acquire(timeout=STUCK)
        if is_in:
            self.moved_at = time.monotonic()
        return is_in

    def leave(self) -> None:
        self.moved_at = time.monotonic()
        self.places.release()


def bulkhead(get_response: GetResponse) -> GetResponse:
    """Answer 503 where so many requests hang already that the next one would take the last threads.

    Pages that are kept never come by here: they are answered before, by the threads that are left.
    """
    room = Room(settings.WEB_THREADS - max(1, settings.WEB_THREADS // 4))

    def middleware(request: HttpRequest) -> HttpResponse:
        if not room.enter():
            metrics.count("unavailable", "busy")
            return never_cache(unavailable)(request)
        try:
            return get_response(request)
        finally:
            room.leave()

    return middleware
