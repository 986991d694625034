"""A site with something of every kind that a page is kept of, and the paths of all these pages."""

from io import StringIO
from xml.etree import ElementTree

from django.core.management import call_command
from django.test import override_settings
from django.urls import URLPattern, get_resolver, resolve, reverse

from articles import news
from articles.models import Article, Series
from careers.models import ComparisonTable, Market, Role
from newsletter import news as editions
from tests.factories import make_article, make_statistic
from tests.newsletter.lists import make_part, make_sent

KEY = "0123456789abcdef"
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


with_every_page = override_settings(
    INDEXNOW_KEY=KEY, SECURITY_CONTACT="mailto:x@example.org", SITE_URL="http://testserver"
)


def rules(patterns=None, namespace=""):
    """The rule of every view whose answers are kept, by the view’s name."""
    found = {}
    for pattern in patterns or get_resolver().url_patterns:
        if not isinstance(pattern, URLPattern):
            found |= rules(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif hasattr(pattern.callback, "rule"):
            found[namespace + pattern.name] = pattern.callback.rule
    return found


def fill() -> None:
    call_command("load_launch_content", stdout=StringIO())
    make_article(statistics=[make_statistic("1%")], series=Series.objects.create(slug="s", name="S"))
    make_statistic("1%").current.publish_successor(why="correction", why_note="x", display_text="2%", value=2)
    make_sent(make_part())


def kept_paths(client):
    """The paths of all pages, feeds and files that are kept; there is one at least for every view that says so."""
    paths = [path for path in _paths(client) if hasattr(resolve(path).func, "rule")]
    missing = rules().keys() - {resolve(path).view_name for path in paths}
    if missing:
        raise AssertionError(f"No page of {missing}")
    return paths


def _paths(client):
    listed = _locations(client, "/sitemap.xml")
    yield from ["/sitemap.xml", *listed]
    for path in listed:
        yield from _locations(client, path)
    yield from map(reverse, ALONE)
    yield from (*news.article_feeds(), *news.correction_feeds(), *editions.feeds())
    yield f"/{KEY}.txt"
    for article in Article.objects.published():
        yield from (f"{article.get_absolute_url()[:-1]}.md", f"{article.get_absolute_url()}card.png")
    for market in Market.objects.all():
        yield from (f"/careers/charts/{market.code.lower()}.{form}" for form in ("svg", "png"))
    yield reverse("careers:embed_role", args=[Role.objects.first().slug])
    yield reverse("careers:embed_table", args=[ComparisonTable.objects.first().slug])


def _locations(client, path):
    """What a sitemap lists."""
    found = ElementTree.fromstring(client.get(path).content).iter(LOC)  # noqa: S314 - our own
    return [item.text.removeprefix("http://testserver") for item in found]
