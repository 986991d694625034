from datetime import timedelta
from io import BytesIO

from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from articles.admin.blocks import TableForm
from articles.models import Article, Byline, CallOut, Image, RichText, StatisticBlock, StatisticValue, TableBlock
from articles.models.blocks import block_types, validate_cells
from articles.publishing import publish
from tests.factories import (
    add_role_table,
    make_article,
    make_author,
    make_category,
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_skill,
    make_source,
    make_statistic,
    make_table,
    make_user,
)

FORMSETS = [*(f"{model._meta.app_label}_{model._meta.model_name}_set" for model in block_types().values()), "bylines"]


def form_data(article=None, **values):
    """What the article form posts: no rows but those that `values` adds, by the names of the form's fields."""
    data = {}
    for prefix in FORMSETS:
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    fields = {"title": "A title", "number": 1, "slug": "a-title", "standfirst": "What it is about.", "social_text": ""}
    if article:
        article.refresh_from_db()
        fields = {name: getattr(article, name) for name in fields} | {"known": article.changed_at.isoformat()}
    return data | fields | {"published_at_0": "", "published_at_1": ""} | values


def row(prefix, *forms, initial=0):
    """The fields of a formset."""
    data = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for index, form in enumerate(forms):
        data |= {f"{prefix}-{index}-{name}": value for name, value in form.items()}
    return data


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

    def changed(self, article, html, **values):
        """What the form of this article, with one text and one byline, posts."""
        block, byline = RichText.objects.get(parent=article), Byline.objects.get(article=article)
        text = {"id": block.pk, "parent": article.pk, "html": html, "region": "main", "ordering": 10}
        credit = {
            "id": byline.pk,
            "article": article.pk,
            "author": byline.author_id,
            "credit": byline.credit,
            "order": 0,
        }
        rows = row("articles_richtext_set", text, initial=1) | row("bylines", credit, initial=1)
        return form_data(article, category=article.category_id, **rows, **values)

    def test_the_second_of_two_people_is_told_and_may_save_again(self):
        article = make_draft(html="<p>Start</p>")
        url = reverse("admin:articles_article_change", args=[article.pk])
        self.client.force_login(self.editor)
        mine = self.changed(article, "<p>Mine</p>", _continue="1")
        self.client.post(url, self.changed(article, "<p>Theirs</p>", _continue="1"))

        response = self.client.post(url, mine)

        self.assertContains(response, "Somebody else saved this draft at")
        self.assertContains(response, "Mine")
        self.assertEqual(RichText.objects.get().html, "<p>Theirs</p>")
        form = response.context["adminform"].form
        self.assertEqual(form["standfirst"].value(), article.standfirst)
        self.client.post(url, mine | {"known": form["known"].value()})
        self.assertEqual(RichText.objects.get().html, "<p>Mine</p>")

    def test_a_save_that_changes_nothing_leaves_the_article_live_as_it_is(self):
        article = make_article(html="<p>Same</p>")
        self.client.force_login(self.editor)

        self.client.post(
            f"/admin/articles/article/{article.pk}/change/", self.changed(article, "<p>Same</p>", _save="1")
        )

        self.assertContains(self.client.get("/admin/articles/article/?state=live"), '<td class="field-state">Live</td>')

    def test_the_moment_of_a_scheduled_article_is_up_to_those_who_publish(self):
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

        self.client.force_login(self.author)
        self.client.post(url, self.changed(article, "<p>x</p>") | earlier)
        article.refresh_from_db()
        self.assertEqual(article.published_at, moment)

        self.client.force_login(self.editor)
        response = self.client.post(url, self.changed(article, "<p>y</p>") | {"_continue": "1"})
        self.assertContains(response, "A published article keeps its moment of publication.")
        self.client.post(url, self.changed(article, "<p>y</p>") | earlier)
        article.refresh_from_db()
        self.assertEqual((article.published_at.year, article.slug, article.number == 900), (2020, article.slug, False))
        self.assertNotEqual(article.slug, "moved")

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

    def test_a_published_article_keeps_its_number_and_address(self):
        article = make_article()
        self.client.force_login(self.editor)
        url = reverse("admin:articles_article_change", args=[article.pk])

        self.client.post(url, form_data(article, slug="moved", number=999, _continue="1"))

        article.refresh_from_db()
        self.assertNotIn("moved", article.slug)
        self.assertNotEqual(article.number, 999)

    def test_a_live_article_stays_as_it_is_until_it_is_published_again(self):
        article = make_article(html="<p>Before</p>")
        url = reverse("admin:articles_article_change", args=[article.pk])
        self.client.force_login(self.editor)

        self.client.post(url, self.changed(article, "<p>After</p>", _continue="1"))
        self.assertContains(self.client.get(article.get_absolute_url()), "Before")
        self.assertContains(self.client.get(url), "holds changes that readers do not see")

        self.client.post(url, self.changed(article, "<p>After</p>", _publish="1"))
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

    def upload(self, name, content):
        self.client.force_login(self.author)
        file = SimpleUploadedFile(name, content, "image/png")
        block = {"file": file, "alt": "x", "credit": "y", "caption": "", "region": "main", "ordering": 20}
        data = self.complete(_continue="1") | row("articles_image_set", block)
        return self.client.post("/admin/articles/article/add/", data)

    def picture(self, kind="PNG", size=(4, 3)):
        stream = BytesIO()
        Pillow.new("RGB", size).save(stream, kind)
        return stream.getvalue()

    def test_a_picture_is_kept_under_a_name_of_our_own(self):
        self.upload("../../My holiday.PNG", self.picture())

        image = Image.objects.get()
        self.assertRegex(image.file.name, r"^articles/[0-9a-f]{24}\.png$")
        self.assertEqual((image.width, image.height), (4, 3))

    def test_a_file_that_is_no_picture_is_refused_in_words(self):
        wrong = [
            (
                "x.png",
                b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
                "This file is no picture that can be read.",
            ),
            ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "This file is no picture that can be read."),
            ("x.png", self.picture("GIF"), "This is no JPEG, PNG, WebP or AVIF picture."),
            ("x.jpg", self.picture(), "This is a PNG picture under another name: end its name in .png."),
            ("x.png", self.picture(size=(8000, 5001)), "This picture has more than 40 million pixels."),
        ]
        for name, content, message in wrong:
            with self.subTest(message):
                self.assertContains(self.upload(name, content), message)
        self.assertFalse(Article.objects.exists())

    def test_an_article_whose_picture_file_is_gone_can_still_be_saved(self):
        self.upload("x.png", self.picture())
        image = Image.objects.get()
        image.file.storage.delete(image.file.name)

        Image.objects.get().full_clean()


class ArticleListTests(TestCase):
    def test_it_shows_states_and_costs_a_fixed_number_of_queries(self):
        self.client.force_login(make_user("Editor"))
        make_draft(title="A draft")
        make_article(title="A live one")
        url = "/admin/articles/article/"
        self.client.get(url)
        with self.assertNumQueries(12):
            response = self.client.get(url)
        self.assertContains(response, "A live one")
        self.assertContains(response, '<td class="field-state">Draft</td>', html=True)
        for _ in range(5):
            make_article()

        with self.assertNumQueries(12):
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


class DeletionTests(TestCase):
    def test_a_record_in_a_published_article_is_kept_and_the_page_says_where_it_is_used(self):
        statistic = make_statistic()
        article = make_article(title="Uses it", statistics=[statistic])
        StatisticBlock.objects.all().delete()
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:articles_statistic_delete", args=[statistic.pk])

        self.assertContains(self.client.get(url), f"{article.get_absolute_url()}")
        self.client.post(url, {"post": "yes"})

        statistic.refresh_from_db()

    def test_a_role_in_a_published_article_is_kept_and_the_page_says_where_it_is_used(self):
        role = make_role("Data Scientist")
        article = make_draft(title="Compares roles")
        add_role_table(article, make_table(role))
        publish(article, by=None)
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:careers_role_delete", args=[role.pk])

        response = self.client.get(url)
        self.client.post(url, {"post": "yes"})

        self.assertContains(response, "Compares roles")
        role.refresh_from_db()

    def test_an_article_that_was_published_cannot_be_deleted(self):
        article = make_article()
        self.client.force_login(make_user("Administrator"))

        response = self.client.post(f"/admin/articles/article/{article.pk}/delete/", {"post": "yes"})

        self.assertEqual(response.status_code, 403)

    def test_a_skill_that_is_asked_for_is_kept_and_the_page_says_where(self):
        role = make_role("Data Scientist", core=["Python"])
        skill = role.requirements.get().skills.get()
        self.client.force_login(make_user("Editor"))
        url = reverse("admin:careers_skill_delete", args=[skill.pk])

        response = self.client.get(url)
        self.client.post(url, {"post": "yes"})

        self.assertContains(response, "“Python” of Data Scientist asks for it")
        skill.refresh_from_db()

    def test_what_documents_name_keeps_its_slug(self):
        statistic = make_statistic()
        self.client.force_login(make_user("Editor"))

        self.client.post(
            f"/admin/articles/statistic/{statistic.pk}/change/",
            {"slug": "other", "claim": "New words", "unit": "x", "scope": ""} | row("values"),
        )

        slug = statistic.slug
        statistic.refresh_from_db()
        self.assertEqual((statistic.slug, statistic.claim), (slug, "New words"))


class FigureFormTests(TestCase):
    def setUp(self):
        self.statistic = make_statistic("97M", source=make_source())
        self.value = self.statistic.current
        self.url = f"/admin/articles/statisticvalue/{self.value.pk}/change/"
        self.client.force_login(make_user("Editor"))

    def data(self, **values):
        defaults = {
            "value": "97000000.0000",
            "display_text": "97M",
            "horizon_year": "",
            "source": self.value.source_id,
            "locator": "",
            "quote": "",
            "as_of": "",
            "check_status": "unchecked",
            "check_note": "",
            "checked_on": "",
            "review_by": "",
            "why": "update",
            "why_note": "",
        }
        return defaults | values

    def test_a_change_publishes_a_successor(self):
        response = self.client.post(self.url, self.data(display_text="170M", value="170000000"), follow=True)

        self.assertContains(response, "was changed successfully")
        self.value.refresh_from_db()
        self.assertEqual(self.value.display_text, "97M")
        self.assertEqual(self.value.successor.display_text, "170M")

    def test_saving_and_going_on_goes_on_with_the_new_figure(self):
        response = self.client.post(self.url, self.data(display_text="170M", value="170000000", _continue="1"))

        current = self.statistic.values.current().get()
        self.assertRedirects(response, f"/admin/articles/statisticvalue/{current.pk}/change/")

    def test_what_contradicts_itself_is_refused_in_words(self):
        wrong = [
            (
                {"display_text": "97M", "value": "78000000"},
                "This reads as 97,000,000, but the plain number is 78,000,000",
            ),
            ({"display_text": "70M", "value": "70000000", "why": "re-sourced"}, "“Re-sourced” keeps the figure"),
            ({"check_status": "confirmed"}, "A confirmed figure has a source and the day of the check."),
            ({"display_text": "70M", "value": "70000000", "why": ""}, "This field is required."),
        ]
        for values, message in wrong:
            with self.subTest(message):
                self.assertContains(self.client.post(self.url, self.data(**values)), message)
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_a_check_of_the_earlier_figure_is_not_carried_over(self):
        checked = {"check_status": "disputed", "check_note": "x", "checked_on": "2026-11-23"}
        self.client.post(self.url, self.data(**checked))
        current = self.statistic.values.current().get()
        url = f"/admin/articles/statisticvalue/{current.pk}/change/"

        response = self.client.post(url, self.data(display_text="70M", value="70000000", **checked))

        self.assertContains(response, "This check was of the earlier figure.")

    def test_saving_without_a_change_publishes_nothing_and_says_so(self):
        response = self.client.post(self.url, self.data(why="correction", why_note="Because"))

        self.assertContains(response, "Nothing but the reason was changed")
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_those_who_only_read_see_the_reason_on_record(self):
        successor = self.value.publish_successor(display_text="98M", why="correction", why_note="A slip.")
        self.client.force_login(make_user("Author"))

        response = self.client.get(f"/admin/articles/statisticvalue/{successor.pk}/change/")

        self.assertContains(response, "A slip.")

    def test_a_range_cannot_be_changed_into_another_current_one(self):
        role = make_role(pay={"GB": (1, 2)})
        base = make_salary(role, make_markets()["GB"], kind="base")
        data = self.data(low=1, high=2, kind="unstated", period="year", basis="", level="", median="", sample_size="")

        response = self.client.post(f"/admin/careers/salaryrange/{base.pk}/change/", data)

        self.assertContains(response, "There is a current range of this kind already")

    def test_a_correction_needs_its_reason(self):
        response = self.client.post(self.url, self.data(display_text="98M", value="98000000", why="correction"))

        self.assertContains(response, "Say what was wrong: readers see the reason of a correction.")
        self.assertEqual(StatisticValue.objects.count(), 1)

    def test_the_second_of_two_editors_is_told_and_nothing_is_lost(self):
        self.client.post(self.url, self.data(display_text="170M", value="170000000"))

        response = self.client.post(self.url, self.data(display_text="180M", value="180000000"))

        self.assertContains(response, "A newer figure was published in the meantime.")
        self.assertContains(response, "180M")
        self.assertEqual(StatisticValue.objects.current().get().display_text, "170M")

    def test_a_past_figure_is_only_read_and_never_deleted(self):
        self.client.post(self.url, self.data(display_text="170M", value="170000000"))

        response = self.client.get(self.url)
        self.assertNotContains(response, 'name="display_text"')
        self.assertNotContains(response, 'name="_save"')
        self.assertContains(response, "Open the current figure.")
        self.assertEqual(self.client.post(self.url.replace("change", "delete"), {"post": "yes"}).status_code, 403)

    def test_a_new_figure_is_published_at_once(self):
        StatisticValue._base_manager.all()._raw_delete("default")

        self.client.post("/admin/articles/statisticvalue/add/", self.data(statistic=self.statistic.pk, why="new"))

        self.assertEqual(StatisticValue.objects.current().get().display_text, "97M")


class RepeatedRowTests(TestCase):
    """Two new rows of one form that the database would take for one."""

    def setUp(self):
        self.client.force_login(make_user("Editor"))

    def test_the_same_alias_twice(self):
        data = {"slug": "x", "name": "X", "kind": "data"} | row("aliases", {"alias": "y"}, {"alias": "Y"})

        response = self.client.post("/admin/careers/skill/add/", data)

        self.assertContains(response, "This alias belongs to a skill already.")

    def test_the_same_line_twice(self):
        skill = make_skill()
        line = {"importance": "must", "label": "SQL", "needs": "any", "skills": [skill.pk], "order": 0}
        data = {"slug": "x", "name": "X", "order": 0} | row("requirements", line, line)

        response = self.client.post("/admin/careers/careerpath/add/", data)

        self.assertContains(response, "This list has a line of this name already.")


class EveryAdminPageTests(TestCase):
    def test_every_list_and_form_opens_for_an_administrator(self):
        from django.contrib import admin

        make_article(statistics=[make_statistic(source=make_source())])
        make_table(make_role(pay={"GB": (1, 2)}, core=["Python"]))
        CallOut.objects.create(parent=Article.objects.get(), region="main", ordering=1, heading="x", html="<p>y</p>")
        self.client.force_login(make_user(is_superuser=True))

        for model, model_admin in admin.site._registry.items():
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            with self.subTest(base):
                self.assertEqual(self.client.get(base).status_code, 200)
                search = self.client.get(f"{base}?q=x")
                self.assertEqual(search.status_code, 200)
                first = model._default_manager.first()
                if first is not None:
                    self.assertEqual(self.client.get(f"{base}{first.pk}/change/").status_code, 200)
                if model_admin.has_add_permission(search.wsgi_request):
                    self.assertEqual(self.client.get(f"{base}add/").status_code, 200)
