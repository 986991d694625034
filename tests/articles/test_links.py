from django.test import TestCase

from articles import links
from tests.factories import (
    make_article,
    make_author,
    make_category,
    make_draft,
    make_path,
    make_role,
    make_skill,
    make_source,
    make_statistic,
)


class InternalLinksTests(TestCase):
    def test_pages_that_readers_find_are_there(self):
        role, statistic = make_role("Engineer"), make_statistic()
        paths = [
            "/",
            "/articles/",
            make_article().get_absolute_url(),
            make_author().get_absolute_url(),
            make_category().get_absolute_url(),
            make_source().get_absolute_url(),
            statistic.get_absolute_url(),
            role.get_absolute_url(),
            make_path().get_absolute_url(),
            make_skill().get_absolute_url(),
            "/careers/",
            "/careers/fit/?skills=python",
            "/corrections/#one",
            "/newsletter/",
            "/careers",
            "http://127.0.0.1:8000/articles/",
            "",
        ]

        self.assertEqual(links.dead(paths), set())
        for path in paths:
            self.assertEqual(self.client.get(path or "/", follow=True).status_code, 200, path)

    def test_pages_that_readers_do_not_find_are_not(self):
        draft = make_draft(slug="draft")
        paths = [
            "/nowhere/",
            "/articles/nowhere/",
            draft.get_absolute_url(),
            "/careers/nowhere/",
            "/careers/skills/nowhere/",
            "/topics/nowhere/",
            "/drafts/x/",
            "/admin/",
            "/articles/%00/",
            "http://127.0.0.1:8000/nowhere/",
        ]

        self.assertEqual(links.dead(paths), set(paths))

    def test_links_of_one_kind_are_looked_up_together(self):
        articles = [make_article() for _ in range(5)]

        with self.assertNumQueries(1):
            links.dead([article.get_absolute_url() for article in articles])
        with self.assertNumQueries(0):
            links.dead(["/", "/careers/", "/nowhere/"])

    def test_what_stays_on_the_site_is_told_from_what_leads_elsewhere(self):
        for href in ("/x/", "x/", "?q=1", "http://127.0.0.1:8000/x/", "https://127.0.0.1:8000/"):
            self.assertTrue(links.is_internal(href), href)
        for href in ("#place", "https://example.org/", "//example.org/x", "mailto:a@example.org", "http://[broken"):
            self.assertFalse(links.is_internal(href), href)
