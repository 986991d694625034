"""No page that is kept shows a row of which the page cache is not told: asked of every kept view, by its statements."""

import re
from io import StringIO
from xml.etree import ElementTree

from django.core.management import call_command
from django.db import connection
from django.test import TestCase, override_settings
from django.urls import URLPattern, get_resolver, resolve, reverse

from articles import news
from articles.models import Article, Series
from careers.models import ComparisonTable, Market, Role
from newsletter import news as editions
from tests.factories import make_article, make_statistic
from tests.newsletter.lists import make_part, make_sent
from veltrix.page_cache import content

KEY = "0123456789abcdef"
# The moments of the desk’s log: an entry is written in the transaction of the change that it tells of, which is seen.
WITH_WHAT_IS_SEEN = {"django_admin_log", "django_content_type"}
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
# Names that a public address has once: those of the programs’ files and of pages that no sitemap lists.
ALONE = [
    "llms",
    "robots",
    "security",
    "articles:sources_csv",
    "articles:statistics_csv",
    "careers:roles_csv",
    "careers:roles_json",
    "careers:salaries_csv",
    "careers:datapackage",
    "careers:data_zip",
    "newsletter:check-your-inbox",
    "newsletter:confirmed",
]


def kept_views(patterns, namespace=""):
    """The name of every view of these URL patterns whose answers are kept."""
    for pattern in patterns:
        if not isinstance(pattern, URLPattern):
            yield from kept_views(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif hasattr(pattern.callback, "rule"):
            yield namespace + pattern.name


@override_settings(INDEXNOW_KEY=KEY, SECURITY_CONTACT="mailto:x@example.org", SITE_URL="http://testserver")
class TablesTests(TestCase):
    def test_no_page_that_is_kept_reads_a_table_whose_changes_nobody_sees(self):
        call_command("load_launch_content", stdout=StringIO())
        make_article(statistics=[make_statistic("1%")], series=Series.objects.create(slug="s", name="S"))
        make_statistic("1%").current.publish_successor(why="correction", why_note="x", display_text="2%", value=2)
        make_sent(make_part())
        paths = [path for path in self.paths() if hasattr(resolve(path).func, "rule")]

        views = set(kept_views(get_resolver().url_patterns))
        self.assertEqual(views - {resolve(path).view_name for path in paths}, set())
        unseen = content.watch.unseen_tables - WITH_WHAT_IS_SEEN
        found = {path: tables for path in paths if (tables := self.tables_of(path) & unseen)}
        self.assertEqual(found, {})

    def paths(self):
        """The paths of all pages, feeds and files with what there is."""
        listed = self.locations("/sitemap.xml")
        yield from ["/sitemap.xml", *listed]
        for path in listed:
            yield from self.locations(path)
        yield from map(reverse, ALONE)
        yield from (*news.article_feeds(), *news.correction_feeds(), *editions.feeds())
        yield f"/{KEY}.txt"
        for article in Article.objects.published():
            yield from (f"{article.get_absolute_url()[:-1]}.md", f"{article.get_absolute_url()}card.png")
        for market in Market.objects.all():
            yield from (f"/careers/charts/{market.code.lower()}.{form}" for form in ("svg", "png"))
        yield reverse("careers:embed_role", args=[Role.objects.first().slug])
        yield reverse("careers:embed_table", args=[ComparisonTable.objects.first().slug])

    def locations(self, path):
        """What a sitemap lists."""
        found = ElementTree.fromstring(self.client.get(path).content).iter(LOC)  # noqa: S314 - our own
        return [item.text.removeprefix("http://testserver") for item in found]

    def tables_of(self, path):
        """Every word of the statements that a page asks the database."""
        words = set()

        def listen(execute, sql, params, many, context):
            words.update(re.findall(r"\w+", sql))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen):
            self.assertEqual(self.client.get(path).status_code, 200, path)
        return words
