"""What the head of every page tells search engines and sites that link to it."""

from html.parser import HTMLParser
from pathlib import Path

from django.contrib.staticfiles import finders
from django.test import TestCase

from articles.models import Author, Series
from tests.factories import make_article, make_author, make_category, make_path, make_role, make_skill, make_statistic
from tests.newsletter.lists import make_part, make_sent

SITE = "http://127.0.0.1:8000"


class Head(HTMLParser):
    """The links of a page's head with their attributes, its metadata by name, and where links of its body lead."""

    def __init__(self, response):
        super().__init__()
        self.links, self.metas, self.anchors = [], {}, []
        self.feed(response.text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "link":
            self.links.append(values)
        elif tag == "a":
            self.anchors.append(values["href"])
        elif tag == "meta":
            self.metas.setdefault(values.get("property") or values.get("name"), []).append(values.get("content"))

    def canonical(self):
        return [link["href"] for link in self.links if link["rel"] == "canonical"]

    def languages(self):
        return {link["hreflang"]: link["href"] for link in self.links if "hreflang" in link}


class HeadTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.statistic = make_statistic("97M", claim='of "jobs" & <more>.')
        series = Series.objects.create(slug="pay", name="Pay")
        cls.article = make_article(
            title='What "counts" & why', statistics=[cls.statistic], headline=cls.statistic, series=series
        )
        cls.role = make_role("Analyst", pay={"GB": (1, 2)}, path=make_path(), core=["Python"])
        cls.edition = make_sent(make_part(), subject="Week <48>", preheader="A preheader.")

    def head(self, path, status=200):
        response = self.client.get(path)
        self.assertEqual(response.status_code, status, path)
        return Head(response)

    def test_every_page_has_one_canonical_address_a_card_and_its_language(self):
        pages = [
            "/",
            "/articles/",
            self.article.get_absolute_url(),
            make_category().get_absolute_url(),
            "/series/pay/",
            make_author().get_absolute_url(),
            "/sources/",
            "/corrections/",
            self.statistic.get_absolute_url(),
            "/careers/",
            "/careers/compare/",
            "/careers/fit/",
            "/careers/skills/",
            make_skill().get_absolute_url(),
            self.role.get_absolute_url(),
            self.role.path.get_absolute_url(),
            "/newsletter/",
            "/newsletter/archive/",
            self.edition.get_absolute_url(),
        ]
        for path in pages:
            with self.subTest(path):
                head = self.head(path)

                self.assertEqual(head.canonical(), [SITE + path])
                self.assertEqual(head.languages(), {"en-GB": SITE + path, "x-default": SITE + path})
                self.assertNotIn("robots", head.metas)
                self.assertEqual(head.metas["og:url"], [SITE + path])
                self.assertEqual(head.metas["og:description"], head.metas["description"])
                self.assertEqual(head.metas["og:image:alt"][0].partition(":")[0], self.card_of(path))
                self.assertEqual(head.metas["twitter:card"], ["summary_large_image"])
                self.assertTrue(
                    all(len(values) == 1 for name, values in head.metas.items() if name != "article:author")
                )

    def card_of(self, path):
        number = self.article.number
        return f"Number {number} of {number}" if path == self.article.get_absolute_url() else "Veltrix"

    def test_the_card_of_pages_without_one_is_there_and_of_the_size_that_is_said(self):
        head = self.head("/careers/")
        path = head.metas["og:image"][0].removeprefix(SITE)

        content = Path(finders.find(path.removeprefix("/static/"))).read_bytes()

        self.assertEqual(content[:4], b"\x89PNG")
        size = [int.from_bytes(content[start : start + 4]) for start in (16, 20)]
        self.assertEqual(
            [str(side) for side in size], [head.metas[f"og:image:{side}"][0] for side in ("width", "height")]
        )

    def test_an_article_says_when_it_appeared_whose_it_is_and_where_it_belongs(self):
        metas = self.head(self.article.get_absolute_url()).metas

        self.assertEqual(metas["og:type"], ["article"])
        self.assertEqual(metas["og:title"], ['What "counts" & why'])
        self.assertEqual(metas["article:section"], ["AI Jobs"])
        self.assertEqual(metas["article:author"], [f"{SITE}/authors/ada-lovelace/"])
        self.assertRegex(metas["article:published_time"][0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+.]")
        self.assertNotIn("article:modified_time", metas)

    def test_lists_of_articles_are_described_in_a_sentence(self):
        figures = "newest first, with every figure sourced and its check shown."
        Author.objects.update(description="founder of a firm")
        for path, sentence in {
            "/authors/ada-lovelace/": "Articles by Ada Lovelace, founder of a firm.",
            "/topics/ai-jobs/": f"All articles on AI Jobs, {figures}",
            "/series/pay/": f"All articles of the series Pay, {figures}",
        }.items():
            with self.subTest(path):
                self.assertEqual(self.head(path).metas["description"], [sentence])
        Series.objects.update(description="What it pays.")
        self.assertEqual(self.head("/series/pay/").metas["description"], ["What it pays."])

    def test_an_edition_is_an_article_too(self):
        metas = self.head(self.edition.get_absolute_url()).metas

        self.assertEqual((metas["og:type"], metas["og:title"]), (["article"], ["Week <48>"]))
        self.assertEqual(metas["og:description"], ["A preheader."])

    def test_further_pages_of_a_list_have_an_address_of_their_own(self):
        for _ in range(20):
            make_article()

        for path in ("/articles/", "/topics/ai-jobs/", "/authors/ada-lovelace/"):
            with self.subTest(path):
                self.assertEqual(self.head(f"{path}?page=2&x=%22%3E").canonical(), [f"{SITE}{path}?page=2"])

    def test_what_is_asked_in_an_address_leads_back_to_the_bare_page(self):
        asked = {
            "/careers/?market=gb&sort=-gb_high": "/careers/",
            "/careers/compare/?roles=a,b": "/careers/compare/",
            "/careers/fit/?skills=python": "/careers/fit/",
            f"{self.statistic.get_absolute_url()}?as_of=2025": self.statistic.get_absolute_url(),
        }
        for path, bare in asked.items():
            with self.subTest(path):
                head = self.head(path)

                self.assertEqual((head.canonical(), head.metas["robots"]), ([SITE + bare], ["noindex"]))
                self.assertEqual(head.languages(), {})
        self.assertEqual(self.head("/articles/?topic=ai-jobs").canonical(), [f"{SITE}/topics/ai-jobs/"])

    def test_answers_that_are_no_pages_have_no_address_and_are_not_indexed(self):
        self.article.withdrawn_at = self.article.published_at
        self.article.save()
        answers = {
            "/no/such/page/": 404,
            self.article.get_absolute_url(): 410,
            "/drafts/x/": 404,
            "/newsletter/confirm/x/": 404,
            "/newsletter/check-your-inbox/": 200,
        }
        for path, status in answers.items():
            with self.subTest(path):
                head = self.head(path, status)

                self.assertEqual((head.canonical(), head.metas["robots"]), ([], ["noindex"]))
                self.assertNotIn("og:url", head.metas)
