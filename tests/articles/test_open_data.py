"""Data files for programs: statistics and sources, and what all such files have in common."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import time_machine
from django.test import SimpleTestCase, TestCase
from hypothesis import given
from hypothesis import strategies as st

from articles.history import true_on
from articles.models import Source, Statistic, StatisticValue
from articles.open_data import days_of, neutral, plain, without_apostrophe
from tests.factories import make_source, make_statistic, make_user

START = datetime(2026, 1, 10, 12, tzinfo=UTC)


def rows_of(response):
    """The rows of a CSV answer as dictionaries."""
    return list(csv.DictReader(StringIO(response.content.decode(), newline=""), strict=True))


def make_history():
    """A figure for 2024, corrected; one for 2025; and the latter withdrawn."""
    statistic = Statistic.objects.create(slug="jobs", claim="jobs are new", unit="jobs")
    first = StatisticValue.objects.create(
        statistic=statistic, value=10, display_text="10", as_of="2024", published_at=START, source=make_source(slug="a")
    )
    second = first.publish_successor(
        at=START + timedelta(days=1), value=12, display_text="12", why="correction", why_note="A slip."
    )
    third = second.publish_successor(
        at=START + timedelta(days=2), value=15, display_text="15", as_of="2025", why="update"
    )
    last = third.publish_successor(at=START + timedelta(days=3), why="retraction", why_note="Counted twice.")
    return first, second, third, last


class NeutralTests(SimpleTestCase):
    def test_what_could_begin_a_formula_gets_an_apostrophe(self):
        for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1"):
            with self.subTest(text):
                self.assertEqual(neutral(text), f"'{text}")

    def test_other_text_stays_as_it_is(self):
        for text in ("", "1=1", "a-b", "'tis", "£1", "−1"):
            with self.subTest(text):
                self.assertEqual(neutral(text), text)

    @given(st.text(alphabet="'=+-@\t\ra1 ", max_size=6))
    def test_any_text_comes_back_and_none_begins_a_formula(self, text):
        self.assertEqual(without_apostrophe(neutral(text)), text)
        self.assertNotIn(neutral(text)[:1], {"=", "+", "-", "@", "\t", "\r"})

    def test_numbers_say_no_more_than_they_are(self):
        for written, number in (("97000000", "97000000.0000"), ("0.25", "0.2500"), ("-3", "-3.0000"), ("100", "100")):
            self.assertEqual(plain(Decimal(number)), written)


class StatisticsTests(TestCase):
    def test_a_row_for_every_figure_ever_published_with_its_evidence(self):
        first, second, third, last = make_history()

        response = self.client.get("/statistics.csv")

        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8; header=present")
        self.assertEqual(response.headers["Content-Disposition"], 'attachment; filename="statistics.csv"')
        rows = rows_of(response)
        self.assertEqual([row["id"] for row in rows], [str(row.pk) for row in (first, second, third, last)])
        self.assertEqual([row["line"] for row in rows], [str(first.pk)] * 4)
        self.assertEqual([row["supersedes"] for row in rows], ["", str(first.pk), str(second.pk), str(third.pk)])
        self.assertEqual([row["why"] for row in rows], ["new", "correction", "update", "retraction"])
        self.assertEqual([row["value"] for row in rows], ["10", "12", "15", ""])
        self.assertEqual(rows[0]["published_at"], "2026-01-10T12:00:00Z")
        self.assertEqual(rows[0]["superseded_at"], "2026-01-11T12:00:00Z")
        self.assertEqual((rows[0]["source"], rows[1]["why_note"]), ("a", "A slip."))

    def test_a_withdrawn_figure_is_marked_and_never_a_current_number(self):
        make_history()

        *earlier, last = rows_of(self.client.get("/statistics.csv"))

        self.assertEqual((last["is_withdrawn"], last["is_current"]), ("true", "false"))
        self.assertEqual((last["value"], last["display_text"], last["true_from"]), ("", "", ""))
        self.assertEqual({(row["is_withdrawn"], row["is_current"]) for row in earlier}, {("false", "false")})

    def test_only_figures_that_still_stand_say_when_they_were_true(self):
        make_history()

        held = [(row["true_from"], row["true_until"]) for row in rows_of(self.client.get("/statistics.csv"))]

        self.assertEqual(held, [("", ""), ("2024-01-01", "2024-12-31"), ("", ""), ("", "")])

    def test_an_as_of_date_gives_what_was_true_on_its_last_day(self):
        *_, third, last = make_history()
        second = third.supersedes
        again = last.publish_successor(at=START + timedelta(days=4), why="update", as_of="2025-06", value=16)

        expected = {"2023": [], "2024-05": [second], "2024-12-31": [second], "2025-05-31": [], "2025": [again]}
        for as_of, figures in expected.items():
            with self.subTest(as_of):
                response = self.client.get(f"/statistics.csv?as_of={as_of}")
                self.assertEqual([row["id"] for row in rows_of(response)], [str(figure.pk) for figure in figures])
                self.assertIn(f"statistics-as-of-{as_of}.csv", response.headers["Content-Disposition"])

    def test_the_days_of_a_line_say_the_same_as_the_clock(self):
        *rows, last = make_history()
        line = [*rows, last, last.publish_successor(at=START + timedelta(days=9), why="update", as_of="2025-06-15")]

        days = days_of(line)

        for number in range(0, 900, 7):
            on = date(2023, 12, 1) + timedelta(days=number)
            held = [pk for pk, (start, end) in days.items() if start <= on and (end is None or on <= end)]
            figure = true_on(line, on)
            self.assertEqual(held, [figure.pk] if figure else [])

    def test_unpublished_figures_are_left_out(self):
        statistic = Statistic.objects.create(slug="x", claim="x", unit="x")
        StatisticValue.objects.create(statistic=statistic, value=1, display_text="1")

        self.assertEqual(rows_of(self.client.get("/statistics.csv")), [])

    def test_text_that_looks_like_a_formula_is_made_harmless_and_lines_end_as_the_standard_says(self):
        make_statistic("+5%", claim='=HYPERLINK("http://evil.example"), "x"\nand more', source=make_source())

        response = self.client.get("/statistics.csv")

        row = rows_of(response)[0]
        self.assertEqual(row["claim"], '\'=HYPERLINK("http://evil.example"), "x"\nand more')
        self.assertEqual(row["display_text"], "'+5%")
        self.assertTrue(response.content.startswith(b"id,statistic,claim,"))
        self.assertTrue(response.content.endswith(b"\r\n"))

    def test_it_costs_two_queries_however_many_figures_there_are(self):
        make_history()
        with self.assertNumQueries(3):
            self.client.get("/statistics.csv")
        for _ in range(30):
            make_statistic(source=make_source())

        with self.assertNumQueries(3):
            self.client.get("/statistics.csv?as_of=2026")


class SourcesTests(TestCase):
    def test_every_edition_with_what_has_replaced_it(self):
        new = make_source(slug="new", edition="2025")
        make_source(slug="old", producer="-Office", newer_edition=new, projection_horizon=2030, published="2020-10")

        rows = rows_of(self.client.get("/sources.csv"))

        self.assertEqual([row["slug"] for row in rows], ["new", "old"])
        self.assertEqual((rows[1]["newer_edition"], rows[1]["producer"]), ("new", "'-Office"))
        self.assertEqual((rows[1]["published"], rows[1]["projection_horizon"]), ("2020-10", "2030"))

    def test_two_queries(self):
        for _ in range(3):
            make_source(newer_edition=make_source())

        with self.assertNumQueries(3):
            self.client.get("/sources.csv")


class AnswerTests(TestCase):
    """What may be asked, and what is not sent twice."""

    def test_wrong_and_unknown_parameters_are_refused_in_words(self):
        queries = ["as_of=", "as_of=12", "as_of=2025-13", "as_of=2025-02-30", "as_of=2025&as_of=2025", "as_of=0025"]
        queries += ["as_of=%ED%A0%80", "colour=blue", "as_of=2025&market=gb", "as_of=2025%0D%0A", "as_of=%D9%A2%D9%A0"]
        for query in queries:
            with self.subTest(query):
                response = self.client.get(f"/statistics.csv?{query}")

                self.assertEqual(response.status_code, 400)
                self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")
                self.assertContains(response, "as_of", status_code=400)

    @time_machine.travel("2026-11-24T12:00:00Z")
    def test_a_date_to_come_is_refused_and_the_year_that_runs_is_not(self):
        for query, status in (("2027", 400), ("2026-12", 400), ("2026-11-25", 400), ("2026-11-24", 200), ("2026", 200)):
            with self.subTest(query):
                self.assertEqual(self.client.get(f"/statistics.csv?as_of={query}").status_code, status)

    def test_only_get_and_head_and_no_cookie(self):
        self.assertEqual(self.client.post("/statistics.csv").status_code, 405)
        get, head = self.client.get("/statistics.csv"), self.client.head("/statistics.csv")

        self.assertEqual(head.content, b"")
        for name in ("Content-Length", "ETag", "Content-Type", "Cache-Control"):
            self.assertEqual(head.headers[name], get.headers[name])
        self.assertEqual(get.headers["Cache-Control"], "public, no-cache")
        self.assertFalse(get.cookies)

    def test_who_has_the_file_already_is_told_so(self):
        *_, last = make_history()
        first = self.client.get("/statistics.csv")
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]

        self.assertFalse(etag.startswith("W/"))
        self.assertEqual(modified, "Tue, 13 Jan 2026 12:00:00 GMT")
        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            response = self.client.get("/statistics.csv", headers=headers)
            self.assertEqual((response.status_code, response.content), (304, b""))
            self.assertEqual(response.headers["ETag"], etag)

        last.publish_successor(at=START + timedelta(days=5), why="update", value=20, display_text="20")

        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            self.assertEqual(self.client.get("/statistics.csv", headers=headers).status_code, 200)

    def test_an_edit_of_a_source_at_the_desk_is_a_change_too(self):
        make_history()
        modified = self.client.get("/statistics.csv").headers["Last-Modified"]
        editor, source = make_user("Editor"), Source.objects.get(slug="a")
        self.client.force_login(editor)
        form = {"producer": "Office", "title": "Renamed", "edition": "", "kind": "report", "published": ""}
        self.client.post(f"/admin/articles/source/{source.pk}/change/", form)

        response = self.client.get("/statistics.csv", headers={"If-Modified-Since": modified})

        self.assertContains(response, "Renamed")

    def test_nothing_is_said_of_the_time_of_a_change_that_nobody_knows(self):
        make_source()

        self.assertNotIn("Last-Modified", self.client.get("/sources.csv").headers)
