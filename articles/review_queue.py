"""The queue of the review: what the rules find, with what people of the desk made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict

from .asked import named
from .models import ReviewMark
from .review import Finding, Rule, Severity, collect, rules

# How many findings of a rule are shown among those of others, and how many on a page of a rule's own.
MOST_OF_A_GROUP = 20
MOST_OF_A_PAGE = 50


@dataclass(frozen=True)
class Entry:
    finding: Finding
    mark: ReviewMark | None
    is_resting: bool

    @property
    def key(self) -> str:
        return f"{self.finding.rule.key} {self.finding.subject_key}"

    @property
    def assigned_to(self) -> User | None:
        return self.mark.assigned_to if self.mark else None

    def is_of(self, user: Any) -> bool:
        return self.mark is not None and self.mark.assigned_to_id == user.pk


def entries(today: date) -> list[Entry]:
    """All findings with their marks, in a number of queries that does not grow."""
    marks = {(mark.rule, mark.subject): mark for mark in ReviewMark.objects.select_related("assigned_to")}
    found = []
    for finding in collect(today):
        mark = marks.get((finding.rule.key, finding.subject_key))
        is_resting = mark is not None and mark.snoozed_until is not None and mark.snoozed_until > today
        found.append(Entry(finding, mark, is_resting))
    return found


def reviewers() -> QuerySet[User]:
    """Whom a finding can be assigned to: active people of the desk who may see the queue."""
    people = User.objects.with_perm("articles.view_reviewmark", backend="django.contrib.auth.backends.ModelBackend")
    return people.filter(is_staff=True).order_by("first_name", "last_name", "username")


def mark(chosen: Iterable[Entry], by: User, said: str, **values: Any) -> None:
    """Keep what somebody made of these findings and log what was `said`. Of two people the later one wins."""
    chosen = sorted(chosen, key=lambda entry: entry.key)
    rows = [ReviewMark(rule=e.finding.rule.key, subject=e.finding.subject_key, changed_by=by, **values) for e in chosen]
    with transaction.atomic():
        ReviewMark.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["rule", "subject"],
            update_fields=[*values, "changed_by", "changed_at"],
        )
        kind = ContentType.objects.get_for_model(ReviewMark)
        LogEntry.objects.bulk_create(
            LogEntry(
                user=by,
                content_type=kind,
                object_id=str(row.pk),
                object_repr=f"{entry.finding.rule.title}: {entry.finding.name}"[:200],
                action_flag=CHANGE,
                change_message=said,
            )
            for row, entry in zip(rows, chosen, strict=True)
        )


@dataclass(frozen=True)
class Counts:
    """How many findings are open, how many of those are somebody's own, and how many rest."""

    errors: int
    warnings: int
    mine: int
    resting: int

    @classmethod
    def of(cls, found: Sequence[Entry], user: Any = None) -> Self:
        awake = [entry for entry in found if not entry.is_resting]
        errors = sum(entry.finding.rule.severity == Severity.ERROR for entry in awake)
        mine = sum(entry.is_of(user) for entry in awake) if user else 0
        return cls(errors, len(awake) - errors, mine, len(found) - len(awake))

    def __str__(self) -> str:
        return f"{counted(self.errors, 'error')}, {counted(self.warnings, 'warning')}"


def counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


WHO = {"mine": "Mine", "nobody": "Nobody’s"}


@dataclass
class Filters:
    """Which findings somebody asked for. `ignored` names what was not understood, as it stood in the address."""

    rule: str = ""
    severity: str = ""
    who: str = ""
    snoozed: str = ""
    page: int = 1
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read `rule`, `severity`, `who`, `snoozed` and `page`, of each the last value."""
        known: dict[str, set[str]] = {
            "rule": {rule.key for rule in rules()},
            "severity": set(Severity),
            "who": set(WHO),
            "snoozed": {"show"},
        }
        filters, ignored = cls(), []
        for name in data:
            value = str(data[name])
            if name in known and value in known[name]:
                setattr(filters, name, value)
            elif name == "page" and value.isascii() and value.isdigit() and 0 < int(value[:6]):
                filters.page = int(value[:6])
            elif value or name not in known:
                ignored.append((name, value))
        filters.ignored = named(ignored)
        return filters

    @property
    def is_any(self) -> bool:
        return bool(self.rule or self.severity or self.who or self.snoozed)

    def parameters(self, **changes: str) -> str:
        """The address's query part for these filters; what is at its default is left out."""
        data = QueryDict(mutable=True)
        page = "" if self.page == 1 else str(self.page)
        values = {"rule": self.rule, "severity": self.severity, "who": self.who, "snoozed": self.snoozed, "page": page}
        data.update({name: value for name, value in {**values, **changes}.items() if value})
        return data.urlencode()

    def let_through(self, found: Iterable[Entry], user: Any) -> list[Entry]:
        """What was asked for, resting findings included."""
        return [
            entry
            for entry in found
            if self.rule in {"", entry.finding.rule.key}
            and self.severity in {"", entry.finding.rule.severity}
            and (self.who != "mine" or entry.is_of(user))
            and (self.who != "nobody" or entry.assigned_to is None)
        ]


@dataclass(frozen=True)
class Group:
    """The findings of one rule, as many as are shown."""

    rule: Rule
    page: Page[Entry]
    awake: int
    resting: int
    wakes_on: date | None

    @classmethod
    def of(cls, rule: Rule, found: Sequence[Entry], filters: Filters) -> Self:
        resting = [entry for entry in found if entry.is_resting]
        shown = [entry for entry in found if filters.snoozed or not entry.is_resting]
        pages = Paginator(shown, MOST_OF_A_PAGE if filters.rule else MOST_OF_A_GROUP)
        wakes_on = min((e.mark.snoozed_until for e in resting if e.mark and e.mark.snoozed_until), default=None)
        page = pages.get_page(filters.page if filters.rule else 1)
        return cls(rule, page, len(found) - len(resting), len(resting), wakes_on)


def groups(found: Iterable[Entry], filters: Filters) -> list[Group]:
    """The groups of the rules that found something, errors first."""
    by_rule: dict[Rule, list[Entry]] = {}
    for entry in found:
        by_rule.setdefault(entry.finding.rule, []).append(entry)
    return [Group.of(rule, of_rule, filters) for rule, of_rule in by_rule.items()]
