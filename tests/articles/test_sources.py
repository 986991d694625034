from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, TestCase

from articles.models import Source
from articles.models.sources import validate_isbn, without_resolver
from tests.factories import make_markets, make_role, make_salary, make_source, make_statistic


class IdentifierTests(SimpleTestCase):
    def test_an_isbn_is_taken_with_and_without_hyphens_if_its_check_digit_fits(self):
        for isbn in ("978-3-16-148410-0", "9783161484100", "0-306-40615-2", "080442957X"):
            with self.subTest(isbn):
                validate_isbn(isbn)

    def test_everything_else_is_no_isbn(self):
        for isbn in ("978-3-16-148410-1", "0-306-40615-3", "1234567890123", "978316148410", "none", "٩٧٨٣١٦١٤٨٤١٠٠"):
            with self.subTest(isbn), self.assertRaises(ValidationError):
                validate_isbn(isbn)

    def test_a_doi_may_be_pasted_as_an_address(self):
        for pasted in (
            "10.1000/182",
            "https://doi.org/10.1000/182",
            "http://dx.doi.org/10.1000/182",
            "doi: 10.1000/182",
        ):
            self.assertEqual(without_resolver(pasted), "10.1000/182")

    def test_what_looks_like_no_doi_is_refused(self):
        for doi in ("182", "10.1/x", "10.1000/a b", "example.org/10.1000/182"):
            with self.subTest(doi), self.assertRaisesMessage(ValidationError, "A DOI looks like 10.1000/182."):
                Source(slug="x", producer="x", title="x", doi=doi).full_clean(
                    validate_unique=False, validate_constraints=False
                )


class SourcesTests(TestCase):
    def test_it_lists_sources_with_the_number_of_figures_that_rest_on_each(self):
        source = make_source(title="Much cited")
        make_source(title="Never cited")
        make_statistic(source=source)
        make_salary(make_role(), make_markets()["GB"], source=source)
        make_statistic(source=source).current.publish_successor(source=None, why="re-sourced")

        response = self.client.get("/sources/")

        self.assertContains(response, "Much cited")
        self.assertContains(response, "2 figures")
        self.assertContains(response, "No current figure")

    def test_its_pages_are_bounded_and_cost_the_same_queries(self):
        make_statistic(source=make_source())
        with self.assertNumQueries(5):
            self.client.get("/sources/")
        for _ in range(110):
            make_source()

        with self.assertNumQueries(5):
            response = self.client.get("/sources/")
        self.assertContains(response, "Page 1 of 2")
        self.assertEqual(self.client.get("/sources/?page=2").status_code, 200)
        for page in ("3", "0", "x", "99999999"):
            self.assertEqual(self.client.get(f"/sources/?page={page}").status_code, 404)

    def test_it_opens_without_any_source(self):
        self.assertContains(self.client.get("/sources/"), "No source is recorded yet.")


class SourceTests(TestCase):
    def test_it_says_all_that_is_known_and_shows_the_figures_that_cite_it(self):
        newer = make_source(slug="report-2025", title="The report", edition="2025", published="2025-01")
        source = make_source(
            slug="report-2023",
            title="The report",
            edition="2023",
            published="2023-04-30",
            url="https://example.org/report",
            archive_url="https://archive.example/report",
            isbn="978-3-16-148410-0",
            licence="CC BY 4.0",
            projection_horizon=2027,
            newer_edition=newer,
        )
        make_statistic("97M", source=source, claim="jobs are new")
        make_salary(make_role("Analyst"), make_markets()["GB"], low=50_000, high=90_000, source=source)
        make_statistic("12%", source=newer)

        response = self.client.get("/sources/report-2023/")

        for text in (
            "30 April 2023",
            'href="https://example.org/report"',
            'href="https://archive.example/report"',
            "978-3-16-148410-0",
            "CC BY 4.0",
            "2027",
            'href="/sources/report-2025/"',
            "97M",
            "£50K–£90K",
            'href="/careers/analyst/#pay-gb"',
            "@techreport{report-2023,",
        ):
            self.assertContains(response, text)
        self.assertNotContains(response, "12%")
        self.assertContains(self.client.get("/sources/report-2025/"), 'href="/sources/report-2023/"')

    def test_a_doi_is_its_address(self):
        source = make_source(doi="10.1000/182", url="https://example.org/elsewhere")

        self.assertContains(self.client.get(source.get_absolute_url()), 'href="https://doi.org/10.1000/182"')

    def test_an_unknown_source_is_not_found(self):
        self.assertEqual(self.client.get("/sources/none/").status_code, 404)

    def test_its_queries_do_not_grow_with_the_figures_that_cite_it(self):
        source = make_source()
        make_statistic(source=source)
        with self.assertNumQueries(5):
            self.client.get(source.get_absolute_url())
        for _ in range(50):
            make_statistic(source=source)

        with self.assertNumQueries(5):
            self.client.get(source.get_absolute_url())
