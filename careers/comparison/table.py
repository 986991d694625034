from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.core.paginator import Page, Paginator
from django.db.models import FETCH_RAISE, Count, Q
from django.utils import timezone

from articles.review import Badge, badges_of, words_of
from careers.models import ComparisonTable, ComparisonTableRow, Market, Requirement, Role, SalaryRange, Skill

from .query import Query
from .scales import Bar, Scale
from .shown import Shown, Standing

ROLES_A_PAGE = 50
# How many roles the front page shows, the best paid ones.
ROLES_AT_HOME = 8


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

    @property
    def role_name(self) -> str:
        salary = self.salary or self.withdrawn
        return str(salary.role) if salary else ""

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
class Comparison:
    markets: list[Market]
    columns: list[Column]
    rows: list[Row]
    scales: list[Scale]
    notes: list[TableNote]
    # Which page of all that was found this is; None where it is all.
    page: Page | None = None

    @classmethod
    def of(
        cls, roles: Sequence[int], query: Query, loaded: "Loaded", *, is_sortable: bool = True, page: Page | None = None
    ) -> Self:
        """Lay out these roles, by their keys, in this order."""
        # One that was deleted since it was found is left out.
        rows = [loaded.row(key, query.markets) for key in roles if key in loaded.roles]
        scales = [loaded.scales[market.pk] for market in query.markets]
        return cls(query.markets, _columns(query, is_sortable), rows, scales, _annotate(rows), page)

    @classmethod
    def of_roles(cls, roles: Sequence[int], query: Query, *, is_sortable: bool = False) -> Self:
        """Lay out these roles with what is shown of them: five queries."""
        return cls.of(roles, query, Loaded.read(roles, query.markets, query.day), is_sortable=is_sortable)

    @property
    def has_figures(self) -> bool:
        return any(True for _ in self.salaries())

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


@dataclass(frozen=True)
class Loaded:
    """All that tables print of some roles."""

    shown: Shown
    scales: dict[int, Scale]
    roles: dict[int, Role]
    ranges: dict[int, SalaryRange]

    @classmethod
    def read(cls, roles: Collection[int], markets: Sequence[Market], day: date | None = None) -> Self:
        """What is shown now, or what was true on a day: five queries, however many roles."""
        shown = Shown.read(markets, day, roles)
        scales = Scale.shared(markets) if day is None else Scale.of_day(markets, day)
        ranges = SalaryRange.objects.with_evidence().select_related("market").order_by().fetch_mode(FETCH_RAISE)
        found = Role.objects.for_table().in_bulk(roles)
        return cls(shown, scales, found, ranges.in_bulk(shown.keys(roles)))

    def row(self, key: int, markets: Iterable[Market]) -> Row:
        role, standing = self.roles[key], self.shown.by_role.get(key, {})
        cells = []
        for market in markets:
            salary = self.ranges.get(standing[market.pk].pk) if market.pk in standing else None
            if salary:
                salary.role = role
            cells.append(PayCell.of(market, salary, self.scales[market.pk]))
        return Row(role, cells, role.core)  # type: ignore[attr-defined]


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
    return Column(key, label, kind, query.url(sort=asked), directions.get(query.sort, ""))


@dataclass(frozen=True)
class _Found:
    """A role that was found, with what it may be sorted by."""

    key: int
    name: str
    core_count: int
    pay: dict[str, Standing | None]

    def reaches(self, minimum: int) -> bool:
        """Whether a range of it says as much somewhere, in the currency there, by the highest figure that it names."""
        return any((pay.low if pay.high is None else pay.high) >= minimum for pay in self.pay.values() if pay)

    def value(self, key: str) -> Any:
        """What this role is sorted by; None where it has no such figure."""
        if key == "role":
            return self.name.casefold()
        if key == "skills":
            return self.core_count
        market, _, end = key.partition("_")
        pay = self.pay[market]
        return pay and (pay.low if end == "low" else (pay.upper, pay.is_open_ended))


def _sorted(roles: list[_Found], sort: str) -> list[_Found]:
    """Sort on typed values; equal ones by role name. Roles without the figure come last either way."""
    key = sort.removeprefix("-")
    by_name = sorted(roles, key=lambda role: role.name.casefold())
    known = [role for role in by_name if role.value(key) is not None]
    unknown = [role for role in by_name if role.value(key) is None]
    return sorted(known, key=lambda role: role.value(key), reverse=sort.startswith("-")) + unknown


def compare(query: Query, *, a_page: int = ROLES_A_PAGE) -> Comparison:
    """A page of the roles that the query asks for, in eight queries at most; what cannot be had goes to `ignored`.

    No more pay is read than what decides, and what the page shows.
    """
    shown = Shown.read(query.deciding_markets, query.day)
    found = [
        _Found(key, name, core_count, {market.slug: shown.pay(key, market.pk) for market in query.markets})
        for key, name, core_count in _roles_asked_for(query)
    ]
    if query.minimum is not None:
        found = [role for role in found if role.reaches(query.minimum)]
    if query.sort:
        found = _sorted(found, query.sort)
    pages = Paginator(found, a_page)
    if query.page > pages.num_pages:
        query.ignore("page", str(query.page))
        query.page = 1
    page = pages.page(query.page)
    roles = [role.key for role in page.object_list]
    return Comparison.of(roles, query, Loaded.read(roles, query.markets, query.day), page=page)


def _roles_asked_for(query: Query) -> Iterable[tuple[int, str, int]]:
    """Key, name and number of core lines of each role that the query asks for, whatever its pay."""
    roles = Role.objects.all()
    if query.path:
        roles = roles.filter(path=query.path)
    if query.roles:
        roles = roles.filter(slug__in=query.roles)
    if query.skill:
        roles = roles.filter(pk__in=roles_requiring(query.skill))
    is_core = Q(requirements__importance=Requirement.Importance.CORE)
    named = roles.order_by("order", "name").values_list("pk", "name")
    return named.annotate(core_count=Count("requirements", filter=is_core))


def best_paid(most: int) -> Comparison:
    """The roles with the highest upper figures in the first market."""
    query = Query.of_all()
    if query.markets:
        query.sort = f"-{query.markets[0].slug}_high"
    return compare(query, a_page=most)


def roles_requiring(skill: Skill) -> set[int]:
    """Keys of the roles whose core or must lines name this skill or one that implies it.

    A role's lines are its own, and its path's where it has no list of its own.
    """
    required = [Requirement.Importance.CORE, Requirement.Importance.MUST]
    asked = Requirement.objects.filter(skills__in=skill.with_narrower(), importance__in=required)
    own = asked.exclude(role=None).values_list("role_id", flat=True)
    through_path = Role.objects.by_their_path().filter(path__in=asked.exclude(path=None).values("path_id"))
    return {*own, *through_path.values_list("pk", flat=True)}


def comparisons_of(tables: Collection[str], day: date | None = None) -> dict[str, Comparison]:
    """The comparisons of these tables by slug, each with its roles in its own order, now or as of a day.

    Eight queries, however many tables.
    """
    rows = list(ComparisonTableRow.objects.filter(table__slug__in=tables).values_list("table__slug", "role"))
    markets = list(Market.objects.all())
    query = Query(markets=markets, all_markets=markets)
    roles = {role for _, role in rows}
    loaded = Loaded.read(roles, markets, day)
    of_table = {slug: [role for table, role in rows if table == slug] for slug in _existing(tables)}
    return {slug: Comparison.of(keys, query, loaded, is_sortable=False) for slug, keys in of_table.items()}


def _existing(tables: Collection[str]) -> Iterable[str]:
    return ComparisonTable.objects.filter(slug__in=tables).values_list("slug", flat=True)
