from datetime import timedelta

from django.test import TestCase
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from articles.models import ExternalLink
from tests.factories import make_article, make_source, make_user

URL = "/admin/articles/externallink/"


def make_link(address, **values):
    digest = ExternalLink.digest_of(address)
    return ExternalLink.objects.create(address=address, digest=digest, checked_at=timezone.now(), **values)


class LinksTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.broken = make_link("https://broken.example/", failures=3, problem="Its page is gone (410).")
        cls.moved = make_link("https://moved.example/", moved_to="https://new.example/")
        cls.once = make_link("https://once.example/", failures=1, problem="The connection failed.")

    def setUp(self):
        self.client.force_login(self.editor)

    def test_the_list_says_what_each_answered_and_where_it_stands(self):
        article, source = make_article(title="About links"), make_source(title="Counts")
        self.broken.articles.add(article)
        self.moved.sources.add(source)

        page = self.client.get(URL)

        for text in (
            "Its page is gone (410). 3 times running.",
            "Moved to https://new.example/",
            "The connection failed. Once so far.",
            "About links",
            "Counts",
        ):
            self.assertContains(page, text)
        self.assertEqual(self.client.get(f"{URL}{self.broken.pk}/change/").status_code, 200)

    def test_the_list_is_filtered_by_state(self):
        counts = {"broken": 1, "moved": 1, "new": 0, "": 3, "nonsense": 3}
        for state, count in counts.items():
            with self.subTest(state):
                self.assertEqual(self.client.get(URL, {"state": state}).context["cl"].result_count, count)

    def test_a_long_list_costs_as_many_queries_as_a_short_one(self):
        def count(number):
            for place in range(number):
                make_link(f"https://{number}-{place}.example/").articles.add(make_article())
            with self.assertNumQueries(11):
                self.client.get(URL)

        count(1)
        count(20)

    def test_editors_have_links_looked_at_again(self):
        data = {"action": "look_again", "_selected_action": [self.broken.pk]}

        response = self.client.post(URL, data, follow=True)

        self.assertContains(response, "1 link will be looked at within minutes.")
        self.broken.refresh_from_db()
        self.assertIsNone(self.broken.checked_at)
        self.assertEqual(DBTaskResult.objects.filter(task_path="articles.link_checks.check_links").count(), 1)

    def test_authors_read_the_list_and_no_more(self):
        self.client.force_login(make_user("Author"))

        self.assertEqual(self.client.get(URL).status_code, 200)
        self.client.post(URL, {"action": "look_again", "_selected_action": [self.broken.pk]})
        self.broken.refresh_from_db()
        self.assertIsNotNone(self.broken.checked_at)

    def test_nobody_adds_changes_or_deletes_a_link(self):
        self.client.force_login(make_user(is_superuser=True))
        for page in ("add/", f"{self.broken.pk}/delete/"):
            self.assertEqual(self.client.get(f"{URL}{page}").status_code, 403)
        self.assertEqual(self.client.post(f"{URL}{self.broken.pk}/change/", {"address": "x"}).status_code, 403)

    def test_it_is_closed_to_everybody_else(self):
        self.client.logout()
        self.assertEqual(self.client.get(URL).status_code, 302)
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(URL).status_code, 403)

    def test_links_that_were_fine_long_ago_are_due(self):
        make_link("https://old.example/")
        ExternalLink.objects.update(checked_at=timezone.now() - timedelta(days=8))

        self.assertEqual(ExternalLink.objects.due().count(), 4)
