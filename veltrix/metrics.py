"""Numbers for Prometheus at `/metrics`: off unless `METRICS_TOKEN` is set, which is then the password for them.

Each process of the server counts in files of its own in `METRICS_DIR`, which its successor takes over, and whichever is
asked adds them up. What the database knows (queues, editions) is asked when the numbers are. No label takes values that
visitors choose.
"""

import fcntl
import functools
import itertools
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult

from newsletter.models import Delivery, Edition

from .backups import saving
from .observation import Observed
from .postgresql.base import waiting_at_most

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# What is counted beside requests: names of counters, and what they tell.
COUNTED = {
    "page_cache": "Requests, by what the page cache did for them.",
    "unavailable": "Requests that were answered 503, by why.",
}


def is_on() -> bool:
    return bool(settings.METRICS_TOKEN)


def prepare() -> None:
    """Make the counters of this process, before several of its threads need them at once."""
    _instruments()


def count(name: str, result: str) -> None:
    """Count one event of those in `COUNTED`; `result` is one of a few words. Nothing where metrics are off."""
    if is_on():
        _instruments().counters[name].labels(result).inc()


def observe(request: Observed) -> None:
    """Count a request that has been answered: an observer for `observation.observed`."""
    method = request.method if request.method in METHODS else "other"
    labels = method, request.view or "none", f"{request.status // 100}xx"
    _instruments().requests.labels(*labels).observe(request.seconds)


@functools.cache
def _instruments() -> SimpleNamespace:
    """The counters of this process; prometheus_client looks for its folder when it is imported."""
    settings.METRICS_DIR.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)
    from prometheus_client import Counter, Histogram, values

    values.ValueClass = values.MultiProcessValue(lambda: _place(os.getpid()))  # type: ignore[no-untyped-call]

    return SimpleNamespace(
        requests=Histogram(
            "veltrix_request_seconds",
            "Requests, and how long they took.",
            ["method", "view", "status"],
            buckets=BUCKETS,
        ),
        counters={name: Counter(f"veltrix_{name}", told, ["result"]) for name, told in COUNTED.items()},
    )


@functools.cache
def _place(process: int) -> int:
    """The number in the names of a process’s files: the first that no living process has.

    Who comes after another goes on counting in its files: there are never more of them than processes at a time, and
    nothing that was counted is lost, however the last one ended.
    """
    return next(number for number in itertools.count(1) if _take(number))


def _take(number: int) -> bool:
    # Open as long as the process lives: the kernel gives the lock back when it dies.
    file = os.open(settings.METRICS_DIR / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    return True


@never_cache
@require_safe
def expose(request: HttpRequest) -> HttpResponse:
    """All numbers, to whoever knows the token; there is no such page for anybody else."""
    given = request.headers.get("Authorization", "")
    if not (is_on() and constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}")):
        raise Http404
    _instruments()
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    registry.register(_Site())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Site:
    """What is true of the site whichever process is asked."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Gauge

        try:
            with waiting_at_most(2):
                yield from list(self._of_the_database(Gauge))
        except (OperationalError, InterfaceError):
            yield Gauge("veltrix_database_up", "Whether the database answers.", value=0)
        if last := saving.last():
            yield Gauge("veltrix_last_backup_timestamp_seconds", "When it was made here.", value=last[0].timestamp())
            yield Gauge("veltrix_last_backup_bytes", "How large it is.", value=last[1])

    def _of_the_database(self, gauge: type[Any]) -> Iterator[Any]:
        tasks = DBTaskResult.objects.ready()
        yield gauge("veltrix_tasks_waiting", "Tasks that are due.", value=tasks.count())
        oldest = tasks.order_by("enqueued_at").values_list("enqueued_at", flat=True).first()
        yield gauge("veltrix_tasks_oldest_seconds", "Since when the first of them waits.", value=_age(oldest))
        editions = gauge("veltrix_editions", "Editions on their way.", labels=["state"])
        states = Edition.State.SCHEDULED, Edition.State.PREPARING, Edition.State.SENDING, Edition.State.PAUSED
        found = list(Edition.objects.filter(state__in=states))
        for state in states:
            editions.add_metric([state], sum(edition.state == state for edition in found))
        yield editions
        sending = [edition for edition in found if edition.state == Edition.State.SENDING]
        waiting = sum(edition.progress().waiting for edition in sending)
        yield gauge("veltrix_deliveries_waiting", "Mails of editions that are being sent.", value=waiting)
        due = [_first_due(edition) for edition in sending]
        yield gauge("veltrix_deliveries_oldest_seconds", "Since when one is due.", value=max(due, default=0.0))
        yield gauge("veltrix_database_up", "Whether the database answers.", value=1)


def _first_due(edition: Edition) -> float:
    pending = Delivery.objects.pending().filter(edition=edition)
    return _age(pending.order_by("due_at").values_list("due_at", flat=True).first())


def _age(moment: Any) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
