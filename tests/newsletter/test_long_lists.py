"""The desk's lists of many subscribers: nothing counts or sorts them all."""

import re

from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from newsletter.models import Subscriber

from .crowds import address, make_crowd

NUMBER = 20_000
DESK = "/admin/newsletter"
LISTS = [
    "subscriber/",
    "subscriber/?p=100",
    "subscriber/?status__exact=active",
    "subscriber/?status__exact=complained",
    f"subscriber/?q={address(8000)}",
    "subscriber/?q=reader00080",
    "subscriber/?q=r",
    "consentevent/",
    f"consentevent/?q={address(8000)}",
    "suppression/",
]
# All rows of a table read, in the words of either engine.
WHOLE = re.compile(r"Seq Scan|SCAN newsletter_(subscriber|consentevent)$", re.MULTILINE)


class LongListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # What tests before have left and autovacuum takes away would decide where rows go, and so on plans.
                cursor.execute("TRUNCATE newsletter_subscriber, newsletter_suppression CASCADE")
            make_crowd(NUMBER)
            cursor.execute("ANALYZE")

    def setUp(self):
        self.client.force_login(User.objects.create_superuser("root"))

    def plan(self, sql):
        explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
        with connection.cursor() as cursor:
            cursor.execute(explain + sql)
            return "\n".join(str(row[-1]) for row in cursor.fetchall())

    def test_each_list_costs_as_many_queries_as_a_short_one_and_reads_no_whole_table(self):
        for path in LISTS:
            with self.subTest(path):
                with CaptureQueriesContext(connection) as captured:
                    page = self.client.get(f"{DESK}/{path}")

                assert page.status_code == 200
                assert len(captured) <= 7
                assert len(page.content) < 150_000
                plan = self.plan(captured[-1]["sql"])
                assert not WHOLE.search(plan), plan

    def test_no_more_than_ten_thousand_are_counted(self):
        page = self.client.get(f"{DESK}/subscriber/")
        self.assertContains(page, "more than 10000 subscribers: filter or search to see the others")
        self.assertContains(page, "?p=100")
        self.assertNotContains(page, "Select all 10000 subscribers")

        page = self.client.get(f"{DESK}/subscriber/?status__exact=complained")
        self.assertContains(page, f"{NUMBER // 100} subscribers\n")
        self.assertContains(page, f"Select all {NUMBER // 100} subscribers")

        page = self.client.get(f"{DESK}/subscriber/?q=reader")
        self.assertContains(page, "more than 10000 results")

    def test_pages_beyond_what_is_counted_are_not_there(self):
        assert self.client.get(f"{DESK}/subscriber/?p=101").status_code == 302

    def test_a_person_is_found_by_the_index_of_addresses(self):
        found = Subscriber.objects.with_address(address(8000))

        assert "one_subscriber_for_each_address" in found.order_by().explain()
