"""An article of hundreds of blocks can be opened, saved, previewed and published."""

from html.parser import HTMLParser

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from articles.documents import blocks_of, document_of, read_document
from articles.models import CallOut, StatisticBlock
from tests.factories import make_draft, make_path, make_role, make_statistic, make_table, make_user


class Fields(HTMLParser):
    """What a browser would send of a page's form: the values of its fields by their names."""

    def __init__(self, page):
        super().__init__()
        self.values = {}
        self._name = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        name = values.get("name")
        if tag == "input" and name and values.get("type") not in {"submit", "checkbox", "radio", "file"}:
            self.values[name] = values.get("value", "")
        elif tag in {"textarea", "select"}:
            self._name = name
            self.values[name] = ""
        elif tag == "option" and "selected" in values:
            self.values[self._name] = values["value"]

    def handle_endtag(self, tag):
        if tag in {"textarea", "select"}:
            self._name = None

    def handle_data(self, data):
        if self._name and self.lasttag == "textarea":
            self.values[self._name] += data


def make_long(number):
    """A draft with this many blocks, of every type that needs no file in turns."""
    table = make_table(make_role(pay={"GB": (1, 2)}))
    kinds = [
        {"type": "rich-text", "html": f'<p>Some <data value="statistic:{make_statistic().slug}"></data>.</p>'},
        {"type": "statistic", "statistic": make_statistic().slug},
        {"type": "call-out", "heading": "Mark", "html": "<p>This.</p>"},
        {"type": "faq-item", "question": "Why?", "html": "<p>So.</p>"},
        {"type": "quote", "text": "Words", "attribution": "Somebody"},
        {"type": "table", "caption": "A table", "cells": [["A", "B"], ["1", "2"]], "note": ""},
        {"type": "role-table", "table": table.slug, "caption": "Pay"},
        {"type": "skill-list", "path": make_path(f"Path {number}").slug, "heading": "Skills"},
    ]
    article = make_draft()
    blocks = [kinds[place % len(kinds)] for place in range(number)]
    return read_document({**document_of(article), "blocks": blocks}, article)


class LongArticleTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Chief editor")

    def setUp(self):
        self.client.force_login(self.editor)

    def address(self, article, page="change"):
        return f"/admin/articles/article/{article.pk}/{page}/"

    def fields(self, article):
        return {
            name: value for name, value in Fields(self.client.get(self.address(article)).text).values.items() if name
        }

    def test_opening_its_form_costs_as_many_queries_as_for_a_short_one(self):
        for number in (8, 104, 400):
            article = make_long(number)
            self.client.get(self.address(article))

            with self.subTest(number), self.assertNumQueries(23):
                self.client.get(self.address(article))

    def test_saving_costs_one_query_more_for_each_changed_block(self):
        for number in (8, 104, 400):
            article = make_long(number)
            fields = self.fields(article) | {"title": "Another title", "_continue": "1"}
            changed = [
                name for name in fields if name.startswith("articles_callout_set-") and name.endswith("-heading")
            ]
            fields |= {name: f"{fields[name]} more" for name in changed if "__prefix__" not in name}
            changed_blocks = number // 8

            with self.subTest(number), self.assertNumQueries(52 + changed_blocks):
                response = self.client.post(self.address(article), fields)

            self.assertEqual(response.status_code, 302)
            headings = {block.heading for block in blocks_of(article) if isinstance(block, CallOut)}
            self.assertEqual(headings, {"Mark more"})

    def test_new_blocks_cost_no_search_for_their_records(self):
        article = make_long(8)
        statistics = [make_statistic() for _ in range(3)]

        def save(*statistics):
            rows = [{"statistic": s.pk, "region": "main", "ordering": 900, "parent": article.pk} for s in statistics]
            prefix = "articles_statisticblock_set"
            fields = self.fields(article)
            fields |= {f"{prefix}-{place}-{key}": v for place, row in enumerate(rows, 1) for key, v in row.items()}
            fields |= {f"{prefix}-TOTAL_FORMS": len(rows) + 1, f"{prefix}-INITIAL_FORMS": 1, "_continue": "1"}
            with CaptureQueriesContext(connection) as queries:
                response = self.client.post(self.address(article), fields)
            self.assertEqual(response.status_code, 302)
            StatisticBlock.objects.filter(ordering=900).delete()
            return sum('FROM "articles_statistic"' in query["sql"] for query in queries)

        self.assertEqual(save(*statistics), save(statistics[0]))

    def test_a_record_that_is_not_there_is_refused_with_the_rest_kept(self):
        article = make_long(8)
        for lost in ("999999", "9" * 40, "x", "²"):
            fields = self.fields(article) | {"articles_statisticblock_set-0-statistic": lost, "title": "Kept"}

            response = self.client.post(self.address(article), fields)

            self.assertContains(response, "Select a valid choice.")
            self.assertContains(response, 'value="Kept"')

    def test_a_block_of_no_part_of_the_article_is_refused(self):
        article = make_long(8)

        response = self.client.post(
            self.address(article), self.fields(article) | {"articles_quote_set-0-region": "elsewhere", "_save": "1"}
        )

        self.assertContains(response, "This block stands in no part of the article.")

    def test_four_hundred_blocks_are_previewed_checked_and_published(self):
        article = make_long(400)

        for page in ("preview", "checklist", "draft"):
            self.assertEqual(self.client.get(self.address(article, page)).status_code, 200)
        fields = self.fields(article) | {"_publish": "1"}
        self.client.post(self.address(article), fields)
        gate = Fields(self.client.get(self.address(article, "publish")).text).values
        self.client.post(self.address(article, "publish"), gate | {"reason": "It is a test of length."})

        article.refresh_from_db()
        self.assertEqual(len(article.live_version.document["blocks"]), 400)
        self.assertEqual(self.client.get(article.get_absolute_url()).status_code, 200)
