from django.test import TestCase
from django.urls import reverse

from articles.models import Article, CallOut, Statistic, StatisticBlock
from tests.articles.article_forms import row
from tests.factories import (
    add_role_table,
    make_article,
    make_draft,
    make_role,
    make_skill,
    make_source,
    make_statistic,
    make_table,
    make_user,
    publish_as_is,
)


class DeletionTests(TestCase):
    def test_a_record_in_a_published_article_is_kept_and_the_page_says_where_it_is_used(self):
        statistic = make_statistic()
        article = make_article(title="Uses it", statistics=[statistic])
        StatisticBlock.objects.all().delete()
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:articles_statistic_delete", args=[statistic.pk])

        self.assertContains(self.client.get(url), f"{article.get_absolute_url()}")
        self.client.post(url, {"post": "yes"})

        statistic.refresh_from_db()

    def test_a_role_in_a_published_article_is_kept_and_the_page_says_where_it_is_used(self):
        role = make_role("Data Scientist")
        article = make_draft(title="Compares roles")
        add_role_table(article, make_table(role))
        publish_as_is(article)
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:careers_role_delete", args=[role.pk])

        response = self.client.get(url)
        self.client.post(url, {"post": "yes"})

        self.assertContains(response, "Compares roles")
        role.refresh_from_db()

    def test_an_article_that_was_published_cannot_be_deleted(self):
        article = make_article()
        self.client.force_login(make_user("Administrator"))

        response = self.client.post(f"/admin/articles/article/{article.pk}/delete/", {"post": "yes"})

        self.assertEqual(response.status_code, 403)

    def test_a_skill_that_is_asked_for_is_kept_and_the_page_says_where(self):
        role = make_role("Data Scientist", core=["Python"])
        skill = role.requirements.get().skills.get()
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:careers_skill_delete", args=[skill.pk])

        response = self.client.get(url)
        self.client.post(url, {"post": "yes"})

        self.assertContains(response, "“Python” of Data Scientist asks for it")
        skill.refresh_from_db()

    def test_what_documents_name_keeps_its_slug(self):
        statistic = make_statistic()
        self.client.force_login(make_user("Editor"))

        self.client.post(
            f"/admin/articles/statistic/{statistic.pk}/change/",
            {"slug": "other", "claim": "New words", "unit": "x", "why_note": "A slip."} | row("values"),
        )

        slug = statistic.slug
        statistic.refresh_from_db()
        self.assertEqual((statistic.slug, statistic.claim), (slug, "New words"))


class RewordingTests(TestCase):
    """The words of a published figure are changed in public or not at all."""

    def setUp(self):
        self.client.force_login(make_user("Editor"))
        self.statistic = make_statistic("97M", claim="jobs are new", unit="jobs")

    def post(self, statistic, **values):
        data = {"claim": "jobs will be new", "unit": "people", "scope": "", **values} | row("values")
        return self.client.post(f"/admin/articles/statistic/{statistic.pk}/change/", data)

    def test_other_words_are_a_correction_that_says_what_they_were(self):
        self.post(self.statistic, why_note="It is a projection.")

        current = self.statistic.current
        self.statistic.refresh_from_db()
        self.assertEqual((self.statistic.claim, self.statistic.unit), ("jobs will be new", "jobs"))
        self.assertEqual((current.why, current.display_text), ("correction", "97M"))
        self.assertEqual(current.why_note, "It is a projection. Before: “jobs are new”")
        self.assertContains(self.client.get("/corrections/"), "Before: “jobs are new”")

    def test_without_a_reason_they_are_refused_and_stay_in_the_form(self):
        response = self.post(self.statistic)

        self.assertContains(response, "A published figure gets other words. Say why: readers see it.")
        self.assertContains(response, "jobs will be new")
        self.statistic.refresh_from_db()
        self.assertEqual(self.statistic.claim, "jobs are new")

    def test_a_statistic_without_a_figure_is_worded_freely(self):
        bare = Statistic.objects.create(slug="bare", claim="jobs are new", unit="jobs")

        self.post(bare, slug="bare")

        bare.refresh_from_db()
        self.assertEqual((bare.claim, bare.unit), ("jobs will be new", "people"))

    def test_a_withdrawn_figure_is_not_listed_as_if_it_stood(self):
        self.statistic.current.publish_successor(why="retraction", why_note="Made up.")

        response = self.client.get("/admin/articles/statistic/")

        self.assertContains(response, '<td class="field-figure">withdrawn</td>', html=True)


class RepeatedRowTests(TestCase):
    """Two new rows of one form that the database would take for one."""

    def setUp(self):
        self.client.force_login(make_user("Editor"))

    def test_the_same_alias_twice(self):
        data = {"slug": "x", "name": "X", "kind": "data"} | row("aliases", {"alias": "y"}, {"alias": "Y"})

        response = self.client.post("/admin/careers/skill/add/", data)

        self.assertContains(response, "This alias belongs to a skill already.")

    def test_the_same_line_twice(self):
        skill = make_skill()
        line = {"importance": "must", "label": "SQL", "needs": "any", "skills": [skill.pk], "order": 0}
        data = {"slug": "x", "name": "X", "order": 0} | row("requirements", line, line)

        response = self.client.post("/admin/careers/careerpath/add/", data)

        self.assertContains(response, "This list has a line of this name already.")


class EveryAdminPageTests(TestCase):
    def test_every_list_and_form_opens_for_an_administrator(self):
        from django.contrib import admin

        make_article(statistics=[make_statistic(source=make_source())])
        make_table(make_role(pay={"GB": (1, 2)}, core=["Python"]))
        CallOut.objects.create(parent=Article.objects.get(), region="main", ordering=1, heading="x", html="<p>y</p>")
        self.client.force_login(make_user(is_superuser=True))

        for model, model_admin in admin.site._registry.items():
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            with self.subTest(base):
                self.assertEqual(self.client.get(base).status_code, 200)
                search = self.client.get(f"{base}?q=x")
                self.assertEqual(search.status_code, 200)
                first = model._default_manager.first()
                if first is not None:
                    self.assertEqual(self.client.get(f"{base}{first.pk}/change/").status_code, 200)
                if model_admin.has_add_permission(search.wsgi_request):
                    self.assertEqual(self.client.get(f"{base}add/").status_code, 200)
