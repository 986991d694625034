from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from articles.documents import document_of, read_document, say_the_same
from articles.models import Article, ArticleVersion, RichText, StatisticReference
from articles.models.blocks import UnknownReferenceError
from articles.models.versions import ImmutableVersionError
from articles.publishing import NotPublishableError, publish
from tests.factories import make_article, make_draft, make_statistic, make_user, publish_as_is


class PublishTests(TestCase):
    def test_it_writes_a_version_that_readers_see(self):
        article = make_draft(title="As drafted")
        editor = make_user()

        version = publish(article, by=editor, note="First")

        article.refresh_from_db()
        self.assertEqual(article.live_version, version)
        self.assertEqual((version.title, version.published_by, version.note), ("As drafted", editor, "First"))
        self.assertEqual(version.document, document_of(article) | {"published_at": None})
        self.assertAlmostEqual(article.published_at.timestamp(), timezone.now().timestamp(), delta=60)

    def test_publishing_again_keeps_the_moment_and_the_earlier_version(self):
        article = make_article()
        moment, first = article.published_at, article.live_version

        Article.objects.filter(pk=article.pk).update(title="Changed")
        second = publish(article, by=None)
        self.assertEqual(publish(article, by=None), second)

        article.refresh_from_db()
        self.assertEqual(article.published_at, moment)
        self.assertEqual(set(article.versions.all()), {first, second})

    def test_an_incomplete_draft_is_refused_and_nothing_changes(self):
        article = Article.objects.create(number=1, slug="bare", title="Bare")

        with self.assertRaises(NotPublishableError) as caught:
            publish(article, by=None)

        self.assertEqual(len(caught.exception.args[0]), 4)
        article.refresh_from_db()
        self.assertIsNone(article.live_version)
        self.assertFalse(ArticleVersion.objects.exists())

    def test_references_follow_what_is_live(self):
        kept, dropped, added = make_statistic(), make_statistic(), make_statistic()
        article = make_article(statistics=[kept, dropped])

        article.articles_statisticblock_set.filter(statistic=dropped).update(statistic=added)
        publish_as_is(article)

        targets = StatisticReference.objects.filter(article=article).values_list("target", flat=True)
        self.assertEqual(set(targets), {kept.pk, added.pk})

    def test_a_record_that_only_the_live_version_shows_cannot_be_deleted(self):
        statistic = make_statistic()
        article = make_article(statistics=[statistic])
        article.articles_statisticblock_set.all().delete()

        with self.assertRaises(IntegrityError), transaction.atomic():
            statistic.live_references.model.target.field.related_model.objects.filter(pk=statistic.pk).delete()

    def test_a_version_is_immutable(self):
        version = make_article().live_version

        with self.assertRaises(ImmutableVersionError):
            version.save()
        with self.assertRaises(ImmutableVersionError):
            version.delete()
        with self.assertRaises(ImmutableVersionError):
            ArticleVersion.objects.update(title="Other")
        with self.assertRaises(ImmutableVersionError):
            ArticleVersion.objects.all().delete()

    def test_a_published_article_cannot_be_deleted(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_article().delete()


class DocumentTests(TestCase):
    def test_a_document_read_into_a_new_article_gives_the_same_document(self):
        document = document_of(make_draft(number=7, statistics=[make_statistic()]))
        Article.objects.all().delete()

        copy = read_document(document)

        self.assertEqual(document_of(copy), document)

    def test_reading_into_a_published_article_keeps_its_number_address_and_moment(self):
        article = make_article(number=7, slug="seven")
        moment = article.published_at
        other = {"number": 8, "slug": "eight", "title": "Other", "published_at": "2020-01-01T00:00:00+00:00"}

        read_document(document_of(article) | other, article)

        article.refresh_from_db()
        self.assertEqual((article.number, article.slug, article.published_at), (7, "seven", moment))
        self.assertEqual(article.title, "Other")

    def test_reading_replaces_the_blocks(self):
        article = make_draft(html="<p>Before</p>")
        document = document_of(article)
        document["blocks"] = [{"type": "rich-text", "html": "<p>After</p>"}]

        read_document(document, article)

        self.assertEqual(RichText.objects.get().html, "<p>After</p>")

    def test_an_unknown_reference_is_named_and_nothing_is_written(self):
        document = document_of(make_draft(slug="a"))
        document |= {"slug": "b", "number": 99}
        document["blocks"].append({"type": "statistic", "statistic": "lost"})

        with self.assertRaisesMessage(UnknownReferenceError, "There is no statistic “lost”."):
            read_document(document)

        self.assertFalse(Article.objects.filter(slug="b").exists())

    def test_hostile_markup_in_a_document_is_cleaned(self):
        document = document_of(make_draft())
        html = '<p onclick="x()">Hi<script>alert(1)</script> <a href="javascript:x()">go</a></p>'
        document |= {"slug": "b", "number": 99, "blocks": [{"type": "rich-text", "html": html}]}

        article = read_document(document)

        self.assertEqual(RichText.objects.get(parent=article).html, "<p>Hi <a>go</a></p>")

    def test_headings_inside_an_answer_are_cleaned_away(self):
        document = document_of(make_draft()) | {"slug": "b", "number": 99}
        document["blocks"] = [{"type": "faq-item", "question": "Why?", "html": "<h2>x</h2><p>y</p>"}]

        article = read_document(document)

        self.assertEqual(article.articles_faqitem_set.get().html, "x<p>y</p>")

    def test_documents_say_the_same_until_a_reader_would_read_something_else(self):
        article = make_article()
        document = article.live_version.document

        self.assertTrue(say_the_same(document_of(article), document))
        RichText.objects.update(html="<p>Other</p>")
        self.assertFalse(say_the_same(document_of(article), document))

    def test_a_block_without_text_is_refused(self):
        document = document_of(make_draft()) | {"slug": "b", "number": 99}
        document["blocks"] = [{"type": "rich-text", "html": "<p> </p>"}]

        with self.assertRaises(ValidationError):
            read_document(document)
