"""The structured data of all pages: right in the words of schema.org, and nothing that a page does not show."""

from html import escape
from io import StringIO
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase

from articles.models import FaqItem, Series
from articles.partial_dates import in_words
from tests import schema_org
from tests.factories import (
    add_role_table,
    make_author,
    make_category,
    make_draft,
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)
from tests.newsletter.lists import make_figure, make_part, make_sent

# Codes that a page writes as a sign or not at all, and places in a list, which it shows by its order.
UNWRITTEN = {"currency", "inLanguage", "encodingFormat", "position", "isAccessibleForFree"}
HOSTILE = '</script><b>"&\u2028'


def unshown(nodes, words, links):
    """What is said in these nodes and neither written on the page nor linked to by it, a line each."""
    words, found = words.casefold(), []
    for node in nodes:
        for name, value in node.items():
            for one in value if isinstance(value, list) else [value]:
                if name.startswith("@") or name in UNWRITTEN or isinstance(one, dict):
                    continue
                text = f"{one:,}" if isinstance(one, int) else " ".join(one.split())
                spellings = {text.casefold(), in_words(text).casefold() if name.startswith("date") else text}
                if text not in links and not any(spelling in words for spelling in spellings):
                    found.append(f"{node['@type']}/{name}: {one}")
    return found


class PagesTests(TestCase):
    """All pages that links lead to, with content of every kind."""

    @classmethod
    def setUpTestData(cls):
        call_command("load_launch_content", stdout=StringIO())
        markets = make_markets()
        path = make_path(f"Path {HOSTILE}", slug="hostile-path")
        role = make_role(f"Role {HOSTILE}", slug="hostile", path=path, summary=HOSTILE, core=["Python", "Teamwork"])
        make_salary(role, markets["GB"], low=0, high=None, is_open_ended=True, kind="base")
        make_salary(role, markets["GB"], low=400, high=600, period="day", kind="total")
        make_salary(role, markets["US"], low=70_000, high=70_000, level="Senior", median=70_000)
        code = {"checked_in": "CSV", "checked_on": "2026-11-23"}
        role.codes.create(scheme="ESCO", code="258e", label=HOSTILE, match="exact", **code)
        role.codes.create(scheme="SOC", code="2433/04", label="a close one", match="close", **code)
        withdrawn = make_role("Withdrawn", pay={"GB": (61_000, 91_000)})
        withdrawn.salary_ranges.get().publish_successor(why="retraction", why_note="Made up.")
        make_role("Unpaid")

        source = make_source(
            slug="book",
            kind="book",
            authors="Frey, Carl; Osborne, Michael",
            producer=f"Press {HOSTILE}",
            edition="third",
            published="2023-04",
            url="https://example.com/book?a=1&b=2",
            archive_url="https://archive.example/book",
            isbn="978-3-16-148410-0",
        )
        make_source(slug="paper", kind="article", doi="10.1000/182", licence="CC BY 4.0")
        gone, fixed = make_statistic("12M", claim="was wrong"), make_statistic("40%", claim=HOSTILE, source=source)
        article = make_draft(
            slug="hostile",
            title=f"Title {HOSTILE}",
            standfirst=HOSTILE,
            category=make_category("Sub", parent=make_category("Top")),
            series=Series.objects.create(slug="hostile", name=f"Series {HOSTILE}"),
            author=make_author(f"Ada {HOSTILE}", slug="ada"),
            statistics=[gone, fixed],
        )
        add_role_table(article, make_table(role, withdrawn))
        answers = ["<p>One,</p><p>two &amp; three</p>", f"<ul><li><p>{escape(HOSTILE)}</p></li></ul>"]
        for place, answer in enumerate(answers):
            question = FaqItem(parent=article, region="main", ordering=600 + place, question=f"Q{place} {HOSTILE}?")
            question.html = f'{answer}<p>It is <data value="statistic:{fixed.slug}"></data>, then.</p>'
            question.save()
        publish_as_is(article)
        fixed.current.publish_successor(value=44, display_text="44%", why="correction", why_note=HOSTILE)
        gone.current.publish_successor(why="retraction", why_note="Made up.")
        part = make_part(
            title=HOSTILE, path=article.get_absolute_url(), figure=make_figure(path=fixed.get_absolute_url())
        )
        make_sent(part, slug="hostile", subject=f"Subject {HOSTILE}", preheader=HOSTILE)

    def pages(self):
        """Every page that links lead to from the front page, by its path."""
        waiting, found = ["/"], {}
        while waiting:
            path = waiting.pop()
            response = self.client.get(path)
            if path in found or not response.headers["Content-Type"].startswith("text/html"):
                continue
            found[path] = schema_org.read(response.text)
            links = (urlsplit(urljoin(f"{settings.SITE_URL}{path}", link)) for link in found[path][2])
            own = [link for link in links if f"{link.scheme}://{link.netloc}" == settings.SITE_URL]
            waiting += {link.path for link in own if not link.query} - found.keys()
        return found

    def test_all_that_is_said_is_right_and_stands_on_the_page(self):
        types = set()
        pages = self.pages()

        for path, (documents, words, links) in pages.items():
            with self.subTest(path):
                self.assertLessEqual(len(documents), 1)
                for document in documents:
                    self.assertEqual(schema_org.problems(document), [])
                    nodes = list(schema_org.nodes_in(document["@graph"]))
                    absolute = {urljoin(f"{settings.SITE_URL}{path}", link) for link in links}
                    self.assertEqual(unshown(nodes, words, absolute), [])
                    types |= {node["@type"] for node in nodes}
                    for node in nodes:
                        fragment = "" if node["@type"] == "WebPage" else "#."
                        place = node.get("@id", f"{settings.SITE_URL}/#x")
                        self.assertRegex(place, f"^{settings.SITE_URL}/.*{fragment}")
        self.assertGreater(len(pages), 40)
        expected = (
            "Article BreadcrumbList Organization Person Dataset Occupation MonetaryAmount FAQPage Book Observation"
        )
        self.assertLessEqual(set(expected.split()), types)

    def test_nothing_ends_the_element_before_its_time(self):
        for path in ("/articles/hostile/", "/newsletter/hostile/", "/careers/hostile/", "/careers/paths/hostile-path/"):
            with self.subTest(path):
                html = self.client.get(path).text

                _, _, data = html.partition('<script type="application/ld+json">')
                data, end, _ = data.partition("</script>")
                self.assertTrue(end)
                self.assertNotRegex(data, "[<>&\u2028\u2029]")
                self.assertIn("\\u003c/script\\u003e", data)


class GuardTests(SimpleTestCase):
    """Without these, the silence of the test above would mean nothing."""

    def problems(self, *nodes):
        return schema_org.problems({"@context": "https://schema.org", "@graph": list(nodes)})

    def test_what_is_right_passes(self):
        amount = {"@type": "MonetaryAmount", "currency": "GBP", "minValue": 1, "validFrom": "2026-04"}
        country = {"@type": "Country", "name": "UK", "url": "https://example.com/"}
        role = {"@type": "Occupation", "@id": "/#a", "estimatedSalary": [amount, 5], "occupationLocation": country}
        day = {"@type": "OpeningHoursSpecification", "dayOfWeek": "https://schema.org/Friday"}

        self.assertEqual(self.problems(role, day), [])

    def test_what_is_wrong_is_found(self):
        wrong = {
            "there is no such type": {"@type": "Profession"},
            "has no property wage": {"@type": "Occupation", "wage": 1},
            # Another type brings it.
            "has no property minValue": {"@type": "MonetaryAmountDistribution", "minValue": 1},
            "'65000' is none of Number": {"@type": "MonetaryAmount", "minValue": "65000"},
            "True is none of Number": {"@type": "MonetaryAmount", "minValue": True},
            "'soon' is none of Date, DateTime": {"@type": "Article", "datePublished": "soon"},
            "'/a/' is none of URL": {"@type": "Article", "url": "/a/"},
            "'' is none of Text": {"@type": "Article", "headline": ""},
            "is superseded": {"@type": "Organization", "employees": {"@type": "Person"}},
            "a Person is none of AdministrativeArea": {
                "@type": "Occupation",
                "occupationLocation": {"@type": "Person", "name": "UK"},
            },
            "/Article/author/Person: it has no property headline": {
                "@type": "Article",
                "author": [{"@type": "Person", "name": "A"}, {"@type": "Person", "headline": "B"}],
            },
            "'https://schema.org/Yesterday' is none of DayOfWeek": {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": "https://schema.org/Yesterday",
            },
        }
        for line, node in wrong.items():
            with self.subTest(line):
                found = self.problems(node)

                self.assertEqual(len(found), 1)
                self.assertIn(line, found[0])

    def test_an_id_that_is_given_twice_and_another_context_are_found(self):
        thing = {"@type": "Thing", "@id": "a"}

        self.assertEqual(self.problems(thing, thing), ["the id a is given twice"])
        self.assertTrue(schema_org.problems({"@context": "https://example.com", "@graph": []}))

    def test_what_a_page_does_not_show_is_found(self):
        nodes = [
            {"@type": "MonetaryAmount", "minValue": 65_000, "currency": "GBP"},
            {"@type": "Article", "url": "https://example.com/a/", "headline": "A title"},
        ]
        html = '<h1>A  <b>title</b></h1><p>£65,000</p><a href="https://example.com/a/">it</a><script>let b</script>'
        _, words, links = schema_org.read(html)

        self.assertEqual(unshown(nodes, words, links), [])
        self.assertEqual(len(unshown(nodes, words.replace("65", "66"), [])), 2)
        self.assertNotIn("let b", words)
