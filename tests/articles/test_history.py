"""The two clocks, by example and by random histories."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from django.test import SimpleTestCase, TestCase
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from articles.history import end_of, known_at, lines_of, points_of, said_at, true_on
from articles.models import Statistic, StatisticValue
from articles.models.sourced import SupersededFigureError
from articles.partial_dates import first_day
from tests.factories import make_statistic

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def day(number):
    """The noon of a day, counted from the first."""
    return START + timedelta(days=number)


class ClockTests(TestCase):
    """A figure for 2024, corrected, then one for 2025."""

    @classmethod
    def setUpTestData(cls):
        cls.statistic = Statistic.objects.create(slug="jobs", claim="jobs are new", unit="jobs")
        cls.first = StatisticValue.objects.create(
            statistic=cls.statistic, value=10, display_text="10", as_of="2024", published_at=day(0)
        )
        cls.second = cls.first.publish_successor(
            at=day(10), value=12, display_text="12", why="correction", why_note="A slip."
        )
        cls.third = cls.second.publish_successor(at=day(20), value=15, display_text="15", as_of="2025", why="update")
        cls.line = [cls.first, cls.second, cls.third]

    def test_a_correction_replaces_a_point_and_an_update_adds_one(self):
        points = points_of(self.line)

        self.assertEqual([(p.figure, p.replaced) for p in points], [(self.second, [self.first]), (self.third, [])])

    def test_what_was_true_is_told_with_what_is_known_now(self):
        answers = [true_on(self.line, date(year, 6, 1)) for year in (2023, 2024, 2025, 2026)]

        self.assertEqual(answers, [None, self.second, self.third, self.third])

    def test_what_the_site_said_is_told_as_it_was_said(self):
        moments = [day(-1), day(0), day(9), day(10), day(19), day(20), day(99)]

        said = [said_at(self.line, moment) for moment in moments]

        self.assertEqual(said, [None, self.first, self.first, self.second, self.second, self.third, self.third])

    def test_both_clocks_together_tell_what_was_held_true_then(self):
        known = known_at(self.line, day(5))

        self.assertEqual(true_on(known, date(2025, 6, 1)), self.first)

    def test_a_withdrawn_figure_is_no_answer_but_stays_in_the_history(self):
        last = self.third.publish_successor(at=day(30), why="retraction", why_note="It counted twice.")
        line = [*self.line, last]

        self.assertIsNone(true_on(line, date(2026, 6, 1)))
        self.assertEqual(true_on(line, date(2024, 6, 1)), self.second)
        self.assertIsNone(said_at(line, day(30)))
        self.assertEqual(points_of(line)[-1].replaced, [self.third])

    def test_a_figure_without_a_date_holds_from_its_publication_but_never_after_its_successor(self):
        undated = Statistic.objects.create(slug="undated", claim="x", unit="x")
        first = StatisticValue.objects.create(statistic=undated, value=1, display_text="1", published_at=day(0))
        second = first.publish_successor(at=day(1), value=2, display_text="2", as_of="2020", why="update")

        self.assertIsNone(true_on([first], date(2025, 12, 31)))
        self.assertEqual(true_on([first], date(2026, 1, 1)), first)
        self.assertEqual(true_on([first, second], date(2026, 1, 1)), second)
        self.assertIsNone(true_on([first, second], date(2019, 1, 1)))

    def test_rows_in_any_order_are_sorted_into_lines(self):
        other = make_statistic("1%").current

        lines = lines_of([self.third, other, self.first, self.second])

        self.assertEqual(lines, [self.line, [other]])


class EndOfTests(SimpleTestCase):
    def test_a_partial_date_ends_with_its_last_day_in_the_sites_time_zone(self):
        ends = [end_of(value).astimezone(UTC).isoformat() for value in ("2026", "2026-09", "2026-09-03")]

        self.assertEqual(
            ends,
            [
                "2026-12-31T23:59:59.999999+00:00",
                "2026-09-30T22:59:59.999999+00:00",
                "2026-09-03T22:59:59.999999+00:00",
            ],
        )


@dataclass
class Expected:
    """What the history should be, kept in the plainest way: first days and values in order, None if withdrawn."""

    points: list

    def true_on(self, on):
        return next((value for starts_on, value in reversed(self.points) if starts_on <= on), None)


AS_OF = st.one_of(
    st.just(""),
    st.integers(2000, 2025).map(str),
    st.dates(date(2000, 1, 1), date(2025, 12, 31)).map(lambda day: f"{day:%Y-%m}"),
    st.dates(date(2000, 1, 1), date(2025, 12, 31)).map(str),
)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["update", "correction", "re-sourced", "retraction"]),
        st.integers(min_value=1, max_value=10**6),
        AS_OF,
        # After how many hours it is published.
        st.integers(min_value=1, max_value=1000),
    ),
    max_size=8,
)


class RandomHistoryTests(PropertyTestCase):
    @settings(max_examples=80)
    @given(acts=ACTS, first=AS_OF)
    def test_any_history_has_one_current_figure_no_gap_and_both_clocks_right(self, acts, first):
        statistic = Statistic.objects.create(slug="random", claim="x", unit="x")
        moment = START
        figure = StatisticValue.objects.create(
            statistic=statistic, value=0, display_text="0", as_of=first, published_at=moment
        )
        expected = Expected([(first_day(first) if first else START.date(), 0)])
        said = [(moment, 0)]
        for why, value, as_of, hours in acts:
            moment += timedelta(hours=hours)
            changes = {"why": why, "why_note": "Because."}
            starts_on, shown = expected.points[-1]
            if why != "retraction":
                changes["as_of"] = as_of
                starts_on = first_day(as_of) if as_of else timezone.localdate(moment) if why == "update" else starts_on
            if why in {"update", "correction"}:
                changes |= {"value": value, "display_text": str(value)}
                shown = value
            elif why == "retraction":
                shown = None
            elif shown is None:
                shown = int(figure.value)
            earlier, figure = figure, figure.publish_successor(at=moment, **changes)
            with self.assertRaises(SupersededFigureError):
                earlier.publish_successor(at=moment, why="update", value=1)
            if why != "update":
                expected.points.pop()
            expected.points.append((starts_on, shown))
            said.append((moment, shown))

        rows = list(statistic.values.all())
        line = lines_of(rows)[0]

        self.assertEqual(list(statistic.values.current()), [figure])
        self.assertEqual(len(lines_of(rows)), 1)
        self.assertEqual(len(line), len(acts) + 1)
        for earlier, later in pairwise(line):
            self.assertEqual(earlier.superseded_at, later.published_at)
            self.assertEqual(later.supersedes_id, earlier.pk)
        days = {starts_on + timedelta(days=days) for starts_on, _ in expected.points for days in (-1, 0, 1)}
        for asked in days | {date(1999, 12, 31), date(2030, 1, 1)}:
            found = true_on(line, asked)
            self.assertEqual(found and int(found.value), expected.true_on(asked))
        starts = [point.starts_on for point in points_of(line)]
        self.assertEqual(starts, sorted(starts))
        for place, (published_at, shown) in enumerate(said):
            until = said[place + 1][0] if place + 1 < len(said) else published_at + timedelta(days=999)
            for asked in (published_at, until - timedelta(microseconds=1)):
                found = said_at(line, asked)
                self.assertEqual(found and int(found.value), shown)
        self.assertIsNone(said_at(line, START - timedelta(microseconds=1)))
