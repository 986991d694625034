"""Where pages are kept: what every store can do, and which one the settings choose."""

import logging
import time
from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol

from django.conf import settings

logger = logging.getLogger(__name__)

# How long a request waits for another one that renders the page it wants, in seconds, and how often it looks.
PATIENCE = 5.0
LOOKS = 0.01
SILENCE = 60.0
# How the key of a page ends that was asked for with parameters. There may be any number of them, so a store that can
# tell lets them go first where there is no room.
ASKED = "-asked"


class UnavailableError(Exception):
    """The store cannot be used now: pages are rendered."""


class Store(Protocol):
    """Shared by all processes that serve the site. Every method may raise `UnavailableError`."""

    def generation(self) -> str:
        """The name of the generation that all processes read and write now."""

    def read(self, generation: str, key: str) -> bytes | None:
        """What was kept in a generation; None where there is nothing."""

    def write(self, generation: str, key: str, data: bytes, seconds: float) -> None:
        """Keep a page, for so long at most. In a generation that is over, nobody finds it."""

    def renew(self) -> None:
        """Begin a new generation: when this returns, no process reads the last one any more."""

    def flight(self, key: str) -> AbstractContextManager[bool]:
        """Hold the right to render a page; false where somebody else has just had it, or had it for too long."""


class NoStore:
    """Keeps nothing."""

    def generation(self) -> str:
        raise UnavailableError

    def read(self, generation: str, key: str) -> bytes | None:
        raise UnavailableError

    def write(self, generation: str, key: str, data: bytes, seconds: float) -> None:
        raise UnavailableError

    def renew(self) -> None:
        pass

    def flight(self, key: str) -> AbstractContextManager[bool]:
        raise UnavailableError


@cache
def store() -> Store:
    """The store of this process."""
    from .disk import Disk
    from .redis import Redis

    if settings.CACHE_URL == "off":
        return NoStore()
    if settings.CACHE_URL:
        return Redis(settings.CACHE_URL)
    return Disk(settings.VAR_DIR / "pages", most_bytes=settings.PAGE_CACHE_MB * 1_000_000)


class Complaints:
    """Tells of a failing store once a minute, not at every request."""

    def __init__(self) -> None:
        self.silent_until = 0.0

    def tell(self, error: object) -> None:
        now = time.monotonic()
        if now >= self.silent_until:
            self.silent_until = now + SILENCE
            logger.warning("The page cache cannot be used, pages are rendered: %s", error)
