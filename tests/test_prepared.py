from datetime import UTC, datetime

from django.db.models import Q
from django.test import TestCase
from django.utils import timezone

from articles.models import Article, Category
from tests.factories import make_article
from veltrix.prepared import Prepared


def later(now, number):
    return Article.objects.published(now).filter(number__gt=number).order_by("number").values_list("number", "slug")


LATER = {"now": datetime, "number": int}


class RowsTests(TestCase):
    def test_it_answers_for_the_values_of_each_time(self):
        first, second = make_article(number=4), make_article(number=9)
        query = Prepared(later, **LATER)
        now = timezone.now()

        with self.assertNumQueries(4):
            answers = [query.rows(now=now, number=number) for number in (0, 4, 9)]
            early = query.rows(now=datetime(2000, 1, 1, tzinfo=UTC), number=0)

        rows = [(4, first.slug), (9, second.slug)]
        self.assertEqual(answers, [rows, rows[1:], []])
        self.assertEqual(early, [])

    def test_its_sql_is_written_once(self):
        made = []
        query = Prepared(lambda number: made.append(number) or later(timezone.now(), number), number=int)

        query.rows(number=1)
        query.rows(number=2)

        self.assertEqual(len(made), 1)

    def test_a_query_that_does_not_hold_a_value_is_refused(self):
        with self.assertRaisesMessage(TypeError, "does not hold number"):
            Prepared(lambda now, number: later(now, 1), **LATER).rows(now=timezone.now(), number=1)

    def test_a_column_that_needs_conversion_is_refused(self):
        documents = Article.objects.values_list("live_version__document")
        query = Prepared(lambda number: documents.filter(number=number), number=int)

        with self.assertRaisesMessage(TypeError, "text and whole numbers only"):
            query.rows(number=7)


class ObjectsTests(TestCase):
    def test_it_gives_what_the_queryset_gives(self):
        articles = [make_article(number=number) for number in (4, 9, 12)]
        query = Prepared(
            lambda slugs: Article.objects.filter(slug__in=slugs).select_related("live_version").order_by("number"),
            slugs=[str],
        )

        with self.assertNumQueries(1):
            found = query.objects(slugs={articles[0].slug, articles[2].slug, "nowhere"})
            documents = [article.live_version.document for article in found]

        self.assertEqual(found, [articles[0], articles[2]])
        self.assertEqual(documents, [Article.objects.get(pk=article.pk).live_version.document for article in found])
        self.assertEqual(
            [article.published_at for article in found], [a.published_at for a in (articles[0], articles[2])]
        )

    def test_it_fetches_what_is_prefetched(self):
        make_article(number=4)
        query = Prepared(lambda number: Article.objects.filter(number=number).prefetch_related("bylines"), number=int)

        with self.assertNumQueries(2):
            (article,) = query.objects(number=4)
            list(article.bylines.all())

    def test_answers_are_not_kept(self):
        article = make_article(number=4)
        query = Prepared(lambda number: Article.objects.filter(number=number), number=int)
        (before,) = query.objects(number=4)

        Article.objects.filter(pk=article.pk).update(title="Another title")

        (after,) = query.objects(number=4)
        self.assertEqual([before.title, after.title], [article.title, "Another title"])

    def test_of_nothing_but_empty_lists_nothing_is_asked(self):
        query = Prepared(lambda slugs: Category.objects.filter(slug__in=slugs), slugs=[str])

        with self.assertNumQueries(0):
            self.assertEqual(query.objects(slugs=set()), [])

    def test_lists_of_any_length_are_served(self):
        topics = [Category.objects.create(slug=f"topic-{n}", name=f"Topic {n}") for n in range(9)]
        made = []

        def make(keys, slugs):
            made.append(len(keys))
            return Category.objects.filter(Q(pk__in=keys) | Q(slug__in=slugs)).order_by("pk")

        query = Prepared(make, keys=[int], slugs=[str])

        for length in range(10):
            with self.subTest(length=length):
                keys = [topic.pk for topic in topics[:length]]
                self.assertEqual(query.objects(keys=keys, slugs=[]), topics[:length])
                self.assertEqual(
                    query.objects(keys=[], slugs=[topic.slug for topic in topics[:length]]), topics[:length]
                )
        self.assertEqual(sorted(made), [1, 1, 1, 1, 1, 2, 4, 8, 16])
