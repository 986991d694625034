from datetime import UTC, datetime

import time_machine
from django.test import TestCase

from articles.models import Statistic, StatisticValue
from tests.factories import make_article, make_draft, make_source, make_statistic


def make_history():
    """40% for 2021; 44% for 2022, corrected to 42%; 51% for 2024. Published in January, March, June, September 2026."""
    statistic = Statistic.objects.create(slug="fingers", claim="of people count on their fingers.", unit="share")
    moments = [datetime(2026, month, 10, tzinfo=UTC) for month in (1, 3, 6, 9)]
    source = make_source(producer="Office for Counting", title="Fingers", edition="2021")
    value = StatisticValue.objects.create(
        statistic=statistic, value=40, display_text="40%", as_of="2021", published_at=moments[0], source=source
    )
    value = value.publish_successor(at=moments[1], value=44, display_text="44%", as_of="2022", why="update")
    value = value.publish_successor(
        at=moments[2], value=42, display_text="42%", why="correction", why_note="Two had been counted twice."
    )
    value.publish_successor(at=moments[3], value=51, display_text="51%", as_of="2024", why="update")
    return statistic


@time_machine.travel("2026-11-24T12:00Z")
class StatisticTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.statistic = make_history()

    def get(self, query=""):
        return self.client.get(f"/statistics/fingers/{query}")

    def shown(self, query):
        value = self.get(query).context["value"]
        return value and value.display_text

    def test_it_shows_the_figure_its_evidence_its_history_and_its_uses(self):
        make_article(title="It leads with fingers", headline=self.statistic)
        make_article(title="It shows fingers", statistics=[self.statistic])
        make_draft(title="A draft", statistics=[self.statistic])

        response = self.get()

        for text in (
            "51%",
            "of people count on their fingers.",
            'href="/sources/source-',
            "Source not confirmed",
            "<del>44%</del>",
            "Correction: Two had been counted twice.",
            "It leads with fingers",
            "It shows fingers",
            "Step chart: 40% from 1 January 2021, 42% from 1 January 2022, 51% from 1 January 2024.",
            "@misc{fingers,",
        ):
            self.assertContains(response, text)
        self.assertNotContains(response, "A draft")

    def test_one_clock_tells_what_was_true_and_the_other_what_was_said(self):
        answers = {
            "?as_of=2020": None,
            "?as_of=2021": "40%",
            "?as_of=2022-06": "42%",
            "?as_of=2026": "51%",
            "?published_on=2025": None,
            "?published_on=2026-01-09": None,
            "?published_on=2026-01-10": "40%",
            "?published_on=2026-03": "44%",
            "?published_on=2026-08-31": "42%",
            "?published_on=2026": "51%",
            "?as_of=2022&published_on=2026-04": "44%",
            "?as_of=2022&published_on=2026-07": "42%",
            "?as_of=2024&published_on=2026-07": "42%",
        }
        for query, expected in answers.items():
            with self.subTest(query):
                self.assertEqual(self.shown(query), expected)

    def test_another_time_is_said_in_words_and_kept_out_of_search_engines(self):
        response = self.get("?as_of=2022&published_on=2026-04")

        self.assertContains(response, "What was true as of 2022, by what was published here up to April 2026.")
        self.assertContains(response, '<meta name="robots" content="noindex">')
        self.assertContains(response, '<link rel="canonical" href="http://127.0.0.1:8000/statistics/fingers/">')

    def test_what_is_not_understood_is_named_and_what_is_no_date_stays_in_its_field(self):
        response = self.get("?colour=red&fbclid=1&utm_source=x")
        self.assertContains(response, "Not understood and left out: <code>colour=red</code>.")
        for name, value in [
            ("as_of", "soon"),
            ("as_of", "2026-13"),
            ("as_of", "2999-12-31"),
            ("as_of", "٢٠٢٤"),
            ("as_of", "2027"),
            ("as_of", "2026-11-24T12:00:00Z"),
            ("published_on", "9999"),
            ("published_on", "2026-11-25"),
            ("published_on", "2026-11-24T13:00:00Z"),
            ("published_on", "2026-11-24T25:00:00Z"),
        ]:
            with self.subTest(value):
                response = self.get(f"?{name}={value}")

                self.assertContains(response, "Give a year, a month or a day that has come.", count=1)
                self.assertContains(response, f'value="{value}"')
                self.assertEqual(response.context["value"].display_text, "51%")

    def test_a_moment_tells_figures_of_one_day_apart(self):
        moment = datetime(2026, 9, 10, 15, tzinfo=UTC)
        self.statistic.current.publish_successor(at=moment, value=52, display_text="52%", why="update", as_of="2025")

        self.assertEqual(self.shown("?published_on=2026-09-10"), "52%")
        self.assertEqual(self.shown("?published_on=2026-09-10T14:59:59Z"), "51%")
        self.assertEqual(self.shown("?published_on=2026-09-10T15:00:00Z"), "52%")
        self.assertContains(self.get(), "10 Sep 2026</span>, 01:00 to 16:00")

    def test_what_another_figure_rests_on_is_not_said_of_none(self):
        self.assertNotContains(self.get("?as_of=1990"), "What it rests on")

    def test_a_figure_without_a_date_says_why_it_is_not_on_record_for_one(self):
        make_statistic("97M", slug="undated")

        response = self.client.get("/statistics/undated/?as_of=2025")

        self.assertContains(response, "Nothing says as of when 97M holds, so it is not on record for 2025.")

    def test_evidence_that_is_kept_is_not_shown(self):
        self.statistic.current.publish_successor(why="re-sourced", quote="Kept as evidence alone.")
        addresses = ["/statistics/fingers/", "/statistics.csv", "/corrections/", "/careers/datapackage.json"]
        for address in [*addresses, self.statistic.current.source.get_absolute_url()]:
            with self.subTest(address):
                self.assertNotContains(self.client.get(address), "Kept as evidence alone.")

    def test_a_withdrawn_figure_says_so_and_why(self):
        self.statistic.current.publish_successor(why="retraction", why_note="Thumbs are no fingers.")

        response = self.get()

        self.assertContains(response, "Withdrawn 24 Nov 2026")
        self.assertContains(response, "Thumbs are no fingers.")
        self.assertContains(response, "<del>51%</del>")

    def test_a_statistic_without_a_published_figure_or_of_an_unknown_name_is_not_found(self):
        Statistic.objects.create(slug="bare", claim="x", unit="x")

        for slug in ("bare", "none"):
            self.assertEqual(self.client.get(f"/statistics/{slug}/").status_code, 404)

    def test_its_queries_do_not_grow_with_its_history_and_uses(self):
        make_article(statistics=[self.statistic], headline=make_statistic())
        with self.assertNumQueries(5):
            self.get()
        for year in range(2025, 2040):
            self.statistic.current.publish_successor(value=1, display_text="1%", as_of=str(year), why="update")
            make_article(statistics=[self.statistic], headline=make_statistic())

        with self.assertNumQueries(5):
            self.get()


class PageOfManyFiguresTests(TestCase):
    def test_an_article_of_two_hundred_figures_costs_as_many_queries_as_one_of_two(self):
        def queries(count):
            statistics = [make_statistic(source=make_source()) for _ in range(count)]
            article = make_article(statistics=statistics)
            with self.assertNumQueries(13):
                response = self.client.get(article.get_absolute_url())
            return response

        make_article()
        queries(2)
        response = queries(200)

        self.assertEqual(len(response.context["page"].sources), 200)
