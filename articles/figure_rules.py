"""The rules about a single figure that hold for every kind of figure. Each says in a sentence what is wrong."""

from datetime import date

from . import badges
from .models import Sourced, StatisticValue
from .partial_dates import last_day, months_after
from .review import Severity, figure_rule


@figure_rule("withdrawn", "Withdrawn", Severity.ERROR)
def withdrawn(figure: Sourced, today: date) -> str:
    """The one rule that asks of a withdrawn figure, which an article may still show; the queue asks of none."""
    return "It was withdrawn." if figure.is_withdrawn else ""


@figure_rule("disputed", "Disputed, or not found in the source", Severity.ERROR, badge=badges.disputed)
def disputed(figure: Sourced, today: date) -> str:
    Status = Sourced.CheckStatus
    is_doubtful = figure.check_status in {Status.DISPUTED, Status.NOT_FOUND}
    return f"The check says: {figure.get_check_status_display().lower()}." if is_doubtful else ""


@figure_rule("no-source", "No source", Severity.ERROR, badge=badges.no_source)
def no_source(figure: Sourced, today: date) -> str:
    return "" if figure.source_id else "It names no source."


@figure_rule("not-confirmed", "Not confirmed", Severity.WARNING, badge=badges.not_confirmed)
def not_confirmed(figure: Sourced, today: date) -> str:
    is_unchecked = figure.check_status == Sourced.CheckStatus.UNCHECKED
    return "Nobody has checked it yet." if is_unchecked else ""


@figure_rule(
    "projection-passed",
    "The projected year has passed",
    Severity.ERROR,
    of=StatisticValue,
    badge=badges.projection_passed,
)
def projection_passed(value: StatisticValue, today: date) -> str:
    is_past = value.horizon_year is not None and value.horizon_year < today.year
    return f"It projects {value.horizon_year}, a year that has passed." if is_past else ""


@figure_rule("horizon-differs", "Projects another year than its source", Severity.ERROR, of=StatisticValue)
def horizon_differs(value: StatisticValue, today: date) -> str:
    horizon = value.source.projection_horizon if value.source else None
    if value.horizon_year is None or horizon is None or horizon == value.horizon_year:
        return ""
    return f"It projects {value.horizon_year}, but the edition that it cites projects {horizon}."


@figure_rule("source-without-address", "Source without an address", Severity.WARNING)
def source_without_address(figure: Sourced, today: date) -> str:
    source = figure.source
    is_found = source is None or source.address or source.isbn
    return "" if is_found else f"Its source, {source}, has no address, DOI or ISBN, so nobody can look it up."


@figure_rule("newer-edition", "A newer edition of the source exists", Severity.WARNING, badge=badges.newer_edition)
def newer_edition(figure: Sourced, today: date) -> str:
    newer = figure.source.newer_edition if figure.source else None
    return f"Its source has a newer edition: {newer}." if newer else ""


@figure_rule("no-as-of-date", "No as-of date", Severity.WARNING)
def no_as_of_date(figure: Sourced, today: date) -> str:
    return "" if figure.as_of else "Nothing says when it held."


@figure_rule("too-old", "Too old", Severity.WARNING, badge=badges.too_old)
def too_old(figure: Sourced, today: date) -> str:
    limit = figure.stale_after_months()
    is_old = bool(figure.as_of) and months_after(last_day(figure.as_of), limit) < today
    return f"It is as of {figure.as_of_text}, more than {limit} months ago." if is_old else ""


@figure_rule("review-overdue", "Review overdue", Severity.WARNING)
def review_overdue(figure: Sourced, today: date) -> str:
    is_due = figure.review_by is not None and figure.review_by < today
    return f"It was to be looked at by {figure.review_by:%-d %B %Y}." if is_due else ""
