"""Records and figures from a table: each row is compared with what there is, and either all of them are taken or none.

The columns are those of the open data, so that an export can be edited and brought back; a row that says what the site
says already changes nothing. Flat records are changed; a figure never is: where a row gives another one, its successor
is published.
"""

import hashlib
import json
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, cast

import tablib
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from import_export import resources
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import RowResult

from .models import Source, Sourced, Statistic, StatisticValue
from .models.sourced import SupersededFigureError
from .models.sources import without_resolver
from .open_data import SOURCES, STATISTICS, Record, Table, plain, without_apostrophe
from .spreadsheets import ERRORS
from .succession import EVIDENCE_FIELDS, changed_fields, problems, problems_alone

NEEDED = "A value is needed here."
UNKNOWN = "There is no {} “{}”."
REPLACES_ITSELF = "An edition cannot replace itself."
NOT_A_CHOICE = "“{}” is none of these: {}."
NOT_TRUE_OR_FALSE = "Write true or false."
SPREADSHEET_ERROR = "The spreadsheet could not work this cell out ({})."
ONLY_TO_READ = "An import does not change this column. It says “{}”; leave it so, or leave it empty."
TWICE = "Row {} is about the same."
NO_SUCH_ROW = "There is no published figure of this number. For a new figure leave it empty."
OTHER_OWNER = "Figure {} belongs to {}."
HISTORY = "Figure {} is history, which stays as it is. Change the row of the current figure, number {}."
NOTHING_BEFORE = "There is no figure yet that this one could follow. If the row is right, it is new."
STALE_REASON = "This is the reason of the figure that is there now. Say why it changes this time."
MOVED = "Somebody changed this after the preview. Nothing was imported: send the file again and look at it anew."

TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}

# Whatever an import can say of the evidence and the reason of a figure.
FIGURE_COLUMNS = (*EVIDENCE_FIELDS, "why", "why_note")


@dataclass(frozen=True)
class Change:
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row; the column is empty where the sentence is about all of it."""

    number: int
    column: str
    sentence: str


@dataclass
class Written:
    """A record that a row wrote, for the log."""

    record: models.Model
    is_new: bool
    message: str


class Row(RowResult):
    """What a row of the table comes to."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.is_empty = False
        self.subject = ""
        self.changes: list[Change] = []
        self.problems: list[Problem] = []
        self.written: list[Written] = []
        # Keys of the records that it was compared with.
        self.compared: list[int] = []

    @property
    def verdict(self) -> str:
        if self.problems:
            return "Error"
        return {self.IMPORT_TYPE_NEW: "New", self.IMPORT_TYPE_UPDATE: "Changed"}.get(self.import_type, "Unchanged")

    @property
    def digest(self) -> str:
        """The same for as long as the row would do the same to the same records."""
        changes = [(change.column, change.before, change.after) for change in self.changes]
        said = json.dumps([self.verdict, self.subject, self.compared, changes])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def text_of(value: Any) -> str:
    """A value as it stands in the files."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case date():
            return value.isoformat()
        case models.Model():
            return str(getattr(value, "slug", value.pk))
        case _:
            return str(value)


def reader_of(column: models.Field) -> Callable[[str], Any]:
    """How the text of a cell becomes a value of this field; the reader raises `ValidationError` in plain words."""
    if isinstance(column, models.BooleanField):
        return _truth
    form_field = cast("forms.Field", column.formfield(required=False))
    choices = [str(value) for value, _ in column.flatchoices]

    def read(text: str) -> Any:
        if not text:
            if column.has_default():
                return column.get_default()
            if not column.blank:
                raise ValidationError(NEEDED)
            return None if column.null else ""
        if choices and text not in choices:
            raise ValidationError(NOT_A_CHOICE.format(text, ", ".join(choices)))
        value = form_field.clean(text)
        column.run_validators(value)
        return value

    return read


def _truth(text: str) -> bool:
    try:
        return TRUTHS[text.lower()]
    except KeyError as error:
        raise ValidationError(NOT_TRUE_OR_FALSE) from error


def reference_to(name: str, by_key: Mapping[str, models.Model]) -> Callable[[str], Any]:
    """How the text of a cell becomes one of these records; nothing becomes none."""

    def read(text: str) -> Any:
        if text and text not in by_key:
            raise ValidationError(UNKNOWN.format(name, text))
        return by_key[text] if text else None

    return read


class TableResource(resources.Resource):
    """Rows that become records; a subclass says of which kind."""

    # The file of the open data that has these columns, those that a file must have, those that an import writes,
    # and those that it compares with what there is, because an editor could take them for something to change.
    table: ClassVar[Table]
    needed: ClassVar[tuple[str, ...]]
    written: ClassVar[tuple[str, ...]]
    guarded: ClassVar[tuple[str, ...]] = ()

    class Meta:
        instance_loader_class = BaseInstanceLoader
        use_transactions = True

    def __init__(self, *, why: str = "", why_note: str = "", expected: Iterable[str] = ()) -> None:
        super().__init__()
        self.why = why
        self.why_note = why_note
        # The digests of the rows as they were previewed; empty for the preview itself.
        self.expected = list(expected)
        self.seen: dict[Any, int] = {}
        self.attempted: models.Model

    @classmethod
    def get_row_result_class(cls) -> type[Row]:
        return Row

    @classmethod
    def columns_to_read(cls) -> list[str]:
        """Columns of the open data that an import takes no notice of."""
        return [column.name for column in cls.table.columns if column.name not in cls.written]

    def problems_of_header(self, header: Iterable[str]) -> list[str]:
        """Columns that are missing or unknown, in words."""
        header = list(header)
        known = {*self.written, *self.columns_to_read()}
        missing = [name for name in self.needed if name not in header]
        unknown = [name for name in header if name and name not in known]
        found = [f"The column {name} is missing." for name in missing]
        return found + [f"There is no column {name}. The columns are: {', '.join(self.written)}." for name in unknown]

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Fetch what the rows are compared with, whatever their number."""
        self.readers = self.make_readers()

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        raise NotImplementedError

    def take(self, cells: dict[str, str], row: Row) -> None:
        """Compare a row with what there is and write what it says; `ValidationError` by column if it cannot be."""
        raise NotImplementedError

    def import_row(self, row: Mapping[str, str], instance_loader: Any, **kwargs: Any) -> Row:
        result = Row()
        result.number = kwargs["row_number"] + 1
        result.import_type = Row.IMPORT_TYPE_SKIP
        cells = {name: without_apostrophe(text).strip() for name, text in row.items() if name}
        if not any(cells.values()):
            result.is_empty = True
            return result
        try:
            # What a row wrote before it failed is taken back here; what the rows before it wrote, by the whole import.
            with transaction.atomic():
                self._refuse_errors(cells)
                self.take(cells, result)
                self._refuse_moved(result)
        except ValidationError as error:
            self.fail(result, error)
        except SupersededFigureError:
            self.fail(result, ValidationError(MOVED))
        except IntegrityError:
            self.fail(result, self.refused())
        return result

    def fail(self, row: Row, error: ValidationError) -> None:
        by_column = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        row.import_type = Row.IMPORT_TYPE_INVALID
        row.validation_error = error
        row.written = []
        row.problems += [
            Problem(row.number, "" if column == NON_FIELD_ERRORS else column, sentence)
            for column, sentences in by_column.items()
            for sentence in sentences
        ]

    def _refuse_errors(self, cells: Mapping[str, str]) -> None:
        wrong = {name: SPREADSHEET_ERROR.format(text) for name, text in cells.items() if text in ERRORS}
        if wrong:
            raise ValidationError(wrong)

    def _refuse_moved(self, row: Row) -> None:
        place = row.number - 2
        if self.expected and (place >= len(self.expected) or self.expected[place] != row.digest):
            raise ValidationError(MOVED)

    def once(self, key: Any, row: Row, column: str) -> None:
        """Refuse a second row about the same."""
        if key in self.seen:
            raise ValidationError({column: TWICE.format(self.seen[key])})
        self.seen[key] = row.number

    def values(self, cells: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
        """The values of those columns that the file has."""
        values: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for name in names:
            if name in cells:
                try:
                    values[name] = self.readers[name](cells[name])
                except ValidationError as error:
                    wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return values

    def guard(self, cells: Mapping[str, str], *records: Any) -> None:
        """Refuse edits of columns that are only to read, which would otherwise be lost without a word.

        They may say what they said of the record before, or what they would say of it now.
        """
        columns = {column.name: column for column in self.table.columns}
        wrong = {}
        for name in self.guarded:
            said = [without_apostrophe(columns[name].cell(record)).strip() for record in records]
            if cells.get(name) and cells[name] not in said:
                wrong[name] = ONLY_TO_READ.format(said[0])
        if wrong:
            raise ValidationError(wrong)

    @staticmethod
    def changes_of(earlier: models.Model | None, later: models.Model, names: Iterable[str]) -> list[Change]:
        pairs = [
            (name, text_of(getattr(earlier, name)) if earlier else "", text_of(getattr(later, name))) for name in names
        ]
        return [Change(*pair) for pair in pairs if pair[1] != pair[2]]

    def check(self, record: models.Model) -> None:
        """The rules of the model’s fields; references need no look-up, since they were resolved here.

        Its constraints are left to the database, which is asked in any case, in the preview too; asking Django for them
        would cost a dozen queries a row. `refused` puts what the database says into words.
        """
        self.attempted = record
        references = {f.name for f in record._meta.concrete_fields if isinstance(f, models.ForeignKey)}
        wrong: dict[str, Any] = {}
        try:
            record.clean_fields(exclude=references)
        except ValidationError as error:
            wrong = error.update_error_dict(wrong)
        try:
            record.clean()
        except ValidationError as error:
            wrong = error.update_error_dict(wrong)
        if wrong:
            raise ValidationError(wrong)

    def refused(self) -> ValidationError:
        """Why the database refused the record of the last check; somebody was quicker if it would take it now."""
        try:
            self.attempted.validate_unique(exclude={"supersedes"})
            self.attempted.validate_constraints()
        except ValidationError as error:
            return error
        return ValidationError(MOVED)


class RecordResource(TableResource):
    """Flat records, known by their slug, which never changes."""

    model: ClassVar[type[models.Model]]
    needed = ("slug",)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.records = self.existing()
        super().before_import(dataset, **kwargs)

    def existing(self) -> dict[str, Any]:
        """Records by slug."""
        raise NotImplementedError

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        fields = [self.model._meta.get_field(name) for name in self.written]
        return {f.name: reader_of(f) for f in fields if isinstance(f, models.Field) and not f.is_relation}

    def shown(self, record: Any) -> Any:
        """What the columns of the open data take for this record."""
        return record

    def save(self, record: models.Model) -> None:
        record.save()

    def take(self, cells: dict[str, str], row: Row) -> None:
        values = self.values(cells, self.written)
        row.subject = slug = values.pop("slug")
        self.once(slug, row, "slug")
        earlier = self.records.get(slug)
        later = copy(earlier) if earlier else self.model(slug=slug)
        for name, value in values.items():
            setattr(later, name, value)
        if earlier:
            row.compared = [earlier.pk]
            self.guard(cells, self.shown(earlier), self.shown(later))
        names = [name for name in self.written if name != "slug"]
        if earlier and not self.changes_of(earlier, later, names):
            return
        self.check(later)
        row.changes = self.changes_of(earlier, later, names)
        if earlier and not row.changes:
            return
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        self.save(later)
        self.records[slug] = later
        changed = ", ".join(change.column for change in row.changes)
        row.written = [Written(later, is_new=not earlier, message=changed)]


class SourceResource(RecordResource):
    model = Source
    table = SOURCES
    guarded = ("citation",)
    written = (
        "slug",
        "producer",
        "authors",
        "title",
        "edition",
        "kind",
        "published",
        "url",
        "archive_url",
        "doi",
        "isbn",
        "accessed_on",
        "licence",
        "projection_horizon",
        "newer_edition",
    )

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        # A newer edition may stand in a later row; such references are set when all rows are there.
        slugs = dataset["slug"]
        self.coming: dict[str, models.Model] = {slug: Source(slug=slug) for slug in slugs if slug}
        self.waiting: list[tuple[Source, str]] = []
        super().before_import(dataset, **kwargs)

    def after_import(self, dataset: tablib.Dataset, result: Any, **kwargs: Any) -> None:
        for source, slug in self.waiting:
            source.newer_edition = self.records.get(slug)
            source.save(update_fields=["newer_edition"])

    def save(self, record: Any) -> None:
        newer = record.newer_edition
        if newer and newer.slug == record.slug:
            raise ValidationError({"newer_edition": REPLACES_ITSELF})
        if newer and newer.pk is None:
            record.newer_edition = None
            self.waiting.append((record, newer.slug))
        super().save(record)

    def existing(self) -> dict[str, Any]:
        return {source.slug: source for source in Source.objects.select_related("newer_edition")}

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        readers = super().make_readers()
        own = {
            "doi": lambda text: readers["doi"](without_resolver(text)),
            "newer_edition": reference_to("source", ChainMap(self.records, self.coming)),
        }
        return {**readers, **own}


class FigureResource(TableResource):
    """Published figures. A row that gives another figure than the current one publishes its successor."""

    model: ClassVar[type[Sourced]]
    # The columns that name the line of a figure beside its owner.
    line_fields: ClassVar[tuple[str, ...]] = ()
    # The columns that are empty where a figure is withdrawn.
    number_fields: ClassVar[tuple[str, ...]]

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = self.model._default_manager.exclude(published_at=None)
        self.figures: dict[int, Any] = {f.pk: f for f in rows.select_related(*self.model.owner_fields, "source")}
        self.current = {self.line(f): f for f in self.figures.values() if f.superseded_at is None}
        super().before_import(dataset, **kwargs)

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        names = [name for name in self.written if name not in self.model.owner_fields]
        readers: dict[str, Callable[[str], Any]] = {}
        for model in (self.model, *self.owner_models()):
            fields = {f.name: f for f in model._meta.concrete_fields}
            readers |= {
                name: reader_of(fields[name]) for name in names if name in fields and not fields[name].is_relation
            }
        sources = {source.slug: source for source in Source.objects.all()}
        return {**readers, "id": _number, "source": reference_to("source", sources)}

    def owner_models(self) -> list[type[models.Model]]:
        return []

    def line(self, figure: Any) -> tuple[Any, ...]:
        """What no two current figures have in common."""
        owners = [getattr(figure, f"{name}_id") for name in self.model.owner_fields]
        return (*owners, *(getattr(figure, name) for name in self.line_fields))

    def owners(self, cells: dict[str, str], row: Row, named: Any) -> dict[str, models.Model]:
        """What the figure of this row belongs to, by the names of the owner fields; `named` has its number."""
        raise NotImplementedError

    def complete(self, later: Any) -> None:
        """Fill in what follows from the rest."""

    def take(self, cells: dict[str, str], row: Row) -> None:
        named = self._named(cells)
        owners = self.owners(cells, row, named)
        if named and any(getattr(named, f"{name}_id") != owner.pk for name, owner in owners.items()):
            raise ValidationError({"id": OTHER_OWNER.format(named.pk, named.subject)})
        names = [name for name in (*self.model.figure_fields, *FIGURE_COLUMNS) if name in self.written]
        values = self.values(cells, self._names_to_read(cells, names))
        line = self.line(self.model(**owners, **{name: values[name] for name in self.line_fields if name in values}))
        earlier = named or self.current.get(line)
        row.compared = [earlier.pk] if earlier else []
        if earlier and earlier.superseded_at:
            self._leave(earlier, values)
            return
        self.once(earlier.pk if earlier else line, row, "id" if named else self.needed[0])
        if earlier and not self._is_asked_to_change(earlier, owners, values, cells):
            return
        later = self._later(earlier, owners, values)
        if earlier:
            self.guard(cells, Record(earlier, earlier.pk, None, None), Record(later, earlier.pk, None, None))
            later.why, later.why_note = self._reason(earlier, cells)
        elif cells.get("why", "") not in {"", Sourced.Why.NEW}:
            raise ValidationError({"why": NOTHING_BEFORE})
        self._check(earlier, later)
        row.changes += self.changes_of(earlier, later, names)
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        self._publish(earlier, later, names, row)

    def _named(self, cells: Mapping[str, str]) -> Any:
        """The figure whose number the row gives, current or past; None where it gives none."""
        if not cells.get("id"):
            return None
        number = self.values(cells, ["id"])["id"]
        if number not in self.figures:
            raise ValidationError({"id": NO_SUCH_ROW})
        return self.figures[number]

    def _names_to_read(self, cells: Mapping[str, str], names: list[str]) -> list[str]:
        """All columns, but for those that the row of a withdrawn figure leaves empty."""
        is_empty = not any(cells.get(name) for name in self.number_fields)
        if cells.get("why") == Sourced.Why.RETRACTION and is_empty:
            return [name for name in names if name not in self.number_fields]
        return names

    def _leave(self, past: Any, values: Mapping[str, Any]) -> None:
        """Refuse a row of the history that says something else than the history."""
        wrong = [name for name, value in values.items() if text_of(getattr(past, name)) != text_of(value)]
        if wrong:
            latest = next(f for f in self.figures.values() if f.superseded_at is None and self._is_after(past, f))
            raise ValidationError({name: HISTORY.format(past.pk, latest.pk) for name in wrong})

    def _is_after(self, past: Any, figure: Any) -> bool:
        while figure.pk != past.pk and figure.supersedes_id:
            figure = self.figures[figure.supersedes_id]
        return bool(figure.pk == past.pk)

    def _is_asked_to_change(
        self, earlier: Any, owners: Any, values: Mapping[str, Any], cells: Mapping[str, str]
    ) -> bool:
        is_to_be_withdrawn = cells.get("why") == Sourced.Why.RETRACTION
        if earlier.is_withdrawn:
            return not is_to_be_withdrawn
        return is_to_be_withdrawn or bool(changed_fields(earlier, self._later(earlier, owners, values)))

    def _later(self, earlier: Any, owners: Mapping[str, models.Model], values: Mapping[str, Any]) -> Any:
        later = copy(earlier) if earlier else self.model(**owners)
        for name, value in values.items():
            setattr(later, name, value)
        # As for the form: the rules are those of the published row that it is to become.
        later.published_at, later.superseded_at = timezone.now(), None
        self.complete(later)
        return later

    def _reason(self, earlier: Any, cells: Mapping[str, str]) -> tuple[str, str]:
        """Why the figure changes: what the row says, or what was said for all rows; never the reason of before."""
        why, note = cells.get("why", ""), cells.get("why_note", "")
        is_repeated = (why, note) == (earlier.why, earlier.why_note)
        if self.why and (why in {"", Sourced.Why.NEW} or is_repeated):
            return self.why, self.why_note
        if note and note == earlier.why_note:
            raise ValidationError({"why_note": STALE_REASON})
        return why, note

    def _check(self, earlier: Any, later: Any) -> None:
        found = problems(earlier, later) if earlier else problems_alone(later)
        wrong: dict[str, list[str]] = {}
        for name, sentence in found:
            wrong.setdefault(name or NON_FIELD_ERRORS, []).append(sentence)
        if wrong:
            raise ValidationError(wrong)
        self.check(later)

    def _publish(self, earlier: Any, later: Any, names: Iterable[str], row: Row) -> None:
        if earlier:
            published = earlier.publish_successor(**{name: getattr(later, name) for name in names})
        else:
            later.save(force_insert=True)
            published = later
        row.written.append(Written(published, is_new=not earlier, message=later.get_why_display()))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError("Write the number of a row of the open data, or leave it empty.")
    return int(text)


class StatisticResource(FigureResource):
    """Statistics with their values: a row describes a claim and gives its figure."""

    model = StatisticValue
    table = STATISTICS
    needed = ("statistic",)
    number_fields = StatisticValue.figure_fields
    described = ("claim", "unit", "scope")
    guarded = ("source_citation",)
    written = (
        "id",
        "statistic",
        *described,
        *StatisticValue.figure_fields,
        *FIGURE_COLUMNS,
    )

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.statistics = {statistic.slug: statistic for statistic in Statistic.objects.all()}
        super().before_import(dataset, **kwargs)

    def owner_models(self) -> list[type[models.Model]]:
        return [Statistic]

    def owners(self, cells: dict[str, str], row: Row, named: Any) -> dict[str, models.Model]:
        """The claim, written anew where the row describes it otherwise; a row of the history only names it."""
        slug = self._slug(cells.get("statistic", ""))
        row.subject = slug
        earlier = self.statistics.get(slug)
        if earlier and named and named.superseded_at:
            return {"statistic": earlier}
        values = self.values(cells, self.described)
        later = copy(earlier) if earlier else Statistic(slug=slug)
        for name, value in values.items():
            setattr(later, name, value)
        changes = self.changes_of(earlier, later, self.described)
        if earlier and not changes:
            return {"statistic": earlier}
        self.check(later)
        later.save()
        self.statistics[slug] = later
        row.changes = changes
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        changed = ", ".join(change.column for change in changes)
        row.written.append(Written(later, is_new=not earlier, message=changed))
        return {"statistic": later}

    def _slug(self, text: str) -> str:
        if not text:
            raise ValidationError({"statistic": NEEDED})
        try:
            return str(reader_of(Statistic._meta.get_field("slug"))(text))
        except ValidationError as error:
            raise ValidationError({"statistic": error.messages}) from error
