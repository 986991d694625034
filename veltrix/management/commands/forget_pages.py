from typing import Any

from django.core.management.base import BaseCommand, CommandError

from veltrix.page_cache.stores import UnavailableError, store


class Command(BaseCommand):
    help = (
        "Let no page be served that was kept until now: after the database was changed by other means than this site."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            store().renew()
        except UnavailableError as error:
            raise CommandError(f"The page cache cannot be reached: {error}") from error
        self.stdout.write("Every page will be made anew.")
