from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from articles.admin.blocks import TableForm
from articles.models import Article, RichText, TableBlock
from articles.models.blocks import validate_cells
from tests.articles.article_forms import changed, form_data, row
from tests.factories import (
    make_article,
    make_author,
    make_category,
    make_draft,
    make_user,
)


class ArticleFormTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.author = make_user("Author")
        cls.category = make_category()
        cls.writer = make_author()

    def complete(self, **values):
        return form_data(
            category=self.category.pk,
            **row("bylines", {"author": self.writer.pk, "credit": "Written by", "order": 0}),
            **row("articles_richtext_set", {"html": "<p>Hello</p>", "region": "main", "ordering": 10}),
            **values,
        )

    def test_the_second_of_two_people_with_a_mistake_of_their_own_is_told_of_both(self):
        article = make_draft(html="<p>Start</p>")
        url = reverse("admin:articles_article_change", args=[article.pk])
        self.client.force_login(self.editor)
        mine = changed(article, "", _continue="1", window="a" * 32)
        self.client.post(url, changed(article, "<p>Theirs</p>", _continue="1"))

        response = self.client.post(url, mine)

        self.assertContains(response, "Somebody else saved this draft at")
        self.assertContains(response, "This field is required.")
        self.assertEqual(RichText.objects.get().html, "<p>Theirs</p>")

    def test_a_save_that_changes_nothing_leaves_the_article_live_as_it_is(self):
        article = make_article(html="<p>Same</p>")
        self.client.force_login(self.editor)

        self.client.post(f"/admin/articles/article/{article.pk}/change/", changed(article, "<p>Same</p>", _save="1"))

        self.assertContains(self.client.get("/admin/articles/article/?state=live"), '<td class="field-state">Live</td>')

    def test_of_a_scheduled_article_the_form_moves_the_address_and_the_schedule_the_moment(self):
        moment = timezone.now() + timedelta(days=2)
        article = make_article(published_at=moment)
        url = f"/admin/articles/article/{article.pk}/change/"
        earlier = {
            "published_at_0": "2020-01-01",
            "published_at_1": "00:00",
            "number": 900,
            "slug": "moved",
            "_continue": "1",
        }

        for user, slug in ((self.author, article.slug), (self.editor, "moved")):
            self.client.force_login(user)
            self.client.post(url, changed(article, f"<p>{slug}</p>") | earlier)

            article.refresh_from_db()
            self.assertEqual((article.published_at, article.slug, article.number == 900), (moment, slug, False))

    def test_save_draft_changes_nothing_for_readers(self):
        self.client.force_login(self.author)

        response = self.client.post("/admin/articles/article/add/", self.complete(_continue="Save draft"))

        article = Article.objects.get()
        self.assertRedirects(response, f"/admin/articles/article/{article.pk}/change/")
        self.assertEqual((article.live_version, article.published_at), (None, None))
        self.assertEqual(self.client.get(article.get_absolute_url()).status_code, 404)

    def test_publish_makes_it_live_and_says_so(self):
        self.client.force_login(self.editor)

        response = self.client.post("/admin/articles/article/add/", self.complete(_publish="Publish"), follow=True)

        article = Article.objects.get()
        self.assertContains(response, "“A title” is live")
        self.assertEqual(article.live_version.published_by, self.editor)
        self.assertEqual(self.client.get(article.get_absolute_url()).status_code, 200)
        self.assertTrue(LogEntry.objects.filter(change_message__contains="Published as version").exists())

    def test_an_author_may_not_publish(self):
        self.client.force_login(self.author)

        response = self.client.post("/admin/articles/article/add/", self.complete(_publish="Publish"))

        self.assertEqual(response.status_code, 403)
        self.assertFalse(Article.objects.exists())

    def test_only_those_who_may_publish_see_the_button(self):
        article = make_draft()
        url = reverse("admin:articles_article_change", args=[article.pk])

        self.client.force_login(self.author)
        self.assertNotContains(self.client.get(url), 'name="_publish"')
        self.client.force_login(self.editor)
        self.assertContains(self.client.get(url), 'name="_publish"')

    def test_an_incomplete_draft_is_saved_and_the_editor_is_told_what_is_missing(self):
        self.client.force_login(self.editor)

        response = self.client.post("/admin/articles/article/add/", form_data(_publish="Publish"), follow=True)

        self.assertContains(response, "Saved, but not published. Choose a category.")
        self.assertContains(response, "Saved, but not published. Add at least one byline.")
        self.assertIsNone(Article.objects.get().live_version)

    def test_a_failed_save_keeps_what_was_typed(self):
        self.client.force_login(self.editor)
        make_draft(number=1)

        response = self.client.post("/admin/articles/article/add/", self.complete(_publish="Publish"))

        self.assertContains(response, "Another article has this number.")
        self.assertContains(response, "&lt;p&gt;Hello&lt;/p&gt;")

    def test_a_published_article_keeps_its_number_and_for_authors_its_address(self):
        article = make_article()
        self.client.force_login(self.author)
        url = reverse("admin:articles_article_change", args=[article.pk])

        self.client.post(url, form_data(article, slug="moved", number=999, _continue="1"))

        article.refresh_from_db()
        self.assertNotIn("moved", article.slug)
        self.assertNotEqual(article.number, 999)

    def test_a_live_article_stays_as_it_is_until_it_is_published_again(self):
        article = make_article(html="<p>Before</p>")
        url = reverse("admin:articles_article_change", args=[article.pk])
        self.client.force_login(self.editor)

        self.client.post(url, changed(article, "<p>After</p>", _continue="1"))
        self.assertContains(self.client.get(article.get_absolute_url()), "Before")
        self.assertContains(self.client.get(url), "holds changes that readers do not see")

        self.client.post(url, changed(article, "<p>After</p>", _publish="1"))
        self.assertContains(self.client.get(article.get_absolute_url()), "After")
        self.assertContains(self.client.get(url), "as it stands here")

    def test_a_request_cannot_copy_blocks_of_other_articles(self):
        other = make_draft()
        block = RichText.objects.get(parent=other)
        clones = {"_clone": [f"articles.richtext:{block.pk}", "auth.user:1"], "_clone_region": "main"}
        self.client.force_login(self.author)

        self.client.post("/admin/articles/article/add/", self.complete(_continue="1", _clone_ordering=1) | clones)

        self.assertEqual(RichText.objects.filter(parent=other).count(), 1)

    def test_hostile_markup_is_cleaned_on_save(self):
        self.client.force_login(self.author)
        html = (
            '<h2>Hi</h2><p style="x">a<img src=x onerror=alert(1)><a href="javascript:alert(1)">b</a></p><svg onload=x>'
        )
        data = self.complete(_continue="1") | row(
            "articles_richtext_set", {"html": html, "region": "main", "ordering": 10}
        )

        self.client.post("/admin/articles/article/add/", data)

        self.assertEqual(RichText.objects.get().html, "<h2>Hi</h2><p>a<a>b</a></p>")

    def test_a_table_is_typed_line_by_line_or_pasted_from_a_spreadsheet(self):
        self.client.force_login(self.author)
        tables = row(
            "articles_tableblock_set",
            {"caption": "Typed", "cells": "Role | Count\nAnalyst | 3", "note": "", "region": "main", "ordering": 20},
            {"caption": "Pasted", "cells": "Role\tCount\r\nA | B\t3\r\n", "note": "", "region": "main", "ordering": 30},
        )

        self.client.post("/admin/articles/article/add/", self.complete(_continue="1") | tables)

        typed, pasted = TableBlock.objects.order_by("ordering")
        self.assertEqual(typed.cells, [["Role", "Count"], ["Analyst", "3"]])
        self.assertEqual(pasted.cells, [["Role", "Count"], ["A | B", "3"]])

    def test_a_cell_with_a_bar_comes_back_as_it_was(self):
        block = TableBlock(cells=[["Role", "Count"], ["A | B", "3"]])
        field = TableForm(instance=block)["cells"]

        again = TableForm.base_fields["cells"].clean(field.value())

        self.assertEqual(again, block.cells)

    def test_a_control_character_in_a_table_is_refused(self):
        with self.assertRaisesMessage(ValidationError, "Null characters are not allowed."):
            TableForm.base_fields["cells"].clean("a | b\nc | \x00")
        with self.assertRaisesMessage(ValidationError, "Each cell of a table is text."):
            validate_cells([["a"], ["\x00"]])

    def test_a_ragged_table_is_refused_in_words_and_stays_in_the_form(self):
        self.client.force_login(self.author)
        cells = {"caption": "x", "cells": "Role | Count\nAnalyst", "note": "", "region": "main", "ordering": 20}

        response = self.client.post(
            "/admin/articles/article/add/", self.complete() | row("articles_tableblock_set", cells)
        )

        self.assertContains(response, "Row 2 has 1 cells, but the header has 2.")
        self.assertContains(response, "Role | Count\nAnalyst")


class ArticleListTests(TestCase):
    def test_it_shows_states_and_costs_a_fixed_number_of_queries(self):
        self.client.force_login(make_user("Editor"))
        make_draft(title="A draft")
        make_article(title="A live one")
        url = "/admin/articles/article/"
        self.client.get(url)
        with self.assertNumQueries(14):
            response = self.client.get(url)
        self.assertContains(response, "A live one")
        self.assertContains(response, '<td class="field-state">Draft</td>', html=True)
        for _ in range(5):
            make_article()

        with self.assertNumQueries(14):
            self.client.get(url)

    def test_the_state_filter_parts_drafts_from_live_ones(self):
        self.client.force_login(make_user("Editor"))
        make_draft(title="A draft")
        make_article(title="A live one")

        response = self.client.get("/admin/articles/article/?state=draft")

        self.assertContains(response, "A draft")
        self.assertNotContains(response, "A live one")


class DraftViewTests(TestCase):
    def test_it_shows_the_draft_as_its_page_would_be(self):
        article = make_article(html="<p>Before</p>")
        RichText.objects.update(html="<p>After</p>")
        self.client.force_login(make_user("Author"))

        response = self.client.get(f"/admin/articles/article/{article.pk}/draft/")

        self.assertContains(response, "After")
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")

    def test_it_is_refused_to_everybody_else(self):
        url = f"/admin/articles/article/{make_draft().pk}/draft/"

        self.assertRedirects(self.client.get(url), f"/admin/login/?next={url}")
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(url).status_code, 403)

    def test_a_draft_that_does_not_exist_is_not_found(self):
        self.client.force_login(make_user("Editor"))

        self.assertEqual(self.client.get("/admin/articles/article/999/draft/").status_code, 404)
