from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from django.test import TestCase

from tests.factories import make_markets, make_role, make_salary, make_statistic

ATOM = {"atom": "http://www.w3.org/2005/Atom"}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def correct(figure, note="A slip.", days=0, **changes):
    return figure.publish_successor(why="correction", why_note=note, at=LATER + timedelta(days=days), **changes)


class CorrectionsTests(TestCase):
    def entries(self):
        response = self.client.get("/feeds/corrections.atom")
        self.assertEqual(response.headers["Content-Type"], "application/atom+xml; charset=utf-8")
        return ElementTree.fromstring(response.content).findall("atom:entry", ATOM)  # noqa: S314 - our own

    def test_corrections_and_retractions_of_every_kind_are_listed_latest_first(self):
        salary = make_salary(make_role("Analyst"), make_markets()["GB"], low=50_000, high=90_000)
        correct(
            make_statistic("97M", claim="jobs are new").current, "Misread.", 1, value=98_000_000, display_text="98M"
        )
        correct(salary, "Bonuses were counted.", 2, high=80_000)
        make_statistic("12%").current.publish_successor(why="retraction", why_note="Made up.", at=LATER)
        make_statistic("13%").current.publish_successor(why="update", value=14, display_text="14%", at=LATER)

        page = self.client.get("/corrections/")

        changes = [figure.change_text for figure in page.context["page"].object_list]
        self.assertEqual(changes, ["£50K–£90K is now £50K–£80K", "97M is now 98M", "12% is withdrawn"])
        for text in ("Misread.", "Bonuses were counted.", "Made up.", "Analyst, UK", "jobs are new"):
            self.assertContains(page, text)
        self.assertNotContains(page, "14%")
        self.assertEqual(
            [entry.findtext("atom:title", namespaces=ATOM) for entry in self.entries()][1],
            "97M is now 98M: jobs are new",
        )

    def test_what_a_correction_changed_is_said_in_words(self):
        value = make_statistic("97M").current
        changes = [
            ({"as_of": "2020", "why": "correction"}, "97M stays, but what is said of it has changed"),
            ({"why": "retraction"}, "97M is withdrawn"),
            (
                {"value": 96_000_000, "display_text": "96M", "why": "correction"},
                "96M is shown again after it had been withdrawn",
            ),
        ]
        for values, expected in changes:
            value = value.publish_successor(why_note="x", **values)
            with self.subTest(expected):
                self.assertEqual(value.change_text, expected)

    def test_the_feed_is_well_formed_whatever_was_typed(self):
        correct(make_statistic("1%", claim="<b> & \x0b \x1b").current, note="<script>\x08&", display_text="2%", value=2)

        entry = self.entries()[0]

        self.assertIn("<b> &", entry.findtext("atom:title", namespaces=ATOM))
        self.assertEqual(entry.findtext("atom:summary", namespaces=ATOM), "&lt;script&gt; &amp;")

    def test_an_entry_has_an_identity_of_its_own_and_leads_to_the_figure(self):
        correct(make_statistic("1%", slug="one").current, display_text="2%", value=2)

        entry = self.entries()[0]

        self.assertRegex(
            entry.findtext("atom:id", namespaces=ATOM), r"^tag:127\.0\.0\.1,2026:articles\.statisticvalue/\d+$"
        )
        self.assertEqual(entry.find("atom:link", ATOM).attrib["href"], "http://127.0.0.1:8000/statistics/one/")

    def test_pages_and_feed_are_bounded_and_cost_the_same_queries(self):
        def correct_some(count):
            value = make_statistic("1%").current
            for day in range(count):
                value = correct(value, days=day, display_text=f"{day}%", value=day)

        correct_some(2)
        with self.assertNumQueries(4):
            self.client.get("/corrections/")
        with self.assertNumQueries(4):
            self.client.get("/feeds/corrections.atom")
        correct_some(70)

        with self.assertNumQueries(4):
            response = self.client.get("/corrections/")
        with self.assertNumQueries(4):
            self.assertEqual(len(self.entries()), 50)
        self.assertContains(response, "Page 1 of 2")
        self.assertEqual(self.client.get("/corrections/?page=2").status_code, 200)
        self.assertEqual(self.client.get("/corrections/?page=3").status_code, 404)

    def test_without_corrections_the_page_says_so_and_the_feed_is_empty(self):
        self.assertContains(self.client.get("/corrections/"), "No published figure has needed a correction so far.")
        self.assertEqual(self.entries(), [])

    def test_both_are_only_read(self):
        for path in ("/corrections/", "/feeds/corrections.atom"):
            self.assertEqual(self.client.post(path).status_code, 405)
