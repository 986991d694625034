from django.contrib.admin.models import LogEntry
from django.test import TestCase

from articles.models import Article, RichText, StatisticBlock
from articles.publishing import UnresolvedErrorsError, publish
from tests.articles.article_forms import changed, form_data, row
from tests.factories import (
    add_role_table,
    make_author,
    make_category,
    make_draft,
    make_role,
    make_source,
    make_statistic,
    make_table,
    make_user,
    publish_as_is,
)


class GateTests(TestCase):
    def test_a_draft_without_errors_is_published_without_a_reason(self):
        article = make_draft(statistics=[make_statistic(source=make_source())])

        version = publish(article, by=None, reason="Not needed.")

        self.assertEqual((version.open_points, version.open_reason), ([], ""))

    def test_errors_need_a_reason_and_nothing_changes_without_one(self):
        article = make_draft(statistics=[make_statistic("97M")])

        with self.assertRaises(UnresolvedErrorsError) as caught:
            publish(article, by=None)

        self.assertEqual([finding.rule.key for finding in caught.exception.args[0].figures], ["no-source"])
        article.refresh_from_db()
        self.assertIsNone(article.live_version)

    def test_the_reason_and_what_is_open_are_kept_with_the_version_and_shown_to_readers(self):
        article = make_draft(statistics=[make_statistic("97M"), make_statistic(check_status="disputed")])
        version = publish(article, by=None, reason="They are often quoted.")

        article.refresh_from_db()
        response = self.client.get(article.get_absolute_url())

        self.assertEqual(
            version.open_points, ["No source: 2 figures.", "Disputed, or not found in the source: 1 figure."]
        )
        for text in ("Open questions", "They are often quoted.", "No source: 2 figures."):
            self.assertContains(response, text)

    def test_publishing_what_is_live_already_asks_for_nothing(self):
        article = make_draft(statistics=[make_statistic()])
        publish_as_is(article)
        article.refresh_from_db()

        self.assertEqual(publish(article, by=None), article.live_version)

    def test_what_is_resolved_is_no_longer_called_open_once_it_is_published_again(self):
        statistic = make_statistic("97M")
        article = make_draft(statistics=[statistic])
        publish_as_is(article)
        statistic.current.publish_successor(why="re-sourced", source=make_source())

        version = publish(article, by=None)

        self.assertEqual((version.open_points, version.open_reason), ([], ""))
        self.assertEqual(article.versions.count(), 2)

    def test_the_figure_of_its_card_and_withdrawn_figures_count_too(self):
        leading, withdrawn = make_statistic("97M"), make_statistic("3%", source=make_source())
        withdrawn.current.publish_successor(why="retraction", why_note="Made up.")
        article = make_draft(headline=leading, statistics=[withdrawn])

        version = publish(article, by=None, reason="They are all we have.")

        self.assertEqual(version.open_points, ["Withdrawn: 1 figure.", "No source: 1 figure."])

    def test_figures_in_tables_count_too(self):
        article = make_draft()
        add_role_table(article, make_table(make_role(pay={"GB": (1, 2), "US": (3, 4)})))

        with self.assertRaises(UnresolvedErrorsError) as caught:
            publish(article, by=None)

        self.assertEqual(len(caught.exception.args[0].figures), 2)

    def test_errors_of_the_checklist_need_a_reason_too(self):
        article = make_draft(html="<h3>Deep</h3><p>Text</p>")

        with self.assertRaises(UnresolvedErrorsError) as caught:
            publish(article, by=None)
        version = publish(article, by=None, reason="It was asked for.")

        self.assertEqual([point.rule for point in caught.exception.args[0].places], ["headings"])
        self.assertEqual(version.open_points, ["Headings out of order: 1 place."])

    def test_warnings_of_the_checklist_stand_in_nobody_s_way(self):
        article = make_draft(html="<p>Over £65K. <a href='/articles/'>Here</a></p>")

        self.assertEqual(publish(article, by=None).open_points, [])

    def test_it_costs_as_many_queries_for_two_hundred_figures_as_for_two(self):
        def count(number):
            article = make_draft(statistics=[make_statistic(source=make_source()) for _ in range(number)])
            with self.assertNumQueries(39):
                publish(article, by=None)

        count(2)
        count(200)


class GateViewTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.statistic = make_statistic("97M", slug="jobs", claim="jobs are new")
        cls.article = make_draft(title="About jobs", statistics=[cls.statistic])

    def setUp(self):
        self.url = f"/admin/articles/article/{self.article.pk}/publish/"

    def sign_in(self, group):
        self.client.force_login(make_user(group))

    def post(self, **values):
        """Send the form as the page offers it."""
        page = self.client.get(self.url)
        seen = page.context["form"].initial["seen"] if page.status_code == 200 else ""
        return self.client.post(self.url, {"seen": seen, **values})

    def test_who_publishes_a_draft_with_errors_is_led_to_the_gate_and_the_draft_is_saved(self):
        self.sign_in("Editor")
        data = form_data(
            number=7,
            category=make_category().pk,
            _publish="Publish",
            **row("bylines", {"author": make_author().pk, "credit": "Written by", "order": 0}),
            **row("articles_statisticblock_set", {"statistic": self.statistic.pk, "region": "main", "ordering": 10}),
        )

        response = self.client.post("/admin/articles/article/add/", data, follow=True)

        article = Article.objects.get(number=7)
        self.assertRedirects(response, f"/admin/articles/article/{article.pk}/publish/")
        for text in (
            "97M",
            "It names no source.",
            f"/admin/articles/statisticvalue/{self.statistic.current.pk}/change/",
        ):
            self.assertContains(response, text)
        self.assertIsNone(article.live_version)

    def test_an_error_of_the_checklist_leads_to_its_place_in_the_form(self):
        self.sign_in("Editor")
        article = make_draft(html="<h3>Deep</h3><p>Text</p>")

        response = self.client.get(f"/admin/articles/article/{article.pk}/publish/")

        self.assertContains(response, "“Deep” is a heading of the second rank")
        self.assertContains(response, f"/admin/articles/article/{article.pk}/change/#articles_richtext_set-0")

    def test_an_editor_sees_the_errors_but_may_not_publish_despite_them(self):
        self.sign_in("Editor")

        self.assertContains(self.client.get(self.url), "ask a chief editor")
        self.assertEqual(self.post(reason="I want to.").status_code, 403)
        self.article.refresh_from_db()
        self.assertIsNone(self.article.live_version)

    def test_a_chief_editor_publishes_with_a_reason_that_is_logged(self):
        self.sign_in("Chief editor")

        response = self.post(reason="It is often quoted.")

        self.assertRedirects(response, f"/admin/articles/article/{self.article.pk}/change/")
        self.article.refresh_from_db()
        self.assertEqual(self.article.live_version.open_reason, "It is often quoted.")
        self.assertIn("It is often quoted.", LogEntry.objects.latest("pk").change_message)

    def test_the_note_for_the_history_is_kept_on_the_way_through_the_gate(self):
        self.sign_in("Chief editor")
        data = changed(self.article, "<p>x</p>", publish_note="First edition & more", _publish="1")
        statistics = {
            "id": StatisticBlock.objects.get().pk,
            "statistic": self.statistic.pk,
            "region": "main",
            "ordering": 20,
        }
        data |= row("articles_statisticblock_set", statistics | {"parent": self.article.pk}, initial=1)

        page = self.client.post(f"/admin/articles/article/{self.article.pk}/change/", data, follow=True)

        self.assertContains(page, 'value="First edition &amp; more"')
        self.post(reason="It is often quoted.", publish_note="First edition & more")
        self.article.refresh_from_db()
        self.assertEqual(self.article.live_version.note, "First edition & more")

    def test_a_moment_that_cannot_be_read_publishes_nothing(self):
        self.sign_in("Chief editor")
        for at in ("2026-13-01T00:00:00Z", "soon", "9999-12-31T23:59:59-23:59", "2026-01-01"):
            self.assertEqual(self.client.get(f"{self.url}?at={at}").status_code, 200)
            self.assertContains(self.post(reason="Because.", at=at), "The moment is not readable.")
        self.article.refresh_from_db()
        self.assertIsNone(self.article.live_version)

    def test_without_a_reason_the_form_says_what_it_is_for(self):
        self.sign_in("Chief editor")

        response = self.post(reason="  ")

        self.assertContains(response, "Say why: readers see the reason.")
        self.article.refresh_from_db()
        self.assertIsNone(self.article.live_version)

    def test_what_changed_since_the_page_was_opened_is_not_published_unseen(self):
        self.sign_in("Chief editor")
        seen = self.client.get(self.url).context["form"].initial["seen"]
        changes = [
            lambda: self.statistic.current.publish_successor(why="re-sourced", check_status="disputed"),
            lambda: self.article.save(),
            lambda: RichText.objects.create(parent=self.article, region="main", ordering=99, html="<h3>Deep</h3>"),
        ]
        for change in changes:
            change()

            response = self.post(reason="It is often quoted.", seen=seen)

            self.assertContains(response, "has changed since this page was opened.")
            self.assertContains(response, "It is often quoted.")
            self.article.refresh_from_db()
            self.assertIsNone(self.article.live_version)
            seen = response.context["form"]["seen"].value()

        self.post(reason="It is often quoted.", seen=seen)
        self.article.refresh_from_db()
        self.assertIsNotNone(self.article.live_version)

    def test_the_last_reason_is_offered_again(self):
        self.sign_in("Chief editor")
        publish(self.article, by=None, reason="As last time.")

        self.assertContains(self.client.get(self.url), "As last time.")

    def test_when_no_error_is_left_the_gate_leads_back(self):
        self.sign_in("Editor")
        self.statistic.current.publish_successor(why="re-sourced", source=make_source())

        response = self.client.get(self.url, follow=True)

        self.assertContains(response, "No error is left.")

    def test_it_is_closed_to_everybody_else(self):
        self.sign_in("Author")
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(self.post(reason="x").status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)
        self.sign_in("Chief editor")
        self.assertEqual(self.client.get("/admin/articles/article/999999/publish/").status_code, 404)
