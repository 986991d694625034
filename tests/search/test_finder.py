"""The options of the quick finder."""

import re

from django.test import TestCase

from tests.factories import make_article, make_role
from veltrix.search import index


class FinderTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        make_role("Zebra keeper")
        make_article(slug="piece", title="The Year of the Zebra", html="<p>Keepers</p>")
        index.settle()

    def find(self, words):
        return self.client.get("/search/finder/", {"q": words})

    def paths(self, words):
        return re.findall(r'data-href="([^"]+)"', self.find(words).content.decode())

    def test_it_finds_names_by_their_beginnings_the_shorter_first(self):
        assert self.paths("zeb") == ["/careers/zebra-keeper/", "/articles/piece/", "/search/?q=zeb"]
        assert self.paths("year zeb") == ["/articles/piece/", "/search/?q=year+zeb"]
        assert self.paths("zebra kee") == ["/careers/zebra-keeper/", "/search/?q=zebra+kee"]

    def test_it_always_offers_the_search_of_everything(self):
        assert self.paths("qwertyuiop") == ["/search/?q=qwertyuiop"]

    def test_without_a_word_it_is_empty(self):
        for words in ("", "*", "a" * 201):
            assert self.paths(words) == []

    def test_it_is_a_part_of_a_page_and_not_to_be_indexed(self):
        response = self.find("<b>zebra")

        assert response.headers["X-Robots-Tag"] == "noindex"
        assert "<b>" not in response.content.decode()
        assert self.client.post("/search/finder/").status_code == 405
