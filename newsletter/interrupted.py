"""Tasks whose process died over them. The queue takes them for running for good; here they are put back into it.

So a task may be done twice and must bear that: a letter comes twice if its process died after handing it over.
"""

import logging
import os
import socket
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

logger = logging.getLogger(__name__)

# Longer than any task takes. By no other sign does another machine learn that one has died.
LIMIT = timedelta(minutes=15)
# A task over which so many processes have died is not tried again.
MOST_ATTEMPTS = 3


class ProcessDiedError(Exception):
    """A process died over a task, as others had before."""


def worker_id(process: int | None = None) -> str:
    """The name under which a process of this machine, by default this one, takes tasks."""
    return f"{socket.gethostname()[:50]}-{process or os.getpid()}"


def take_up() -> bool:
    """Put back what has run for longer than any task takes."""
    return _put_back(DBTaskResult.objects.running().filter(started_at__lt=Now() - LIMIT))


def take_up_after(process: int) -> bool:
    """Put back what a process of this machine had begun that has just ended, which its parent knows at once."""
    own = worker_id(process)
    running = DBTaskResult.objects.running()
    return _put_back(running.filter(pk__in=[task.pk for task in running if task.worker_ids[-1:] == [own]]))


def _put_back(tasks: QuerySet[DBTaskResult]) -> bool:
    for task in tasks:
        if len(task.worker_ids) >= MOST_ATTEMPTS:
            logger.error("Task %s is given up: %s processes died over it", task.pk, len(task.worker_ids))
            task.set_failed(ProcessDiedError(", ".join(task.worker_ids)))
        else:
            logger.warning("Task %s is put back: its process died", task.pk)
            # Unless somebody else has put it back already, or it has ended after all.
            same = DBTaskResult.objects.running().filter(pk=task.pk, started_at=task.started_at)
            same.update(status=TaskResultStatus.READY, started_at=None)
    return False
