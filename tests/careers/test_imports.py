"""Roles and salary ranges brought along in a table."""

import re
import time
from datetime import UTC, datetime
from unittest import mock

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from articles.models import Sourced
from articles.models.sourced import SupersededFigureError
from careers.models import SalaryRange
from tests.articles.test_imports import ImportTestCase
from tests.articles.test_spreadsheets import workbook
from tests.factories import make_markets, make_role, make_salary, make_source, make_user
from veltrix.models import AuditEntry

URL = "/admin/careers/salaryrange/import/"
ROLES_URL = "/admin/careers/role/import/"
HEAD = "role,market,low,high,why,why_note"


class SalaryTests(ImportTestCase):
    def setUp(self):
        super().setUp()
        self.role = make_role("Analyst", pay={"GB": (40_000, 60_000), "US": (90_000, 120_000)})
        self.salary = self.role.salary_ranges.get(market__code="GB")

    def current(self, code="GB"):
        return self.role.salary_ranges.current().get(market__code=code)

    def test_a_changed_row_is_previewed_and_then_publishes_a_successor_with_its_reason(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,GB,40000,65000,correction,A digit was wrong.\n")

        self.assertContains(response, "0 new, 1 changed, 0 unchanged.")
        self.assertContains(response, "<del>60000</del>", html=True)
        self.assertContains(response, "<ins>65000</ins>", html=True)
        self.assertEqual(self.current(), self.salary)

        response = self.confirm(response, URL)

        self.assertContains(response, "Imported from “table.csv”: 0 new, 1 changed, 0 unchanged.")
        said = "Imported salary ranges from “table.csv”: 0 new, 1 changed, 0 unchanged."
        self.assertEqual(AuditEntry.objects.get().words, said)
        successor = self.current()
        self.assertEqual((successor.high, successor.supersedes), (65_000, self.salary))
        self.assertEqual((successor.why, successor.why_note), ("correction", "A digit was wrong."))
        self.salary.refresh_from_db()
        self.assertEqual(self.salary.high, 60_000)
        self.assertIsNotNone(self.salary.superseded_at)
        entry = LogEntry.objects.get()
        self.assertEqual((entry.object_id, entry.action_flag), (str(successor.pk), CHANGE))
        self.assertEqual(
            entry.change_message, "Imported from “table.csv”, row 2: Correction: the earlier figure was wrong"
        )

    def test_a_row_that_matches_nothing_publishes_a_first_figure(self):
        source = make_source(slug="survey")
        content = (
            "role;market;kind;level;low;high;is_open_ended;source;check_status;checked_on;as_of\r\n"
            "analyst;GB;base;senior;70000;;true;survey;confirmed;2026-01-05;2025-12\r\n"
        )

        response = self.confirm(self.preview(URL, content), URL)

        self.assertContains(response, "1 new, 0 changed, 0 unchanged.")
        salary = self.role.salary_ranges.get(level="senior")
        self.assertEqual((salary.low, salary.high, salary.is_open_ended, salary.currency), (70_000, None, True, "GBP"))
        self.assertEqual((salary.source, salary.as_of, salary.why), (source, "2025-12", "new"))
        self.assertIsNotNone(salary.published_at)
        self.assertEqual(LogEntry.objects.get().action_flag, ADDITION)

    def test_an_export_brought_back_changes_nothing_with_all_its_history(self):
        first = make_salary(
            make_role("Builder", summary="=1+1"),
            make_markets()["GB"],
            locator="-p. 3",
            basis="@advertised",
            source=make_source(producer="+Office"),
            published_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        second = first.publish_successor(low=51_000, why="correction", why_note="=A slip")
        second.publish_successor(why="retraction", why_note="Not ours.")
        make_salary(first.role, make_markets()["US"]).publish_successor(high=99_000, why="update")
        content = self.client.get("/careers/salaries.csv").content

        response = self.preview(URL, content)

        self.assert_refused(response, "0 new, 0 changed, 7 unchanged.", "there is nothing to import")

    def test_an_edited_export_changes_what_was_edited(self):
        content = self.client.get("/careers/salaries.csv").content.decode()

        response = self.preview(URL, content.replace("40000,60000", "45000,60000"), why="update")
        self.confirm(response, URL)

        self.assertEqual((self.current().low, self.current().why), (45_000, "update"))
        self.assertEqual(self.current("US").why, "new")

    def test_a_figure_named_by_its_number_may_change_its_kind(self):
        content = f"id,role,market,kind,why\n{self.salary.pk},analyst,GB,total,update\n"

        self.confirm(self.preview(URL, content), URL)

        self.assertEqual((self.current().kind, self.current().supersedes), ("total", self.salary))

    def test_a_figure_can_be_withdrawn(self):
        content = f"{HEAD}\nanalyst,GB,,,retraction,It was another role’s.\n"

        response = self.preview(URL, content)
        self.confirm(response, URL)

        self.assertTrue(self.current().is_withdrawn)
        self.assertEqual((self.current().low, self.current().why_note), (40_000, "It was another role’s."))
        self.assert_refused(self.preview(URL, content), "1 unchanged")

    def test_a_withdrawn_figure_can_be_followed(self):
        self.salary.publish_successor(why="retraction", why_note="No.")

        self.confirm(self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n"), URL)

        self.assertEqual((self.current().low, self.current().why), (41_000, "update"))

    def test_a_workbook_does_as_well(self):
        content = workbook(
            ["Role", "market", "low", "high", "As of", "review_by", "why"],
            [None, None, None, None, None, None, None],
            ["analyst", "GB", 42_000, 60_000.0, 2026, datetime(2026, 1, 5), "update"],
        )

        response = self.preview(URL, content, "pay.xlsx")
        self.confirm(response, URL)

        self.assertContains(response, '<th scope="row">3</th>')
        self.assertEqual((self.current().low, self.current().as_of), (42_000, "2026"))
        self.assertEqual(str(self.current().review_by), "2026-01-05")

    def test_a_workbooks_errors_and_texts_that_are_no_numbers_name_row_and_column(self):
        content = workbook(
            ["role", "market", "low", "high"], ["analyst", "GB", "#REF!", 1], ["analyst", "US", "90K", 1]
        )

        self.assert_refused(
            self.preview(URL, content, "pay.xlsx"),
            "Row 2, column low: The spreadsheet could not work this cell out",
            "Row 3, column low: “90K” is no whole number. Write it in digits alone",
        )

    def test_what_is_wrong_is_named_with_row_and_column_and_nothing_is_offered(self):
        wrong = {
            f"{HEAD}\nnobody,GB,1,2,update,": "Row 2, column role: There is no role “nobody”.",
            f"{HEAD}\nanalyst,XX,1,2,update,": "Row 2, column market: There is no market “XX”.",
            f"{HEAD}\nanalyst,,1,2,update,": "Row 2, column market: A value is needed here.",
            f"{HEAD}\nanalyst,GB,1,2,,": "Row 2, column why: Choose why the figure changes.",
            f"{HEAD}\nanalyst,GB,1,2,new,": "Row 2, column why: There is a figure already",
            f"{HEAD}\nanalyst,GB,1,2,because,": "Row 2, column why: “because” is none of these: new, update",
            f"{HEAD}\nanalyst,GB,1,2,correction,": "Row 2, column why_note: Say what was wrong",
            f"{HEAD}\nanalyst,GB,1,2,re-sourced,": "Row 2, column why: “Re-sourced” keeps the figure",
            f"{HEAD}\nanalyst,GB,90000,2,update,": "Row 2: The lower figure cannot exceed the upper one.",
            f"{HEAD}\nanalyst,GB,,2,update,": "Row 2, column low: A value is needed here.",
            f"{HEAD}\nanalyst,GB,,,update,": "Row 2, column low: A value is needed here.",
            f"{HEAD}\nanalyst,GB,-5,2,update,": "Row 2, column low: ",
            f"{HEAD}\nanalyst,GB,40000,999999999999,update,": "Row 2, column high: ",
            "role,market,period,low,high,why\nanalyst,GB,day,1,2,update": "Row 2, column why: There is no figure yet",
            "role,market,as_of,why\nanalyst,GB,2025-13,update": "Row 2, column as_of: Write a year, a month or a day",
            "role,market,as_of,why\nanalyst,GB,2999,update": "Row 2, column as_of: This day is still to come",
            "role,market,check_status,why\nanalyst,GB,confirmed,re-sourced": "column check_status: A confirmed figure",
            "role,market,is_open_ended,why\nanalyst,GB,perhaps,update": "column is_open_ended: Write true or false.",
            "role,market,source,why\nanalyst,GB,nowhere,re-sourced": "column source: There is no source “nowhere”.",
            "role,market,currency,low,why\nanalyst,GB,USD,1,update": "column currency: An import does not change this",
            "id,role,market\n999999,analyst,GB": "column id: There is no published figure of this number.",
            "id,role,market\nx,analyst,GB": "column id: Write the number of a row",
            f"id,role,market\n{self.salary.pk},analyst,US": f"id: Figure {self.salary.pk} belongs to Analyst, UK.",
        }
        for content, sentence in wrong.items():
            with self.subTest(sentence):
                self.assert_refused(self.preview(URL, content), sentence, "Nothing can be imported while")
        self.assertEqual(SalaryRange.objects.count(), 2)

    def test_the_rules_of_succession_hold_for_the_check(self):
        checked = self.salary.publish_successor(
            check_status="confirmed", checked_on="2026-01-01", source=make_source(), why="re-sourced"
        )

        self.assert_refused(
            self.preview(URL, f"{HEAD}\nanalyst,GB,1000,2000,update,\n"),
            "Row 2, column check_status: This check was of the earlier figure.",
        )
        self.assertEqual(self.current(), checked)

    def test_two_rows_about_the_same_are_an_error(self):
        content = f"{HEAD}\nanalyst,GB,1000,2000,update,\n\nanalyst,GB,1000,3000,update,\n"

        self.assert_refused(self.preview(URL, content), "Row 4, column role: Row 2 is about the same.")

    def test_two_new_rows_about_the_same_are_an_error(self):
        content = "role,market,level,low,high\nanalyst,GB,senior,1000,2000\nanalyst,GB,senior,1000,3000\n"

        self.assert_refused(self.preview(URL, content), "Row 3, column role: Row 2 is about the same.")

    def test_one_error_holds_all_back(self):
        content = f"{HEAD}\nanalyst,GB,41000,60000,update,\nanalyst,US,x,2,update,\n"

        self.assert_refused(self.preview(URL, content), "1 changed", "1 with errors", "Row 3, column low")

    def test_history_stays_as_it_is(self):
        current = self.salary.publish_successor(low=41_000, why="update")
        content = f"id,role,market,low\n{self.salary.pk},analyst,GB,39000\n"

        self.assert_refused(
            self.preview(URL, content),
            f"Row 2, column low: Figure {self.salary.pk} is history",
            f"number {current.pk}.",
        )

    def test_the_reason_of_the_figure_before_is_no_reason(self):
        self.salary.publish_successor(low=41_000, why="correction", why_note="A slip.")
        content = self.client.get("/careers/salaries.csv").content.decode().replace("41000,60000", "42000,60000")

        self.assert_refused(
            self.preview(URL, content), "column why_note: This is the reason of the figure that is there"
        )

        self.confirm(self.preview(URL, content, why="correction", why_note="Another slip."), URL)
        self.assertEqual((self.current().low, self.current().why_note), (42_000, "Another slip."))

    def test_the_reason_for_all_rows_needs_words_if_it_is_a_correction(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,GB,1000,2000,,\n", why="correction")

        self.assert_refused(response, "Say what was wrong")

    def test_a_figure_published_by_somebody_else_in_the_meantime_is_kept_and_all_is_taken_back(self):
        content = f"{HEAD}\nanalyst,US,91000,120000,update,\nanalyst,GB,41000,60000,update,\n"
        response = self.preview(URL, content)
        theirs = self.salary.publish_successor(low=45_000, why="update")

        response = self.confirm(response, URL)

        self.assertContains(response, "Nothing was imported.")
        self.assertContains(response, "Row 3: Somebody changed this after the preview.")
        self.assertEqual((self.current(), self.current("US").low), (theirs, 90_000))
        self.assertFalse(LogEntry.objects.exists())

    def test_a_figure_published_at_the_very_moment_is_kept_too(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,US,91000,120000,update,\nanalyst,GB,41000,60000,update,\n")
        publish = Sourced.publish_successor

        def late(figure, **changes):
            if figure.pk == self.salary.pk:
                raise SupersededFigureError
            return publish(figure, **changes)

        with mock.patch.object(Sourced, "publish_successor", late):
            response = self.confirm(response, URL)

        self.assertContains(response, "Somebody changed this after the preview")
        self.assertEqual(self.current("US").low, 90_000)

    def test_a_first_figure_added_in_the_meantime_is_not_followed_unseen(self):
        response = self.preview(URL, "role,market,kind,low,high\nanalyst,GB,base,1000,2000\n")
        make_salary(self.role, make_markets()["GB"], kind="base", low=1, high=2)

        self.assertContains(self.confirm(response, URL), "Nothing was imported.")

    def test_a_second_confirmation_does_nothing(self):
        preview = self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n")
        self.confirm(preview, URL)

        response = self.confirm(preview, URL)

        self.assertContains(response, "Nothing was imported.")
        self.assertEqual(self.role.salary_ranges.filter(market__code="GB").count(), 2)

    def test_a_preview_writes_nothing_and_leaves_no_file(self):
        counts = SalaryRange.objects.count()

        self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n")

        self.assertEqual(SalaryRange.objects.count(), counts)
        self.assertFalse(LogEntry.objects.exists())

    def test_only_ones_own_preview_of_this_kind_can_be_confirmed_and_only_for_a_while(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n")
        token = re.search(r'name="table" value="([^"]+)"', response.content.decode())[1]

        for url, value in ((URL, token + "x"), (URL, ""), (ROLES_URL, token)):
            with self.subTest(value[-5:]):
                self.assertRedirects(self.client.post(f"{url}confirm/", {"table": value}), url)
        with mock.patch("django.core.signing.time.time", return_value=time.time() + 3 * 60 * 60):
            self.assertContains(self.client.post(f"{URL}confirm/", {"table": token}, follow=True), "too old")
        self.client.force_login(make_user("Editor"))
        self.assertRedirects(self.client.post(f"{URL}confirm/", {"table": token}), URL)
        self.assertEqual(self.current(), self.salary)

    def test_missing_and_unknown_columns_are_named(self):
        self.assert_refused(
            self.preview(URL, "role,salary\nanalyst,1\n"), "The column market is missing.", "no column salary"
        )

    def test_unreadable_files_are_refused_in_words(self):
        for content, sentence in ((b"\xff\xfe", "not in UTF-8"), (b"", "empty"), (b"PK\x03\x04", "broken")):
            self.assert_refused(self.preview(URL, content), sentence)

    def test_a_file_or_a_table_that_is_too_large_is_refused_in_words(self):
        self.assert_refused(self.preview(URL, b"role,market\n" + b"x" * 5_000_000), "larger than 5 MB")
        with mock.patch("articles.admin.importing.MAX_TOKEN", 100):
            response = self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n")
        self.assert_refused(response, "too much text")

    def test_what_only_the_database_refuses_is_taken_back(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,US,91000,120000,update,\nanalyst,GB,41000,60000,update,\n")
        publish = Sourced.publish_successor

        def refused(figure, **changes):
            if figure.pk == self.salary.pk:
                raise IntegrityError
            return publish(figure, **changes)

        with mock.patch.object(Sourced, "publish_successor", refused):
            response = self.confirm(response, URL)

        self.assertContains(response, "Row 3: Somebody changed this after the preview")
        self.assertEqual(self.current("US").low, 90_000)

    def test_text_from_the_file_is_shown_as_text(self):
        response = self.preview(URL, "role,market\n<script>alert(1)</script>,GB\n", name="<b>.csv")

        self.assertContains(response, "&lt;script&gt;alert(1)")
        self.assertNotContains(response, "<script>alert")

    def test_the_pages_hold_to_the_policy_of_the_admin(self):
        response = self.preview(URL, f"{HEAD}\nanalyst,GB,41000,60000,update,\n")

        self.assertNotIn("unsafe", response.headers["Content-Security-Policy"])
        page = response.content.decode()
        self.assertNotIn("style=", page)
        self.assertEqual(re.findall(r"<(?:script|style)(?![^>]*nonce=)[^>]*>", page), [])

    def test_unchanged_rows_cost_no_queries(self):
        for number in range(20):
            make_salary(make_role(f"Role {number}"), make_markets()["GB"], low=1000, high=2000)

        def cost(rows):
            lines = "\n".join(f"role-{number},GB,1000,2000" for number in range(rows))
            with CaptureQueriesContext(connection) as queries:
                self.preview(URL, f"role,market,low,high\n{lines}")
            return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

        self.assertEqual(cost(5), cost(20))
