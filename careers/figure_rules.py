"""The rules about a single salary range."""

from datetime import date
from typing import cast

from django.conf import settings

import articles.figure_rules  # noqa: F401 - its rules come first
from articles.review import Badge, Severity, figure_rule

from .models import SalaryRange


def base_or_total_badge(salary: SalaryRange) -> Badge:
    return Badge("Base or total not stated", "Whether bonuses and shares are counted is not said.")


@figure_rule(
    "base-or-total",
    "Base or total not stated",
    Severity.WARNING,
    of=SalaryRange,
    badge=base_or_total_badge,
)
def base_or_total_unstated(salary: SalaryRange, today: date) -> str:
    is_unstated = salary.kind == SalaryRange.Kind.UNSTATED
    return "It does not say whether it is base or total pay." if is_unstated else ""


@figure_rule("wide-range", "Range too wide", Severity.WARNING, of=SalaryRange)
def wide_range(salary: SalaryRange, today: date) -> str:
    limit = settings.REVIEW_RANGE_RATIO
    is_wide = salary.high is not None and salary.high > salary.low * limit
    return f"Its upper figure is more than {limit} times the lower one." if is_wide else ""


@figure_rule("other-currency", "Currency differs from the market’s", Severity.ERROR, of=SalaryRange)
def other_currency(salary: SalaryRange, today: date) -> str:
    own, expected = salary.currency, salary.market.currency
    return "" if own == expected else f"It is in {own}, but {salary.market} pays in {expected}."


@figure_rule("lower-figure-moved", "Lower figure moved far", Severity.WARNING, of=SalaryRange)
def lower_figure_moved(salary: SalaryRange, today: date) -> str:
    earlier = cast("SalaryRange | None", salary.supersedes)
    # Pay a day says nothing of pay a year.
    if earlier is None or earlier.period != salary.period:
        return ""
    limit = settings.REVIEW_MOVE_PERCENT
    is_far = abs(salary.low - earlier.low) * 100 > earlier.low * limit
    return f"Its lower figure moved by more than {limit}%: {earlier} became {salary}." if is_far else ""
