"""Rows of a table that become records: how cells are read, rows compared, and whatever is wrong with them named."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, cast

import tablib
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from import_export import resources
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import RowResult

from articles.models.sourced import SupersededFigureError
from articles.open_data import Table, plain, without_apostrophe
from articles.spreadsheets import ERRORS

NEEDED = "A value is needed here."
UNKNOWN = "There is no {} “{}”."
NOT_A_CHOICE = "“{}” is none of these: {}."
NOT_WHOLE = "“{}” is no whole number. Write it in digits alone, without separators, signs or letters: 55000."
NOT_TRUE_OR_FALSE = "Write true or false."
SPREADSHEET_ERROR = "The spreadsheet could not work this cell out ({})."
ONLY_TO_READ = "An import does not change this column. It says “{}”; leave it so, or leave it empty."
TWICE = "Row {} is about the same."
MOVED = "Somebody changed this after the preview. Nothing was imported: send the file again and look at it anew."

TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


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
        if isinstance(column, models.IntegerField) and not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise ValidationError(NOT_WHOLE.format(text))
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
        if unknown:
            found.append(f"There is no column {' or '.join(unknown)}. The columns are: {', '.join(self.written)}.")
        return found

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
