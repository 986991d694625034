from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from articles.models import Source, Statistic, StatisticValue
from articles.models.sourced import FrozenFigureError, SupersededFigureError
from articles.partial_dates import first_day, in_words, last_day, validate_partial_date
from tests.factories import make_source, make_statistic


class PartialDateTests(SimpleTestCase):
    def test_years_months_and_days_are_accepted(self):
        for value in ("2026", "2026-04", "2026-04-08", "2024-02-29"):
            with self.subTest(value):
                validate_partial_date(value)

    def test_everything_else_is_refused(self):
        for value in ("26", "2026-13", "2026-4", "2025-02-29", "2026-04-31", "April 2026", "2026-04-08T00:00", "٢٠٢٦"):
            with self.subTest(value), self.assertRaises(ValidationError):
                validate_partial_date(value)

    def test_words_say_no_more_than_is_known(self):
        words = [in_words(value) for value in ("", "2026", "2026-04", "2026-04-08")]

        self.assertEqual(words, ["", "2026", "April 2026", "8 April 2026"])

    def test_the_days_that_a_partial_date_can_mean(self):
        self.assertEqual(str(first_day("2024-02")), "2024-02-01")
        self.assertEqual(str(last_day("2024-02")), "2024-02-29")
        self.assertEqual(str(last_day("2025")), "2025-12-31")


class SourceTests(TestCase):
    def test_a_date_that_is_none_is_refused_by_form_and_database(self):
        source = make_source()
        source.published = "soon"

        with self.assertRaisesMessage(ValidationError, "Write a year, a month or a day"):
            source.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            source.save()

    def test_an_edition_cannot_replace_itself(self):
        source = make_source()
        source.newer_edition = source

        with self.assertRaisesMessage(ValidationError, "An edition cannot replace itself."):
            source.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            source.save()

    def test_an_address_is_one_of_the_web(self):
        for url in ("ftp://example.org/x", "javascript:alert(1)", "example"):
            with self.subTest(url), self.assertRaises(ValidationError):
                Source(slug="x", producer="x", title="x", url=url).full_clean()

    def test_a_horizon_is_a_year(self):
        source = make_source()
        source.projection_horizon = 27

        with self.assertRaisesMessage(ValidationError, "Give the horizon as a year."):
            source.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            source.save()

    def test_a_source_of_a_figure_cannot_be_deleted(self):
        source = make_source()
        make_statistic(source=source)

        with self.assertRaises(IntegrityError):
            source.delete()

    def test_the_citation_leaves_out_what_is_unknown(self):
        source = Source(producer="World Economic Forum", title="The Future of Jobs Report", edition="2023")

        self.assertEqual(source.citation, "World Economic Forum, The Future of Jobs Report, 2023")
        self.assertEqual(
            Source(producer="Levels.fyi", title="Compensation data").citation, "Levels.fyi, Compensation data"
        )


class StatisticValueTests(TestCase):
    def setUp(self):
        self.statistic = make_statistic("97M")
        self.value = self.statistic.current

    def test_a_published_figure_is_frozen(self):
        self.value.display_text = "98M"

        with self.assertRaises(FrozenFigureError):
            self.value.save()
        with self.assertRaises(FrozenFigureError):
            self.value.delete()
        with self.assertRaises(FrozenFigureError):
            StatisticValue.objects.all().delete()
        with self.assertRaises(FrozenFigureError):
            StatisticValue.objects.update(display_text="98M")
        with self.assertRaises(FrozenFigureError), transaction.atomic():
            StatisticValue.objects.bulk_update([self.value], ["display_text"])

        self.assertEqual(StatisticValue.objects.get().display_text, "97M")

    def test_a_copy_that_does_not_know_of_its_publication_is_frozen_too(self):
        deferred = StatisticValue.objects.defer("published_at").get()
        made = StatisticValue(pk=self.value.pk, statistic=self.statistic, value=1, display_text="1")

        for row in (deferred, made):
            with self.assertRaises(FrozenFigureError):
                row.save()

        self.assertEqual(StatisticValue.objects.get().display_text, "97M")

    def test_an_unpublished_figure_may_change_and_go(self):
        draft = StatisticValue.objects.create(statistic=self.statistic, value=1, display_text="1")
        draft.display_text = "2"

        draft.save()
        draft.delete()

        self.assertEqual(StatisticValue.objects.get(), self.value)

    def test_a_successor_takes_over_in_one_moment(self):
        successor = self.value.publish_successor(display_text="170M", why="update")

        self.value.refresh_from_db()
        self.assertEqual(self.value.superseded_at, successor.published_at)
        self.assertEqual((successor.supersedes, self.value.display_text), (self.value, "97M"))
        self.assertEqual(Statistic.objects.with_current().get().current, successor)

    def test_only_the_current_figure_has_a_successor(self):
        self.value.publish_successor(display_text="170M", why="update")

        with self.assertRaises(SupersededFigureError):
            self.value.publish_successor(display_text="180M", why="update")

        self.assertEqual(StatisticValue.objects.current().get().display_text, "170M")

    def test_a_failed_successor_leaves_the_figure_current(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.value.publish_successor(why="correction", why_note="")

        self.assertEqual(StatisticValue.objects.current().get(), self.value)

    def test_one_current_value_for_each_statistic(self):
        second = StatisticValue(statistic=self.statistic, value=1, display_text="1", published_at=timezone.now())

        with self.assertRaisesMessage(ValidationError, "This statistic has a current value already"):
            second.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            second.save()

    def test_a_correction_says_what_was_wrong(self):
        second = StatisticValue(statistic=make_statistic(), value=1, display_text="1", why="correction")

        with self.assertRaisesMessage(ValidationError, "Say what was wrong"):
            second.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            second.save()

    def test_the_database_knows_the_choices_and_the_order_of_moments(self):
        now = timezone.now()
        wrong = [
            {"check_status": "guessed"},
            {"why": "whim"},
            {"as_of": "soon"},
            {"horizon_year": 25},
            {"published_at": now, "superseded_at": now - timedelta(days=1)},
            {"superseded_at": now},
        ]

        for values in wrong:
            with self.subTest(values), self.assertRaises(IntegrityError), transaction.atomic():
                StatisticValue.objects.create(
                    statistic=Statistic.objects.create(slug=str(values)[:20]), value=1, **values
                )
