import re

import yaml
from django.test import TestCase
from markdown_it import MarkdownIt

from articles.models import FaqItem, Quote, Redirect, Series, TableBlock
from articles.publishing import publish
from articles.redirects import moved
from tests.factories import (
    add_role_table,
    make_article,
    make_category,
    make_draft,
    make_role,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)

SITE = "http://127.0.0.1:8000"


class MarkdownFileTests(TestCase):
    def get(self, path="/articles/pay/", status=200):
        response = self.client.get(path.removesuffix("/") + ".md")
        self.assertEqual(response.status_code, status)
        return response

    def parts(self, text):
        """The front matter, read as YAML, and the text below it."""
        _, front, body = text.split("---\n", 2)
        return yaml.safe_load(front), body

    def test_an_article_is_a_file_of_its_facts_its_text_and_its_sources(self):
        source = make_source(producer="Office", title="Count [2]", url="https://example.com/a_(b)")
        statistic = make_statistic("97M", claim="jobs | are new", source=source)
        article = make_draft(
            slug="pay",
            number=60,
            title="Pay: # what it * is #",
            standfirst="It is \u2028 said.",
            category=make_category("Jobs", parent=make_category("Career")),
            series=Series.objects.create(slug="s", name="The series"),
            statistics=[statistic],
            html=f'<h2>One</h2><p>It is <data value="statistic:{statistic.slug}"></data>, <strong>then</strong>.</p>',
        )
        add_role_table(
            article, make_table(make_role("Analyst | x", slug="analyst", pay={"GB": (50_000, 90_000)}, core=["SQL"]))
        )
        FaqItem.objects.create(parent=article, region="main", ordering=600, question="Why?", html="<p>So.</p>")
        Quote.objects.create(parent=article, region="main", ordering=700, text="Well.", attribution="Ada")
        TableBlock.objects.create(
            parent=article, region="main", ordering=800, caption="Small", cells=[["A", "B"], ["1", "2"]], note="Print."
        )
        publish_as_is(article)

        response = self.get()

        self.assertEqual(response.headers["Content-Type"], "text/markdown; charset=utf-8")
        self.assertEqual(response.headers["Link"], f'<{SITE}/articles/pay/>; rel="canonical"')
        facts, body = self.parts(response.text)
        published = facts.pop("published")
        self.assertRegex(published, r"^\d{4}-\d\d-\d\d$")
        self.assertEqual(
            facts,
            {
                "title": "Pay: # what it * is #",
                "description": "It is \u2028 said.",
                "number": 60,
                "url": f"{SITE}/articles/pay/",
                "authors": ["Written by Ada Lovelace"],
                "section": "Career / Jobs",
                "series": "The series",
                "publisher": "Veltrix Collective",
                "language": "en-GB",
                "licence": "Figures: CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0/), with the name of the "
                "source. Text: Veltrix Collective.",
            },
        )
        for line in (
            "# Pay: # what it \\* is \\#",
            "## One",
            f'It is 97M[^1][†]({SITE}{statistic.get_absolute_url()} "Note on 97M: Source not confirmed"), **then**.',
            "| Role | UK range | US range | Core skills |",
            f"| [Analyst \\| x]({SITE}/careers/analyst/) |",
            "### Why?",
            "> Well.",
            "> – Ada",
            "**Small**",
            "| 1 | 2 |",
            "Print.",
        ):
            with self.subTest(line):
                self.assertIn(line, body)
        self.assertRegex(body, r"\n\*\*97M\*\* jobs \| are new\[\^1\]")
        self.assertRegex(
            body, r"\n\[\^1\]: \[Office, Count \\\[2\\\]\]\(.*\(\[the publication\]\(<https://example.com/a_\(b\)>\)\)"
        )
        html = MarkdownIt("commonmark").enable("table").render(body)
        self.assertEqual(re.findall("<h[12]>[^<]*", html)[:2], ["<h1>Pay: # what it * is #", "<h2>One"])
        self.assertEqual(html.count("<table>"), 2)

    def test_a_heading_of_the_editors_called_sources_is_no_list_of_them(self):
        make_article(slug="pay", html="<h2>Sources</h2><ol><li>Mine</li></ol>")

        self.assertIn("\n## Sources\n\n1. Mine\n", self.get().text)

    def test_it_costs_as_many_queries_as_its_page_whatever_its_length(self):
        article = make_draft(slug="pay", statistics=[make_statistic(source=make_source())])
        publish_as_is(article)
        with self.assertNumQueries(8):
            self.get()
        article = make_draft(slug="long", statistics=[make_statistic(source=make_source()) for _ in range(9)])
        publish_as_is(article)

        with self.assertNumQueries(8):
            self.get("/articles/long/")

    def test_only_what_readers_see_is_there(self):
        make_draft(slug="draft")
        article = make_article(slug="pay", title="As published")
        article.title = "As drafted"
        article.save()

        self.assertIn("# As published", self.get().text)
        for slug in ("draft", "none", "pay.md", "%F0%9F%92%A5"):
            self.assertEqual(self.client.get(f"/articles/{slug}.md").status_code, 404)
        self.assertEqual(self.client.post("/articles/pay.md").status_code, 405)
        publish(article, by=None)
        self.assertIn("# As drafted", self.get().text)

    def test_a_withdrawn_article_is_gone_in_every_form(self):
        article = make_article(slug="pay")
        article.withdrawn_at = article.published_at
        article.save()

        response = self.get(status=410)

        self.assertEqual(response.headers["Content-Type"], "text/markdown; charset=utf-8")

    def test_an_old_address_leads_to_the_new_one_in_every_form(self):
        article = make_article(slug="old")
        article.slug = "new"
        article.save()
        moved(article, "old")

        for form in ("/", ".md", "/card.png"):
            with self.subTest(form):
                response = self.client.get(f"/articles/old{form}?v=1")

                self.assertRedirects(
                    response, f"/articles/new{form}?v=1", status_code=301, fetch_redirect_response=False
                )
                self.assertEqual(self.client.get(f"/articles/new{form}").status_code, 200)
        self.assertEqual(self.client.get("/articles/none/card.png").status_code, 404)

    def test_an_old_address_of_another_site_may_end_like_a_form_of_an_article(self):
        Redirect.objects.create(path="/blog/pay.md", target="/careers/")
        Redirect.objects.create(path="/blog/pay/", target="/articles/")

        with self.assertNumQueries(2):
            response = self.client.get("/blog/pay.md")

        self.assertEqual((response.status_code, response.headers["Location"]), (301, "/careers/"))
        self.assertEqual(self.client.get("/blog/pay/card.png").status_code, 404)

    def test_the_page_says_where_it_is(self):
        make_article(slug="pay")

        page = self.client.get("/articles/pay/")

        self.assertContains(page, '<link rel="alternate" type="text/markdown" href="/articles/pay.md">', html=True)
        self.assertContains(page, '<a href="/articles/pay.md">This article as text (Markdown)</a>', html=True)
