from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from articles.pictures import originals
from articles.stored_pictures import delete, unused_names


class Command(BaseCommand):
    help = (
        "List the pictures that no draft, earlier save, published version or unsaved form names, and that were taken "
        "in more than a day ago."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="Delete them, with all that is served of them.")

    def handle(self, *args: Any, **options: Any) -> None:
        names = unused_names()
        for name in names:
            self.stdout.write(f"{name}  {originals().size(name):,} bytes")
            if options["delete"]:
                delete(name)
        outcome = "deleted" if options["delete"] else "listed; --delete deletes them"
        self.stdout.write(f"{len(names)} unused: {outcome}." if names else "No picture is unused.")
