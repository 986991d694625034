from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter import deliverability
from newsletter.deliverability import Level

MOST_BYTES = 10_000_000


class Command(BaseCommand):
    help = (
        "Check what decides whether mailboxes take the newsletter: the settings, and a sample if there is one. "
        "The exit code is 1 where something is wrong. docs/deliverability.md tells more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", metavar="FILE", type=Path, help="A mail in a file, best as it arrived.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = deliverability.of_settings()
        if sample := options["sample"]:
            try:
                with sample.open("rb") as file:
                    findings += deliverability.of_sample(file.read(MOST_BYTES))
            except OSError as error:
                raise CommandError(f"{sample} cannot be read: {error.strerror}.") from error
        for finding in findings:
            self.stdout.write(f"{finding.level.value:<8}{finding.subject}: {finding.message}")
        self.stdout.write("\nTo be published in the DNS, which this does not look into:\n")
        for record in deliverability.records():
            self.stdout.write(f"  {record}")
        if errors := sum(finding.level == Level.ERROR for finding in findings):
            raise CommandError(f"To be put right: {errors}.")
