from datetime import timedelta

import time_machine
from django.test import TestCase
from django.utils import timezone

from articles.models import Article
from articles.schedule import schedule
from careers.models import Requirement, RoleRelation, SkillList
from tests.factories import (
    add_role_table,
    make_article,
    make_draft,
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_skill,
    make_table,
    publish_as_is,
)


class IndexTests(TestCase):
    def test_it_shows_roles_with_pay_and_core_skills(self):
        make_role("ML Engineer", pay={"GB": (65_000, 120_000), "US": (140_000, 250_000, True)}, core=["Python"])

        response = self.client.get("/careers/")

        for text in ("ML Engineer", "£65K–£120K", "$140K–$250K+", "Python", "No source stated"):
            self.assertContains(response, text)
        self.assertContains(response, "<caption", count=1)

    def test_the_headings_are_links_and_one_says_how_it_is_sorted(self):
        make_role("Analyst", pay={"GB": (1000, 2000), "US": (1000, 2000)})

        response = self.client.get("/careers/?sort=-gb_high")

        self.assertContains(response, 'aria-sort="descending"', count=1)
        self.assertContains(response, 'href="/careers/?sort=gb_high"')
        self.assertContains(response, 'href="/careers/?sort=role"')

    def test_the_form_filters_by_skill_and_market_and_keeps_the_sort_order(self):
        make_role("Analyst", pay={"GB": (1000, 2000)}, core=["SQL"])
        make_role("Builder", pay={"US": (1000, 2000)}, core=["Python"])

        response = self.client.get("/careers/?skill=python&market=us&sort=-us_high")

        self.assertContains(response, "Builder")
        self.assertNotContains(response, 'href="/careers/analyst/"')
        self.assertContains(response, '<option value="python" selected>')
        self.assertContains(response, '<input type="hidden" name="sort" value="-us_high">')

    def test_ignored_values_are_named_and_escaped(self):
        response = self.client.get("/careers/?skill=%3Cscript%3E&colour=blue")

        self.assertContains(response, "skill=&lt;script&gt;")
        self.assertContains(response, "colour=blue")

    def test_a_date_before_all_figures_says_so_and_draws_nothing(self):
        make_role("Analyst", pay={"GB": (1000, 2000)})

        response = self.client.get("/careers/?as_of=1999&view=chart")

        self.assertContains(response, "No figure is on record for 1999.")
        self.assertContains(response, 'href="/careers/?view=chart">Show today’s</a>')
        self.assertNotContains(response, "pay-chart__drawing")

    def test_pay_of_a_date_says_that_requirements_are_todays(self):
        role = make_role("Analyst")
        make_salary(role, make_markets()["GB"], as_of="2024")

        self.assertContains(self.client.get("/careers/?as_of=2025"), "Pay as of 2025; requirements as they are now.")

    def test_a_skill_that_no_role_requires_stays_chosen(self):
        make_skill("Weaving")

        self.assertContains(self.client.get("/careers/?skill=weaving"), '<option value="weaving" selected>Weaving')

    def test_the_printed_address_is_that_of_what_is_shown_and_holds_nothing_else(self):
        make_markets()

        response = self.client.get("/careers/?sort=-gb_high&utm_source=x&colour=red&market=us")

        self.assertRegex(response.text, r"colophon__address.>[^<]*/careers/[?]market=us</p>")

    def test_a_hundred_roles_cost_as_many_queries_as_eight(self):
        for _ in range(8):
            make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python", "SQL"])
        with self.assertNumQueries(10):
            self.client.get("/careers/")
        for _ in range(92):
            make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python", "RAG"])

        with self.assertNumQueries(10):
            self.client.get("/careers/")

    def test_it_opens_without_any_role(self):
        self.assertEqual(self.client.get("/careers/").status_code, 200)


class CanonicalTests(TestCase):
    def test_what_other_sites_append_makes_it_no_other_page(self):
        plain, tracked, asked = (
            self.client.get(f"/careers/{query}").text for query in ("", "?utm_source=x", "?page=1")
        )

        self.assertNotIn("noindex", tracked)
        self.assertEqual("Dataset" in plain, "Dataset" in tracked)
        self.assertIn("noindex", asked)
        self.assertNotIn("noindex", self.client.get("/careers/compare/?fbclid=x").text)


class RoleTests(TestCase):
    def test_it_shows_pay_lists_articles_codes_and_relations(self):
        path = make_path("Data work")
        Requirement.objects.create(path=path, importance="must", label="SQL", detail="reshaping data")
        role = make_role("Data Scientist", path=path, pay={"GB": (50_000, 95_000)}, core=["Statistics"])
        other = make_role("ML Engineer")
        RoleRelation.objects.create(role=role, related=other)
        role.codes.create(
            scheme="ESCO", code="258e", label="data scientist", match="exact", checked_in="CSV", checked_on="2026-11-23"
        )
        article = make_draft(title="Mentions it")
        add_role_table(article, make_table(role))
        publish_as_is(article)

        response = self.client.get("/careers/data-scientist/")

        for text in ("£50K–£95K", "Statistics", "SQL", "Reshaping data", "Mentions it", "ESCO", "258e", "ML Engineer"):
            self.assertContains(response, text)

    def test_an_article_mentions_it_from_the_moment_on_at_which_readers_see_that(self):
        path = make_path()
        role, tabled = make_role(path=path), make_role()
        article = make_article(title="Changes later")
        moment = timezone.now() + timedelta(days=1)
        SkillList.objects.create(parent=article, region="main", ordering=20, path=path)
        add_role_table(article, make_table(tabled))
        Article.objects.filter(pk=article.pk).update(changed_at=timezone.now())
        schedule(article, at=moment, by=None, reason="They are all we have.")

        for page in (role, path, tabled):
            with self.subTest(page):
                self.assertNotContains(self.client.get(page.get_absolute_url()), "Changes later")
        with time_machine.travel(moment):
            for page in (role, path, tabled):
                with self.subTest(page):
                    self.assertContains(self.client.get(page.get_absolute_url()), "Changes later")

    def test_articles_that_list_its_path_mention_it_and_drafts_do_not(self):
        path = make_path()
        role = make_role(path=path)
        article, draft = make_draft(title="Lists the path"), make_draft(title="A draft")
        for parent in (article, draft):
            SkillList.objects.create(parent=parent, region="main", ordering=20, path=path)
        publish_as_is(article)

        response = self.client.get(role.get_absolute_url())

        self.assertContains(response, "Lists the path")
        self.assertNotContains(response, "A draft")

    def test_pay_by_the_day_is_shown_on_an_axis_of_its_own(self):
        role = make_role(pay={"GB": (50_000, 90_000)})
        make_salary(role, make_markets()["GB"], period="day", low=400, high=600)

        response = self.client.get(role.get_absolute_url())

        self.assertContains(response, "£400–£600")
        self.assertContains(response, "a day")

    def test_yearly_pay_can_be_taken_away_as_a_chart_of_each_market(self):
        role = make_role("Analyst", pay={"GB": (50_000, 90_000)})
        make_salary(role, make_markets()["US"], period="day", low=400, high=600)

        response = self.client.get(role.get_absolute_url())

        self.assertContains(response, 'href="/careers/charts/gb.svg?roles=analyst"')
        self.assertNotContains(response, "/careers/charts/us.svg")

    def test_the_history_of_its_pay_is_shown_once_there_is_one(self):
        role = make_role(pay={"GB": (50_000, 90_000), "US": (100_000, 180_000)})
        self.assertNotContains(self.client.get(role.get_absolute_url()), "History of pay")

        range_ = role.salary_ranges.get(market__code="GB")
        range_.publish_successor(high=80_000, why="correction", why_note="Bonuses were counted.")

        response = self.client.get(role.get_absolute_url())
        for text in ("History of pay", "<del>£50K–£90K</del>", "Correction: Bonuses were counted."):
            self.assertContains(response, text)
        self.assertContains(response, "£50K–£80K")

    def test_withdrawn_pay_says_so_with_the_reason_and_shows_no_figure(self):
        role = make_role("Analyst", pay={"GB": (50_000, 90_000)})

        role.salary_ranges.get().publish_successor(why="retraction", why_note="Made up.")

        response = self.client.get(role.get_absolute_url())
        self.assertContains(response, '<p class="pay__none">Withdrawn</p>')
        self.assertContains(response, "Retraction: Made up.")
        self.assertNotContains(response, 'class="numeral')
        table = self.client.get("/careers/?sort=-gb_high&min=1")
        self.assertNotContains(table, "£50K–£90K")
        comparison = self.client.get("/careers/")
        self.assertRegex(comparison.text, r'role-table__pay">Withdrawn<span class="note-mark">')
        self.assertContains(comparison, "Made up.")

    def test_it_shows_the_nearest_roles_in_both_directions_with_what_is_missing(self):
        role = make_role("Analyst", core=["SQL", "Statistics"])
        make_role("Scientist", core=["SQL", "Statistics", "Python"])
        make_role("Lawyer", core=["Law"])

        response = self.client.get(role.get_absolute_url())

        for text in ("From Analyst to", "To Analyst from", "2 of 3</span> musts come along", "Missing: Python."):
            self.assertContains(response, text)
        self.assertContains(response, "Nothing on its list of musts is missing.")
        self.assertContains(response, 'href="/careers/compare/?roles=analyst,scientist"')
        self.assertNotContains(response, "Lawyer")

    def test_an_unknown_role_is_not_found(self):
        self.assertEqual(self.client.get("/careers/astronaut/").status_code, 404)

    def test_its_queries_do_not_grow_with_other_roles_nor_with_its_lists(self):
        role = make_role(pay={"GB": (1, 2)}, core=["Python"])
        with self.assertNumQueries(13):
            self.client.get(role.get_absolute_url())
        for number in range(20):
            make_role(pay={"GB": (1, 2)})
            make_salary(role, make_markets()["US"], level=f"level {number}")
            line = Requirement.objects.create(role=role, importance="must", label=f"Line {number}")
            line.skills.set(role.requirements.first().skills.all())

        with self.assertNumQueries(13):
            self.client.get(role.get_absolute_url())


class PathTests(TestCase):
    def test_it_shows_its_lists_with_links_to_their_skills_and_its_roles_with_pay(self):
        path = make_path("Data work", summary="Work with data.")
        sql, both = (path.requirements.create(importance="must", label=label) for label in ("Queries", "Frameworks"))
        sql.skills.set([make_skill("SQL")])
        both.skills.set([make_skill("PyTorch"), make_skill("TensorFlow")])
        path.requirements.create(importance="nice", label="Cloud").skills.set([make_skill("Cloud")])
        make_role("Data Scientist", path=path, pay={"GB": (50_000, 95_000)}, core=["Python"])
        make_role("Elsewhere", pay={"GB": (1, 2)})

        response = self.client.get("/careers/paths/data-work/")

        for text in (
            "Work with data.",
            '<a href="/careers/skills/sql/">Queries</a>',
            '<a href="/careers/skills/cloud/">Cloud</a>',
            'Met by <a href="/careers/skills/pytorch/">PyTorch</a> or <a href="/careers/skills/tensorflow/">',
            "Data Scientist",
            "£50K–£95K",
            'href="/careers/?path=data-work"',
        ):
            with self.subTest(text):
                self.assertContains(response, text)
        self.assertNotContains(response, "Elsewhere")
        self.assertNotContains(response, "sort=")

    def test_articles_that_show_its_list_are_named_and_drafts_are_not(self):
        path = make_path()
        article, draft = make_draft(title="Lists the path"), make_draft(title="A draft")
        for parent in (article, draft):
            SkillList.objects.create(parent=parent, region="main", ordering=20, path=path)
        publish_as_is(article)

        response = self.client.get(path.get_absolute_url())

        self.assertContains(response, "Lists the path")
        self.assertNotContains(response, "A draft")

    def test_its_queries_do_not_grow(self):
        def grow(number):
            for place in range(number):
                make_role(path=path, pay={"GB": (1, 2), "US": (3, 4)}, core=["Python"])
                line = path.requirements.create(importance="must", label=f"Line {place} of {number}")
                line.skills.set([make_skill("Python"), make_skill(f"Skill {place}")])

        path = make_path()
        grow(2)
        with self.assertNumQueries(12):
            self.client.get(path.get_absolute_url())
        grow(20)

        with self.assertNumQueries(12):
            self.client.get(path.get_absolute_url())

    def test_of_many_roles_the_first_are_shown_and_the_way_to_all(self):
        path = make_path()
        for _ in range(51):
            make_role(path=path)

        response = self.client.get(path.get_absolute_url())

        self.assertContains(response, f'href="/careers/?path={path.slug}">All 51 roles, to sort and filter</a>')

    def test_a_bare_path_says_so(self):
        self.assertContains(self.client.get(make_path().get_absolute_url()), "No role stands on this path yet.")

    def test_an_unknown_path_is_not_found(self):
        self.assertEqual(self.client.get("/careers/paths/none/").status_code, 404)


class BlockTests(TestCase):
    def test_a_list_in_an_article_links_the_skill_of_a_line_and_stays_calm_where_there_are_several(self):
        path = make_path()
        for label, skills in (("Queries", ["SQL"]), ("Frameworks", ["PyTorch", "TensorFlow"])):
            line = path.requirements.create(importance="must", label=label)
            line.skills.set([make_skill(skill) for skill in skills])
        article = make_draft()
        SkillList.objects.create(parent=article, region="main", ordering=20, path=path)
        publish_as_is(article)

        response = self.client.get(article.get_absolute_url())

        self.assertContains(response, '<a href="/careers/skills/sql/">Queries</a>')
        self.assertContains(response, "Frameworks")
        self.assertNotContains(response, "/careers/skills/pytorch/")

    def test_one_edit_of_a_range_shows_in_the_article_and_in_careers(self):
        role = make_role("ML Engineer", pay={"GB": (65_000, 120_000)})
        article = make_draft()
        add_role_table(article, make_table(role))
        publish_as_is(article)

        role.salary_ranges.get().publish_successor(high=125_000, why="update")

        for path in (article.get_absolute_url(), "/careers/"):
            with self.subTest(path):
                response = self.client.get(path)
                self.assertContains(response, "£65K–£125K")
                self.assertNotContains(response, "£120K")
