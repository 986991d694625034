from datetime import date
from io import StringIO

from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings

from articles.models import Source, Statistic, StatisticValue
from articles.partial_dates import months_after
from articles.review import Severity, collect, of_figures, rules

TODAY = date(2026, 11, 24)


def source(**values):
    return Source(**{"pk": 1, "producer": "Office for Counting", "title": "Report", "url": "https://x.test/", **values})


def value(**values):
    """A statistic's value that breaks no rule."""
    sound = {
        "pk": 1,
        "statistic": Statistic(slug="thing", claim="of people do it"),
        "value": 42,
        "display_text": "42%",
        "source": source(),
        "as_of": "2026",
        "check_status": "confirmed",
        "checked_on": date(2026, 11, 1),
    }
    return StatisticValue(**{**sound, **values})


class FigureRuleTests(SimpleTestCase):
    def assert_trips(self, key, trips, passes):
        """That the rule, and it alone, finds something in each of `trips`, and nothing is found in each of `passes`."""
        for figure, expected in [*((f, [key]) for f in trips), *((f, []) for f in passes)]:
            with self.subTest(key, figure=vars(figure)):
                found = [finding.rule.key for finding in of_figures([figure], TODAY)]

                self.assertEqual(found, expected)

    def test_a_sound_figure_breaks_no_rule(self):
        self.assertEqual(list(of_figures([value()], TODAY)), [])

    def test_a_projection_has_passed_once_its_year_is_over(self):
        self.assert_trips(
            "projection-passed",
            [value(horizon_year=2025)],
            [value(horizon_year=2026), value(horizon_year=2027), value(horizon_year=None)],
        )

    def test_a_horizon_is_that_of_the_edition_where_both_are_known(self):
        self.assert_trips(
            "horizon-differs",
            [value(horizon_year=2030, source=source(projection_horizon=2027))],
            [
                value(horizon_year=2030, source=source(projection_horizon=2030)),
                value(horizon_year=2030, source=source()),
                value(source=source(projection_horizon=2027)),
            ],
        )

    def test_a_figure_has_a_source(self):
        self.assert_trips("no-source", [value(source=None)], [value()])

    def test_a_source_can_be_looked_up(self):
        self.assert_trips(
            "source-without-address",
            [value(source=source(url=""))],
            [value(source=source(url="", doi="10.1000/182")), value(source=source(url="", isbn="9780306406157"))],
        )

    def test_a_source_has_no_newer_edition(self):
        newer = source(pk=2, edition="2025")
        self.assert_trips("newer-edition", [value(source=source(newer_edition=newer))], [value(source=newer)])

    def test_a_figure_is_neither_disputed_nor_missing_from_its_source(self):
        self.assert_trips("disputed", [value(check_status="disputed"), value(check_status="not-found")], [value()])

    def test_a_figure_was_compared_with_its_source(self):
        self.assert_trips("not-confirmed", [value(check_status="unchecked")], [value()])

    def test_a_figure_says_when_it_held(self):
        self.assert_trips("no-as-of-date", [value(as_of="")], [value(as_of="2026-11")])

    def test_a_statistic_is_too_old_a_day_after_eighteen_months(self):
        self.assert_trips(
            "too-old",
            [value(as_of="2025-05-23"), value(as_of="2025-04"), value(as_of="2024")],
            [value(as_of="2025-05-24"), value(as_of="2025-05"), value(as_of="2025"), value(as_of="2027")],
        )

    @override_settings(REVIEW_STATISTIC_MONTHS=3)
    def test_how_old_a_statistic_may_be_is_a_setting(self):
        self.assert_trips("too-old", [value(as_of="2026-08-23")], [value(as_of="2026-08-24")])

    def test_a_review_is_overdue_the_day_after_it_was_due(self):
        self.assert_trips(
            "review-overdue",
            [value(review_by=date(2026, 11, 23))],
            [value(review_by=TODAY), value(review_by=date(2026, 11, 25))],
        )

    def test_every_finding_is_a_sentence(self):
        wrong = value(horizon_year=2020, source=None, check_status="disputed", as_of="", review_by=date(2020, 1, 1))
        for finding in of_figures([wrong], TODAY):
            self.assertRegex(finding.message, r"^[A-Z].+\.$")

    def test_errors_come_before_warnings(self):
        severities = [rule.severity for rule in rules()]

        self.assertEqual(severities, sorted(severities, key=[Severity.ERROR, Severity.WARNING].index))
        self.assertEqual(len({rule.key for rule in rules()}), len(severities))


class MonthTests(SimpleTestCase):
    def test_months_end_where_the_calendar_ends_them(self):
        self.assertEqual(months_after(date(2026, 8, 31), 6), date(2027, 2, 28))
        self.assertEqual(months_after(date(2024, 2, 29), 12), date(2025, 2, 28))
        self.assertEqual(months_after(date(2026, 12, 1), 1), date(2027, 1, 1))


class LaunchFactTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        call_command("load_launch_content", stdout=StringIO())

    def found(self, model):
        found = {}
        for finding in collect(TODAY):
            if finding.subject._meta.model_name == model:
                found.setdefault(finding.subject, set()).add(finding.rule.key)
        return found

    def test_the_97_million_trip_what_is_known_to_be_wrong_with_them(self):
        value = StatisticValue.objects.current().get(statistic__slug="new-ai-roles-projected")

        self.assertLessEqual(
            {"projection-passed", "horizon-differs", "newer-edition", "disputed"}, self.found("statisticvalue")[value]
        )

    def test_every_salary_lacks_a_source_a_check_and_its_kind(self):
        found = self.found("salaryrange")

        self.assertEqual(len(found), 16)
        for keys in found.values():
            self.assertEqual(keys, {"no-source", "not-confirmed", "base-or-total"})
