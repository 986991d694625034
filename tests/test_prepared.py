from datetime import UTC, datetime

from django.test import TestCase
from django.utils import timezone

from articles.models import Article
from tests.factories import make_article
from veltrix.prepared import Prepared

NOW = datetime(2000, 1, 1, tzinfo=UTC)


def later(now, number):
    return Article.objects.published(now).filter(number__gt=number).order_by("number").values_list("number", "slug")


class PreparedTests(TestCase):
    def test_it_answers_for_the_values_of_each_time(self):
        first, second = make_article(number=4), make_article(number=9)
        query = Prepared(later, now=NOW, number=999_999_101)
        now = timezone.now()

        with self.assertNumQueries(4):
            answers = [query.rows(now=now, number=number) for number in (0, 4, 9)]
            early = query.rows(now=NOW, number=0)

        rows = [(4, first.slug), (9, second.slug)]
        self.assertEqual(answers, [rows, rows[1:], []])
        self.assertEqual(early, [])

    def test_its_sql_is_written_once(self):
        made = []
        query = Prepared(lambda number: made.append(number) or later(NOW, number), number=999_999_101)

        query.rows(number=1)
        query.rows(number=2)

        self.assertEqual(made, [999_999_101])

    def test_a_query_that_does_not_hold_a_value_is_refused(self):
        with self.assertRaisesMessage(TypeError, "does not hold number"):
            Prepared(lambda number: later(NOW, 1), number=999_999_101).rows(number=1)

    def test_a_column_that_needs_conversion_is_refused(self):
        documents = Article.objects.values_list("live_version__document")
        query = Prepared(lambda number: documents.filter(number=number), number=999_999_101)

        with self.assertRaisesMessage(TypeError, "text and whole numbers only"):
            query.rows(number=7)
