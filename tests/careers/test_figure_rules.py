from datetime import date

from django.test import SimpleTestCase, override_settings

from articles.models import Source
from articles.review import of_figures
from careers.models import Market, Role, SalaryRange

TODAY = date(2026, 11, 24)
UK = Market(code="GB", name="UK", currency="GBP")


def salary(**values):
    """A salary range that breaks no rule."""
    sound = {
        "pk": 1,
        "role": Role(name="Analyst"),
        "market": UK,
        "currency": "GBP",
        "low": 50_000,
        "high": 90_000,
        "kind": "base",
        "source": Source(pk=1, producer="Office for Counting", title="Report", url="https://x.test/"),
        "as_of": "2026-04",
        "check_status": "confirmed",
    }
    return SalaryRange(**{**sound, **values})


class SalaryRuleTests(SimpleTestCase):
    def assert_trips(self, key, trips, passes):
        """That the rule, and it alone, finds something in each of `trips`, and nothing is found in each of `passes`."""
        for figure, expected in [*((f, [key]) for f in trips), *((f, []) for f in passes)]:
            with self.subTest(key, figure=vars(figure)):
                found = [finding.rule.key for finding in of_figures([figure], TODAY)]

                self.assertEqual(found, expected)

    def test_pay_is_too_old_a_day_after_twelve_months(self):
        self.assert_trips(
            "too-old",
            [salary(as_of="2025-11-23"), salary(as_of="2025-10"), salary(as_of="2024")],
            [salary(as_of="2025-11-24"), salary(as_of="2025-11"), salary(as_of="2025")],
        )

    @override_settings(REVIEW_PAY_MONTHS=1)
    def test_how_old_pay_may_be_is_a_setting(self):
        self.assert_trips("too-old", [salary(as_of="2026-10-23")], [salary(as_of="2026-10-24")])

    def test_pay_says_whether_it_is_base_or_total(self):
        self.assert_trips("base-or-total", [salary(kind="unstated")], [salary(kind="base"), salary(kind="total")])

    def test_a_range_is_too_wide_above_three_to_one(self):
        self.assert_trips(
            "wide-range",
            [salary(low=50_000, high=150_001), salary(low=0, high=1)],
            [salary(low=50_000, high=150_000), salary(high=None, is_open_ended=True), salary(low=0, high=0)],
        )

    @override_settings(REVIEW_RANGE_RATIO=2)
    def test_how_wide_a_range_may_be_is_a_setting(self):
        self.assert_trips("wide-range", [salary(low=50_000, high=100_001)], [salary(low=50_000, high=100_000)])

    def test_pay_is_in_the_markets_currency(self):
        self.assert_trips("other-currency", [salary(currency="USD")], [salary(currency="GBP")])

    def test_a_lower_figure_moves_by_at_most_forty_per_cent(self):
        earlier = salary(pk=2)
        nothing = salary(pk=2, low=0)
        self.assert_trips(
            "lower-figure-moved",
            [
                salary(low=70_001, supersedes=earlier),
                salary(low=29_999, high=80_000, supersedes=earlier),
                salary(supersedes=nothing),
            ],
            [
                salary(low=70_000, supersedes=earlier),
                salary(low=30_000, supersedes=earlier),
                salary(low=200, high=400, period="day", supersedes=earlier),
                salary(supersedes=None),
            ],
        )

    @override_settings(REVIEW_MOVE_PERCENT=10)
    def test_how_far_a_lower_figure_may_move_is_a_setting(self):
        earlier = salary(pk=2)
        self.assert_trips(
            "lower-figure-moved",
            [salary(low=55_001, supersedes=earlier)],
            [salary(low=55_000, supersedes=earlier)],
        )
