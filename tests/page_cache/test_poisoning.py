"""Whatever a request brings along, the next reader gets what they would have got without it."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.committed import CommittedTestCase
from tests.factories import make_article, make_role
from tests.page_cache.support import front
from veltrix.page_cache.application import PageCache

MARK = "evil.example"
# What frameworks and proxies are known to read, and what they should not.
HEADERS = [
    "X_FORWARDED_HOST",
    "X_FORWARDED_FOR",
    "X_FORWARDED_PROTO",
    "X_FORWARDED_PORT",
    "X_FORWARDED_PREFIX",
    "X_FORWARDED_SERVER",
    "X_FORWARDED_SCHEME",
    "X_ORIGINAL_URL",
    "X_REWRITE_URL",
    "X_HOST",
    "X_HTTP_METHOD_OVERRIDE",
    "X_REQUEST_ID",
    "FORWARDED",
    "VIA",
    "ORIGIN",
    "REFERER",
    "USER_AGENT",
    "ACCEPT",
    "ACCEPT_LANGUAGE",
    "ACCEPT_ENCODING",
    "ACCEPT_CHARSET",
    "CONTENT_TYPE",
    "COOKIE",
    "RANGE",
    "IF_RANGE",
    "IF_MATCH",
    "IF_UNMODIFIED_SINCE",
    "TE",
    "UPGRADE",
    "PROXY",
    "CLIENT_IP",
    "X_WSGI_PATH_INFO",
]
VALUES = st.sampled_from(
    [
        MARK,
        f"https://{MARK}/",
        f"for={MARK};host={MARK};proto=https",
        "https",
        "fr",
        "xx; q=9",
        "bytes=0-0",
        "br;q=0",
        "*",
    ]
) | st.text(string.printable.replace("\r", "").replace("\n", ""), max_size=40)
PAGES = ["/careers/", "/careers/analyst/", "/articles/", "/sources.csv", "/sitemap.xml", "/robots.txt"]


class PoisoningTests(CommittedTestCase):
    def setUp(self):
        make_role("Analyst", pay={"GB": (1, 2)}, core=["Python"])
        make_article()
        context = front()
        self.front = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.clean = {path: self.front.get(path) for path in PAGES}

    def answers_are_clean(self, path):
        clean, now = self.clean[path], self.front.get(path)
        self.assertEqual((now.status, now.body), (200, clean.body))
        # But for the moment at which it was rendered.
        left_out = {"Last-Modified"}
        self.assertEqual(
            {name: value for name, value in now.headers.items() if name not in left_out},
            {name: value for name, value in clean.headers.items() if name not in left_out},
        )

    def forget(self):
        self.front.store.renew()

    def test_no_header_gets_into_a_page_that_others_get(self):
        @settings(max_examples=60, deadline=None)
        @given(st.sampled_from(PAGES), st.dictionaries(st.sampled_from(HEADERS), VALUES, min_size=1, max_size=6))
        def try_it(path, headers):
            self.forget()
            self.front.get(
                path, **{name if name == "CONTENT_TYPE" else f"HTTP_{name}": v for name, v in headers.items()}
            )
            self.answers_are_clean(path)

        try_it()

    def test_no_parameter_gets_into_a_page_that_others_get(self):
        for path in PAGES:
            for query in (
                f"x={MARK}",
                f"x={MARK}&x={MARK}",
                f"%78={MARK}",
                f"utm_source={MARK}",
                f"page={MARK}",
                f"as_of={MARK}",
                f"market={MARK}&market=gb",
                "&".join(["a=b"] * 60),
                f"{MARK}",
                f";market={MARK}",
                "market=gb%00",
            ):
                with self.subTest(path=path, query=query):
                    self.forget()
                    self.front.get(path, query)
                    self.answers_are_clean(path)

    def test_a_name_that_is_not_ours_is_refused_and_not_kept(self):
        for host in (
            MARK,
            f"testserver.{MARK}",
            f"testserver@{MARK}",
            f"testserver:80@{MARK}",
            "",
            "testserver\x00",
            "[::1",
            "TESTSERVER/x",
        ):
            with self.subTest(host):
                self.forget()
                before = self.front.renderings
                self.assertEqual([self.front.get("/careers/", HTTP_HOST=host).status for _ in range(2)], [400, 400])
                self.assertEqual(self.front.renderings, before + 2)
                self.answers_are_clean("/careers/")

    def test_each_name_of_ours_has_pages_of_its_own(self):
        self.front.get("/careers/", HTTP_HOST="localhost")
        before = self.front.renderings
        self.front.get("/careers/", HTTP_HOST="localhost:80")
        self.front.get("/careers/", HTTP_HOST="localhost")

        self.assertEqual(self.front.renderings, before + 1)

    def test_other_spellings_of_a_path_are_other_paths(self):
        for path in (
            "/Careers/",
            "//careers/",
            "/careers//",
            "/careers/./",
            "/./careers/",
            "/careers/%2e",
            "/careers;x/",
            "/careers/\x00",
            "/careers/\xff/",
            "/careers/analyst",
        ):
            with self.subTest(path):
                self.forget()
                self.assertIn(self.front.get(path).status, {301, 400, 404})
                self.answers_are_clean("/careers/")

    def test_a_page_that_is_asked_for_in_private_is_not_kept_for_others(self):
        for variables in (
            {"HTTP_COOKIE": "session=x"},
            {"HTTP_AUTHORIZATION": "Bearer x"},
            {"SCRIPT_NAME": "/evil"},
            {"CONTENT_LENGTH": "5"},
            {"HTTP_TRANSFER_ENCODING": "chunked"},
        ):
            with self.subTest(variables):
                self.forget()
                before = self.front.renderings
                for _ in range(2):
                    self.front.get("/careers/", **variables)
                self.assertEqual(self.front.renderings, before + 2)
                self.answers_are_clean("/careers/")

    def test_a_proxy_says_by_which_scheme_a_page_was_asked_for(self):
        """A redirect to HTTPS is never kept for those who came by it."""
        with self.settings(
            BEHIND_PROXY=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"), SECURE_SSL_REDIRECT=True
        ):
            self.front.cache = PageCache(self.front._django, self.front.store)
            self.front.django.load_middleware()
            self.forget()
            for proto, status in (("http", 301), ("https", 200), ("junk", 301), ("https,http", 200), ("", 301)):
                for _ in range(2):
                    self.assertEqual(self.front.get("/careers/", HTTP_X_FORWARDED_PROTO=proto).status, status)

    def test_every_method_but_two_is_for_django(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PURGE", "X" * 50):
            with self.subTest(method):
                self.forget()
                self.assertIn(self.front.get("/careers/", method=method).status, {403, 405})
                self.answers_are_clean("/careers/")
