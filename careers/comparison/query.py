import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from django.http import QueryDict
from django.urls import reverse

from articles.asked import MAX_VALUE_LENGTH, MOST_NAMED, in_list, is_tidy_list, is_tracking, named, page_number
from articles.clocks import has_begun, is_date
from articles.partial_dates import in_words, last_day
from careers.models import CareerPath, Market, Role, Skill

# What an address may ask of the comparison, in the order in which it is read.
PARAMETERS = ["market", "skill", "path", "min", "roles", "sort", "as_of", "view", "page"]
# Of these, what may be given several times.
LISTS = ("market", "roles")
# How many roles one address may name.
MOST_ROLES = 100
# An amount as people type it: 60000, £60,000, 60 000, 60k+.
NOT_IN_AMOUNTS = re.compile(r"[\s,+]")
AMOUNT = re.compile(r"[£$€]?([0-9]{1,9})([kK]?)")


NO_DATE = "is not a date that can be read. Write 2025, 2025-06 or 2025-06-30."


@dataclass(frozen=True)
class Wrong:
    """What was typed into a field and could not be used, and why, as the end of a sentence."""

    value: str
    reason: str


@dataclass
class Query:
    """What a reader asked the comparison for. `ignored` names what was not understood, as it stood in the address."""

    markets: list[Market]
    all_markets: list[Market]
    skill: Skill | None = None
    path: CareerPath | None = None
    minimum: int | None = None
    roles: list[str] = field(default_factory=list)
    sort: str = ""
    # A partial date: the figures that were true on its last day. Empty: today's.
    as_of: str = ""
    view: str = ""
    page: int = 1
    ignored: list[str] = field(default_factory=list)
    # Of that, what was typed into a field, by the field's name.
    wrong: dict[str, Wrong] = field(default_factory=dict)
    # Whether something stands there in other words than the site's own, or twice.
    is_loose: bool = False

    @classmethod
    def of_all(cls) -> Self:
        """The query of the bare page."""
        return cls.read(QueryDict())

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read what `_readers` names; whatever else there is goes to `ignored`, and so does what is unknown there."""
        markets = list(Market.objects.all())
        query = cls(markets=markets, all_markets=markets)
        readers = query._readers()
        for name in sorted(data, key=lambda name: list(readers).index(name) if name in readers else len(readers)):
            values = [value for value in data.getlist(name) if value]
            if is_tracking(name):
                continue
            if name not in readers:
                query.ignore(name, *data.getlist(name))
            elif values:
                readers[name](values)
        query.is_loose |= not all(is_tidy_list(data.getlist(name)) for name in LISTS)
        return query

    def _readers(self) -> dict[str, Callable[[list[str]], None]]:
        readers = [
            self._read_markets,
            self._read_skill,
            self._read_path,
            self._read_minimum,
            self._read_roles,
            self._read_sort,
            self._read_as_of,
            self._read_view,
            self._read_page,
        ]
        return dict(zip(PARAMETERS, readers, strict=True))

    def ignore(self, name: str, *values: str) -> None:
        self.ignored = [*self.ignored, *named((name, value) for value in values)][:MOST_NAMED]

    def refuse(self, name: str, value: str, reason: str) -> None:
        """Ignore what was typed into a field of the form, which shows it again with the reason."""
        self.wrong[name] = Wrong(value[:MAX_VALUE_LENGTH], reason)
        self.ignore(name, value)

    @property
    def is_roundabout(self) -> bool:
        """Whether another address says the same: this one holds what was not understood, or is written otherwise."""
        return self.is_loose or bool(self.ignored)

    @property
    def unsaid(self) -> list[str]:
        """What was ignored and no field says."""
        said = set(named((name, wrong.value) for name, wrong in self.wrong.items()))
        return [text for text in self.ignored if text not in said]

    def _read_markets(self, values: list[str]) -> None:
        by_slug = {market.slug: market for market in self.all_markets}
        codes = [code for value in values for code in value.split(",") if code]
        chosen = {code for code in codes if code in by_slug}
        self.ignore("market", *(code for code in codes if code not in by_slug))
        if chosen:
            self.markets = [market for market in self.all_markets if market.slug in chosen]

    def _read_skill(self, values: list[str]) -> None:
        last = values[-1]
        found = Skill.objects.filter(slug=last[:MAX_VALUE_LENGTH]).first()
        # A link may still name a skill that was merged into another.
        self.skill = found and found.kept()
        if self.skill is None:
            self.ignore("skill", last)

    def _read_path(self, values: list[str]) -> None:
        last = values[-1]
        self.path = CareerPath.objects.filter(slug=last[:MAX_VALUE_LENGTH]).first()
        if self.path is None:
            self.ignore("path", last)

    def _read_minimum(self, values: list[str]) -> None:
        last = values[-1]
        if amount := AMOUNT.fullmatch(NOT_IN_AMOUNTS.sub("", last)):
            # Every range pays nothing at least.
            self.minimum = int(amount[1]) * (1_000 if amount[2] else 1) or None
            self.is_loose |= last != str(self.minimum)
        else:
            self.refuse("min", last, "is not an amount. Write it in figures: 60000.")

    def _read_roles(self, values: list[str]) -> None:
        slugs = in_list(values)
        asked = slugs[:MOST_ROLES]
        known = set(Role.objects.filter(slug__in=asked).values_list("slug", flat=True))
        self.roles = [slug for slug in asked if slug in known]
        self.ignore("roles", *(slug for slug in slugs if slug not in known))

    def _read_sort(self, values: list[str]) -> None:
        last = values[-1]
        if last.removeprefix("-") in sort_keys(self.markets):
            self.sort = last
        else:
            self.ignore("sort", last)

    def _read_as_of(self, values: list[str]) -> None:
        last = values[-1]
        if has_begun(last):
            self.as_of = last
        else:
            reason = "is still to come. Choose a time that has begun." if is_date(last) else NO_DATE
            self.refuse("as_of", last, reason)

    def _read_view(self, values: list[str]) -> None:
        last = values[-1]
        if last == "chart":
            self.view = last
        elif last != "table":
            self.ignore("view", last)

    def _read_page(self, values: list[str]) -> None:
        last = values[-1]
        if number := page_number(last):
            self.page = number
        else:
            self.ignore("page", last)

    @property
    def day(self) -> date | None:
        """The day whose figures are asked for; None for today's, which say what was withdrawn."""
        return last_day(self.as_of) if self.as_of else None

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    @property
    def deciding_markets(self) -> list[Market]:
        """The markets whose pay decides which roles are shown, or in which order."""
        if self.minimum is not None:
            return self.markets
        return [market for market in self.markets if self.sort.removeprefix("-").startswith(f"{market.slug}_")]

    @property
    def is_filtered(self) -> bool:
        is_narrowed = len(self.markets) < len(self.all_markets)
        asked = (self.skill, self.path, self.minimum, self.roles, self.as_of)
        return is_narrowed or any(value not in (None, [], "") for value in asked)

    @property
    def is_chart(self) -> bool:
        return self.view == "chart"

    def parameters(self, **changes: str) -> str:
        """The address's query part for this query, in one fixed order; what is at its default is left out.

        The page is left out too: whatever else changes, reading starts at the first.
        """
        values = {
            "market": [m.slug for m in self.markets] if len(self.markets) < len(self.all_markets) else [],
            "skill": [self.skill.slug] if self.skill else [],
            "path": [self.path.slug] if self.path else [],
            "min": [str(self.minimum)] if self.minimum is not None else [],
            "roles": [",".join(self.roles)] if self.roles else [],
            "sort": [self.sort] if self.sort else [],
            "as_of": [self.as_of] if self.as_of else [],
            "view": [self.view] if self.view else [],
        } | {name: [value] if value else [] for name, value in changes.items()}
        data = QueryDict(mutable=True)
        for name, chosen in values.items():
            data.setlist(name, chosen)
        return data.urlencode(safe=",")

    def url(self, **changes: str) -> str:
        parameters = self.parameters(**changes)
        return f"{reverse('careers:index')}{'?' if parameters else ''}{parameters}"

    @property
    def table_url(self) -> str:
        return self.url(view="", page=self._page)

    @property
    def chart_url(self) -> str:
        return self.url(view="chart", page=self._page)

    @property
    def address(self) -> str:
        """Where all that is understood of it is found again."""
        return self.url(page=self._page)

    @property
    def today_url(self) -> str:
        return self.url(as_of="", page=self._page)

    @property
    def of_other_pages(self) -> str:
        """What stands before the number of another page in its address."""
        parameters = self.parameters()
        return f"{parameters}&" if parameters else ""

    @property
    def of_files(self) -> str:
        """What the files of the charts on this page are asked by."""
        return self.parameters(view="", page=self._page)

    @property
    def _page(self) -> str:
        return str(self.page) if self.page > 1 else ""


def sort_keys(markets: Sequence[Market]) -> list[str]:
    """What `sort` may name, with or without a minus sign in front."""
    return ["role", *(f"{market.slug}_{end}" for market in markets for end in ("low", "high")), "skills"]
