"""What pages put in the place of references to figures."""

import re

from django.test import TestCase

from articles.documents import references_in, unknown_references
from articles.models import CallOut, FaqItem
from tests.factories import (
    make_article,
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    publish_as_is,
)

from .test_references import refer


class PageTests(TestCase):
    def get(self, article):
        return self.client.get(article.get_absolute_url())

    def test_a_statistic_shows_its_current_text_linked_to_its_source_note(self):
        statistic = make_statistic(
            "97M", slug="new-roles", source=make_source(title="Future of Jobs"), check_status="confirmed"
        )
        article = make_article(html=f"<p>Some ({refer('statistic:new-roles')}) roles.</p>")

        response = self.get(article)

        link = '<a class="inline-figure" id="figure-new-roles" href="#source-1"><data value="97000000">97M</data></a>'
        self.assertContains(response, f"<p>Some ({link}) roles.</p>")
        self.assertContains(response, 'href="#figure-new-roles"')
        statistic.current.publish_successor(display_text="170M", value=170_000_000, why="update")
        self.assertContains(self.get(article), '<data value="170000000">170M</data>')

    def test_a_range_shows_as_text_and_without_a_source_leads_to_its_own_page(self):
        make_role("ML Engineer", pay={"GB": (65_000, 120_000)})
        article = make_article(html=f"<p>They earn {refer('salary:ml-engineer/gb')}.</p>")

        response = self.get(article)

        link = '<a class="inline-figure" id="figure-ml-engineer-gb" href="/careers/ml-engineer/#pay-gb">£65K–£120K</a>'
        note = "Note on £65K–£120K: No source stated; base or total not stated"
        self.assertContains(response, f"<p>They earn {link}")
        self.assertContains(response, f'<a href="/careers/ml-engineer/#pay-gb" aria-label="{note}">†</a></span>.</p>')
        self.assertContains(self.client.get("/careers/ml-engineer/"), 'id="pay-gb"', count=1)

    def test_a_statistic_without_a_source_leads_to_its_own_page(self):
        make_statistic("97M", slug="new-roles")

        response = self.get(make_article(html=f"<p>{refer('statistic:new-roles')}</p>"))

        self.assertContains(response, 'href="/statistics/new-roles/"')

    def test_a_role_with_several_ranges_in_a_market_has_the_id_of_its_pay_once(self):
        role = make_role("ML Engineer", pay={"GB": (1, 2), "US": (3, 4)})
        make_salary(role, make_markets()["GB"], period="day")

        response = self.client.get("/careers/ml-engineer/")

        for anchor in ("pay-gb", "pay-us"):
            self.assertContains(response, f'id="{anchor}"', count=1)

    def test_sources_are_numbered_in_reading_order_over_all_kinds_of_text(self):
        first, second = make_source(title="First"), make_source(title="Second")
        make_statistic("1%", slug="one", source=first)
        block = make_statistic("2%", slug="two", source=second)
        article = make_draft(html=f"<h2>{refer('statistic:two')}</h2>", statistics=[block])
        values = {"parent": article, "region": "main"}
        CallOut.objects.create(**values, ordering=30, heading="x", html=f"<p>{refer('statistic:one')}</p>")
        FaqItem.objects.create(**values, ordering=40, question="x", html=f"<ul><li>{refer('statistic:two')}</li></ul>")
        publish_as_is(article)
        article.refresh_from_db()

        response = self.get(article)

        notes = list(response.context["page"].sources)
        self.assertEqual([note.source for note in notes], [second, first])
        anchors = ["figure-two", "figure-two-2", "figure-two-3"]
        self.assertEqual([citation.anchor for citation in notes[0].citations], anchors)
        for anchor in [*anchors, "figure-one"]:
            self.assertContains(response, f'id="{anchor}"', count=1)

    def test_ids_stay_different_whatever_slugs_look_like(self):
        for slug in ("jobs", "jobs-2"):
            make_statistic(slug=slug)
        html = "".join(refer(f"statistic:{slug}") for slug in ("jobs", "jobs", "jobs-2"))

        response = self.get(make_article(html=f"<p>{html}</p>"))

        ids = re.findall(r'id="(figure-[^"]*)"', response.text)
        self.assertEqual(len(set(ids)), 3)

    def test_corrections_of_a_figure_in_words_are_reported(self):
        statistic = make_statistic("97M", slug="new-roles")
        article = make_article(html=f"<p>{refer('statistic:new-roles')}</p>")

        statistic.current.publish_successor(display_text="98M", why="correction", why_note="A slip of the pen.")

        self.assertContains(self.get(article), "A slip of the pen.")

    def test_a_figure_inside_a_link_is_no_link_of_its_own(self):
        make_statistic("97M", slug="new-roles", source=make_source())

        response = self.get(make_article(html=f'<p><a href="/x">see {refer("statistic:new-roles")}</a></p>'))

        figure = '<span class="inline-figure" id="figure-new-roles"><data value="97000000">97M</data></span>'
        self.assertContains(response, f'<p><a href="/x">see {figure}</a></p>')

    def test_an_unknown_reference_is_left_out_of_the_page(self):
        article = make_article(html=f"<p>a{refer('statistic:lost')}b{refer('tool:lost')}c</p>")

        response = self.get(article)

        self.assertContains(response, "<p>abc</p>")
        self.assertNotContains(response, "lost")

    def test_references_that_have_become_unknown_are_told(self):
        make_statistic(slug="new-roles")
        html = "".join(refer(f"statistic:{slug}") for slug in ("lost", "new-roles", "lost"))
        article = make_article(html=f"<p>{html}</p>")

        document = article.live_version.document

        self.assertEqual(references_in(document), ["statistic:lost", "statistic:new-roles", "statistic:lost"])
        self.assertEqual(unknown_references(document), ["statistic:lost"])

    def test_what_a_figure_says_is_escaped(self):
        make_statistic("<b>&", slug="new-roles", source=make_source(title="<i>"))

        response = self.get(make_article(html=f"<p>{refer('statistic:new-roles')}</p>"))

        self.assertContains(response, "&lt;b&gt;&amp;</data>")

    def test_two_hundred_references_cost_as_many_queries_as_one_of_each_kind(self):
        def make(count):
            article = make_draft(html=f"<p>{''.join(links[:count])}</p>")
            values = {"parent": article, "region": "main"}
            for ordering in range(20, 20 + count):
                html = f"<p>{''.join(links[:count])}</p>"
                CallOut.objects.create(**values, ordering=ordering, heading="x", html=html)
                FaqItem.objects.create(**values, ordering=ordering + 500, question="x", html=html)
            publish_as_is(article)
            article.refresh_from_db()
            return article

        links = []
        for number in range(50):
            make_statistic(slug=f"figure-{number}", source=make_source())
            make_role(f"Role {number}", pay={"GB": (1_000 + number, 90_000)})
            links += [refer(f"statistic:figure-{number}"), refer(f"salary:role-{number}/gb")]
        small, large = make(2), make(100)
        with self.assertNumQueries(14):
            self.get(small)

        with self.assertNumQueries(14):
            response = self.get(large)

        self.assertEqual(response.text.count('class="inline-figure"'), 100 * 201)
