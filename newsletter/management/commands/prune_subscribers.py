from typing import Any

from django.core.management.base import BaseCommand

from newsletter.retention import prune


class Command(BaseCommand):
    help = "Delete or anonymise what is held about subscribers for longer than promised. To be run once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        for what, count in prune().items():
            self.stdout.write(f"{what}: {count}")
