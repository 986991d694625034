from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from veltrix.backups import saving
from veltrix.backups.archive import Archive, DamagedError


class Command(BaseCommand):
    help = "Write the database, as it is at one moment, and the pictures to one file. Nobody is hindered meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="A new file, such as veltrix-2026-05-04.zip.")
        parser.add_argument("--verify", action="store_true", help="Write nothing: read the file and check its sums.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verify"]:
                self._verify(options["file"])
            else:
                self._save(options["file"])
        except (DamagedError, saving.NotSavedError, OSError) as error:
            raise CommandError(str(error)) from error

    def _save(self, path: Path) -> None:
        saved = saving.save(path)
        self.stdout.write(f"{path}: {filesizeformat(saved.size)}, {saved.rows} rows, {saved.files} files.")
        self.stdout.write("Keep SECRET_KEY and NEWSLETTER_SUPPRESSION_KEY too, elsewhere: they are not in it.")

    def _verify(self, path: Path) -> None:
        with Archive(path) as archive:
            archive.verify()
            manifest = archive.manifest
            self.stdout.write(
                f"{path} is whole: {sum(archive.tables.values())} rows and {len(manifest['parts'])} parts of "
                f"{manifest['site']}, {manifest['made_at']}, release {manifest['release']} on {manifest['engine']}."
            )
