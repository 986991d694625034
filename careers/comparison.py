"""The comparison of roles: one value for the page, for the block in articles, and for whatever else shows it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.db.models import F, Max
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from articles.asked import MAX_VALUE_LENGTH, MOST_NAMED, is_tracking, named
from articles.review import Badge, badges_of, words_of

from .models import (
    CareerPath,
    ComparisonTable,
    ComparisonTableRow,
    Market,
    Requirement,
    Role,
    SalaryRange,
    Skill,
)
from .models.salaries import in_tables_by_market, shortened

# How many roles the front page shows, the best paid ones.
ROLES_AT_HOME = 8


@dataclass(frozen=True)
class Bar:
    """A range on its market's axis, in hundredths of the axis."""

    x: float
    width: float
    is_open_ended: bool


@dataclass(frozen=True)
class Scale:
    """A market's shared axis for yearly pay: from nothing to `top` whole currency units."""

    market: Market
    top: int

    @classmethod
    def reaching(cls, market: Market, highest: int) -> Self:
        """An axis that ends on the first round figure that is not below the highest."""
        step = 10 ** max(len(str(highest)) - 2, 0) * 5
        return cls(market, -(-highest // step) * step or step)

    @classmethod
    def shared(cls, markets: Iterable[Market], period: str = SalaryRange.Period.YEAR) -> dict[int, Self]:
        """The axes of all current ranges of a period by market key, whichever of them are shown: one query."""
        # A range that names no upper figure still needs room to be seen.
        upper = Coalesce("high", F("low") * 5 / 4)
        ranges = SalaryRange.objects.in_force().filter(period=period).order_by()
        highest = dict(ranges.values("market").annotate(highest=Max(upper)).values_list("market", "highest"))
        return {market.pk: cls.reaching(market, highest.get(market.pk, 0)) for market in markets}

    @property
    def low_text(self) -> str:
        return f"{self.market.symbol}0"

    @property
    def high_text(self) -> str:
        return f"{self.market.symbol}{shortened(self.top)}"

    def bar(self, salary: SalaryRange) -> Bar:
        upper = self.top if salary.high is None else salary.high
        x = round(100 * salary.low / self.top, 2)
        return Bar(x, max(round(100 * upper / self.top - x, 2), 0.5), salary.is_open_ended)


@dataclass(frozen=True)
class TableNote:
    """What readers should know of some figures: a letter beside each of them, and the words beneath the table."""

    letter: str
    badges: list[Badge]
    more: str

    @property
    def words(self) -> str:
        return words_of(self.badges)

    @property
    def reasons(self) -> str:
        return " ".join(text for text in [*(badge.reason for badge in self.badges), self.more] if text)


@dataclass
class PayCell:
    market: Market
    salary: SalaryRange | None
    scale: Scale
    bar: Bar | None
    # What was shown here and is withdrawn, where nothing has taken its place.
    withdrawn: SalaryRange | None = None
    note: TableNote | None = None
    # Its id on a page that has one for it.
    anchor: str = ""

    @classmethod
    def of(cls, market: Market, salary: SalaryRange | None, scale: Scale) -> Self:
        if salary and salary.is_withdrawn:
            return cls(market, None, scale, None, withdrawn=salary)
        return cls(market, salary, scale, scale.bar(salary) if salary else None)


@dataclass(frozen=True)
class Row:
    role: Role
    pay: list[PayCell]
    core: list[Requirement]


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: str
    url: str = ""
    aria_sort: str = ""


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
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read `market`, `skill`, `path`, `min`, `roles` and `sort`; whatever else there is goes to `ignored`."""
        markets = list(Market.objects.all())
        query = cls(markets=markets, all_markets=markets)
        readers = {
            "market": query._read_markets,
            "skill": query._read_skill,
            "path": query._read_path,
            "min": query._read_minimum,
            "roles": query._read_roles,
            "sort": query._read_sort,
        }
        for name in sorted(data, key=lambda name: list(readers).index(name) if name in readers else len(readers)):
            values = [value for value in data.getlist(name) if value]
            if is_tracking(name):
                continue
            if name not in readers:
                query._ignore(name, *data.getlist(name))
            elif values:
                readers[name](values)
        return query

    def _ignore(self, name: str, *values: str) -> None:
        self.ignored = [*self.ignored, *named((name, value) for value in values)][:MOST_NAMED]

    def _read_markets(self, values: list[str]) -> None:
        by_slug = {market.slug: market for market in self.all_markets}
        codes = [code for value in values for code in value.split(",") if code]
        chosen = {code for code in codes if code in by_slug}
        self._ignore("market", *(code for code in codes if code not in by_slug))
        if chosen:
            self.markets = [market for market in self.all_markets if market.slug in chosen]

    def _read_skill(self, values: list[str]) -> None:
        last = values[-1]
        self.skill = Skill.objects.filter(slug=last[:MAX_VALUE_LENGTH], merged_into=None).first()
        if self.skill is None:
            self._ignore("skill", last)

    def _read_path(self, values: list[str]) -> None:
        last = values[-1]
        self.path = CareerPath.objects.filter(slug=last[:MAX_VALUE_LENGTH]).first()
        if self.path is None:
            self._ignore("path", last)

    def _read_minimum(self, values: list[str]) -> None:
        last = values[-1]
        if last.isascii() and last.isdigit() and len(last) <= 9:
            self.minimum = int(last)
        else:
            self._ignore("min", last)

    def _read_roles(self, values: list[str]) -> None:
        slugs = list(dict.fromkeys(slug for value in values for slug in value.split(",") if slug))[:100]
        known = set(Role.objects.filter(slug__in=slugs).values_list("slug", flat=True))
        self.roles = [slug for slug in slugs if slug in known]
        self._ignore("roles", *(slug for slug in slugs if slug not in known))

    def _read_sort(self, values: list[str]) -> None:
        last = values[-1]
        if last.removeprefix("-") in sort_keys(self.markets):
            self.sort = last
        else:
            self._ignore("sort", last)

    @property
    def is_filtered(self) -> bool:
        is_narrowed = len(self.markets) < len(self.all_markets)
        return is_narrowed or any(
            value not in (None, []) for value in (self.skill, self.path, self.minimum, self.roles)
        )

    def parameters(self, **changes: str) -> str:
        """The address's query part for this query, in one fixed order; what is at its default is left out."""
        values = {
            "market": [m.slug for m in self.markets] if len(self.markets) < len(self.all_markets) else [],
            "skill": [self.skill.slug] if self.skill else [],
            "path": [self.path.slug] if self.path else [],
            "min": [str(self.minimum)] if self.minimum is not None else [],
            "roles": [",".join(self.roles)] if self.roles else [],
            "sort": [self.sort] if self.sort else [],
        } | {name: [value] for name, value in changes.items()}
        data = QueryDict(mutable=True)
        for name, chosen in values.items():
            data.setlist(name, chosen)
        return data.urlencode(safe=",")


def sort_keys(markets: Sequence[Market]) -> list[str]:
    """What `sort` may name, with or without a minus sign in front."""
    return ["role", *(f"{market.slug}_{end}" for market in markets for end in ("low", "high")), "skills"]


@dataclass
class Comparison:
    markets: list[Market]
    columns: list[Column]
    rows: list[Row]
    scales: list[Scale]
    notes: list[TableNote]

    @classmethod
    def of(
        cls,
        roles: Sequence[Role],
        query: Query,
        *,
        is_sortable: bool = True,
        scales: dict[int, Scale] | None = None,
        most: int | None = None,
    ) -> Self:
        """Lay out these roles, which come from `with_pay_and_core()`, as the query asks, the first `most` of them."""
        scales = scales or Scale.shared(query.markets)
        rows = [_row(role, query.markets, scales) for role in roles]
        if query.minimum is not None:
            rows = [row for row in rows if _reaches(row, query.minimum)]
        if query.sort:
            rows = _sorted(rows, query.sort)
        rows = rows[:most]
        return cls(query.markets, _columns(query, is_sortable), rows, list(scales.values()), _annotate(rows))

    def salaries(self) -> Iterator[SalaryRange]:
        """The ranges that are shown, in reading order."""
        return (cell.salary for row in self.rows for cell in row.pay if cell.salary)


def _annotate(rows: Iterable[Row]) -> list[TableNote]:
    """Give each figure its note, figures of which the same is to be said the same one; the notes in reading order."""
    notes: dict[str, TableNote] = {}
    for cell in (cell for row in rows for cell in row.pay):
        salary = cell.salary or cell.withdrawn
        if salary is None:
            continue
        badges = badges_of(salary, timezone.localdate())
        as_of = f"As of {salary.as_of_text}." if salary.as_of else ""
        more = "" if salary.is_withdrawn else f"{as_of} {salary.check_note}".strip()
        note = TableNote(_letter(len(notes)), badges, more)
        if badges or note.more:
            cell.note = notes.setdefault(f"{note.words} {note.reasons}", note)
    return list(notes.values())


def _letter(place: int) -> str:
    """The letter of a place counted from 0: a to z, then aa, ab and so on."""
    before, last = divmod(place, 26)
    return (_letter(before - 1) if before else "") + chr(ord("a") + last)


def _row(role: Role, markets: Sequence[Market], scales: dict[int, Scale]) -> Row:
    by_market = in_tables_by_market(role.current_pay)  # type: ignore[attr-defined]
    cells = [PayCell.of(market, by_market.get(market.pk), scales[market.pk]) for market in markets]
    return Row(role, cells, role.core)  # type: ignore[attr-defined]


def _reaches(row: Row, minimum: int) -> bool:
    salaries = [cell.salary for cell in row.pay if cell.salary]
    return any(salary.high is None or salary.is_open_ended or salary.high >= minimum for salary in salaries)


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """Sort on typed values; equal ones by role name. Roles without the figure come last either way."""
    key, is_falling = sort.removeprefix("-"), sort.startswith("-")

    def value(row: Row) -> tuple[float, int] | tuple[str, int] | None:
        if key == "role":
            return row.role.name.casefold(), 0
        if key == "skills":
            return len(row.core), 0
        market, _, end = key.partition("_")
        salary = next(cell.salary for cell in row.pay if cell.market.slug == market)
        if salary is None:
            return None
        if end == "low":
            return salary.low, 0
        return (float("inf") if salary.high is None else salary.high), int(salary.is_open_ended)

    by_name = sorted(rows, key=lambda row: row.role.name.casefold())
    known = [row for row in by_name if value(row) is not None]
    unknown = [row for row in by_name if value(row) is None]
    return sorted(known, key=lambda row: value(row) or (), reverse=is_falling) + unknown


def _columns(query: Query, is_sortable: bool) -> list[Column]:
    headings = [("role", "Role", "text")]
    headings += [(f"{market.slug}_high", f"{market.name} range", "pay") for market in query.markets]
    headings += [("skills", "Core skills", "skills")]
    if not is_sortable:
        return [Column(*heading) for heading in headings]
    return [_sortable(query, *heading) for heading in headings]


def _sortable(query: Query, key: str, label: str, kind: str) -> Column:
    # Money and counts are first wanted from the top, names from A.
    first, second = (key, f"-{key}") if kind == "text" else (f"-{key}", key)
    asked = second if query.sort == first else first
    directions = {key: "ascending", f"-{key}": "descending"}
    url = f"{reverse('careers:index')}?{query.parameters(sort=asked)}"
    return Column(key, label, kind, url, directions.get(query.sort, ""))


def compare(query: Query, *, most: int | None = None) -> Comparison:
    """The roles that the query asks for, all or the first `most`."""
    roles = Role.objects.with_pay_and_core()
    if query.path:
        roles = roles.filter(path=query.path)
    if query.roles:
        roles = roles.filter(slug__in=query.roles)
    if query.skill:
        roles = roles.filter(pk__in=roles_requiring(query.skill))
    return Comparison.of(list(roles), query, most=most)


def best_paid(most: int) -> Comparison:
    """The roles with the highest upper figures in the first market."""
    query = Query.read(QueryDict())
    if query.markets:
        query.sort = f"-{query.markets[0].slug}_high"
    return compare(query, most=most)


def roles_requiring(skill: Skill) -> set[int]:
    """Keys of the roles whose core or must lines, own or of their path, name this skill or one that implies it."""
    required = [Requirement.Importance.CORE, Requirement.Importance.MUST]
    asked = Requirement.objects.filter(skills__in=skill.with_narrower(), importance__in=required)
    own = asked.exclude(role=None).values_list("role_id", flat=True)
    through_path = Role.objects.filter(path__in=asked.exclude(path=None).values("path_id")).values_list("pk", flat=True)
    return {*own, *through_path}


def comparisons_of(tables: Collection[str]) -> dict[str, Comparison]:
    """The comparisons of these tables by slug, each with its roles in its own order, in eight queries at most."""
    rows = list(ComparisonTableRow.objects.filter(table__slug__in=tables).select_related("table"))
    roles = Role.objects.with_pay_and_core().in_bulk({row.role_id for row in rows})
    markets = list(Market.objects.all())
    query = Query(markets=markets, all_markets=markets)
    found = ComparisonTable.objects.filter(slug__in=tables).values_list("pk", "slug")
    scales = Scale.shared(markets)
    shown = {pk: [roles[row.role_id] for row in rows if row.table_id == pk] for pk, _ in found}
    return {slug: Comparison.of(shown[pk], query, is_sortable=False, scales=scales) for pk, slug in found}


def summary(comparison: Comparison, query: Query) -> str:
    """Say in words what is shown: “8 roles, sorted by UK upper figure, highest first”."""
    count = len(comparison.rows)
    words = [f"{count} role{'' if count == 1 else 's'}"]
    if query.skill:
        words.append(f"requiring {query.skill}")
    if query.path:
        words.append(f"on the path {query.path}")
    if query.sort:
        words.append(f"sorted by {_sort_words(query)}")
    return ", ".join(words)


def _sort_words(query: Query) -> str:
    key, is_falling = query.sort.removeprefix("-"), query.sort.startswith("-")
    if key == "role":
        return "role, Z to A" if is_falling else "role, A to Z"
    if key == "skills":
        return f"number of core skills, {'most' if is_falling else 'fewest'} first"
    market, _, end = key.partition("_")
    name = next(m.name for m in query.all_markets if m.slug == market)
    return f"{name} {'lower' if end == 'low' else 'upper'} figure, {'highest' if is_falling else 'lowest'} first"
