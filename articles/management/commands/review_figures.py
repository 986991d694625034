import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from articles.review_queue import Counts, Entry, entries
from articles.schedule import settle


class Command(BaseCommand):
    help = (
        "Review all figures that readers see, and what they stand in. The exit code is 1 where errors are found that "
        "nobody has snoozed, else 0; 2 for wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text", help="text by default.")
        parser.add_argument("--include-snoozed", action="store_true", help="Print what rests too.")

    def handle(self, *args: Any, **options: Any) -> None:
        # What is due is made by whoever looks first, readers or this.
        settle()
        found = entries(timezone.localdate())
        shown = [entry for entry in found if options["include_snoozed"] or not entry.is_resting]
        counts = Counts.of(found)
        if options["format"] == "json":
            self.stdout.write(json.dumps([as_object(entry) for entry in shown], ensure_ascii=False, indent=2))
        else:
            summary = f"{str(counts).capitalize()}, {counts.resting or 'none'} snoozed."
            self.stdout.write("\n".join([*as_lines(shown), summary]))
        if counts.errors:
            sys.exit(1)


def as_lines(shown: Iterable[Entry]) -> Iterator[str]:
    """The findings by rule, what each is about and, indented, how it breaks the rule and what was made of it."""
    for rule, of_rule in groupby(shown, key=lambda entry: entry.finding.rule):
        group = list(of_rule)
        yield f"{rule.severity.upper()} {rule.key}: {rule.title} ({len(group)})"
        for entry in group:
            yield f"  {entry.finding.name}"
            yield f"    {entry.finding.message}"
            if entry.assigned_to:
                yield f"    Assigned to {entry.assigned_to.username}."
            if entry.is_resting and entry.mark:
                yield f"    Snoozed until {entry.mark.snoozed_until}: {entry.mark.snooze_reason}"
        yield ""


def as_object(entry: Entry) -> dict[str, Any]:
    """A finding as JSON: its keys are a promise to whoever reads them."""
    finding = entry.finding
    until = entry.mark.snoozed_until if entry.is_resting and entry.mark else None
    return {
        "rule": finding.rule.key,
        "title": finding.rule.title,
        "severity": finding.rule.severity,
        "subject": {"model": finding.subject._meta.label, "name": finding.name},
        "message": finding.message,
        "assigned_to": entry.assigned_to.username if entry.assigned_to else None,
        "snoozed_until": until.isoformat() if until else None,
        "url": f"{settings.SITE_URL}{finding.url}" if finding.url else None,
    }
