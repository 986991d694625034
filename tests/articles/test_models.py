from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase

from articles.models import Article, Byline, Image, TableBlock
from careers.models import SkillList
from tests.factories import make_article, make_author, make_category, make_draft, make_path, make_role


class RuleTests(TestCase):
    """Each rule twice: the sentence that an editor reads, and the refusal of the database."""

    def assert_refused(self, row, message):
        with self.assertRaisesMessage(ValidationError, message):
            row.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            row.save()

    def test_numbers_and_addresses_are_unique_and_numbers_begin_with_one(self):
        make_draft(number=5, slug="five")

        self.assert_refused(Article(number=5, slug="x", title="x"), "Another article has this number.")
        self.assert_refused(Article(number=6, slug="five", title="x"), "Another article has this address.")
        self.assert_refused(Article(number=0, slug="x", title="x"), "The first article has the number 1.")

    def test_what_is_live_has_a_moment_of_publication(self):
        article = make_article()
        article.published_at = None

        self.assert_refused(article, "A published article keeps its moment of publication.")

    def test_a_byline_is_given_once(self):
        article, author = make_draft(), make_author()

        self.assert_refused(
            Byline(article=article, author=author, credit="Written by"), "This author has this credit already."
        )

    def test_a_category_is_not_its_own_parent(self):
        category = make_category()
        category.parent = category

        self.assert_refused(category, "A category cannot stand under itself.")

    def test_categories_have_two_levels_at_most(self):
        top = make_category("Career")
        below = make_category("AI Jobs", parent=top)

        with self.assertRaisesMessage(ValidationError, "“AI Jobs” stands under another category itself."):
            make_category("Deeper", parent=below).full_clean()
        top.parent = make_category("Everything")
        with self.assertRaisesMessage(ValidationError, "Other categories stand under this one"):
            top.full_clean()

    def test_a_picture_has_alternative_text(self):
        image = Image(parent=make_draft(), region="main", file="x.png", width=1, height=1, alt="", credit="x")

        with self.assertRaisesMessage(ValidationError, "Describe the picture for those who cannot see it."):
            image.validate_constraints()
        with self.assertRaises(IntegrityError), transaction.atomic():
            Image.objects.bulk_create([image])

    def test_a_skill_list_is_of_a_path_or_of_a_role(self):
        block = {"parent": make_draft(), "region": "main"}
        message = "Choose either a path or a role."

        self.assert_refused(SkillList(**block), message)
        self.assert_refused(SkillList(**block, path=make_path(), role=make_role()), message)

    def test_a_table_is_refused_with_the_reason(self):
        wrong = [
            ("no list", "A table is a list of rows."),
            ([["a", 1], ["b", "c"]], "Each cell of a table is text."),
            ([["a"]], "A table needs a header row and at least one row more."),
            ([["a", "b"], ["c"]], "Row 2 has 1 cells, but the header has 2."),
            ([["a", " "], ["b", "c"]], "Every column of a table needs a heading."),
            ([["a"] * 13, ["b"] * 13], "A table has at most 200 rows and 12 columns."),
        ]
        for cells, message in wrong:
            with self.subTest(message), self.assertRaisesMessage(ValidationError, message):
                TableBlock(parent=make_draft(), region="main", caption="x", cells=cells).full_clean()
