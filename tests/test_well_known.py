"""The files that programs look for."""

import re
from datetime import UTC, datetime, timedelta

import time_machine
from django.test import TestCase, override_settings
from django.utils import timezone
from markdown_it import MarkdownIt

from tests.factories import make_article, make_draft

SITE = "http://127.0.0.1:8000"
KEY = "0123456789abcdef"


class WellKnownTests(TestCase):
    def get(self, path):
        response = self.client.get(path)
        self.assertEqual((response.status_code, response.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        return response.text

    @override_settings(SECURITY_CONTACT="mailto:a@example.com", INDEXNOW_KEY=KEY)
    def test_all_are_only_read_by_anybody_and_set_no_cookie(self):
        for path in ("/robots.txt", "/llms.txt", "/.well-known/security.txt", f"/{KEY}.txt"):
            with self.subTest(path):
                self.get(f"{path}?x=%22%0d%0a")
                response = self.client.head(path)

                self.assertEqual((response.status_code, response.content), (200, b""))
                self.assertFalse(response.cookies)
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(self.client.post(path).status_code, 405)

    def test_programs_may_read_everything_and_are_told_where_everything_is(self):
        lines = self.get("/robots.txt").splitlines()

        self.assertEqual(
            [line for line in lines if line and not line.startswith("#")],
            ["User-agent: *", "Allow: /", f"Sitemap: {SITE}/sitemap.xml"],
        )
        self.assertNotIn("admin", "".join(lines))
        self.assertEqual(self.client.get("/sitemap.xml").status_code, 200)
        self.assertRegex(self.client.get("/admin/login/").text, '<meta name="robots" content="NONE')

    @override_settings(ROBOTS_DISALLOW_ALL=True)
    def test_a_copy_for_trying_out_keeps_programs_out(self):
        text = self.get("/robots.txt")

        self.assertIn("User-agent: *\nDisallow: /\n", text)
        self.assertNotIn("Allow", text)
        self.assertNotIn("Sitemap", text)

    def test_language_models_find_every_article_as_markdown(self):
        make_article(number=60, slug="pay", title="What [pays] & why", standfirst="In *short*.")
        make_article(number=61, slug="to-come", published_at=timezone.now() + timedelta(days=1))
        make_draft(slug="draft")

        with self.assertNumQueries(2):
            text = self.get("/llms.txt")

        # The format: one heading, a quotation, then sections of lists of links.
        self.assertTrue(text.startswith("# Veltrix\n\n> "))
        self.assertIn(f"\n- [60: What \\[pays\\] & why]({SITE}/articles/pay.md): In \\*short\\*.\n", text)
        self.assertNotIn("draft", text)
        self.assertNotIn("to-come", text)
        html = MarkdownIt().render(text)
        self.assertEqual(html.count("<h1>"), 1)
        self.assertIn("creativecommons.org", text)
        links = re.findall('href="([^"]+)"', html)
        self.assertGreater(len(links), 12)
        for link in links:
            self.assertEqual(self.client.get(link.removeprefix(SITE)).status_code, 200, link)

    @override_settings(SECURITY_CONTACT="https://example.com/report", SECURITY_POLICY="https://example.com/policy")
    def test_whom_to_tell_of_a_hole_is_said_and_never_out_of_date(self):
        for moment in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 12, 31, 23, 59, tzinfo=UTC)):
            with self.subTest(moment), time_machine.travel(moment, tick=False):
                lines = self.get("/.well-known/security.txt").splitlines()
                fields = dict(line.split(": ", 1) for line in lines)

                expires = datetime.fromisoformat(fields.pop("Expires"))
                self.assertTrue(timedelta(days=170) < expires - moment < timedelta(days=365))
                self.assertEqual(
                    fields,
                    {
                        "Contact": "https://example.com/report",
                        "Preferred-Languages": "en",
                        "Canonical": f"{SITE}/.well-known/security.txt",
                        "Policy": "https://example.com/policy",
                    },
                )

    def test_without_a_contact_nobody_is_named(self):
        self.assertEqual(self.client.get("/.well-known/security.txt").status_code, 404)

    def test_the_key_is_shown_at_its_address_alone(self):
        self.assertEqual(self.client.get(f"/{KEY}.txt").status_code, 404)
        with override_settings(INDEXNOW_KEY=KEY):
            self.assertEqual(self.get(f"/{KEY}.txt"), KEY)
            for path in (f"/{KEY}x.txt", "/x.txt", f"/{KEY.upper()}.txt", "/%F0%9F%92%A5.txt"):
                self.assertEqual(self.client.get(path).status_code, 404)
