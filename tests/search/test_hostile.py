"""Whatever is asked of the search, it answers, and never with an error of its own."""

from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_article, make_role
from veltrix.search import finding, index

OPERATORS = ['"', '"zebra', "zebra*", "*", "NEAR(zebra, 3)", "NEAR(", "-zebra", "NOT zebra", "zebra AND", "OR", "((("]
OPERATORS += [
    "title:zebra",
    "{title} : zebra",
    "zebra:*",
    "zebra & !keeper",
    "<->",
    "'zebra'",
    "\\",
    "%s %d %",
    "+zebra",
]
OPERATORS += [
    "zebra' OR 1=1",
    "zebra; DROP TABLE veltrix_searchentry",
    "zebra~2",
    "[a-z]+",
    "(a+)+$",
    "\ud800",
    "ｚｅｂｒａ",
]
OPERATORS += ["zebra\u200bkeeper", "\u202ezebra", "日本語", "ᚠᛇᚻ", "x" * 10_000, "zebra " * 2_000, "\x01\x02", "\n\r\t"]
OPERATORS += [
    "\ue000statistic:x\ue001",
    "½ ² Ⅷ",
    "ß ŉ ﬁ",
    "kindrole",
    "__proto__",
    "<mark>",
    "&amp;",
    "{{ 7 }}",
    "𝔷𝔢𝔟𝔯𝔞",
]
OPERATORS += ["^", "\U0001f993", "{% debug %}"]
SENTENCES = st.lists(st.sampled_from([*OPERATORS[:22], "zebra"]), max_size=6).map(" ".join)


class HostileTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        make_role("Zebra keeper")
        make_article(title="“Zebras”: <b>100 %</b> NEAR(you)", html="<p>日本語 ᚠᛇᚻ 🦓 ß</p>")
        index.settle()

    def ask(self, query):
        for path in ("/search/", "/search/finder/"):
            response = self.client.get(f"{path}?{query}")
            assert response.status_code in {200, 400}, (path, query)

    def test_no_operator_of_any_engine_does_harm(self):
        for text in OPERATORS:
            with self.subTest(text[:40]):
                self.ask(f"q={quote(text, safe='', errors='surrogatepass')}")
                self.ask(f"q=zebra&kind={quote(text, safe='', errors='surrogatepass')}&page={len(text)}x")

    def test_operators_are_no_part_of_what_is_looked_for(self):
        for text in (
            '"zebra keeper"',
            "zebra* & keeper",
            "zebra:keeper",
            "(zebra) -keeper",
            "ｚｅｂｒａ keeper",
            "𝔷𝔢𝔟𝔯𝔞 keeper",
        ):
            with self.subTest(text):
                answer = self.client.get("/search/", {"q": text}).context["answer"]
                assert answer.results[0].path == "/careers/zebra-keeper/"

    def test_words_of_any_script_are_found(self):
        assert self.client.get("/search/", {"q": "日本語"}).context["answer"].results

    def test_what_an_engine_takes_for_no_letter_is_found_nowhere(self):
        """A number of Bengal, and letters younger than many a system's tables."""
        for text in ("৴", "\U0001123f", "𞤀𞤣", "\U00011f02 ৴"):
            with self.subTest(text):
                page = self.client.get("/search/", {"q": text})
                self.assertContains(page, f"Nothing was found for “{text}”")
                assert finding.find(page.context["asked"].stems).count() == 0

    def test_nul_is_refused_as_everywhere(self):
        assert self.client.get("/search/?q=zebra%00").status_code == 400

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(st.text(max_size=60), SENTENCES),
        st.sampled_from(["", "&kind=role", "&kind=article&page=2", "&page=0", "&page=9999999999", "&q=x", "&kind="]),
    )
    def test_anything_is_answered(self, text, more):
        self.ask(f"q={quote(text.replace(chr(0), ''), safe='', errors='surrogatepass')}{more}")
