"""The page of the search: what it finds, in which order, and what it says where there is nothing."""

import re
import unicodedata
from html import unescape
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from articles import schedule
from articles.models import FaqItem, Quote, TableBlock
from tests.factories import make_article, make_draft, make_role, make_skill, make_statistic, publish_as_is
from tests.newsletter.lists import make_sent
from veltrix.search import finding, index

from .corpus import EVERYWHERE, make_articles
from .test_index import found


def main_of(response):
    return response.content.decode().partition("<main")[2].partition("</main>")[0]


def words_of(response):
    """What the page says, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main_of(response))).split())


class PageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.article = make_article(number=61, slug="zebras", title="All About Zebras", html="<p>They eat grass.</p>")
        make_role("Zebra keeper", summary="Looks after striped horses.")
        make_skill("Zebra riding")
        make_statistic("97M", claim="zebras live on grass.", slug="live")
        make_sent(slug="stripes", subject="Zebras again")
        index.settle()

    def search(self, **parameters):
        return self.client.get("/search/", parameters)

    def test_without_words_it_is_a_form_that_may_be_indexed(self):
        page = self.search()

        self.assertContains(page, 'name="q"')
        self.assertNotContains(page, "noindex")
        self.assertContains(page, '<link rel="canonical" href="http://127.0.0.1:8000/search/">', html=True)
        assert "Nothing" not in words_of(page)

    def test_results_of_every_kind_say_what_they_are(self):
        page = self.search(q="zebra")

        labels = {result.label for result in page.context["answer"].results}
        assert {"Article 61", "Role", "Skill", "Statistic: 97M"} < labels
        assert [label for label in labels if re.fullmatch(r"Edition of \d+ \w+ \d{4}", label)]
        self.assertContains(page, "<title>5 results for “zebra” – Veltrix</title>", html=True)
        self.assertContains(page, "5 results for “zebra”")

    def test_on_paper_they_say_where_they_were(self):
        self.assertContains(self.search(q="zebra", kind="role"), "8000/search/?q=zebra&amp;kind=role&amp;page=1</p>")
        self.assertContains(self.search(), "8000/search/</p>")

    def test_result_pages_are_not_for_other_search_engines(self):
        page = self.search(q="zebra", page="1")

        self.assertContains(page, '<meta name="robots" content="noindex">', html=True)
        self.assertContains(page, '<link rel="canonical" href="http://127.0.0.1:8000/search/">', html=True)

    def test_words_are_marked_in_whatever_form_they_stand(self):
        page = self.search(q="zebra")

        self.assertContains(page, "All About <mark>Zebras</mark>")
        self.assertContains(self.search(q="eating grasses"), "They <mark>eat</mark> <mark>grass</mark>.")

    def test_a_search_is_narrowed_down_by_links_with_counts(self):
        page = self.search(q="zebra")

        self.assertContains(
            page, '<a href="/search/?q=zebra&amp;kind=role">Roles <span class="topics__count">1</span></a>'
        )
        narrowed = self.search(q="zebra", kind="role")
        assert [result.path for result in narrowed.context["answer"].results] == ["/careers/zebra-keeper/"]
        self.assertContains(narrowed, "1 result for “zebra”")
        self.assertContains(narrowed, 'aria-current="true">Roles')
        self.assertContains(narrowed, '<input type="hidden" name="kind" value="role">', html=True)

    def test_a_kind_without_results_is_said_and_the_others_stay_in_reach(self):
        page = self.search(q="striped horses", kind="article")

        self.assertContains(page, "Nothing of this kind")
        self.assertContains(page, 'href="/search/?q=striped+horses"')

    def test_what_is_not_understood_is_left_out_and_named(self):
        page = self.client.get("/search/?q=zebra&kind=tree&colour=red&page=x&q=lion&utm_source=mail")

        assert page.status_code == 200
        assert page.context["asked"].ignored == ["q=lion", "kind=tree", "colour=red", "page=x"]
        self.assertContains(page, "<code>kind=tree</code>")
        self.assertContains(page, "5 results for “zebra”")

    def test_what_is_too_long_is_refused_with_a_sentence(self):
        page = self.search(q="zebra " * 40)

        assert page.status_code == 400
        self.assertContains(page, "at most 200 characters", status_code=400)
        self.assertContains(page, 'aria-invalid="true"', status_code=400)
        assert self.search(q="zebra" + "a" * 195).status_code == 200

    def test_what_holds_no_word_is_refused_with_a_sentence(self):
        self.assertContains(self.search(q="*** --"), "no word in this to look for", status_code=400)

    def test_a_slip_of_the_pen_gets_a_suggestion(self):
        for wrong in ("zerbas", "zebrras", "zebas", "zevras", "ezbras"):
            page = self.search(q=f"About {wrong}")
            self.assertContains(page, "Did you mean")
            self.assertContains(page, '<a href="/search/?q=About+zebras">About zebras</a>', html=True)

    def test_a_suggestion_is_never_made_of_what_cannot_be_found(self):
        make_draft(title="Crocodiles")

        self.assertNotContains(self.search(q="crocodilse"), "Did you mean")

    def test_a_suggestion_names_no_word_that_readers_no_longer_see(self):
        article = make_article(slug="gone", title="Crocodiles")
        index.settle()
        self.assertContains(self.search(q="zebra crocodilse"), "Did you mean")

        schedule.withdraw(article)

        self.assertNotContains(self.search(q="zebra crocodilse"), "crocodiles")
        # What else was meant is suggested all the same.
        assert self.search(q="zerba crocodilse").context["answer"].suggestion == "zebra crocodilse"

    def test_a_suggestion_leaves_the_other_words_as_they_were_typed(self):
        make_role("C++ Développeur", slug="cpp")

        assert self.search(q="“C++” Dévelopeur, zerba").context["answer"].suggestion == "“C++” developpeur, zebra"

    def test_where_nothing_is_found_there_are_ways_on(self):
        page = self.search(q="qwertyuiop")

        self.assertContains(page, "Nothing was found for “qwertyuiop”")
        for path in ("/articles/", "/careers/", "/careers/skills/", "/newsletter/archive/"):
            assert f'href="{path}"' in main_of(page)

    def test_where_no_page_has_all_words_those_with_some_are_shown(self):
        page = self.search(q="grass lions")

        self.assertContains(page, "No page has all of these words")
        assert {result.path for result in page.context["answer"].results} == {"/articles/zebras/", "/statistics/live/"}

    def test_a_question_is_read_for_what_it_asks(self):
        assert self.search(q="what do the zebras eat").context["answer"].results[0].path == "/articles/zebras/"

    def test_only_the_first_twelve_words_count(self):
        page = self.search(q="zebra " + " ".join(f"word{n}" for n in range(12)))

        self.assertContains(page, "Only the first twelve words")

    def test_it_is_read_and_nothing_else(self):
        assert self.client.post("/search/").status_code == 405
        assert self.client.head("/search/?q=zebra").status_code == 200

    def test_it_sets_no_cookie(self):
        assert not self.search(q="zebra").cookies

    def test_the_masthead_leads_to_it(self):
        self.assertContains(self.client.get("/"), '<a href="/search/">Search</a>', html=True)


class RankingTests(TestCase):
    def test_pages_that_are_called_so_come_before_those_that_say_so(self):
        make_article(slug="says", html=f"<p>{'Prompt engineers. ' * 30}</p>")
        make_role("Prompt Engineer")
        make_article(slug="called", title="What Prompt Engineers Earn in London and in New York")

        assert found(self.client, "prompt engineer") == [
            "/careers/prompt-engineer/",
            "/articles/called/",
            "/articles/says/",
        ]

    def test_of_two_that_say_so_the_one_that_says_it_more_comes_first(self):
        make_article(slug="often", html="<p>Pay here, pay there, pay everywhere.</p>")
        make_article(slug="once", html="<p>Pay here, work there, live everywhere.</p>")

        assert found(self.client, "pay") == ["/articles/often/", "/articles/once/"]

    def test_the_very_word_comes_before_another_form_of_it(self):
        make_role("AI Engineer for Language Models")
        make_skill("Prompt engineering")

        role, skill = "/careers/ai-engineer-for-language-models/", "/careers/skills/prompt-engineering/"
        assert found(self.client, "engineer") == [role, skill]
        assert found(self.client, "engineering") == [skill, role]

    def test_words_with_signs_are_words_of_their_own(self):
        for name, slug in (("C", "c"), ("C++", "cpp"), ("C#", "c-sharp")):
            make_skill(name).delete()
            make_role(f"{name} developer", slug=f"{slug}-developer")

        assert found(self.client, "c++") == ["/careers/cpp-developer/"]
        assert found(self.client, "C#") == ["/careers/c-sharp-developer/"]
        assert found(self.client, "c developer") == ["/careers/c-developer/"]

    def test_accents_and_case_do_not_matter(self):
        make_role("Café Owner", slug="owner")

        for words in ("CAFE", "café", "cafe\u0301", "ＣＡＦÉ"):
            assert found(self.client, words) == ["/careers/owner/"]

    def test_what_stands_above_or_within_letters_parts_no_word(self):
        make_role(unicodedata.normalize("NFD", "Résumé writer"), slug="writer", summary="Reads data\u00adbases.")

        for words in ("résumé", "resume", "re\u0301sume\u0301", "databases"):
            assert found(self.client, words) == ["/careers/writer/"]


class ExtractTests(TestCase):
    def extract(self, words):
        result = self.client.get("/search/", {"q": words}).context["answer"].results[0]
        return "".join(f"*{piece.text}*" if piece.is_match else piece.text for piece in result.extract)

    def test_it_is_the_paragraph_that_has_most_of_the_words(self):
        make_article(html="<p>Zebras roam.</p><p>Striped <em>zebras</em> eat grass.</p><p>Grass grows.</p>")

        assert self.extract("zebras grass") == "Striped *zebras* eat *grass*."

    def test_a_long_paragraph_is_cut_at_words_around_the_first_one(self):
        before, after = "before " * 40, "after " * 40
        make_article(html=f"<p>{before}zebras {after}</p>")

        extract = self.extract("zebras")

        assert extract.startswith("…before before")
        assert extract.endswith("after…")
        assert "*zebras*" in extract
        assert 200 < len(extract) < 260

    def test_figures_in_it_are_those_of_today(self):
        statistic = make_statistic("97M", slug="stripes")
        html = '<p>There are <data value="statistic:stripes"></data> zebras.</p>'
        make_article(html=html, statistics=[statistic])
        assert self.extract("zebras") == "There are 97M *zebras*."

        statistic.values.get().publish_successor(why="update", display_text="98M", value=98_000_000)

        assert self.extract("zebras") == "There are 98M *zebras*."

    def test_hostile_content_and_hostile_words_are_shown_as_text(self):
        make_article(
            title="<script>alert(1)</script> & zebras", html="<p>&lt;img src=x onerror=alert(1)&gt; zebras</p>"
        )

        page = self.client.get("/search/", {"q": "zebras <script>alert"})

        body = main_of(page)
        assert "<script>alert" not in body
        assert "<img" not in body
        assert (
            "&lt;<mark>script</mark>&gt;<mark>alert</mark>(1)&lt;/<mark>script</mark>&gt; &amp; <mark>zebras</mark>"
            in body
        )
        assert "<script>" not in page.content.decode().partition("<title>")[2].partition("</title>")[0]

    def test_every_kind_of_block_is_searched(self):
        article = make_draft(slug="piece")
        blocks = [
            FaqItem(question="Do lions sleep?", html="<p>Tonight.</p>"),
            Quote(text="Giraffes are tall", attribution="An okapi"),
            TableBlock(caption="Of beasts", cells=[["Beast", "Legs"], ["Spider", "8"]], note="Roughly counted."),
        ]
        for place, block in enumerate(blocks, start=2):
            block.parent, block.region, block.ordering = article, "main", place * 10
            block.save()
        publish_as_is(article)

        for words in ("lions", "tonight", "giraffes", "okapi", "beasts", "spider 8", "roughly"):
            assert found(self.client, words) == ["/articles/piece/"], words


class PagingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        for number in range(1, 24):
            make_article(number=number, html="<p>Zebras are striped.</p>")
        make_role("Zebra keeper")
        index.settle()

    def test_results_come_in_pages_of_ten(self):
        pages = [self.client.get("/search/", {"q": "zebras", "page": number}) for number in (1, 2, 3)]

        paths = [result.path for page in pages for result in page.context["answer"].results]
        assert len(paths) == len(set(paths)) == 24
        self.assertContains(pages[0], 'href="?q=zebras&amp;page=2"')
        self.assertContains(pages[1], '<ol class="found-pages__list" start="11">')
        self.assertContains(pages[1], "page 2 – Veltrix</title>")

    def test_a_page_beyond_the_last_is_the_last_and_says_so(self):
        page = self.client.get("/search/", {"q": "zebras", "page": 9})

        assert page.context["answer"].page.number == 3
        self.assertContains(page, "There is no page 9 of these results. This is the last one.")
        self.assertNotContains(self.client.get("/search/", {"q": "zebras", "page": 3}), "There is no page")

    def test_links_to_pages_keep_the_kind(self):
        page = self.client.get("/search/", {"q": "zebras & more zebras", "kind": "article"})

        self.assertContains(page, 'href="?q=zebras+%26+more+zebras&amp;kind=article&amp;page=2"')

    def test_more_than_a_hundred_are_not_counted_and_the_best_are_listed(self):
        for number in range(100, 190):
            make_article(number=number, html="<p>Zebras are striped.</p>")
        index.settle()

        page = self.client.get("/search/", {"q": "zebras"})

        self.assertContains(page, "Over 100 results for “zebras”; the best 100 are listed")
        self.assertContains(page, 'Articles <span class="topics__count">over 100</span>')
        assert self.client.get("/search/", {"q": "zebras", "page": 99}).context["answer"].page.number == 10
        assert "/careers/zebra-keeper/" == page.context["answer"].results[0].path

    def test_a_search_costs_as_many_queries_as_any_other(self):
        self.client.get("/search/?q=zebras")
        # PostgreSQL is told its bounds in a transaction, of which a test makes a savepoint.
        bounds = 3 if connection.vendor == "postgresql" else 0

        for query, expected in {
            "q=zebras": 9,
            "q=zebras&page=2": 8,
            "q=zebras&kind=role": 7,
            "q=qwertyuiop": 5,
        }.items():
            with self.subTest(query), CaptureQueriesContext(connection) as captured:
                self.client.get(f"/search/?{query}")

                self.assertEqual(len(captured), expected + bounds, "\n".join(q["sql"][:150] for q in captured))


class ScaleTests(TestCase):
    def test_a_word_in_hundreds_of_articles_costs_as_many_queries_as_in_a_few(self):
        numbers = []
        for seed, articles in enumerate((12, 300)):
            make_articles(articles, seed=seed, words=10, first=1 + 1_000 * seed)
            index.rebuild()
            self.client.get("/search/", {"q": EVERYWHERE})
            with CaptureQueriesContext(connection) as captured:
                page = self.client.get("/search/", {"q": EVERYWHERE})
            assert len(page.context["answer"].results) == 10
            numbers.append(len(captured))

        assert numbers[0] == numbers[1]


class BoundsTests(TestCase):
    # One that takes longer than it may, and one that fails at once where the engine has no limit of that kind.
    STATEMENTS = {
        "postgresql": "SELECT count(*) FROM pg_sleep(5) WHERE %s <> '' AND %s <> '' AND %s > 0",
        "sqlite": "SELECT count(*) FROM nowhere WHERE %s <> '' AND %s > 0",
    }

    def test_a_search_that_takes_too_long_or_fails_is_answered_all_the_same(self):
        engine = finding._engine
        bounds = getattr(engine, "BOUNDED", "").replace("3s", "50ms")

        with (
            mock.patch.object(engine, "NUMBER", self.STATEMENTS[connection.vendor]),
            mock.patch.object(engine, "BOUNDED", bounds, create=True),
            self.assertLogs("veltrix.search.finding", "ERROR"),
        ):
            page = self.client.get("/search/?q=zebra")

        self.assertContains(page, "does not answer at the moment", status_code=503)
