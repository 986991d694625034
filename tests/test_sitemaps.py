"""The sitemap: every page that may be indexed, and no other."""

from datetime import timedelta
from io import StringIO
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from articles.models import Series
from articles.redirects import moved
from careers.models import Skill
from tests.factories import (
    add_role_table,
    make_article,
    make_author,
    make_category,
    make_draft,
    make_path,
    make_role,
    make_skill,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)
from tests.newsletter.lists import make_edition, make_part, make_sent
from tests.test_head import Head
from veltrix import sitemaps

SITE = "http://127.0.0.1:8000"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class SitemapTests(TestCase):
    def read(self, path):
        response = self.client.get(path)
        self.assertEqual((response.status_code, response.headers["Content-Type"]), (200, sitemaps.XML))
        return ElementTree.fromstring(response.content)  # noqa: S314 - our own

    def parts(self):
        return [found.text.removeprefix(SITE) for found in self.read("/sitemap.xml").iter(f"{MAP}loc")]

    def listed(self):
        """The path of every page that is listed, with when it was changed."""
        urls = [url for part in self.parts() for url in self.read(part)]
        found = [(url.findtext(f"{MAP}loc").removeprefix(SITE), url.findtext(f"{MAP}lastmod")) for url in urls]
        self.assertEqual(len(dict(found)), len(found))
        return dict(found)

    def test_every_page_that_links_lead_to_is_listed_or_not_indexed_and_every_listed_one_is_its_own(self):
        call_command("load_launch_content", stdout=StringIO())
        statistic = make_statistic("1%", source=make_source())
        article = make_article(slug="one", statistics=[statistic], series=Series.objects.create(slug="s", name="S"))
        article.slug = "two"
        article.save()
        moved(article, "one")
        make_draft(slug="draft")
        make_article(slug="to-come", published_at=timezone.now() + timedelta(days=1))
        gone = make_article(slug="gone")
        gone.withdrawn_at = timezone.now()
        gone.save()
        Skill.objects.create(slug="merged", name="Merged", kind="programming", merged_into=make_skill())
        make_sent(make_part(), slug="sent")
        make_edition(slug="not-sent")
        Series.objects.create(slug="empty", name="Empty")
        make_category("Empty topic")

        listed = self.listed()

        waiting, seen = [*listed], {}
        while waiting:
            path = waiting.pop()
            response = self.client.get(path)
            if path in seen or not response.headers["Content-Type"].startswith("text/html"):
                continue
            head = seen[path] = Head(response)
            if path in listed:
                self.assertEqual((response.status_code, head.canonical()), (200, [SITE + path]), path)
                self.assertNotIn("robots", head.metas, path)
            else:
                self.assertTrue(response.status_code >= 300 or head.metas.get("robots") == ["noindex"], path)
            links = [urlsplit(urljoin(SITE + path, href)) for href in head.anchors]
            waiting += {link.path for link in links if link.netloc == SITE[7:] and not link.query} - seen.keys()
        for path in ("/", "/articles/two/", "/newsletter/sent/", "/series/s/", statistic.get_absolute_url()):
            self.assertIn(path, listed)
        for slug in ("articles/one", "articles/draft", "articles/to-come", "articles/gone", "newsletter/not-sent"):
            self.assertNotIn(f"/{slug}/", listed)
        for path in ("/careers/skills/merged/", "/series/empty/", "/topics/empty-topic/"):
            self.assertNotIn(path, listed)

    def test_an_article_is_as_new_as_its_text_and_the_figures_on_it(self):
        now = timezone.now()
        shown, other = make_statistic("1%"), make_statistic("2%")
        role = make_role("Analyst", pay={"GB": (1, 2)})
        article = make_draft(slug="pay", published_at=now - timedelta(days=9), statistics=[shown])
        add_role_table(article, make_table(role))
        publish_as_is(article)
        moments = [self.listed()["/articles/pay/"]]

        for figure, days in ((shown.current, 1), (role.salary_ranges.get(), 2)):
            figure.publish_successor(why="correction", why_note="x", at=now + timedelta(days=days))
            moments.append(self.listed()["/articles/pay/"])
        other.current.publish_successor(why="correction", why_note="x", at=now + timedelta(days=3))

        self.assertEqual(moments, sorted(set(moments)))
        listed = self.listed()
        self.assertEqual(listed["/articles/pay/"], moments[-1])
        self.assertEqual(listed["/careers/analyst/"], moments[-1])
        self.assertEqual(listed[shown.get_absolute_url()], moments[-2])
        self.assertGreater(listed[other.get_absolute_url()], moments[-1])
        self.assertIsNone(listed["/topics/ai-jobs/"])
        self.assertIsNone(listed["/"])

    def test_parts_are_bounded_and_cost_the_same_queries(self):
        def make_some(number):
            for _ in range(number):
                make_article(statistics=[make_statistic()])
                make_role(pay={"GB": (1, 2)}, path=None)

        make_some(2)
        costs = {"articles": 6, "roles": 3, "statistics": 3, "topics": 3, "authors": 3, "pages": 1}
        for number in (0, 5):
            make_some(number)
            for name, cost in costs.items():
                with self.subTest(name, number=number), self.assertNumQueries(cost):
                    self.client.get(f"/sitemaps/{name}-1.xml")
            with self.subTest("index", number=number), self.assertNumQueries(11):
                self.client.get("/sitemap.xml")

    def test_more_than_a_part_holds_is_in_the_next(self):
        original, sitemaps.MOST = sitemaps.MOST, 2
        self.addCleanup(setattr, sitemaps, "MOST", original)
        for _ in range(5):
            make_source()

        parts = [part for part in self.parts() if "sources" in part]

        self.assertEqual(parts, [f"/sitemaps/sources-{number}.xml" for number in (1, 2, 3)])
        self.assertEqual([len(self.read(part)) for part in parts], [2, 2, 1])

    def test_what_is_no_part_is_not_there_and_all_is_only_read(self):
        make_author()
        make_path()
        odd = ["x-1", "sources-1", "paths-2", "paths-0", "authors-1", "paths-" + "9" * 5000, "paths", "%F0%9F%92%A5-1"]
        for name in odd:
            with self.subTest(name):
                self.assertEqual(self.client.get(f"/sitemaps/{name}.xml").status_code, 404)
        for path in ("/sitemap.xml", "/sitemaps/paths-1.xml"):
            self.assertEqual(self.client.head(f"{path}?x=%22").status_code, 200)
            self.assertEqual(self.client.post(path).status_code, 405)
            self.assertFalse(self.client.get(path).cookies)
