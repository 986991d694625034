"""The database keeps the topic that readers see an article under beside the article."""

from datetime import timedelta

import time_machine
from django.apps import apps
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from articles import live_categories, schedule
from articles.models import Article, Category
from tests.factories import make_article, make_category, publish_as_is
from tests.plans import plan_of


def live_category(article):
    return Article.objects.get(pk=article.pk).live_category


class LiveCategoryTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.work, cls.pay = make_category("Work"), make_category("Pay")
        cls.article = make_article(category=cls.work)

    def move_draft(self):
        self.article.refresh_from_db()
        self.article.category = self.pay
        self.article.save()

    def test_it_is_that_of_the_version_and_not_of_the_draft(self):
        self.move_draft()

        self.assertEqual(live_category(self.article), self.work)

        publish_as_is(self.article)

        self.assertEqual(live_category(self.article), self.pay)

    def test_a_scheduled_change_brings_it_along(self):
        self.move_draft()
        at = timezone.now() + timedelta(days=1)
        schedule.schedule(self.article, at=at, by=None, reason="So be it.")

        self.assertEqual(live_category(self.article), self.work)
        with time_machine.travel(at + timedelta(minutes=1)):
            schedule.settle()

        self.assertEqual(live_category(self.article), self.pay)

    def test_whoever_writes_to_the_database_cannot_make_it_wrong(self):
        stale = Article.objects.get(pk=self.article.pk)
        self.move_draft()
        publish_as_is(self.article)
        new = Article.objects.get(pk=self.article.pk)

        stale.live_version = new.live_version
        stale.save()

        self.assertEqual(live_category(self.article), self.pay)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE articles_article SET live_version_id = NULL")
        self.assertIsNone(live_category(self.article))

    def test_articles_from_before_get_it_when_migrations_are_done(self):
        Article.objects.update(live_category=None)

        live_categories.install(apps.get_app_config("articles"), "default")

        self.assertEqual(live_category(self.article), self.work)

    def test_topics_count_what_readers_see_and_what_lies_below_them(self):
        below = make_category("Hours", parent=self.work)
        make_article(category=below)
        make_article(category=self.pay, published_at=timezone.now() + timedelta(days=1))

        counts = {topic.name: topic.article_count for topic in Category.objects.with_articles()}

        self.assertEqual(counts, {"Work": 2, "Hours": 1})
        self.assertEqual(Article.objects.published().under(self.work).count(), 2)
        self.assertEqual(Article.objects.published().under(below).count(), 1)


class PlanTests(TestCase):
    """A list of articles is found in an index alone, and so is its length."""

    def test_the_newest_articles_and_their_number_come_from_an_index(self):
        category = make_category("Work")
        published = Article.objects.published()
        lists = {
            "newest": published.newest_first().values("pk")[100:120],
            "of a topic": published.filter(live_category=category).newest_first().values("pk")[:20],
        }
        for name, articles in lists.items():
            with self.subTest(name):
                plan = plan_of(articles)

                self.assertIn("article_published", plan)
                self.assertNotIn("Sort", plan)
                self.assertNotIn("TEMP B-TREE", plan)
        with self.subTest("number"):
            self.assertIn("article_published", plan_of(published.order_by().values("live_category").distinct()))
