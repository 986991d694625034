from typing import Any

from django.core.management.base import BaseCommand

from veltrix.sign_in.retention import prune


class Command(BaseCommand):
    help = "Delete or forget what is known of sign-ins for longer than promised. To be run once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        for what, count in prune().items():
            self.stdout.write(f"{what}: {count}")
