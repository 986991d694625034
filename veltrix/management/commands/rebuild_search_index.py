from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from veltrix.search import index
from veltrix.search.engines import is_in_database


class Command(BaseCommand):
    help = "Make the index of the search again from what readers see. The site goes on meanwhile, and so do searches."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_in_database():
            # Its index must exist, and have modelsearch's mapping, before anything is put into it.
            call_command("rebuild_modelsearch_index", stdout=self.stdout, verbosity=0)
        self.stdout.write(f"{index.rebuild():,} pages can be found.")
