"""Open data: the tables that are given away, as CSV and as the Data Package 2.0 that describes them.

A table is a list of columns; the file, its schema and the words of the README all come from that list, so that they
cannot drift apart. Column names are promises: new ones are added at the end, none is renamed. This module knows sources
and statistics; a data set of a floor above brings its own tables.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Max, Q

from .history import lines_of, points_of, true_on
from .models import Source, Sourced, StatisticValue
from .partial_dates import PATTERN, last_day

# The terms of the compilation; a figure taken from elsewhere stays its source’s.
LICENCE = {
    "name": "CC-BY-4.0",
    "path": "https://creativecommons.org/licenses/by/4.0/",
    "title": "Creative Commons Attribution 4.0 International",
}
TABLE_PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"

# Between the items of a list. The type “list” of Data Package 2.0 is missing in the standard’s own profile: a string.
LIST_DELIMITER = ";"
# What spreadsheets take for the beginning of a formula (OWASP, “CSV injection”), after any apostrophes of ours.
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one."""
    return f"'{text}" if FORMULA.match(text) else text


def without_apostrophe(text: str) -> str:
    """Take back what `neutral` did."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


@dataclass(frozen=True)
class Column:
    """A column: its name and type in the words of Table Schema, what it means, and how a row gives its value."""

    name: str
    type: str
    description: str
    of: Callable[[Any], Any]
    constraints: dict[str, Any] = field(default_factory=dict)

    def cell(self, row: Any) -> str:
        """The value as it is written into a CSV file; nothing is written for what is not known."""
        match self.of(row):
            case None:
                return ""
            case bool() as truth:
                return "true" if truth else "false"
            case Decimal() as number:
                return plain(number)
            case datetime() as moment:
                return iso(moment)
            case date() as day:
                return day.isoformat()
            case list() as items:
                return LIST_DELIMITER.join(neutral(item.replace(LIST_DELIMITER, ",")) for item in items)
            case str() as text:
                return neutral(text)
            case other:
                return str(other)

    def described(self) -> dict[str, Any]:
        """The column in the words of Table Schema."""
        described = {"name": self.name, "type": self.type, "description": self.description}
        return {**described, "constraints": self.constraints} if self.constraints else described


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    description: str
    columns: Sequence[Column]
    primary_key: str
    # Names of columns and of the table whose key they hold; of this table itself where it is empty.
    foreign_keys: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"

    def csv(self, rows: Iterable[Any]) -> bytes:
        """The rows as RFC 4180 has it, in UTF-8, below a line of column names."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows([column.cell(row) for column in self.columns] for row in rows)
        return text.getvalue().encode()

    def resource(self, *, is_whole: bool = True) -> dict[str, Any]:
        """The table in the words of Data Package, all but its path; without history it cannot refer to itself."""
        keys = [
            {"fields": [column], "reference": {"resource": table, "fields": [key]}}
            for column, (table, key) in self.foreign_keys.items()
            if table or is_whole
        ]
        schema: dict[str, Any] = {
            "$schema": TABLE_PROFILE,
            "fields": [column.described() for column in self.columns],
            "primaryKey": [self.primary_key],
        }
        return {
            "$schema": RESOURCE_PROFILE,
            "name": self.name,
            "type": "table",
            "title": self.title,
            "description": self.description,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {**schema, "foreignKeys": keys} if keys else schema,
        }


def plain(number: Decimal) -> str:
    """A number without an exponent and without zeros that say nothing: 97000000, 0.25."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def iso(moment: datetime) -> str:
    """A moment to the second in UTC: 2026-11-24T13:22:25Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_of(choices: Iterable[str]) -> dict[str, Any]:
    return {"required": True, "enum": list(choices)}


REQUIRED: dict[str, Any] = {"required": True}
KEY: dict[str, Any] = {"required": True, "unique": True}
DATED: dict[str, Any] = {"pattern": PATTERN}
PARTIAL = "a year, a month or a day (2025, 2025-06 or 2025-06-30), no finer than the source says"


# Figures


@dataclass(frozen=True)
class Record[Figure: Sourced]:
    """A published figure with what its line says about it."""

    figure: Figure
    line: int
    true_from: date | None
    true_until: date | None

    @property
    def is_current(self) -> bool:
        return self.figure.superseded_at is None and not self.figure.is_withdrawn

    def number(self, name: str) -> Any:
        """A field that makes up the figure; nothing where the row only says that the figure was withdrawn."""
        return None if self.figure.is_withdrawn else getattr(self.figure, name)


def records_of[Figure: Sourced](figures: Iterable[Figure], as_of: str = "") -> list[Record[Figure]]:
    """Published figures line by line; with a date only those that were true on its last day, one for each line.

    Lines keep the order in which their first figures are given.
    """
    records = []
    figures = list(figures)
    places = {figure.pk: place for place, figure in enumerate(figures)}
    for line in sorted(lines_of(figures), key=lambda line: places[line[0].pk]):
        chosen = [true_on(line, last_day(as_of))] if as_of else line
        days = days_of(line)
        records += [Record(figure, line[0].pk, *days.get(figure.pk, (None, None))) for figure in chosen if figure]
    return records


def days_of[Figure: Sourced](line: list[Figure]) -> dict[int, tuple[date, date | None]]:
    """First and last day on which each figure of a line held, by its key; figures that never held are left out."""
    points = points_of(line)
    days: dict[int, tuple[date, date | None]] = {}
    for place, point in enumerate(points):
        until = points[place + 1].starts_on - timedelta(days=1) if place + 1 < len(points) else None
        if not point.figure.is_withdrawn and (until is None or point.starts_on <= until):
            days[point.figure.pk] = point.starts_on, until
    return days


def figure_columns() -> list[Column]:
    """What every published number says beside the number itself."""
    Status, Why = Sourced.CheckStatus, Sourced.Why
    return [
        Column(
            "source", "string", "Short name of the source in sources.csv; empty: no source is stated.", _source("slug")
        ),
        Column("source_citation", "string", "The source in words.", _source("citation")),
        Column("locator", "string", "Where in the source the figure stands.", lambda r: r.figure.locator or None),
        Column("as_of", "string", f"When the figure held: {PARTIAL}.", lambda r: r.figure.as_of or None, DATED),
        Column(
            "check_status",
            "string",
            "Whether we have compared the figure with its source, and what came of it.",
            lambda r: r.figure.check_status,
            one_of(Status.values),
        ),
        Column("check_note", "string", "What the check found.", lambda r: r.figure.check_note or None),
        Column("checked_on", "date", "Day of the check.", lambda r: r.figure.checked_on),
        Column(
            "why",
            "string",
            "Why the row was published. new: the first of its line; update: a later figure; correction: the row before "
            "was wrong; re-sourced: same figure, other evidence; retraction: the row before is withdrawn and nothing "
            "takes its place.",
            lambda r: r.figure.why,
            one_of(Why.values),
        ),
        Column("why_note", "string", "The reason in words.", lambda r: r.figure.why_note or None),
        Column("published_at", "datetime", "When we published the row.", lambda r: r.figure.published_at, REQUIRED),
        Column(
            "superseded_at",
            "datetime",
            "When another row took its place; empty: none has.",
            lambda r: r.figure.superseded_at,
        ),
        Column("supersedes", "integer", "The id of the row whose place it took.", lambda r: r.figure.supersedes_id),
        Column(
            "line",
            "integer",
            "The same for all rows of one figure’s history: the id of the first of them.",
            lambda r: r.line,
            REQUIRED,
        ),
        Column("is_current", "boolean", "Whether we show this figure now.", lambda r: r.is_current, REQUIRED),
        Column(
            "is_withdrawn",
            "boolean",
            "True for a row that only says that the figure before it was withdrawn; it holds no number.",
            lambda r: r.figure.is_withdrawn,
            REQUIRED,
        ),
        Column(
            "true_from",
            "date",
            "First day on which the figure held, by all that we know now. Empty: it does not stand any more, because a "
            "correction, a retraction, other evidence or another figure for the same time took its place.",
            lambda r: r.true_from,
        ),
        Column(
            "true_until", "date", "Last day on which it held; empty: the end is not known yet.", lambda r: r.true_until
        ),
    ]


def _source(name: str) -> Callable[[Record], str | None]:
    return lambda record: getattr(record.figure.source, name) if record.figure.source else None


# Sources and statistics

SOURCES = Table(
    name="sources",
    title="Sources",
    description="Editions of publications that the figures are taken from, as they are described now.",
    primary_key="slug",
    foreign_keys={"newer_edition": ("", "slug")},
    columns=[
        Column("slug", "string", "Short name of the edition; it never changes.", lambda s: s.slug, KEY),
        Column("citation", "string", "The edition in words.", lambda s: s.citation, REQUIRED),
        Column("producer", "string", "Who publishes it.", lambda s: s.producer, REQUIRED),
        Column("authors", "string", "Persons, family name first, parted by semicolons.", lambda s: s.authors or None),
        Column("title", "string", "Its title.", lambda s: s.title, REQUIRED),
        Column("edition", "string", "As the publisher names it.", lambda s: s.edition or None),
        Column("kind", "string", "What kind of publication it is.", lambda s: s.kind, one_of(Source.Kind.values)),
        Column("published", "string", f"When it came out: {PARTIAL}.", lambda s: s.published or None, DATED),
        Column("url", "string", "Where it is found.", lambda s: s.url or None),
        Column("archive_url", "string", "A lasting copy.", lambda s: s.archive_url or None),
        Column("doi", "string", "Its DOI, such as 10.1000/182.", lambda s: s.doi or None),
        Column("isbn", "string", "Its ISBN.", lambda s: s.isbn or None),
        Column("accessed_on", "date", "When we last saw it at its address.", lambda s: s.accessed_on),
        Column("licence", "string", "The terms of the source itself; empty: not known.", lambda s: s.licence or None),
        Column("projection_horizon", "integer", "The year up to which it projects.", lambda s: s.projection_horizon),
        Column(
            "newer_edition",
            "string",
            "Short name of the edition that has replaced it.",
            lambda s: s.newer_edition.slug if s.newer_edition else None,
        ),
    ],
)

STATISTICS = Table(
    name="statistics",
    title="Statistics",
    description="Every figure that was ever published for a claim, with its evidence and its history.",
    primary_key="id",
    foreign_keys={"source": ("sources", "slug"), "supersedes": ("", "id")},
    columns=[
        Column("id", "integer", "Number of the row; it never changes.", lambda r: r.figure.pk, KEY),
        Column("statistic", "string", "Short name of the claim.", lambda r: r.figure.statistic.slug, REQUIRED),
        Column(
            "claim", "string", "What the figure says, continuing from it.", lambda r: r.figure.statistic.claim, REQUIRED
        ),
        Column("unit", "string", "What is counted.", lambda r: r.figure.statistic.unit, REQUIRED),
        Column("scope", "string", "Whom, where and when the claim covers.", lambda r: r.figure.statistic.scope or None),
        Column("value", "number", "The plain number.", lambda r: r.number("value")),
        Column("display_text", "string", "The figure as the site prints it.", lambda r: r.number("display_text")),
        Column(
            "horizon_year", "integer", "For a projection: the year it speaks of.", lambda r: r.number("horizon_year")
        ),
        *figure_columns(),
    ],
)


def all_sources() -> list[Source]:
    return list(Source.objects.select_related("newer_edition").order_by("slug"))


def all_statistic_values() -> list[StatisticValue]:
    """The whole history of all statistics in the order of the file."""
    values = StatisticValue.objects.published().select_related("statistic", "source")
    return list(values.order_by("statistic__slug", "published_at", "pk"))


def last_change(figures: Iterable[Sourced], *, records: Sequence[str]) -> datetime | None:
    """When figures or records that a file holds were last changed, as far as anybody can tell.

    `records` names the models, such as “articles.source”, that have no moments of their own: the desk’s log knows when
    one of them was edited.
    """
    logged = Q()
    for app, model in (name.split(".") for name in records):
        logged |= Q(content_type__app_label=app, content_type__model=model)
    edited = LogEntry.objects.filter(logged).aggregate(latest=Max("action_time"))["latest"]
    moments = [moment for figure in figures for moment in (figure.published_at, figure.superseded_at)]
    return max([moment for moment in [edited, *moments] if moment], default=None)
