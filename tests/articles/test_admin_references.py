"""References to figures at the desk: what the editor of text asks for, and what is said of them on saving."""

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles.models import Article, CallOut, RichText, Statistic
from tests.articles.article_forms import form_data, row
from tests.factories import (
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_source,
    make_statistic,
    make_user,
)

URL = "/admin/articles/article/figures/"


class FiguresTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        source = make_source(producer="WEF", title="Future of Jobs", edition="2023")
        evidence = {"source": source, "check_status": "disputed", "check_note": "Older."}
        make_statistic("97M", slug="new-roles", claim="new jobs", scope="worldwide", **evidence)
        role = make_role("ML Engineer", pay={"GB": (65_000, 120_000), "US": (140_000, 250_000, True)})
        make_salary(role, make_markets()["GB"], kind="base", level="Senior", low=80_000, high=None, is_open_ended=True)

    def get(self, **query):
        return self.client.get(URL, query)

    def found(self, **query):
        return [figure["reference"] for figure in self.get(**query).json()["figures"]]

    def test_it_lists_statistics_and_ranges_with_what_they_are_about_and_their_evidence(self):
        self.client.force_login(make_user("Author"))

        response = self.get(q="")

        self.assertEqual(
            response.json()["figures"],
            [
                {
                    "reference": "statistic:new-roles",
                    "text": "97M",
                    "about": "new jobs (worldwide)",
                    "source": "WEF, Future of Jobs, 2023",
                    "status": "Disputed",
                },
                {
                    "reference": "salary:ml-engineer/gb",
                    "text": "£65K–£120K",
                    "about": "ML Engineer, UK: £65,000 to £120,000 a year (base or total not stated)",
                    "source": "",
                    "status": "No source stated; base or total not stated",
                },
                {
                    "reference": "salary:ml-engineer/gb/base/year/Senior",
                    "text": "£80K+",
                    "about": "ML Engineer, UK, Senior: £80,000 or more a year (base pay)",
                    "source": "",
                    "status": "No source stated",
                },
                {
                    "reference": "salary:ml-engineer/us",
                    "text": "$140K–$250K+",
                    "about": "ML Engineer, US: $140,000 to $250,000 or more a year (base or total not stated)",
                    "source": "",
                    "status": "No source stated; base or total not stated",
                },
            ],
        )
        self.assertIn("no-store", response.headers["Cache-Control"])

    def test_all_words_must_be_found(self):
        self.client.force_login(make_user("Author"))

        self.assertEqual(self.found(q="jobs WORLD"), ["statistic:new-roles"])
        self.assertEqual(self.found(q="engineer us"), ["salary:ml-engineer/us"])
        self.assertEqual(self.found(q="senior"), ["salary:ml-engineer/gb/base/year/Senior"])
        self.assertEqual(self.found(q="engineer jobs"), [])
        self.assertEqual(self.found(q="%"), [])

    def test_it_tells_what_references_mean_and_leaves_out_unknown_ones(self):
        self.client.force_login(make_user("Author"))

        asked = ["salary:ml-engineer/us", "statistic:new-roles", "statistic:lost", "tool:x"]

        self.assertEqual(set(self.found(reference=asked)), {"salary:ml-engineer/us", "statistic:new-roles"})

    def test_at_most_twenty_are_listed_in_a_fixed_number_of_queries_and_each_kind_has_its_share(self):
        self.client.force_login(make_user("Author"))
        self.get(q="")
        with self.assertNumQueries(9):
            self.get(q="")
        for _ in range(30):
            make_statistic(source=make_source())
            make_role(pay={"GB": (1, 2), "US": (3, 4)})

        with self.assertNumQueries(9):
            found = self.found(q="")

        self.assertEqual([sum(reference.startswith(kind) for reference in found) for kind in ("st", "sa")], [10, 10])

    def test_what_is_too_long_too_much_or_malformed_is_refused(self):
        self.client.force_login(make_user("Author"))

        self.assertEqual(self.get(q="x" * 100).status_code, 200)
        self.assertEqual(self.get(q="x" * 101).status_code, 400)
        self.assertEqual(self.get(q="a\x00b").status_code, 400)
        self.assertEqual(self.get(reference=["statistic:a"] * 20).status_code, 200)
        self.assertEqual(self.get(reference=["statistic:a"] * 21).status_code, 400)
        for reference in ("", "new-roles", "statistic:", "statistic:a b", "statistic:<x>"):
            with self.subTest(reference):
                self.assertEqual(self.get(reference=reference).status_code, 400)

    def test_it_is_refused_to_whoever_does_not_work_on_articles(self):
        self.assertRedirects(self.get(), f"/admin/login/?next={URL}")
        self.client.force_login(make_user())
        self.assertEqual(self.get().status_code, 403)
        self.client.force_login(make_user("Author", is_staff=False))
        self.assertRedirects(self.get(), f"/admin/login/?next={URL}")
        self.client.force_login(make_user("Author"))
        self.assertEqual(self.get().status_code, 200)

    def test_it_is_only_read(self):
        self.client.force_login(make_user("Editor"))

        self.assertEqual(self.client.post(URL).status_code, 405)
        self.assertEqual(self.client.head(URL).status_code, 200)


class ArticleFormTests(TestCase):
    def setUp(self):
        self.client.force_login(make_user("Author"))

    def save(self, html, **values):
        texts = row("articles_richtext_set", {"html": html, "region": "main", "ordering": 10})
        data = form_data(**texts) | {"_continue": "1"} | values
        return self.client.post("/admin/articles/article/add/", data, follow=True)

    def test_a_reference_is_saved_without_any_number_and_comes_back_in_the_form(self):
        make_statistic(slug="new-roles")

        response = self.save('<p>Some <data value="statistic:new-roles">97M</data>.</p>')

        html = '<p>Some <data value="statistic:new-roles"></data>.</p>'
        self.assertEqual(RichText.objects.get().html, html)
        self.assertContains(response, "&lt;data value=&quot;statistic:new-roles&quot;&gt;&lt;/data&gt;")
        self.assertContains(response, "js/admin/figure-reference.js")
        self.assertContains(response, reverse("admin:articles_article_figures"))

    def test_an_unknown_reference_is_refused_in_words_and_stays_in_the_form(self):
        make_statistic(slug="new-roles")
        html = '<p><data value="statistic:new-roles"></data> <data value="salary:lost/gb"></data></p>'

        response = self.save(html)

        self.assertContains(response, "There is no figure “salary:lost/gb”.")
        self.assertContains(response, "choose another with the button “Figure”.")
        self.assertContains(response, "&lt;data value=&quot;salary:lost/gb&quot;&gt;")
        self.assertNotContains(response, "There is no figure “statistic:new-roles”.")
        self.assertFalse(Article.objects.exists())

    def test_each_kind_of_text_is_checked_but_not_what_is_removed(self):
        lost = '<p><data value="statistic:lost"></data></p>'
        call_out = row(
            "articles_callout_set", {"heading": "x", "html": lost, "region": "main", "ordering": 20, "DELETE": ""}
        )

        refused = self.save("<p>Hello</p>", **call_out)
        saved = self.save("<p>Hello</p>", **call_out | {"articles_callout_set-0-DELETE": "on"})

        self.assertContains(refused, "There is no figure “statistic:lost”.")
        self.assertContains(saved, "was added successfully")
        self.assertFalse(CallOut.objects.exists())

    def test_a_removed_text_is_not_checked_beside_one_that_is_refused(self):
        lost = {"html": '<p><data value="statistic:lost"></data></p>', "region": "main", "ordering": 10}
        empty = {"html": "<p></p>", "region": "main", "ordering": 20}
        texts = row("articles_richtext_set", lost | {"DELETE": "on"}, empty)

        response = self.save("", **texts)

        self.assertContains(response, "Write something here, or remove the block.")
        self.assertNotContains(response, "There is no figure")

    def test_checking_costs_as_many_queries_for_many_texts_as_for_one(self):
        make_statistic(slug="new-roles")
        lost = '<p><data value="statistic:new-roles"></data> <data value="statistic:lost"></data></p>'

        def refuse(count):
            forms = [{"html": lost, "region": "main", "ordering": place} for place in range(count)]
            with CaptureQueriesContext(connection) as queries:
                response = self.client.post(
                    "/admin/articles/article/add/", form_data(**row("articles_richtext_set", *forms))
                )
            self.assertContains(response, "There is no figure “statistic:lost”.", count=count)
            return sum("articles_statisticvalue" in query["sql"] for query in queries)

        self.assertEqual(refuse(1), 1)
        self.assertEqual(refuse(20), 1)

    def test_bare_figures_are_named_in_the_checklist_and_do_not_keep_from_saving(self):
        response = self.save("<p>They earn £65K a year.</p>", title="Over 97M")

        self.assertContains(response, "was added successfully")
        checklist = self.client.get(reverse("admin:articles_article_checklist", args=[Article.objects.get().pk]))
        advice = "is typed in; a reference to the figure would stay right."
        self.assertContains(checklist, f"Block 1: “£65K” in “They earn £65K a year.” {advice}")
        self.assertContains(checklist, f"“97M” in “Over 97M” {advice}")

    def test_references_and_plain_counts_are_no_bare_figures(self):
        make_statistic(slug="new-roles")

        self.save('<p>In 2026 <data value="statistic:new-roles"></data> of 8 roles.</p>')

        checklist = self.client.get(reverse("admin:articles_article_checklist", args=[Article.objects.get().pk]))
        self.assertNotContains(checklist, "is typed in")


class DraftTests(TestCase):
    def test_a_draft_shows_the_current_figures(self):
        make_statistic("97M", slug="new-roles", source=make_source(), check_status="confirmed", as_of="2026")
        article = make_draft(html='<p>Some <data value="statistic:new-roles"></data>.</p>')
        self.client.force_login(make_user("Author"))

        response = self.client.get(f"/admin/articles/article/{article.pk}/draft/")

        self.assertContains(response, ">97M</data></a>.</p>")
        self.assertEqual(Statistic.objects.count(), 1)
