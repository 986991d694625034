from datetime import timedelta

import time_machine
from django.core import signing
from django.test import TestCase
from django.utils import timezone

from articles.models import RichText, ShareLink
from articles.shares import share
from tests.articles.article_forms import changed, row
from tests.factories import make_article, make_user


class ShareTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.article = make_article(html="<p>Live words</p>")
        RichText.objects.update(html="<p>Words of the draft</p>")
        cls.url = f"/admin/articles/article/{cls.article.pk}/share/"

    def token(self):
        return share(self.article, by=self.editor)[1]

    def test_whoever_has_the_link_reads_the_draft_without_an_account(self):
        self.client.force_login(self.editor)
        address = self.client.post(self.url).context["address"]
        self.client.logout()

        response = self.client.get(address.removeprefix("http://127.0.0.1:8000"))

        self.assertContains(response, "Words of the draft")
        self.assertContains(response, "You see it by a link that ends on")
        self.assertNotContains(response, "Markdown")
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertFalse(response.cookies)
        self.assertNotContains(response, "/admin/")

    def test_it_ends_after_seven_days(self):
        path = f"/drafts/{self.token()}/"

        with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
            self.assertEqual(self.client.get(path).status_code, 200)
        with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
            response = self.client.get(path)
        self.assertContains(response, "This link has ended", status_code=404)
        self.assertNotContains(response, "Words of the draft", status_code=404)

    def test_it_ends_when_it_is_revoked(self):
        token, other = self.token(), self.token()
        link = ShareLink.objects.earliest("pk")
        self.client.force_login(self.editor)

        response = self.client.post(self.url, {"revoke": link.pk}, follow=True)

        self.assertContains(response, "The link is revoked")
        self.assertEqual(self.client.get(f"/drafts/{token}/").status_code, 404)
        self.assertEqual(self.client.get(f"/drafts/{other}/").status_code, 200)
        self.assertContains(self.client.post(self.url, {"revoke": link.pk}, follow=True), "had ended already")

    def test_forged_links_open_nothing(self):
        token = self.token()
        key, moment, signature = token.split(".")
        forged = [
            f"{key}.{moment}.{signature[:-1]}x",
            f"{key}x.{moment}.{signature}",
            signing.TimestampSigner(salt="articles.share", sep=".").sign("another-key"),
            signing.TimestampSigner(salt="newsletter.confirm", sep=".").sign(key),
            key,
            "x" * 5000,
            "%ED%A0%80",
        ]
        for each in forged:
            with self.subTest(each[:60]):
                self.assertEqual(self.client.get(f"/drafts/{each}/").status_code, 404)

    def test_the_token_itself_is_not_kept(self):
        token = self.token()

        self.assertNotIn(ShareLink.objects.get().key_digest, token)
        self.assertNotIn(token.split(".")[0], str(ShareLink.objects.values().get()))

    def test_only_those_who_may_change_the_article_share_it(self):
        token = self.token()
        self.assertEqual(self.client.post(f"/drafts/{token}/").status_code, 405)
        self.assertEqual(self.client.post(self.url).status_code, 302)
        self.client.force_login(make_user())
        for act in (self.client.get, self.client.post):
            self.assertEqual(act(self.url).status_code, 403)
        for key in ("x", "9" * 30, "-1", ""):
            self.client.force_login(self.editor)
            self.assertEqual(self.client.post(self.url, {"revoke": key}).status_code, 302)
        self.assertEqual(ShareLink.objects.open_now().count(), 1)


class PreviewTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.article = make_article(html="<p>Saved words</p>")
        cls.url = f"/admin/articles/article/{cls.article.pk}/preview/"

    def test_it_shows_what_is_posted_and_saves_nothing(self):
        self.client.force_login(self.editor)

        response = self.client.post(self.url, changed(self.article, "<p>Only typed</p>", title="Typed title"))

        self.assertContains(response, "Only typed")
        self.assertContains(response, "Typed title")
        self.assertEqual(RichText.objects.get().html, "<p>Saved words</p>")

    def test_only_the_desk_may_frame_it_and_nobody_keeps_it(self):
        self.client.force_login(self.editor)

        response = self.client.get(self.url, {"scheme": "dark"})

        self.assertContains(response, 'data-scheme="dark"')
        self.assertIn("frame-ancestors 'self'", response.headers["Content-Security-Policy"])
        self.assertEqual(response.headers["X-Frame-Options"], "SAMEORIGIN")
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
        self.assertNotContains(self.client.get(self.url, {"scheme": '"><x'}), "data-scheme")

    def test_what_is_half_typed_is_left_out_and_named(self):
        self.client.force_login(self.editor)
        half = row("articles_callout_set", {"heading": "", "html": "<p>x</p>", "region": "main", "ordering": 20})

        response = self.client.post(self.url, changed(self.article, "<p>Whole</p>") | half)

        self.assertContains(response, "Whole")
        self.assertContains(response, "Not shown yet. Call-out: Heading: This field is required.")

    def test_hostile_markup_is_cleaned_in_it_too(self):
        self.client.force_login(self.editor)

        response = self.client.post(self.url, changed(self.article, "<p>x<img src=y onerror=alert(1)></p>"))

        self.assertNotContains(response, "onerror")

    def test_it_is_refused_to_everybody_else(self):
        self.assertEqual(self.client.get(self.url).status_code, 302)
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(self.client.post("/admin/articles/article/add/preview/").status_code, 403)
        self.client.force_login(self.editor)
        self.assertEqual(self.client.get("/admin/articles/article/add/preview/").status_code, 404)
        self.assertEqual(self.client.get("/admin/articles/article/999/preview/").status_code, 404)
