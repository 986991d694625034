from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from veltrix.backups import restoring
from veltrix.backups.archive import Archive, DamagedError

WORD = "replace"


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty, migrated installation, on either engine. Stop the site and its workers first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="Delete all that is in the database first.")
        parser.add_argument("--no-input", action="store_true", help="Do not ask whether that is meant.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Archive(options["file"]) as archive:
                if options["replace"] and not options["no_input"]:
                    self._ask(archive)
                done = restoring.restore(archive, is_replacing=options["replace"])
        except (DamagedError, restoring.NotRestoredError, OSError) as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        except restoring.NotFinishedError as error:
            raise CommandError(str(error)) from error
        moment = f"{done.made_at:%d.%m.%Y, %H:%M} UTC"
        self.stdout.write(f"Restored as of {moment}: {done.rows} rows, {done.files} files. Everybody signs in anew.")
        if done.paused:
            self.stdout.write(f"{done.paused} editions are paused: mails of them may have left after the backup.")
        self.stdout.write(
            f"Who has left the newsletter since {moment} is subscribed again: take them off before you send."
        )

    def _ask(self, archive: Archive) -> None:
        used = restoring.in_use()
        if not used:
            return
        self.stdout.write(f"All rows of {len(used)} tables will be deleted: {', '.join(used)}.")
        self.stdout.write(f"The archive holds {archive.manifest['site']} of {archive.manifest['made_at']}.")
        if input(f"Type “{WORD}” to go on: ").strip() != WORD:
            raise CommandError("Nothing was changed.")
