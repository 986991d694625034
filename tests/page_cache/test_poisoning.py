"""Whatever a request brings along, the next reader gets what they would have got without it."""

import string

from django.urls import resolve
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.models import Series
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_author, make_category, make_role, make_statistic, make_table
from tests.page_cache.every_page import rules
from tests.page_cache.support import front
from veltrix.page_cache.application import PageCache
from veltrix.page_cache.stores import ASKED

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
# A page of every view that reads parameters.
WITH_PARAMETERS = [
    "/articles/",
    "/topics/topic/",
    "/series/series/",
    "/authors/author/",
    "/statistics/one/",
    "/statistics.csv",
    "/sources/",
    "/sources.csv",
    "/corrections/",
    "/newsletter/archive/",
    "/careers/",
    "/careers/fit/",
    "/careers/compare/",
    "/careers/charts/gb.svg",
    "/careers/embed/role/analyst/",
    "/careers/embed/table/table/",
    "/careers/roles.csv",
    "/careers/roles.json",
    "/careers/salaries.csv",
    "/careers/datapackage.json",
    "/careers/veltrix-data.zip",
]

OF_THEIR_OWN = {"page": ["99"], "as_of": ["2999", "2026-02-30"], "min": ["6k", "+6", "6%20"]}


def junk(rule):
    """Parameters that a view knows, with values that it cannot know, or that others say as well."""
    for name in rule.names:
        values = ["zz", "01", ",", "gb,gb", "analyst,analyst", "analyst,zz"]
        yield from (f"{name}={value}" for value in [*values, *OF_THEIR_OWN.get(name, [])])
        yield f"{name}=zz&{name}=1"
        yield f"{name}=&{name}="
    yield f"{rule.names[0]}=zz&utm_source=x"


class PoisoningTests(CommittedTestCase):
    def setUp(self):
        analyst = make_role("Analyst", pay={"GB": (1, 2)}, core=["Python"])
        make_table(analyst, slug="table")
        make_article(
            category=make_category("Topic"),
            series=Series.objects.create(slug="series", name="Series"),
            author=make_author("Author"),
            statistics=[make_statistic("1", slug="one")],
        )
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
        @settings(max_examples=60)
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

    def test_each_name_of_ours_has_pages_of_its_own_and_one_spelling(self):
        self.front.get("/careers/", HTTP_HOST="localhost")
        before = self.front.renderings
        for host in ("localhost", "localhost:80", "localhost:443", "localhost:8000", "LOCALHOST", "LocalHost.:00080"):
            self.assertEqual(self.front.get("/careers/", HTTP_HOST=host).status, 200, host)
        self.assertEqual(self.front.renderings, before)

        self.front.get("/careers/", HTTP_HOST="127.0.0.1")
        self.assertEqual(self.front.renderings, before + 1)

    def test_a_redirect_is_made_for_the_name_that_was_asked(self):
        with self.settings(SECURE_SSL_REDIRECT=True):
            self.front.django.load_middleware()
            self.forget()
            answer = self.front.get("/careers/", "market=gb", HTTP_HOST="TestServer:8000")

        self.assertEqual(answer.headers["Location"], "https://TestServer:8000/careers/?market=gb")

    def test_what_makes_no_difference_makes_no_entry(self):
        """There is no end of such addresses: whoever asks for them would fill the cache with them."""
        listed = {name for name, rule in rules().items() if rule.names}
        # The chart as PNG is read from the address as the one as SVG is, and takes its time.
        self.assertEqual(listed - {"careers:chart_png"}, {resolve(path).view_name for path in WITH_PARAMETERS})
        for path in WITH_PARAMETERS:
            self.forget()
            self.front.get(path)
            before = self.entries()
            for query in junk(resolve(path).func.rule):
                self.assertLess(self.front.get(path, query).status, 500)
                self.assertEqual(self.entries(), before, (path, query))

    def test_what_makes_a_difference_is_kept(self):
        for path, query in {
            "/articles/": "topic=topic&page=1",
            "/statistics/one/": "as_of=2025",
            "/sources.csv": "as_of=2025",
            "/careers/": "market=gb&market=us&skill=python&min=1&roles=analyst&sort=role&as_of=2025&view=chart&page=1",
            "/careers/fit/": "skills=python&page=1",
            "/careers/compare/": "roles=analyst",
            "/careers/charts/gb.svg": "market=gb&sort=role",
        }.items():
            with self.subTest(path):
                before = self.entries()
                self.assertEqual(self.front.get(path, query).status, 200)
                self.assertEqual(self.entries(), before + 1)
        # They are known by their names as such as make room for others.
        self.assertEqual(sum(name.endswith(ASKED) for name in self.names()), 7)

    def entries(self):
        return len(self.names())

    def names(self):
        store = self.front.store
        return [path.name for path in (store.folder / store.generation()).iterdir()]

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
