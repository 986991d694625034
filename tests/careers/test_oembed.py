import json
from urllib.parse import urlencode
from xml.etree import ElementTree

import time_machine
from django.test import TestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from tests.factories import make_article, make_role, make_table

SITE = "http://127.0.0.1:8000"
ROLE = f"{SITE}/careers/embed/role/analyst/"


class OembedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        role = make_role("Analyst", pay={"GB": (60_000, 90_000)}, core=["SQL"])
        make_table(role, slug="one", title="A “table” <of> roles & pay")

    def ask(self, url=ROLE, **values):
        return self.client.get("/careers/oembed/", {"url": url, **values})

    def test_a_role_a_table_and_a_role_page_are_described(self):
        for url, framed in {
            ROLE: ROLE,
            f"{SITE}/careers/analyst/": ROLE,
            f"{SITE}/careers/embed/table/one/": f"{SITE}/careers/embed/table/one/",
            f"{ROLE}?as_of=2025-06": f"{ROLE}?as_of=2025-06",
            f"{SITE}/careers/analyst/?as_of=2025": f"{ROLE}?as_of=2025",
            f"{ROLE}?utm_source=x#pay-gb": ROLE,
        }.items():
            with self.subTest(url):
                response = self.ask(url)

                self.assertEqual(response.headers["Content-Type"], "application/json")
                described = response.json()
                self.assertEqual((described["type"], described["version"]), ("rich", "1.0"))
                self.assertEqual((described["provider_name"], described["provider_url"]), ("Veltrix", f"{SITE}/"))
                self.assertIn(f'<iframe src="{framed}" title="', described["html"])
                self.assertIn(
                    f'width="{described["width"]}" height="{described["height"]}" loading="lazy"', described["html"]
                )

    def test_xml_says_the_same_as_json(self):
        url = f"{SITE}/careers/embed/table/one/"
        described = self.ask(url).json()

        response = self.ask(url, format="xml")

        self.assertEqual(response.headers["Content-Type"], "text/xml; charset=utf-8")
        root = ElementTree.fromstring(response.content)  # noqa: S314 - our own
        self.assertEqual(root.tag, "oembed")
        self.assertEqual({child.tag: child.text for child in root}, {name: str(v) for name, v in described.items()})
        self.assertIn("A “table” &lt;of&gt; roles &amp; pay", described["html"])

    def test_a_title_that_no_xml_may_hold_is_still_xml(self):
        make_table(slug="odd", title="A\x0bB\ufffe")

        response = self.ask(f"{SITE}/careers/embed/table/odd/", format="xml")

        root = ElementTree.fromstring(response.content)  # noqa: S314 - our own

        self.assertEqual(root.findtext("title"), "AB")

    def test_it_keeps_within_the_limits_asked_for(self):
        self.assertEqual(self.ask().json()["width"], 600)
        narrow, wide = self.ask(maxwidth="320").json(), self.ask(maxwidth="5000").json()
        self.assertEqual((narrow["width"], wide["width"]), (320, 900))
        self.assertGreater(narrow["height"], 200)
        table = f"{SITE}/careers/embed/table/one/"
        self.assertGreater(self.ask(table, maxwidth="320").json()["height"], self.ask(table).json()["height"])
        self.assertLess(self.ask(table, maxwidth="900").json()["height"], 500)
        low = self.ask(maxwidth="1", maxheight="50").json()
        self.assertEqual((low["width"], low["height"]), (1, 50))

    def test_what_is_not_of_this_site_or_no_embed_is_not_found(self):
        article = make_article()
        for url in (
            "https://other.example/careers/analyst/",
            "https://127.0.0.1:8000/careers/analyst/",
            "http://127.0.0.1/careers/analyst/",
            "http://127.0.0.1:8000@other.example/careers/analyst/",
            "http://user@127.0.0.1:8000/careers/analyst/",
            "http://127.0.0.1:8000.other.example/careers/analyst/",
            "//127.0.0.1:8000/careers/analyst/",
            "/careers/analyst/",
            "javascript:alert(1)",
            "http://[::1",
            "\ud800".encode("utf-8", "surrogatepass"),
            f"{SITE}/careers/none/",
            f"{SITE}/careers/embed/table/none/",
            f"{SITE}/careers/",
            f"{SITE}{article.get_absolute_url()}",
            f"{ROLE}?as_of=soon",
            f"{ROLE}?as_of=2999",
            f"{ROLE}?as_of=2025&as_of=2024",
        ):
            with self.subTest(url):
                response = self.ask(url)

                self.assertEqual(response.status_code, 404)
                self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")

    def test_wrong_questions_are_told_apart(self):
        self.assertEqual(self.client.get("/careers/oembed/").status_code, 400)
        self.assertEqual(self.ask(url="").status_code, 400)
        self.assertEqual(self.ask(format="yaml").status_code, 501)
        for value in ("0", "-1", "1.5", "wide", "", "٣", "9" * 30):
            for name in ("maxwidth", "maxheight"):
                with self.subTest(name, value=value):
                    self.assertEqual(self.ask(**{name: value}).status_code, 400)
        self.assertEqual(self.ask(unknown="x").status_code, 200)
        self.assertEqual(self.client.post("/careers/oembed/").status_code, 405)

    @time_machine.travel("2026-11-24 12:00Z", tick=False)
    def test_pages_and_embeds_lead_to_their_description(self):
        for path, url in {
            "/careers/analyst/": ROLE,
            "/careers/embed/role/analyst/?as_of=2025&utm_source=x": f"{ROLE}?as_of=2025",
            "/careers/embed/table/one/": f"{SITE}/careers/embed/table/one/",
        }.items():
            html = self.client.get(path).text
            for form, media_type in (("json", "application/json+oembed"), ("xml", "text/xml+oembed")):
                with self.subTest(path, form=form):
                    address = f"{SITE}/careers/oembed/?{urlencode({'url': url, 'format': form})}"
                    self.assertInHTML(
                        f'<link rel="alternate" type="{media_type}" href="{address.replace("&", "&amp;")}" '
                        f'title="{self.title(html)}">',
                        html,
                    )
                    response = self.client.get(address.removeprefix(SITE))
                    self.assertContains(response, url if form == "json" else "iframe")

    def title(self, html):
        return html.partition('+oembed" href="')[2].partition('title="')[2].partition('"')[0]


class QueryTests(HypothesisTestCase):
    @classmethod
    def setUpTestData(cls):
        make_role("Analyst", pay={"GB": (60_000, 90_000)})

    texts = st.text(max_size=20) | st.sampled_from(["json", "xml", "320", "0", ROLE, f"{ROLE}?as_of=2025", f"{SITE}/x"])
    names = st.sampled_from(["url", "format", "maxwidth", "maxheight", "x"])

    @settings(max_examples=150)
    @given(st.lists(st.tuples(names, texts), max_size=6))
    def test_no_question_is_an_error_of_the_server(self, asked):
        response = self.client.get(f"/careers/oembed/?{urlencode(asked, errors='surrogatepass')}")

        self.assertIn(response.status_code, {200, 400, 404, 501})
        if response.status_code == 200:
            self.assertTrue(json.loads(response.content) if "json" in response["Content-Type"] else response.content)

    @settings(max_examples=100)
    @given(st.binary(max_size=30).map(lambda raw: "".join(f"%{byte:02X}" for byte in raw)) | st.text(max_size=10))
    def test_no_address_of_an_embed_is_either(self, value):
        for path in ("embed/role/analyst/?as_of=", "oembed/?url=", f"oembed/?url={ROLE}%3Fas_of="):
            self.assertLess(self.client.get(f"/careers/{path}{value}").status_code, 500)
