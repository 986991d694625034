from datetime import date

import time_machine
from django.test import TestCase

from articles.models import StatisticValue
from articles.review import badges_of
from tests.factories import (
    add_role_table,
    make_article,
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)

TODAY = date(2026, 11, 24)


def words(figure):
    return [badge.words for badge in badges_of(figure, TODAY)]


@time_machine.travel("2026-11-24T12:00Z")
class BadgeTests(TestCase):
    def test_a_sound_figure_has_none(self):
        value = make_statistic(source=make_source(), check_status="confirmed", as_of="2026").current

        self.assertEqual(words(value), [])

    def test_each_says_in_plain_words_what_is_known(self):
        newer = make_source(title="Newer")
        cases = [
            ({"source": None}, "No source stated"),
            ({"check_status": "unchecked"}, "Source not confirmed"),
            ({"check_status": "disputed"}, "Disputed"),
            ({"check_status": "not-found"}, "Not found in the source"),
            ({"horizon_year": 2025}, "Projection for 2025: that year has passed"),
            ({"source": make_source(newer_edition=newer)}, "Newer edition available"),
            ({"as_of": "2025-03"}, "More than 18 months old"),
            ({"why": "correction", "why_note": "A slip."}, "Corrected 24 Nov 2026"),
        ]
        sound = {"source": make_source(), "check_status": "confirmed", "as_of": "2026"}
        for number, (values, expected) in enumerate(cases):
            value = make_statistic(slug=f"case-{number}", **sound).current
            changed = value.publish_successor(**{"why": "update", **values})
            with self.subTest(expected):
                self.assertEqual(words(StatisticValue.objects.with_evidence().get(pk=changed.pk)), [expected])

    def test_a_withdrawn_figure_says_nothing_else(self):
        withdrawn = make_statistic().current.publish_successor(why="retraction", why_note="Made up.")

        self.assertEqual(
            [(b.words, b.reason) for b in badges_of(withdrawn, TODAY)], [("Withdrawn 24 Nov 2026", "Made up.")]
        )

    def test_pay_says_whether_it_is_base_or_total(self):
        values = {"source": make_source(), "check_status": "confirmed", "as_of": "2026"}
        role, market = make_role(), make_markets()["GB"]

        self.assertEqual(words(make_salary(role, market, **values)), ["Base or total not stated"])
        self.assertEqual(words(make_salary(role, market, kind="base", **values)), [])


@time_machine.travel("2026-11-24T12:00Z")
class BadgesOnPagesTests(TestCase):
    def test_an_article_shows_them_beside_figures_with_the_reason_one_click_away(self):
        statistic = make_statistic(
            slug="jobs", source=make_source(), check_status="disputed", check_note="It is older."
        )
        article = make_article(statistics=[statistic])

        response = self.client.get(article.get_absolute_url())

        self.assertContains(response, '<summary class="status__words">')
        self.assertContains(response, "Disputed")
        self.assertContains(response, "It is older.")
        self.assertContains(response, '<a href="/statistics/jobs/">History and evidence of this figure</a>')

    def test_a_table_shows_them_as_letters_that_lead_to_notes(self):
        sound = {"source": make_source(), "check_status": "confirmed", "as_of": "2026", "kind": "total"}
        market = make_markets()["GB"]
        roles = [make_role(f"Role {letter}") for letter in "ABC"]
        make_salary(roles[0], market)
        make_salary(roles[1], market, **sound | {"check_status": "disputed"})
        make_salary(roles[2], market)
        article = make_draft()
        table = make_table(*roles)
        add_role_table(article, table)
        publish_as_is(article)

        response = self.client.get(article.get_absolute_url())

        anchor = f"table-{table.slug}-note"
        self.assertContains(
            response,
            f'href="#{anchor}-a" target="_self" aria-label="Note a: No source stated; base or total not stated"',
            count=2,
        )
        self.assertContains(response, f'href="#{anchor}-b" target="_self" aria-label="Note b: Disputed"', count=1)
        self.assertContains(response, f'id="{anchor}-a"', count=1)

    def test_a_role_page_shows_them_beside_its_pay(self):
        role = make_role(pay={"GB": (50_000, 90_000)})

        self.assertContains(self.client.get(role.get_absolute_url()), "No source stated")

    def test_a_corrected_figure_says_so_in_the_article(self):
        statistic = make_statistic("97M")
        article = make_article(statistics=[statistic])
        statistic.current.publish_successor(why="correction", why_note="A slip.", value=98_000_000, display_text="98M")

        response = self.client.get(article.get_absolute_url())

        self.assertContains(response, "Corrected 24 Nov 2026")
        self.assertContains(response, "97M is now 98M")
