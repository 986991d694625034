"""The forms of a citation, held against published examples and read back by other programs."""

import json
from datetime import date

import time_machine
from django.test import SimpleTestCase, TestCase
from pybtex.database import parse_string

from articles.citations import Citation
from articles.models import Source
from tests.factories import make_source, make_statistic


def cite(**values):
    return Citation.of_source(Source(**{"slug": "key", "kind": "report", **values}))


class PublishedExamplesTests(SimpleTestCase):
    """References as guides to the APA style (seventh edition) print them."""

    def test_a_book_with_an_edition_and_a_doi(self):
        book = cite(
            kind="book",
            authors="Jackson, Lynne M.",
            title="The psychology of prejudice: From attitudes to social action",
            edition="2nd ed.",
            producer="American Psychological Association",
            published="2019",
            doi="10.1037/0000168-000",
        )

        self.assertEqual(
            book.full,
            "Jackson, L. M. (2019). The psychology of prejudice: From attitudes to social action (2nd ed.). "
            "American Psychological Association. https://doi.org/10.1037/0000168-000",
        )
        self.assertEqual(book.short, "Jackson (2019)")

    def test_a_book_of_three_authors(self):
        book = cite(
            kind="book",
            authors="Greig, A.; Taylor, J.; MacKay, T.",
            title="Doing research with children: A practical guide",
            producer="Sage",
            published="2013",
        )

        self.assertEqual(
            book.full,
            "Greig, A., Taylor, J., & MacKay, T. (2013). Doing research with children: A practical guide. Sage.",
        )
        self.assertEqual(book.short, "Greig et al. (2013)")

    def test_a_report_whose_author_is_its_publisher(self):
        report = cite(
            producer="Federal Interagency Forum on Child and Family Statistics",
            title="America’s children: Key national indicators of well-being",
            published="2013",
        )

        self.assertEqual(
            report.full,
            "Federal Interagency Forum on Child and Family Statistics. (2013). "
            "America’s children: Key national indicators of well-being.",
        )

    def test_a_data_set(self):
        data = cite(
            kind="dataset",
            producer="Pew Research Center",
            title="American trends panel Wave 26",
            published="2018",
            url="https://www.pewsocialtrends.org/dataset/american-trends-panel-wave-26",
        )

        self.assertEqual(
            data.full,
            "Pew Research Center. (2018). American trends panel Wave 26 [Data set]. "
            "https://www.pewsocialtrends.org/dataset/american-trends-panel-wave-26",
        )

    def test_a_page_of_the_web_without_a_date_says_when_it_was_seen(self):
        page = cite(
            kind="web-page",
            producer="U.S. Census Bureau",
            title="U.S. and world population clock",
            url="https://www.census.gov/popclock/",
            accessed_on=date(2020, 1, 9),
        )

        self.assertEqual(
            page.full,
            "U.S. Census Bureau. (n.d.). U.S. and world population clock. "
            "Retrieved January 9, 2020, from https://www.census.gov/popclock/",
        )

    def test_initials_and_suffixes_are_written_as_the_style_has_them(self):
        names = {
            "King, Martin Luther, Jr.": "King, M. L., Jr.",
            "Rowling, J.K.": "Rowling, J. K.",
            "Sartre, Jean-Paul": "Sartre, J.-P.",
        }
        for typed, written in names.items():
            with self.subTest(typed):
                self.assertTrue(cite(authors=typed, producer="P", title="T").full.startswith(f"{written} (n.d.)"))

    def test_a_month_and_a_day_are_written_as_far_as_they_are_known(self):
        dates = [cite(producer="X", title="Y", published=value).full for value in ("2020-10", "2020-10-05")]

        self.assertEqual(dates, ["X. (2020, October). Y.", "X. (2020, October 5). Y."])


class FormatTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.source = make_source(
            slug="frey-2017",
            kind="article",
            authors="Frey, Carl Benedikt; Osborne, Michael A.",
            title="Employment: 50% at risk & {more}_$",
            producer="Technological Forecasting",
            published="2017-01",
            doi="10.1016/j.techfore.2016.08.019",
            accessed_on=date(2026, 11, 24),
        )
        cls.citation = Citation.of_source(cls.source)

    def test_bibtex_is_read_by_another_program(self):
        entry = parse_string(self.citation.bibtex, "bibtex").entries["frey-2017"]

        self.assertEqual(entry.type, "article")
        self.assertEqual(
            [str(person) for person in entry.persons["author"]], ["Frey, Carl Benedikt", "Osborne, Michael A."]
        )
        self.assertEqual(entry.fields["title"], r"{Employment: 50\% at risk \& \{more\}\_\$}")
        self.assertEqual((entry.fields["year"], entry.fields["month"]), ("2017", "January"))
        self.assertEqual(entry.fields["urldate"], "2026-11-24")

    def test_an_organisation_is_one_name_in_bibtex(self):
        entry = parse_string(cite(producer="Office for Counting and Sons", title="T").bibtex, "bibtex").entries["key"]

        self.assertEqual(len(entry.persons["author"]), 1)
        self.assertNotIn("year", entry.fields)

    def test_no_address_and_no_name_breaks_out_of_its_field(self):
        source = cite(
            authors="King, Martin Luther, Jr.; Barnes and Noble",
            producer="P",
            title="T",
            url="https://example.org/a},note={evil",
        )

        entry = parse_string(source.bibtex, "bibtex").entries["key"]

        self.assertEqual(entry.fields["url"], "https://example.org/a%7D,note=%7Bevil")
        self.assertNotIn("note", entry.fields)
        self.assertEqual([str(p) for p in entry.persons["author"]], ["King, Jr., Martin Luther", "{Barnes and Noble}"])

    def test_csl_json_holds_what_is_known_and_nothing_else(self):
        item = json.loads(self.citation.csl_json)[0]

        self.assertEqual(
            item,
            {
                "id": "frey-2017",
                "type": "article-journal",
                "author": [
                    {"family": "Frey", "given": "Carl Benedikt"},
                    {"family": "Osborne", "given": "Michael A."},
                ],
                "title": "Employment: 50% at risk & {more}_$",
                "container-title": "Technological Forecasting",
                "issued": {"date-parts": [[2017, 1]]},
                "DOI": "10.1016/j.techfore.2016.08.019",
                "accessed": {"date-parts": [[2026, 11, 24]]},
            },
        )

    def test_every_kind_of_source_has_every_form(self):
        for kind in Source.Kind:
            with self.subTest(kind):
                citation = cite(kind=kind, producer="P", title="T", published="2020")
                forms = [citation.short, citation.full, citation.bibtex, citation.csl_json]

                self.assertTrue(all("2020" in form for form in forms))
                self.assertIn("key", parse_string(citation.bibtex, "bibtex").entries)

    @time_machine.travel("2026-11-24T12:00Z")
    def test_a_figure_is_cited_by_an_address_that_keeps_what_was_read(self):
        statistic = make_statistic("97M", slug="jobs", claim="jobs are new.")

        self.assertEqual(
            Citation.of_figure(statistic.current, "jobs").full,
            "Veltrix Collective. (2026, November 24). 97M: jobs are new (no source stated; unchecked) [Data set]. "
            "http://127.0.0.1:8000/statistics/jobs/?published_on=2026-11-24T12:00:00Z",
        )
