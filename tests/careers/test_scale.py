"""A thousand roles in five markets with ten years of history cost as many queries as ten roles."""

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from careers.models import SalaryRange
from tests.scale import Size, make_careers

QUERIES = {
    "/careers/": 10,
    "/careers/?sort=-us_high&min=50000&market=us,de&page=2": 11,
    "/careers/?as_of=2019-06-30&sort=gb_low": 11,
    "/careers/?view=chart&sort=-jp_high": 11,
    "/careers/charts/gb.svg": 8,
    "/careers/compare/?roles=role-1,role-2,role-3,role-4": 12,
    "/careers/fit/": 6,
    "/careers/fit/?skills=skill-1,skill-101,skill-2,skill-33&know=weaving&page=2": 6,
    "/careers/role-1/": 13,
    "/": 12,
}


class SmallTests(TestCase):
    size = Size(roles=10)
    salary_ranges = 500

    @classmethod
    def setUpTestData(cls):
        make_careers(cls.size)
        with connection.cursor() as cursor:
            # Plans by what tests before had in these tables take a minute.
            cursor.execute("ANALYZE")

    def test_every_page_costs_a_fixed_number_of_queries(self):
        self.assertEqual(SalaryRange.objects.count(), self.salary_ranges)

        for path, queries in QUERIES.items():
            with self.subTest(path), CaptureQueriesContext(connection) as captured:
                self.assertEqual(self.client.get(path).status_code, 200)

                self.assertEqual(len(captured), queries)

    def test_no_page_is_long(self):
        for path in QUERIES:
            with self.subTest(path):
                self.assertLess(len(self.client.get(path).content), 350_000)


class LargeTests(SmallTests):
    size = Size(roles=1_000)
    salary_ranges = 50_000
