from typing import Any

from django.core.management.base import BaseCommand

from articles.link_checks import MOST_IN_A_RUN, check_due, take_stock
from articles.models import ExternalLink


class Command(BaseCommand):
    help = "Look at the addresses elsewhere that articles and sources lead to. To be run once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        take_stock()
        while check_due() == MOST_IN_A_RUN:
            pass
        for link in ExternalLink.objects.broken():
            self.stdout.write(f"{link.address}: {link.problem}")
        self.stdout.write(f"{ExternalLink.objects.count()} links, {ExternalLink.objects.broken().count()} broken")
