"""The processes of `manage.py worker`: one that keeps watch; its children work off tasks and send editions."""

import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django_tasks_db.management.commands.db_worker import Worker

from veltrix.page_cache import content
from veltrix.search import index

from . import interrupted, retention, upkeep
from .models import Delivery, Edition
from .sending import Slice
from .transport import open_lane

logger = logging.getLogger(__name__)

TICK = 2.0
# How often news is looked for that nobody has announced: what a scheduled moment has brought.
LOOK = 20.0
PRUNE = 3600.0
# How soon what a dead process has left undone of the index of the search is done.
INDEX = 30.0
# At most so long at a time: the rest is left to the next hour.
PRUNING = timedelta(seconds=20)
# How long a child that has just died is left alone: doubled each time, up to the second.
RESTART, RESTART_AT_MOST = 0.5, 30.0


@dataclass
class Child:
    """A process that is started again whenever it ends."""

    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    starts_at: float = 0.0
    rest: float = RESTART
    started_at: float = field(default=0.0)

    def keep(self) -> int | None:
        """Start the process if it does not run; the number of the one that has just ended, if one has."""
        ended = None
        if self.process and self.process.poll() is not None:
            ended = self.process.pid
            logger.warning("Process %s (%s) ended with %s", ended, self.arguments[-1], self.process.returncode)
            self.rest = RESTART if time.monotonic() > self.started_at + 60 else min(self.rest * 2, RESTART_AT_MOST)
            self.process, self.starts_at = None, time.monotonic() + self.rest
        if self.process is None and time.monotonic() >= self.starts_at:
            # Its standard input is a pipe from here: it ends with this process, however this one ends.
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE)  # noqa: S603
            self.started_at = time.monotonic()
        return ended

    def terminate(self) -> None:
        if self.process:
            self.process.terminate()

    def wait(self) -> None:
        if self.process:
            self.process.wait()


class Supervisor:
    """Keeps children running and editions moving, whatever becomes of the database in between."""

    def __init__(self, manage: Sequence[str], *, tasks: int, senders: int, lanes: int) -> None:
        roles = ["tasks"] * tasks + ["sender"] * senders
        self.children = [Child([*manage, "worker", "--lanes", str(lanes), "--role", role]) for role in roles]
        self.is_stopping = threading.Event()
        self.prunes_at = self.looks_at = self.indexes_at = 0.0
        # Children that have died and whose mails nobody has looked after yet.
        self.ended: set[int] = set()

    def run(self) -> None:
        on_signal(self.is_stopping.set)
        logger.info("Worker %s on %s with %s processes", os.getpid(), socket.gethostname(), len(self.children))
        while not self.is_stopping.is_set():
            self.ended.update(pid for child in self.children if (pid := child.keep()))
            is_busy = surviving(self._look_after)
            self.is_stopping.wait(0 if is_busy else TICK)
        # All at once: each may take as long as its last mails and its database do.
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()

    def _look_after(self) -> bool:
        while self.ended:
            upkeep.expire_process(socket.gethostname()[:100], min(self.ended))
            self.ended.remove(min(self.ended))
        content.settle()
        is_busy = upkeep.tick()
        if time.monotonic() >= self.looks_at:
            self.looks_at = time.monotonic() + LOOK
            upkeep.announce()
        if time.monotonic() >= self.indexes_at:
            self.indexes_at = time.monotonic() + INDEX
            index.work_off()
        if not is_busy and time.monotonic() >= self.prunes_at:
            self.prunes_at = time.monotonic() + PRUNE
            self._prune()
        return is_busy

    def _prune(self) -> None:
        """Delete what is old; whatever goes wrong with that, editions go on."""
        try:
            retention.prune(within=PRUNING)
            call_command("prune_db_task_results", verbosity=0)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.exception("Pruning failed")


def work_off_tasks(is_stopping: threading.Event) -> None:
    """Do what stands in the queue of tasks, until told to stop; a task that has begun is finished."""
    worker = Worker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=1,
        batch=False,
        backend_name="default",
        startup_delay=True,
        max_tasks=None,
        worker_id=interrupted.worker_id(),
    )
    on_signal(lambda: worker.shutdown(signal.SIGTERM, None))
    worker.run()


def send_editions(is_stopping: threading.Event, lanes: int) -> None:
    """Send whatever edition has something due, slice by slice, until told to stop."""
    on_signal(is_stopping.set)
    while not is_stopping.is_set():
        if not surviving(lambda: send_one(is_stopping, lanes)):
            is_stopping.wait(1)


def send_one(is_stopping: threading.Event, lanes: int) -> bool:
    """Send one slice of one edition; False if none has something due."""
    due = Delivery.objects.pending().filter(edition=OuterRef("pk"), due_at__lte=Now())
    editions = list(Edition.objects.being_sent().filter(Exists(due)))
    if not editions:
        return False
    Slice(random.choice(editions), open_lane, lanes, is_stopping).run()  # noqa: S311
    return True


def surviving(act: Callable[[], bool]) -> bool:
    """Act, and outlive a database that is away or restarts; False if it was."""
    close_old_connections()
    try:
        return act()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The database is away: %s", type(error).__name__)
        connection.close()
        return False


def on_signal(act: Callable[[], Any]) -> None:
    """Let SIGTERM and SIGINT begin an orderly end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def end_with_parent() -> None:
    """Begin an orderly end as soon as the process that holds the other end of standard input is gone."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
