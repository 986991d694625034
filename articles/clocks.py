from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from .asked import MAX_VALUE_LENGTH, named
from .history import end_of, known_at, said_at, true_on
from .models import Sourced
from .partial_dates import first_day, in_words, last_day, validate_partial_date

# A moment in an address (ISO 8601).
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class Clocks:
    """Which of the two clocks a reader asks: `?as_of=` what was true, `?published_on=` what the site said.

    Both are partial dates and mean their last moment; empty where not asked. The second may also be a moment in UTC, to
    the second, as in citations. With both, the answer is what the site then held true for that day. `ignored` names
    the other parameters.
    """

    as_of: str = ""
    published_on: str = ""
    ignored: list[str] = field(default_factory=list)
    # What was typed into the fields and is no date that has begun, by the names of the clocks.
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read both, of each the last value; whatever else there is, and what is no date that has begun, is ignored."""
        clocks, ignored = cls(), []
        readers = {"as_of": has_begun, "published_on": _has_begun_or_is_a_moment}
        for name in data:
            value = str(data[name])
            if name in readers and value and readers[name](value):
                setattr(clocks, name, value)
            elif name in readers and value:
                clocks.wrong[name] = value[:MAX_VALUE_LENGTH]
            elif name not in readers:
                ignored.append((name, value))
        clocks.ignored = named(ignored)
        return clocks

    @property
    def is_set(self) -> bool:
        return bool(self.as_of or self.published_on)

    @property
    def moment(self) -> datetime:
        """The moment of which it is asked what the site said, now by default."""
        if not self.published_on:
            return timezone.now()
        if moment := _moment(self.published_on):
            return moment.replace(microsecond=999_999)
        return end_of(self.published_on)

    @property
    def day(self) -> date | None:
        return last_day(self.as_of) if self.as_of else None

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    @property
    def published_on_text(self) -> str:
        if moment := _moment(self.published_on):
            return f"{timezone.localtime(moment):%-d %B %Y, %H:%M:%S}"
        return in_words(self.published_on)

    def answer[Figure: Sourced](self, line: Sequence[Figure]) -> Figure | None:
        """The figure of a line that is asked for."""
        if self.day is None:
            return said_at(line, self.moment)
        return true_on(known_at(line, self.moment), self.day)


def is_date(value: str) -> bool:
    """Whether this is a partial date."""
    try:
        validate_partial_date(value)
    except ValidationError:
        return False
    return True


def has_begun(value: str) -> bool:
    """Whether this is a partial date, and not one to come."""
    return is_date(value) and first_day(value) <= timezone.localdate()


def _moment(value: str) -> datetime | None:
    """The moment of an address in a citation: 2026-11-24T13:22:25Z."""
    try:
        return datetime.strptime(value, MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _has_begun_or_is_a_moment(value: str) -> bool:
    moment = _moment(value) if value.isascii() else None
    return has_begun(value) or (moment is not None and moment <= timezone.now())
