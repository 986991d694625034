from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from .history import end_of, known_at, said_at, true_on
from .models import Sourced
from .partial_dates import in_words, last_day, validate_partial_date

MAX_VALUE_LENGTH = 80


@dataclass
class Clocks:
    """Which of the two clocks a reader asks: `?as_of=` what was true, `?published_on=` what the site said.

    Both are partial dates and mean their last moment; empty where not asked. With both, the answer is what the site
    then held true for that day. `ignored` names what was not understood.
    """

    as_of: str = ""
    published_on: str = ""
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        clocks = cls()
        for name in data:
            value = str(data[name])
            if name in {"as_of", "published_on"} and not value:
                continue
            if name in {"as_of", "published_on"} and _is_partial_date(value):
                setattr(clocks, name, value)
            elif not name.startswith("utm_"):
                clocks.ignored.append(f"{name[:MAX_VALUE_LENGTH]}={value[:MAX_VALUE_LENGTH]}")
        del clocks.ignored[8:]
        return clocks

    @property
    def is_set(self) -> bool:
        return bool(self.as_of or self.published_on)

    @property
    def moment(self) -> datetime:
        """The moment of which it is asked what the site said, now by default."""
        return end_of(self.published_on) if self.published_on else timezone.now()

    @property
    def day(self) -> date | None:
        return last_day(self.as_of) if self.as_of else None

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    @property
    def published_on_text(self) -> str:
        return in_words(self.published_on)

    def answer[Figure: Sourced](self, line: Sequence[Figure]) -> Figure | None:
        """The figure of a line that is asked for."""
        if self.day is None:
            return said_at(line, self.moment)
        return true_on(known_at(line, self.moment), self.day)


def _is_partial_date(value: str) -> bool:
    try:
        validate_partial_date(value)
    except ValidationError:
        return False
    # The calendar ends there, and the last moment of a date is found by way of the day that follows.
    return value[:4] < "2900"
