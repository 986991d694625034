import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from newsletter import bounces, mailboxes
from newsletter.bounces import What


class Command(BaseCommand):
    help = (
        "Deal with mails that came back, and with complaints. Mails of a Maildir folder or of the mailbox are deleted "
        "once they have been understood. Exit code 75 means: try again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            nargs="*",
            metavar="PATH",
            help="A mail in a file, a Maildir folder, or - for one on standard input. Without any: BOUNCE_MAILBOX.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.counts: Counter[What] = Counter()
        try:
            self._read(options["paths"])
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"The database cannot be used now: {type(error).__name__}", returncode=os.EX_TEMPFAIL
            ) from error
        except mailboxes.UnreachableError as error:
            raise CommandError(f"The mailbox cannot be read now: {error}", returncode=os.EX_TEMPFAIL) from error
        finally:
            for what in What:
                if self.counts[what]:
                    self.stdout.write(f"{what.value}: {self.counts[what]}")

    def _read(self, paths: list[str]) -> None:
        if not paths:
            if not settings.BOUNCE_MAILBOX:
                raise CommandError("Name a file, a Maildir folder or -, or set BOUNCE_MAILBOX.")
            mailboxes.read_mailbox(settings.BOUNCE_MAILBOX, self._deal)
        for path in paths:
            if path == "-":
                self._deal(_piped())
            elif mailboxes.is_maildir(Path(path)):
                mailboxes.read_maildir(Path(path), self._deal)
            elif Path(path).is_file():
                self._deal(mailboxes.read_file(Path(path)))
            else:
                raise CommandError(f"{path} is neither a file nor a Maildir folder.")

    def _deal(self, raw: bytes) -> bool:
        """Whether the mail was understood, and need not be kept."""
        what = bounces.deal_with(raw)
        self.counts[what] += 1
        return what != What.OTHER


def _piped() -> bytes:
    """As much of standard input as is read of a mail; the rest is taken too, for the mail server not to fail on it."""
    raw = sys.stdin.buffer.read(bounces.LIMIT)
    while sys.stdin.buffer.read(bounces.LIMIT):
        pass
    return raw
