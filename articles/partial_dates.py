"""Dates that are known to the year, the month or the day: ISO 8601 calendar dates of reduced precision.

They are kept as text ("2020", "2020-10" or "2020-10-05", empty when unknown), which sorts in time order and says no
more than the source does.
"""

import calendar
import re
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

PATTERN = r"^[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"


def validate_partial_date(value: str) -> None:
    """Refuse text that is no date: a month of 13, 30 February."""
    if not re.fullmatch(PATTERN, value):
        raise ValidationError("Write a year, a month or a day: 2026, 2026-04 or 2026-04-08.")
    try:
        last_day(value)
    except ValueError as error:
        raise ValidationError("This day does not exist in the calendar.") from error


class PartialDateField(models.CharField):
    """Text of at most ten characters that is empty or holds a date of year, month or day precision."""

    default_validators = [validate_partial_date]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 10
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs


def first_day(value: str) -> date:
    """Give the first day that a partial date can mean; `ValueError` where there is none."""
    year, month, day = ([int(part) for part in value.split("-")] + [1, 1])[:3]
    return date(year, month, day)


def last_day(value: str) -> date:
    """Give the last day that a partial date can mean; `ValueError` where there is none."""
    first = first_day(value)
    match value.count("-"):
        case 0:
            return first.replace(month=12, day=31)
        case 1:
            return first.replace(day=calendar.monthrange(first.year, first.month)[1])
        case _:
            return first


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last day of a month that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_words(value: str) -> str:
    """Write "2026-04-08" as "8 April 2026", "2026-04" as "April 2026", "2026" as itself, nothing as nothing."""
    if not value:
        return ""
    first = first_day(value)
    names = [str(first.year), f"{first:%B} {first.year}", f"{first.day} {first:%B} {first.year}"]
    return names[value.count("-")]
