from datetime import timedelta

import time_machine
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from articles import redirects, schedule
from articles.documents import document_of, read_document
from articles.models import Redirect
from tests.articles.article_forms import changed
from tests.factories import make_article, make_category, make_draft, make_user

URL = "/admin/articles/redirect/"


def make_redirect(path, target):
    redirect = Redirect(path=path, target=target)
    redirect.full_clean()
    redirects.keep(redirect)
    return redirect


class MovedArticleTests(TestCase):
    def setUp(self):
        self.client.force_login(make_user("Editor"))

    def move(self, article, slug):
        url = f"/admin/articles/article/{article.pk}/change/"
        response = self.client.post(url, changed(article, "<p>A paragraph.</p>", slug=slug, _continue="1"), follow=True)
        article.refresh_from_db()
        return response

    def test_an_article_that_moves_leaves_a_permanent_redirect_at_once(self):
        article = make_article(slug="old")

        response = self.move(article, "new")

        self.assertContains(response, "Its old address /articles/old/ leads to it.")
        self.assertContains(response, "as it stands here")
        answer = self.client.get("/articles/old/?ref=1")
        self.assertRedirects(answer, "/articles/new/?ref=1", status_code=301)
        self.assertEqual(answer.headers["Cache-Control"], "public, no-cache")
        self.assertEqual(self.client.get("/articles/old", follow=True).redirect_chain[-1], ("/articles/new/", 301))
        self.assertEqual(self.client.head("/articles/old/").status_code, 301)
        self.assertEqual(self.client.post("/articles/old/").status_code, 405)
        words = [entry.change_message for entry in LogEntry.objects.all()]
        self.assertIn("Moved: /articles/old/ leads to /articles/new/ now.", words)

    def test_chains_collapse_and_an_article_may_go_back(self):
        article = make_article(slug="first")
        make_redirect("/blog/first/", "/articles/first/")
        self.move(article, "second")
        self.move(article, "third")

        for path in ("/articles/first/", "/articles/second/", "/blog/first/"):
            self.assertRedirects(self.client.get(path), "/articles/third/", status_code=301)
        self.move(article, "first")

        self.assertEqual(self.client.get("/articles/first/").status_code, 200)
        self.assertEqual(set(Redirect.objects.values_list("path", flat=True)),
                         {"/articles/second/", "/articles/third/", "/blog/first/"})  # fmt: skip

    def test_another_article_cannot_take_an_address_that_leads_elsewhere(self):
        moved = make_article(slug="taken")
        self.move(moved, "elsewhere")
        other = make_article(slug="other")

        response = self.move(other, "taken")

        self.assertContains(response, "This address leads to /articles/elsewhere/, whose old address it is.")
        self.assertEqual(other.slug, "other")
        with self.assertRaises(ValidationError):
            read_document({**document_of(make_draft()), "number": 900, "slug": "taken"})

    def test_a_draft_that_was_never_published_leaves_nothing(self):
        draft = make_draft(slug="old")

        self.move(draft, "new")

        self.assertEqual(draft.slug, "new")
        self.assertFalse(Redirect.objects.exists())

    def test_authors_cannot_move_a_published_article(self):
        self.client.force_login(make_user("Author"))
        article = make_article(slug="stays")

        self.move(article, "moved")

        self.assertEqual(article.slug, "stays")

    def test_moving_is_no_change_of_what_readers_read(self):
        article = make_article(slug="old")
        self.move(article, "new")

        history = self.client.get(f"/admin/articles/article/{article.pk}/history/")

        self.assertContains(history, "As the live version")

    def test_links_to_an_old_address_are_pointed_out_and_are_not_dead(self):
        self.move(make_article(slug="old"), "new")
        draft = make_draft(html='<p><a href="/articles/old/">words</a> and <a href="/articles/old#part">others</a></p>')

        page = self.client.get(f"/admin/articles/article/{draft.pk}/checklist/")

        self.assertContains(page, "leads to an old address: the page is at /articles/new/ now.", 2)
        self.assertContains(page, "No error in the way of publishing")


class FollowTests(TestCase):
    def test_only_pages_that_are_not_there_are_looked_up(self):
        article = make_article(slug="there")
        make_redirect("/blog/there/", "/articles/there/")

        self.assertEqual(self.client.get("/articles/there/").status_code, 200)
        self.assertRedirects(self.client.get("/blog/there/"), "/articles/there/", status_code=301)
        self.assertEqual(self.client.get("/blog/nowhere/").status_code, 404)
        with self.assertNumQueries(2):
            self.client.get("/blog/nowhere/")
        self.assertEqual(article.redirects.count(), 1)

    def test_an_article_that_is_not_public_is_not_led_to(self):
        article = make_article(slug="later")
        make_redirect("/blog/later/", "/articles/later/")
        article.published_at = timezone.now() + timedelta(days=1)
        article.save()

        self.assertEqual(self.client.get("/blog/later/").status_code, 404)
        with time_machine.travel(timezone.now() + timedelta(days=2)):
            self.assertEqual(self.client.get("/blog/later/").status_code, 301)

    def test_the_old_address_of_an_article_that_is_gone_says_so_too(self):
        article = make_article(slug="piece")
        make_redirect("/blog/piece/", "/articles/piece/")
        schedule.withdraw(article)

        answer = self.client.get("/blog/piece/")

        self.assertRedirects(answer, "/articles/piece/", status_code=301, target_status_code=410)

    def test_a_slash_at_the_end_may_be_missing_or_one_too_many(self):
        make_article(slug="piece")
        make_redirect("/blog/with/", "/articles/piece/")
        make_redirect("/blog/without", "/articles/piece/")
        make_redirect("/blog/without/", "/careers/")

        for path in ("/blog/with/", "/blog/with", "/blog/without"):
            self.assertRedirects(self.client.get(path), "/articles/piece/", status_code=301)
        self.assertRedirects(self.client.get("/blog/without/"), "/careers/", status_code=301)
        Redirect.objects.filter(path="/blog/without/").delete()
        self.assertRedirects(self.client.get("/blog/without/"), "/articles/piece/", status_code=301)

    def test_odd_addresses_are_answered_plainly(self):
        make_redirect("/blog/caf\u00e9/", "/careers/")
        for path in ("/blog/%E2%80%8B/", "/blog/%ff/", "/" + "x" * 5_000, "/blog//", "/a/../b/"):
            self.assertEqual(self.client.get(path).status_code, 404, path)
        self.assertEqual(self.client.get("/blog/%00/").status_code, 400)
        self.assertEqual(self.client.get("/blog/caf%C3%A9/?a=" + "x" * 20_000).status_code, 400)
        answer = self.client.get("/blog/caf%C3%A9/", query_params={"a": "1\r\nX: 2"})
        self.assertEqual(answer.headers["Location"], "/careers/?a=1%0D%0AX%3A+2")


class RedirectTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.article = make_article(slug="piece")
        cls.editor = make_user("Editor")

    def setUp(self):
        self.client.force_login(self.editor)

    def add(self, path, target):
        return self.client.post(f"{URL}add/", {"path": path, "target": target}, follow=True)

    def test_an_editor_adds_one_and_sees_where_it_leads(self):
        response = self.add("/blog/old-name/", "http://127.0.0.1:8000/articles/piece/")

        self.assertContains(response, "was added successfully")
        redirect = Redirect.objects.get()
        self.assertEqual((redirect.article, redirect.target), (self.article, ""))
        self.assertContains(self.client.get(URL), '<a href="/articles/piece/">/articles/piece/</a>')
        form = self.client.get(f"{URL}{redirect.pk}/change/")
        self.assertContains(form, 'value="/articles/piece/"')
        self.client.post(f"{URL}{redirect.pk}/change/", {"path": redirect.path, "target": "/careers/"})
        redirect.refresh_from_db()
        self.assertEqual((redirect.article, redirect.target), (None, "/careers/"))

    def test_what_cannot_be_is_refused_in_words(self):
        make_redirect("/blog/a/", "/articles/piece/")
        refusals = {
            ("blog", "/articles/piece/"): "Write a path such as /blog/old-name/",
            ("//evil.example/", "/careers/"): "Redirects stay on this site",
            ("https://elsewhere.example/x", "/careers/"): "Redirects stay on this site",
            ("//[x/", "/careers/"): "Redirects stay on this site",
            ("/blog/x/", "http://[x/"): "Redirects stay on this site",
            ("/blog/x/", "https://elsewhere.example/"): "Redirects stay on this site",
            ("/blog/x/?a=1", "/careers/"): "Write a path such as /blog/old-name/",
            ("/", "/careers/"): "Write a path such as /blog/old-name/",
            ("/blog/x/", "/nowhere/"): "Readers find no page at /nowhere/.",
            ("/blog/x/", "/blog/x/"): "That leads back to the old address: a loop.",
            ("/careers/", "/articles/"): "There is a page at this address; a redirect would never be used.",
            ("/admin/old/", "/careers/"): "Addresses of the desk lead nowhere else",
            ("/articles/piece", "/articles/"): "There is a page at this address; a redirect would never be used.",
            ("/articles/piece/", "/articles/"): "There is a page at this address; a redirect would never be used.",
            ("/blog/a/", "/careers/"): "Redirect with this Old address already exists.",
            ("/blog/x/", ""): "Say where it leads.",
            ("/" + "x" * 400 + "/", "/careers/"): "Ensure this value has at most 300 characters",
        }
        for (path, target), sentence in refusals.items():
            with self.subTest(path=path, target=target):
                response = self.add(path, target)
                self.assertContains(response, sentence)
                self.assertEqual(Redirect.objects.count(), 1)

    def test_a_page_is_named_with_the_slash_that_it_has(self):
        redirect = make_redirect("/articles/first", "/articles/piece")

        self.assertEqual((redirect.path, redirect.article), ("/articles/first/", self.article))
        self.assertEqual(make_redirect("/blog/x/", "/careers").target, "/careers/")
        self.assertRedirects(self.client.get("/articles/first/"), "/articles/piece/", status_code=301)

    def test_chains_collapse_when_one_is_added_and_loops_are_refused(self):
        make_redirect("/blog/a/", "/articles/piece/")

        b = make_redirect("/blog/b/", "/blog/a/")

        self.assertEqual(b.destination, "/articles/piece/")
        a = Redirect.objects.get(path="/blog/a/")
        a.target, a.article = "/blog/b/", None
        a.full_clean()
        self.assertEqual(a.destination, "/articles/piece/")
        category = make_category("Gone")
        make_redirect("/blog/c/", "/topics/gone/")
        category.delete()
        make_redirect("/topics/gone/", "/careers/")
        self.assertEqual(Redirect.objects.get(path="/blog/c/").destination, "/careers/")

    def test_the_database_refuses_what_leads_nowhere_or_to_itself(self):
        for values in ({}, {"target": "/x/"}, {"target": "/y/", "article": self.article}):
            with self.subTest(values), self.assertRaises(IntegrityError), transaction.atomic():
                Redirect.objects.create(path="/x/", **values)

    def send(self, text):
        file = SimpleUploadedFile("redirects.csv", text.encode())
        return self.client.post(f"{URL}import/", {"file": file})

    def test_a_list_is_imported_after_a_preview_and_as_a_whole(self):
        make_redirect("/blog/a/", "/articles/piece/")
        preview = self.send("path,target\n/blog/a/,/careers/\n/blog/b/,/blog/a/\n/blog/c/,/articles/piece/\n")

        self.assertContains(preview, "2 new, 1 changed, 0 unchanged.")
        self.assertEqual(Redirect.objects.count(), 1)
        token = preview.context["token"]
        self.client.post(f"{URL}import/confirm/", {"table": token})

        found = {redirect.path: redirect.destination for redirect in Redirect.objects.all()}
        self.assertEqual(found, {"/blog/a/": "/careers/", "/blog/b/": "/careers/", "/blog/c/": "/articles/piece/"})

    def test_a_list_with_an_error_is_refused_row_by_row_and_nothing_is_taken(self):
        response = self.send("path,target\n/blog/a/,/nowhere/\n/blog/b/,/careers/\n/blog/b/,/articles/\nx,/careers/\n"
                             "//[x/,/careers/\n")  # fmt: skip

        for sentence in (
            "Redirects stay on this site",
            "Readers find no page at /nowhere/.",
            "Row 3 is about the same.",
            "Write a path such as",
        ):
            self.assertContains(response, sentence)
        self.assertFalse(Redirect.objects.exists())

    def test_a_long_list_costs_as_many_queries_as_a_short_one(self):
        def count(number):
            for place in range(number):
                make_redirect(f"/blog/{number}-{place}/", make_article().get_absolute_url())
            with self.assertNumQueries(9):
                self.client.get(URL)

        count(1)
        count(20)

    def test_authors_read_the_list_and_others_see_nothing(self):
        redirect = make_redirect("/blog/a/", "/articles/piece/")
        pages = {"": 200, "add/": 403, f"{redirect.pk}/delete/": 403, "import/": 403}
        self.client.force_login(make_user("Author"))
        for page, status in pages.items():
            self.assertEqual(self.client.get(URL + page).status_code, status, page)
        self.client.force_login(make_user())
        for page in pages:
            self.assertEqual(self.client.get(URL + page).status_code, 403, page)
        self.client.logout()
        for page in pages:
            self.assertEqual(self.client.get(URL + page).status_code, 302, page)
