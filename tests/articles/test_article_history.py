from django.contrib.admin.models import LogEntry
from django.test import TestCase
from django.utils import timezone

from articles import drafts
from articles.models import Article, CallOut, DraftSave, RichText
from articles.publishing import publish
from tests.articles.article_forms import changed
from tests.factories import make_article, make_draft, make_user


class HistoryTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = make_user("Author", first_name="Ada", last_name="Lovelace")
        cls.editor = make_user("Editor")
        cls.article = make_article(html="<p>First version</p>")
        cls.url = f"/admin/articles/article/{cls.article.pk}/"

    def setUp(self):
        self.client.force_login(self.editor)

    def rewrite(self, html, **values):
        """Save the draft with this text."""
        self.client.post(f"{self.url}change/", changed(self.article, html, _continue="1", **values))
        self.article.refresh_from_db()

    def page(self):
        """The page as readers see it."""
        return self.client.get(self.article.get_absolute_url()).content.decode()

    def test_a_draft_of_a_live_article_says_what_it_changes(self):
        self.assertNotContains(self.client.get(f"{self.url}change/"), "since the live version")
        self.rewrite("<p>Second thoughts</p>", title="Another title")

        response = self.client.get(f"{self.url}change/")

        self.assertContains(response, "2 changes since the live version")
        self.assertContains(response, "Title changed")
        self.assertContains(response, "Block 1 (text) changed")

    def test_discarding_brings_back_what_readers_see_and_loses_nothing(self):
        self.rewrite("<p>Second thoughts</p>")

        response = self.client.post(f"{self.url}restore/", {"state": "live"}, follow=True)

        self.assertContains(response, "The draft is now what readers see")
        self.assertEqual(RichText.objects.get().html, "<p>First version</p>")
        self.assertNotContains(response, "since the live version")
        kept = DraftSave.objects.get(document__blocks__0__html="<p>Second thoughts</p>")
        self.client.post(f"{self.url}restore/", {"state": f"save-{kept.pk}"})
        self.assertEqual(RichText.objects.get().html, "<p>Second thoughts</p>")
        self.assertTrue(LogEntry.objects.filter(change_message="Changes discarded.").exists())

    def test_the_history_lists_versions_with_author_moment_and_note_saves_and_acts(self):
        self.rewrite("<p>Second version</p>")
        self.client.post(
            f"{self.url}change/",
            changed(self.article, "<p>Second version</p>", _publish="1", publish_note="A second look"),
        )
        self.client.force_login(self.author)
        self.rewrite("<p>Third thoughts</p>")

        response = self.client.get(f"{self.url}history/")

        self.assertContains(response, "Version 2")
        self.assertContains(response, "A second look")
        self.assertContains(response, "1 change since the live version")
        self.assertContains(response, "Ada Lovelace")
        self.assertContains(response, "Published as version")

    def test_any_two_states_are_compared_word_by_word(self):
        self.rewrite("<p>First draft</p>")
        version = self.article.live_version
        save = DraftSave.objects.latest("saved_at")

        for query in (f"from=version-{version.pk}&to=draft", "from=live&to=draft", f"from=live&to=save-{save.pk}"):
            with self.subTest(query):
                response = self.client.get(f"{self.url}compare/?{query}")

                self.assertContains(response, "<del>version</del>")
                self.assertContains(response, "<ins>draft</ins>")
                self.assertContains(response, "1 difference.")
        turned = self.client.get(f"{self.url}compare/?from=save-{save.pk}&to=version-{version.pk}")
        self.assertContains(turned, "<del>version</del>")

    def test_hostile_text_is_shown_as_text(self):
        RichText.objects.update(html="<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")
        Article.objects.update(title="<b>bold</b>")

        response = self.client.get(f"{self.url}compare/?from=live&to=draft")

        self.assertNotContains(response, "<script>alert")
        self.assertNotContains(response, "<b>bold")

    def test_states_that_do_not_exist_are_not_found(self):
        other = make_article()
        odd = [
            "",
            "x",
            "version-0",
            "version-99999999999999999999",
            f"version-{other.live_version.pk}",
            "save-1",
            "live\x00",
        ]
        for key in odd:
            with self.subTest(key):
                response = self.client.get(f"{self.url}compare/", {"from": key, "to": "draft"})
                self.assertIn(response.status_code, {400, 404})
                self.assertIn(self.client.post(f"{self.url}restore/", {"state": key}).status_code, {400, 404})
        self.assertEqual(self.client.post(f"{self.url}restore/", {"state": "draft"}).status_code, 404)
        draft = make_draft()
        self.assertEqual(
            self.client.post(f"/admin/articles/article/{draft.pk}/restore/", {"state": "live"}).status_code, 404
        )

    def test_a_version_that_names_what_is_gone_is_refused_in_words_and_changes_nothing(self):
        document = {**self.article.live_version.document, "headline": "gone"}
        save = self.article.saves.create(document=document, saved_at=timezone.now())

        response = self.client.post(f"{self.url}restore/", {"state": f"save-{save.pk}"}, follow=True)

        self.assertContains(
            response, "It cannot be brought back, and nothing is changed. There is no statistic “gone”."
        )
        self.assertEqual(RichText.objects.get().html, "<p>First version</p>")

    def test_what_is_restored_publishes_to_the_same_page(self):
        before = self.page()
        self.rewrite("<p>Second version</p>")
        CallOut.objects.create(parent=self.article, region="main", ordering=5, heading="New", html="<p>New</p>")
        publish(self.article, by=None)
        self.client.post(f"{self.url}restore/", {"state": f"version-{self.article.versions.last().pk}"})
        self.article.refresh_from_db()
        publish(self.article, by=None)

        self.assertEqual(self.page(), before)

    def test_saves_beyond_the_last_two_hundred_are_dropped(self):
        for _ in range(DraftSave.MOST + 2):
            self.article.save()
            drafts.keep(self.article, by=None)

        self.assertEqual(self.article.saves.count(), DraftSave.MOST)
        self.assertEqual(self.client.get(f"{self.url}history/?page=2").status_code, 200)
        self.assertEqual(self.client.get(f"{self.url}history/?page=none").status_code, 200)

    def test_the_history_costs_a_fixed_number_of_queries(self):
        self.client.get(f"{self.url}history/")
        for count in (1, 20):
            for _ in range(count):
                self.rewrite(f"<p>{timezone.now()}</p>")
                publish(self.article, by=self.author)
            # What the saves had to say has been said.
            self.client.get(f"{self.url}history/")
            with self.subTest(count), self.assertNumQueries(23):
                self.client.get(f"{self.url}history/")

    def test_it_is_refused_to_whoever_may_not(self):
        viewer = make_user()
        self.assertEqual(self.client.get(f"{self.url}restore/").status_code, 405)
        self.assertEqual(self.client.post(f"{self.url}history/").status_code, 405)
        self.client.force_login(viewer)
        for path in ("history/", "compare/?from=live&to=draft"):
            self.assertEqual(self.client.get(f"{self.url}{path}").status_code, 403)
        self.assertEqual(self.client.post(f"{self.url}restore/", {"state": "live"}).status_code, 403)
        self.client.logout()
        for path in ("history/", "compare/", "merge/", "draft/"):
            self.assertEqual(self.client.get(f"{self.url}{path}").status_code, 302)
        self.assertEqual(self.client.post(f"{self.url}restore/", {"state": "live"}).status_code, 302)
