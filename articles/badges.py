"""What readers see of the rules that a figure breaks: plain words, and the reason behind them."""

from .models import Sourced, StatisticValue
from .review import Badge


def projection_passed(value: StatisticValue) -> Badge:
    return Badge(
        f"Projection for {value.horizon_year}: that year has passed",
        f"It was projected for {value.horizon_year}. What that year really brought is another figure.",
    )


def no_source(figure: Sourced) -> Badge:
    return Badge("No source stated", "Where the figure comes from is not said, so nobody can check it.")


def newer_edition(figure: Sourced) -> Badge | None:
    newer = figure.source.newer_edition if figure.source else None
    return Badge("Newer edition available", f"{newer} has come out since.") if newer else None


def disputed(figure: Sourced) -> Badge:
    return Badge(figure.get_check_status_display(), "" if figure.check_note else "Our check could not confirm it.")


def not_confirmed(figure: Sourced) -> Badge | None:
    # Where no source is stated there is nothing to confirm it by, and that is said.
    return Badge("Source not confirmed", "We have not compared it with its source yet.") if figure.source_id else None


def too_old(figure: Sourced) -> Badge:
    return Badge(f"More than {figure.stale_after_months()} months old", f"It is as of {figure.as_of_text}.")
