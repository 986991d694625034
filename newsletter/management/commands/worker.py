import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from newsletter import supervision


class Command(BaseCommand):
    help = (
        "Work off tasks and send editions until told to stop (SIGTERM, Ctrl-C). Any number of these may run, on any "
        "number of machines, beside one PostgreSQL; on SQLite, one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tasks", type=int, default=1, help="Processes that work off tasks.")
        parser.add_argument("--senders", type=int, default=1, help="Processes that send editions.")
        parser.add_argument(
            "--lanes", type=int, default=settings.NEWSLETTER_LANES, help="Connections to the mail server of each."
        )
        parser.add_argument(
            "--role", choices=["tasks", "sender"], help="What a process does that this command started."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["role"] is None:
            manage = [sys.executable, str(Path(sys.argv[0]).resolve())]
            supervision.Supervisor(
                manage, tasks=options["tasks"], senders=options["senders"], lanes=options["lanes"]
            ).run()
            return
        supervision.end_with_parent()
        is_stopping = threading.Event()
        if options["role"] == "tasks":
            supervision.work_off_tasks(is_stopping)
        else:
            supervision.send_editions(is_stopping, options["lanes"])
