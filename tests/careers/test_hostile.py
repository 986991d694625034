"""No address below /careers/, however odd, ends in a server error."""

from urllib.parse import quote, quote_from_bytes

from django.conf import settings as site
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_markets, make_path, make_role, make_salary, make_skill, make_table

PATHS = [
    "/careers/",
    "/careers/compare/",
    "/careers/fit/",
    "/careers/skills/",
    "/careers/skills/python/",
    "/careers/analyst/",
    "/careers/paths/data-work/",
    "/careers/charts/gb.svg",
    "/careers/charts/us.svg",
    "/careers/embed/role/analyst/",
    "/careers/embed/table/all/",
    "/careers/oembed/",
    "/careers/salaries.csv",
]
NAMES = ["market", "skill", "path", "min", "roles", "sort", "as_of", "view", "page", "skills", "know", "cut"]
NAMES += [
    "url",
    "format",
    "maxwidth",
    "maxheight",
    "utm_source",
    "skills[]",
    "",
    "__class__",
    "sort__in",
    "\N{SNOWMAN}",
]
KNOWN = [
    "gb",
    "us",
    "gb,us",
    "python",
    "data-work",
    "analyst",
    "analyst,builder",
    "-gb_high",
    "us_low",
    "role",
    "chart",
]
KNOWN += ["2025", "2025-06", "2025-06-30", "60k", "1", "2", "json", "xml", f"{site.SITE_URL}/careers/analyst/", "py"]
ODD = [
    "-1",
    "0",
    "1e9",
    "\u0663",
    "\u00b2",
    "\u212a",
    "9" * 40,
    "1970-02-30",
    "0000",
    "9999-12-31",
    "1000-01-01",
    "NaN",
]
ODD += ["'; DROP TABLE x; --", "<script>", "../../etc/passwd", "%", "%%%", "\x00", "\x85\u2028", "a" * 5_000, "," * 900]
ODD += ["\ud800", "\U0001f4a5", "-", "--gb_high", "gb_high,us_high", "gb_", "_high", "http://[", "//", "javascript:1"]


def encoded(text):
    """The text as part of a query: a lone surrogate as the three bytes that UTF-8 has no place for."""
    return quote(text, safe="", errors="surrogatepass")


values = st.one_of(
    st.sampled_from(KNOWN).map(encoded),
    st.sampled_from(ODD).map(encoded),
    st.text(max_size=40).map(encoded),
    st.binary(max_size=20).map(quote_from_bytes),
    # What no browser sends, as it is: bytes without encoding.
    st.binary(max_size=12).map(lambda value: value.decode("latin-1")),
)
# What means something there, so that odd things meet in pages that do something.
MEANT = {
    "market": ["gb", "us", "gb,us"],
    "skill": ["python", "sql"],
    "path": ["data-work"],
    "min": ["0", "60k", "999999999"],
    "roles": ["analyst", "analyst,builder"],
    "sort": ["role", "-skills", "gb_low", "-gb_high", "us_low", "-us_high"],
    "as_of": ["2024", "2025-06-30", "1000"],
    "view": ["chart"],
    "page": ["1", "2"],
    "skills": ["python", "sql,python"],
    "know": ["py", "weaving"],
    "url": [encoded(f"{site.SITE_URL}/careers/analyst/")],
    "format": ["json", "xml"],
}
meant = st.sampled_from([f"{name}={value}" for name, values in MEANT.items() for value in values])
pairs = st.tuples(st.one_of(st.sampled_from(NAMES).map(encoded), values), values).map("=".join)
queries = st.lists(st.one_of(meant, meant, pairs, values), max_size=8).map("&".join)


class HostileTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        role = make_role("Analyst", pay={"GB": (40_000, 60_000), "US": (90_000, None, True)}, core=["Python", "SQL"])
        other = make_role("Builder", path=make_path(), core=["Python"])
        make_salary(other, make_markets()["GB"], as_of="2024").publish_successor(
            high=95_000, as_of="2025", why="update"
        )
        make_skill("Python").aliases.create(alias="py")
        make_table(role, other, slug="all")

    @settings(max_examples=1_000)
    @given(st.sampled_from(PATHS), queries)
    @example("/careers/fit/", "skills=")
    def test_no_query_ends_in_a_server_error(self, path, query):
        response = self.client.generic("GET", path, QUERY_STRING=query)

        self.assertIn(response.status_code, {200, 302, 400, 404, 501})
        if response.status_code == 302:
            self.assertRegex(response.headers["Location"], r"^/careers/fit/(\?|$)")
