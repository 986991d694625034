from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.exchange import UnreadablePackageError, bring_in, fitted, keep_pictures, target_of, unpacked


class Command(BaseCommand):
    help = "Take an article from a file that export_article wrote into a draft. Readers see nothing of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="Only say what it would do.")
        parser.add_argument("--as-new", action="store_true", help="Make a new article, even if one has its address.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Path(options["file"]).open("rb") as file:
                package = unpacked(file)
            keep_pictures(package)
            target = None if options["as_new"] else target_of(package.document)
            document = fitted(package.document, target)
            known = target.changed_at.isoformat() if target else ""
            bring_in(document, target, by=None, known=known, dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except UnreadablePackageError as error:
            raise CommandError("Nothing was imported.\n" + "\n".join(error.args[0])) from error
        would = "It would go" if options["dry_run"] else "Imported"
        where = f"the draft of {target}" if target else f"a new article: {document['number']}, {document['slug']}"
        self.stdout.write(f"{would} into {where}.")
