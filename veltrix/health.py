"""`/healthz`: the process is alive. `/readyz`: what its pages need is there.

Both are for load balancers, which ask by address and without TLS: they are answered before the host is checked and are
not redirected. They tell nothing but names of parts. They stand outside of what asks the database for every page.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult

from . import metrics
from .page_cache.stores import store
from .postgresql.base import waiting_at_most

logger = logging.getLogger(__name__)

type GetResponse = Callable[[HttpRequest], HttpResponse]

# How many seconds a part may take for its answer, and how long that answer is good for whoever asks next.
LIMIT = 1.0
GOOD_FOR = 1.0


@dataclass
class Part:
    """Something that pages need, asked in one thread at a time: one that hangs is waited for by whoever comes next."""

    name: str
    probe: Callable[[], object]
    # Whether pages cannot be answered without it.
    is_needed: bool = True
    thread: threading.Thread | None = None
    is_well: bool = False
    asked_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Ask, unless somebody has just asked or the question is still open."""
        with self.lock:
            is_open = self.thread is not None and self.thread.is_alive()
            if is_open or (self.thread and time.monotonic() < self.asked_at + GOOD_FOR):
                return
            self.asked_at, self.is_well = time.monotonic(), False
            self.thread = threading.Thread(target=self._ask, name=f"health-{self.name}", daemon=True)
            self.thread.start()

    def answer(self) -> bool:
        """Whether the part is well; an answer that takes longer than the limit says that it is not."""
        if self.thread:
            self.thread.join(max(0.0, self.asked_at + LIMIT - time.monotonic()))
        return self.is_well

    def _ask(self) -> None:
        try:
            with waiting_at_most(LIMIT):
                self.probe()
            self.is_well = True
        except Exception as error:  # noqa: BLE001
            logger.warning("Not ready: %s (%s: %s)", self.name, type(error).__name__, error)
        finally:
            # Each thread has a connection of its own.
            connection.close()


class NotMigratedError(Exception):
    """The database has not had all migrations of this release."""


def _database() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigratedError("run manage.py migrate")


def _queue() -> None:
    DBTaskResult.objects.exists()


parts: dict[str, Part] = {}


def check(name: str, probe: Callable[[], object], *, is_needed: bool = True) -> None:
    """Let readiness depend on a probe, which raises where its part is not well. It is asked in a thread of its own.

    What is not needed is told and changes nothing: else a cache that fails would take all machines away.
    """
    parts[name] = Part(name, probe, is_needed)


check("database", _database)
check("queue", _queue)
check("page cache", lambda: settings.CACHE_URL == "off" or store().generation(), is_needed=False)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where all parts that pages need are well, else 503: JSON that says of each part “ok” or “failed”."""
    asked = list(parts.values())
    for part in asked:
        part.begin()
    answers = {part.name: part.answer() for part in asked}
    is_ready = all(answers[part.name] for part in asked if part.is_needed)
    said = {name: "ok" if is_well else "failed" for name, is_well in answers.items()}
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "parts": said}, status=200 if is_ready else 503
    )


VIEWS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics.expose}


def answer(get_response: GetResponse) -> GetResponse:
    """Answer these addresses before hosts are checked, sessions looked for and the database asked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        view = VIEWS.get(request.path_info)
        return view(request) if view else get_response(request)

    return middleware
