from datetime import timedelta

import time_machine
from django.test import TestCase
from django.utils import timezone

from articles.models import Article, DraftSave, RichText, WorkingCopy
from tests.articles.article_forms import changed, form_data
from tests.factories import make_article, make_draft, make_user

WINDOW = "0123456789abcdef" * 2
OTHER_WINDOW = "f" * 32


class KeepingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author, cls.editor = make_user("Author"), make_user("Editor")
        cls.article = make_draft(html="<p>Saved</p>")
        cls.url = f"/admin/articles/article/{cls.article.pk}/"

    def setUp(self):
        self.client.force_login(self.author)

    def keep(self, html="<p>Typed</p>", window=WINDOW, **values):
        return self.client.post(
            f"{self.url}working-copy/", changed(self.article, html, window=window, _typed="1", **values)
        )

    def test_what_is_typed_is_kept_and_neither_draft_nor_readers_see_it(self):
        live = make_article(html="<p>Live</p>")

        answer = self.client.post(
            f"/admin/articles/article/{live.pk}/working-copy/", changed(live, "<p>Typed</p>", window=WINDOW, _typed="1")
        )

        self.assertEqual(answer.status_code, 200)
        self.assertEqual(RichText.objects.get(parent=live).html, "<p>Live</p>")
        self.assertNotContains(self.client.get(live.get_absolute_url()), "Typed")
        self.assertNotContains(self.client.get(f"/admin/articles/article/{live.pk}/draft/"), "Typed")

    def test_it_comes_back_when_the_article_is_opened_again_and_nothing_is_saved_by_that(self):
        self.keep("<p>Half a sent")
        WorkingCopy.objects.update(seen_at=timezone.now() - WorkingCopy.SILENCE)

        response = self.client.get(f"{self.url}change/")

        self.assertContains(response, "Restored: what you typed until")
        self.assertContains(response, "&lt;p&gt;Half a sent")
        self.assertNotContains(response, "Please correct")
        self.assertContains(response, WINDOW)
        self.assertEqual(RichText.objects.get().html, "<p>Saved</p>")

    def test_even_what_could_not_be_saved_comes_back(self):
        self.keep("", title="", number="many")
        WorkingCopy.objects.update(seen_at=timezone.now() - WorkingCopy.SILENCE)

        response = self.client.get(f"{self.url}change/")

        self.assertContains(response, 'value="many"')
        self.assertNotContains(response, "errorlist")

    def test_what_is_open_in_another_window_is_offered_and_not_taken(self):
        self.keep()

        response = self.client.get(f"{self.url}change/")

        self.assertContains(response, f"?copy={WINDOW}")
        self.assertNotContains(response, "Restored")
        self.assertContains(self.client.get(f"{self.url}change/?copy={WINDOW}"), "Restored")

    def test_nobody_sees_what_others_typed(self):
        self.keep()
        WorkingCopy.objects.update(seen_at=timezone.now() - WorkingCopy.SILENCE)
        self.client.force_login(self.editor)

        for query in ("", f"?copy={WINDOW}"):
            self.assertNotContains(self.client.get(f"{self.url}change/{query}"), "Typed")
        self.assertNotContains(self.client.get(f"{self.url}preview/?window={WINDOW}"), "Typed")

    def test_a_save_takes_the_copy_of_its_window_and_of_no_other(self):
        self.keep()
        self.keep(window=OTHER_WINDOW)

        self.client.post(f"{self.url}change/", changed(self.article, "<p>Now saved</p>", window=WINDOW, _save="1"))

        self.assertEqual(WorkingCopy.objects.get().window, OTHER_WINDOW)

    def test_discarding_brings_the_saved_draft_back(self):
        self.keep()

        response = self.client.post(f"{self.url}working-copy/discard/", {"window": WINDOW}, follow=True)

        self.assertContains(response, "What was typed and not saved is gone.")
        self.assertFalse(WorkingCopy.objects.exists())

    def test_an_article_that_was_only_begun_is_kept_and_offered(self):
        url = "/admin/articles/article/add/"
        self.client.post(f"{url}working-copy/", form_data(title="Only begun", window=WINDOW, _typed="1"))

        self.assertContains(self.client.get(url), "“Only begun”")
        self.assertContains(self.client.get(f"{url}?copy={WINDOW}"), 'value="Only begun"')
        self.assertContains(self.client.get(f"{url}preview/?window={WINDOW}"), "Only begun")
        self.assertFalse(Article.objects.filter(title="Only begun").exists())

    def test_old_copies_are_dropped(self):
        with time_machine.travel(timezone.now() - WorkingCopy.KEPT - timedelta(days=1)):
            self.keep()

        self.keep(window=OTHER_WINDOW)

        self.assertEqual(WorkingCopy.objects.get().window, OTHER_WINDOW)

    def test_malformed_windows_are_refused(self):
        for window in ("", "x", "A" * 32, "a" * 33, "\x00"):
            with self.subTest(window):
                self.assertEqual(self.keep(window=window).status_code, 400)

    def test_a_form_that_is_no_form_is_no_error_of_the_server(self):
        self.client.post(f"{self.url}working-copy/", {"window": WINDOW, "_typed": "1", "title": "\ud800"[:0]})

        self.assertEqual(self.client.get(f"{self.url}preview/?window={WINDOW}").status_code, 200)
        self.assertEqual(self.client.get(f"{self.url}checklist/?window={WINDOW}").status_code, 200)
        self.assertEqual(self.client.get(f"{self.url}change/?copy={WINDOW}").status_code, 200)

    def test_it_costs_a_fixed_number_of_queries(self):
        self.keep()
        form = changed(self.article, "<p>Typed on</p>", window=WINDOW, _typed="1")

        with self.assertNumQueries(12):
            self.client.post(f"{self.url}working-copy/", form)

    def test_it_is_refused_to_whoever_may_not_change_the_article_and_to_other_methods(self):
        self.assertEqual(self.client.get(f"{self.url}working-copy/").status_code, 405)
        self.client.force_login(make_user())
        for path in ("working-copy/", "working-copy/discard/"):
            self.assertEqual(self.client.post(f"{self.url}{path}", {"window": WINDOW}).status_code, 403)
            self.assertEqual(
                self.client.post(f"/admin/articles/article/add/{path}", {"window": WINDOW}).status_code, 403
            )
        self.client.logout()
        self.assertEqual(self.client.post(f"{self.url}working-copy/", {"window": WINDOW}).status_code, 302)
        self.assertFalse(WorkingCopy.objects.exists())


class PresenceTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = make_user("Author", first_name="Ada", last_name="Lovelace")
        cls.editor = make_user("Editor")
        cls.article = make_draft()
        cls.url = f"/admin/articles/article/{cls.article.pk}/"

    def tell(self, user, window, **values):
        self.client.force_login(user)
        known = values.pop("known", Article.objects.get(pk=self.article.pk).changed_at.isoformat())
        return self.client.post(f"{self.url}working-copy/", {"window": window, "known": known, **values}).json()

    def test_two_people_see_each_other_and_when_the_other_last_typed(self):
        self.assertEqual(self.tell(self.author, WINDOW)["others"], [])
        self.assertEqual(self.tell(self.editor, OTHER_WINDOW)["others"], [{"name": "Ada Lovelace", "seconds": None}])
        self.tell(self.author, WINDOW, _typed="1")
        with time_machine.travel(timezone.now() + timedelta(seconds=10)):
            self.assertEqual(self.tell(self.editor, OTHER_WINDOW)["others"][0]["seconds"], 10)

    def test_a_window_that_is_closed_or_silent_is_seen_no_more(self):
        self.tell(self.author, WINDOW)
        with time_machine.travel(timezone.now() + WorkingCopy.SILENCE):
            self.assertEqual(self.tell(self.editor, OTHER_WINDOW)["others"], [])
        self.tell(self.author, WINDOW)
        self.tell(self.author, WINDOW, _closed="1")

        self.assertEqual(self.tell(self.editor, OTHER_WINDOW)["others"], [])

    def test_a_draft_that_somebody_saved_meanwhile_is_told(self):
        known = self.article.changed_at.isoformat()
        self.assertIsNone(self.tell(self.editor, OTHER_WINDOW)["stale"])
        self.client.force_login(self.author)
        self.client.post(f"{self.url}change/", changed(self.article, "<p>Theirs</p>", window=WINDOW, _save="1"))

        stale = self.tell(self.editor, OTHER_WINDOW, known=known)["stale"]

        self.assertEqual(stale["by"], "Ada Lovelace")
        self.assertIsNone(self.tell(self.editor, OTHER_WINDOW)["stale"])


class MergingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author, cls.editor = make_user("Author"), make_user("Editor")
        cls.article = make_draft(html="<p>Start</p>")
        cls.url = f"/admin/articles/article/{cls.article.pk}/"

    def both_save(self, mine="<p>Mine</p>", theirs="<p>Theirs</p>", **values):
        """Two people open the draft; the author saves first, the editor after."""
        self.client.force_login(self.editor)
        form = changed(self.article, mine, window=WINDOW, _continue="1", **values)
        self.client.post(f"{self.url}working-copy/", form)
        self.client.force_login(self.author)
        self.client.post(f"{self.url}change/", changed(self.article, theirs, window=OTHER_WINDOW, _continue="1"))
        self.client.force_login(self.editor)
        return self.client.post(f"{self.url}change/", form)

    def merge(self, **choices):
        url = f"{self.url}merge/?window={WINDOW}"
        seen = self.client.get(url).context["form"]["seen"].value()
        return self.client.post(url, {"seen": seen, **choices}, follow=True)

    def test_a_stale_save_is_refused_and_shows_both_drafts(self):
        response = self.both_save()

        self.assertRedirects(response, f"{self.url}merge/?window={WINDOW}")
        page = self.client.get(response.headers["Location"])
        self.assertContains(page, "<del>Theirs</del>")
        self.assertContains(page, "<ins>Mine</ins>")
        self.assertContains(page, self.author.username)
        self.assertEqual(RichText.objects.get().html, "<p>Theirs</p>")

    def test_what_is_chosen_is_saved_and_both_drafts_stay_in_the_history(self):
        self.both_save()

        response = self.merge(**{"place-0": "mine"})

        self.assertContains(response, "The draft is saved with what you have chosen.")
        self.assertEqual(RichText.objects.get().html, "<p>Mine</p>")
        kept = [save.document["blocks"][0]["html"] for save in DraftSave.objects.all()]
        self.assertIn("<p>Theirs</p>", kept)
        self.assertIn("<p>Start</p>", kept)
        self.assertFalse(WorkingCopy.objects.filter(window=WINDOW).exists())

    def test_what_only_one_changed_is_chosen_already(self):
        self.both_save(mine="<p>Start</p>", title="My title")

        page = self.client.get(f"{self.url}merge/?window={WINDOW}")
        form = page.context["form"]
        self.assertEqual((form["head-title"].initial, form["place-0"].initial), ("mine", "theirs"))
        self.merge(**{"head-title": "mine", "place-0": "theirs"})

        self.article.refresh_from_db()
        self.assertEqual((self.article.title, RichText.objects.get().html), ("My title", "<p>Theirs</p>"))

    def test_a_choice_left_open_saves_nothing(self):
        self.both_save()

        response = self.merge()

        self.assertContains(response, "Both of you changed this: choose one.")
        self.assertEqual(RichText.objects.get().html, "<p>Theirs</p>")

    def test_a_third_save_meanwhile_is_told_and_nothing_is_saved(self):
        self.both_save()
        url = f"{self.url}merge/?window={WINDOW}"
        seen = self.client.get(url).context["form"]["seen"].value()
        self.client.force_login(self.author)
        self.client.post(f"{self.url}change/", changed(self.article, "<p>Third</p>", window=OTHER_WINDOW, _save="1"))
        self.client.force_login(self.editor)

        response = self.client.post(url, {"seen": seen, "place-0": "mine"})

        self.assertContains(response, "has changed while you were choosing")
        self.assertEqual(RichText.objects.get().html, "<p>Third</p>")

    def test_what_is_typed_on_while_one_chooses_is_told_and_nothing_is_saved(self):
        self.both_save()
        url = f"{self.url}merge/?window={WINDOW}"
        seen = self.client.get(url).context["form"]["seen"].value()
        WorkingCopy.objects.filter(window=WINDOW).update(typed_at=timezone.now() + timedelta(seconds=1))

        response = self.client.post(url, {"seen": seen, "place-0": "mine"})

        self.assertContains(response, "has changed while you were choosing")
        self.assertEqual(RichText.objects.get().html, "<p>Theirs</p>")

    def test_what_cannot_be_read_is_never_left_out_by_a_merge(self):
        self.both_save()
        copy = WorkingCopy.objects.get(window=WINDOW)
        lost = '<p>Mine <data value="statistic:lost"></data></p>'
        copy.fields = [[name, lost if name.endswith("-0-html") else value] for name, value in copy.fields]
        copy.save()

        response = self.client.get(f"{self.url}merge/?window={WINDOW}", follow=True)

        self.assertRedirects(response, f"{self.url}change/?copy={WINDOW}")
        self.assertContains(response, "There is no figure “statistic:lost”.")
        self.assertContains(response, "Put this right and save again")
        self.assertTrue(WorkingCopy.objects.filter(window=WINDOW).exists())

    def test_one_goes_back_to_what_one_typed(self):
        self.both_save()

        response = self.client.get(f"{self.url}change/?copy={WINDOW}")

        self.assertContains(response, "&lt;p&gt;Mine&lt;/p&gt;")

    def test_there_is_nothing_to_merge_in_the_window_of_somebody_else(self):
        self.both_save()
        self.client.force_login(self.author)

        self.assertRedirects(self.client.get(f"{self.url}merge/?window={WINDOW}"), f"{self.url}change/")
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(f"{self.url}merge/?window={WINDOW}").status_code, 403)
