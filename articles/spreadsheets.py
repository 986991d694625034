"""Reading the tables that editors bring along: CSV and XLSX, as text, within limits, with nothing run or fetched."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from itertools import islice
from typing import Any
from xml.parsers import expat

import openpyxl
import tablib

MAX_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 20_000_000
MAX_PARTS = 500
# An import is one transaction, in which SQLite lets nobody else write: as many rows as take a few seconds.
MAX_ROWS = 2_000
MAX_COLUMNS = 50
# Rows that are formatted but empty are read over, up to here.
MAX_SCANNED_ROWS = 100_000

ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}

TOO_LARGE = "The file is larger than 5 MB. Split it into several."
EMPTY = "The file is empty."
OLD_EXCEL = "This is the old Excel format (.xls). Save it as .xlsx or as “CSV UTF-8”."
NOT_UTF8 = "The text is not in UTF-8. In Excel, choose “CSV UTF-8” when saving; elsewhere, choose the encoding UTF-8."
BROKEN_CSV = "This cannot be read as CSV near line {}: {}."
BROKEN_XLSX = "The workbook is broken and cannot be read. Open it in a spreadsheet program and save it anew."
NO_WORKBOOK = "This is a packed file, but no Excel workbook (.xlsx)."
BOMB = "The workbook unpacks to more than 20 MB, which no table of ours needs. Copy the table into a new one."
DOCTYPE = "The workbook contains a document type, which Excel never writes. It is not read."
TOO_MANY_ROWS = "There are more than {:,} rows. Split the file into several."
TOO_MANY_COLUMNS = f"There are more than {MAX_COLUMNS} columns."
UNNAMED = "Column {} holds values but has no name in the first row."
TWICE = "The column {} is there twice."
RAGGED = "Row {} has {} cells, but the first row names {} columns."


class UnreadableTableError(Exception):
    """The file holds no table that can be read; the text says why, for whoever brought it."""


class TooManyRowsError(UnreadableTableError):
    """The file holds more rows than are taken, or read over."""


def read(content: bytes, most_rows: int = MAX_ROWS) -> tablib.Dataset:
    """The table of a CSV or XLSX file, which of them is told by its content, with text in every cell.

    The first row names the columns. Empty rows within the table are kept, so that the place of a row in the result,
    counted from 2, is its number in the spreadsheet.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableTableError(TOO_LARGE)
    if not content.strip():
        raise UnreadableTableError(EMPTY)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTableError(OLD_EXCEL)
    rows = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    try:
        return _table(rows, most_rows)
    except TooManyRowsError as error:
        raise UnreadableTableError(TOO_MANY_ROWS.format(most_rows)) from error


def _table(rows: Iterator[list[str]], most_rows: int) -> tablib.Dataset:
    header = _without_empty_end([name.strip().lower().replace(" ", "_") for name in next(rows, [])])
    if not header:
        raise UnreadableTableError(EMPTY)
    if len(header) > MAX_COLUMNS:
        raise UnreadableTableError(TOO_MANY_COLUMNS)
    table = tablib.Dataset(headers=header)
    kept: list[list[str]] = []
    for number, cells in enumerate(rows, start=2):
        filled = _without_empty_end(cells)
        if not filled:
            kept.append([""] * len(header))
            continue
        if number > most_rows + 1:
            raise TooManyRowsError
        if len(filled) > len(header):
            raise UnreadableTableError(RAGGED.format(number, len(filled), len(header)))
        kept.append([*filled, *[""] * (len(header) - len(filled))])
    while kept and not any(kept[-1]):
        kept.pop()
    for place, name in enumerate(header, start=1):
        if not name and any(row[place - 1] for row in kept):
            raise UnreadableTableError(UNNAMED.format(place))
        if name and name in header[: place - 1]:
            raise UnreadableTableError(TWICE.format(name))
    for row in kept:
        table.append(row)
    return table


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _csv(content: bytes) -> Iterator[list[str]]:
    """Rows of CSV in UTF-8, with a comma or a semicolon between the cells."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableTableError(NOT_UTF8) from error
    if "\x00" in text:
        raise UnreadableTableError(NOT_UTF8)
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader):
            if number > MAX_SCANNED_ROWS:
                raise TooManyRowsError
            yield cells
    except csv.Error as error:
        raise UnreadableTableError(BROKEN_CSV.format(reader.line_num, error)) from error


def _xlsx(content: bytes) -> Iterator[list[str]]:
    """Rows of a workbook’s first sheet; of a formula the value that the spreadsheet program last saw."""
    _check_package(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # What a file says of its size need not be so.
        sheet.reset_dimensions()
        rows: Iterable[Any] = sheet.iter_rows(max_col=MAX_COLUMNS + 1)
        for cells in islice(rows, MAX_SCANNED_ROWS):
            yield [_text(cell) for cell in cells]
        if next(iter(rows), None) is not None:
            raise TooManyRowsError
    except UnreadableTableError:
        raise
    except Exception as error:
        # openpyxl answers broken workbooks with whatever its insides come across.
        raise UnreadableTableError(BROKEN_XLSX) from error


def _check_package(content: bytes) -> None:
    """Refuse what unpacks to too much, what is no workbook, and XML that defines entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            # zipfile never gives more of a part than its entry says, so the entries can be trusted that far.
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise UnreadableTableError(BOMB)
            if "xl/workbook.xml" not in package.namelist():
                raise UnreadableTableError(NO_WORKBOOK)
            # The parts' relationships, not their names, tell which of them are read as XML: every one is looked at.
            for part in parts:
                _check_xml(package.read(part), is_xml=part.filename.endswith((".xml", ".rels", ".vml")))
    except UnreadableTableError:
        raise
    except Exception as error:
        # zipfile and zlib answer broken packages with whatever their insides come across.
        raise UnreadableTableError(BROKEN_XLSX) from error


def _check_xml(part: bytes, *, is_xml: bool) -> None:
    """Refuse a document type, in which entities would be defined, whatever the encoding, and rows without end."""
    rows = 0

    def refuse(*declared: Any) -> None:
        raise UnreadableTableError(DOCTYPE)

    parser = expat.ParserCreate()

    def count(name: str, attributes: Any) -> None:
        nonlocal rows
        rows += name.rpartition(":")[2] == "row"
        if rows > MAX_SCANNED_ROWS:
            raise TooManyRowsError

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = count
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # A picture is no XML, and whatever its bytes say, the parser that comes after this one stops where this does.
        if is_xml:
            raise UnreadableTableError(BROKEN_XLSX) from error


def _text(cell: Any) -> str:
    """A cell as it would stand in our CSV files. Spreadsheets make days of months; the format tells which was meant."""
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time.min:
            has_days = "d" in str(cell.number_format).lower()
            return f"{value:%Y-%m-%d}" if has_days else f"{value:%Y-%m}"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)
