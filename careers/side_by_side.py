"""Two to four roles line by line: pay, what they share and do not share, and what a move between them would need."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.http import QueryDict

from articles.asked import in_list, is_tidy_list, named

from .catalogue import Catalogue, RoleUnits, Unit
from .comparison import Comparison, PayCell, Query
from .comparison.query import MOST_ROLES
from .models import Market, Role
from .moves import Move, move, moves_from, vouches

FEWEST, MOST = 2, 4
MUST_HAVE, NICE_TO_HAVE = "Must have", "Nice to have"


@dataclass
class Chosen:
    """The roles that an address names, in its order. `ignored` names what was not understood."""

    slugs: list[str] = field(default_factory=list)
    # The names of the roles for which there is no room.
    surplus: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    # Whether other addresses say the same: this one holds more than the page needs.
    is_roundabout: bool = False

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read `roles`, given once with commas or several times."""
        slugs = in_list(data.getlist("roles"))
        names = dict(Role.objects.filter(slug__in=slugs[:MOST_ROLES]).values_list("slug", "name"))
        known = [slug for slug in slugs if slug in names]
        unknown = [("roles", slug) for slug in slugs if slug not in names]
        others = [(name, value) for name in data for value in data.getlist(name) if name != "roles"]
        surplus, ignored = [names[slug] for slug in known[MOST:]], named([*unknown, *others])
        is_roundabout = bool(surplus or ignored) or not is_tidy_list(data.getlist("roles"))
        return cls(known[:MOST], surplus, ignored, is_roundabout)

    def catalogue(self) -> Catalogue:
        """What the page needs: these roles where it has room for no other, else all, to suggest some."""
        return Catalogue.load_roles(self.slugs) if len(self.slugs) == MOST else Catalogue.load()

    @property
    def is_enough(self) -> bool:
        return len(self.slugs) >= FEWEST


@dataclass(frozen=True)
class Choice:
    """A role, and the value of `roles` that leads to the page with it or without it."""

    role: RoleUnits
    roles: str


@dataclass(frozen=True)
class Cell:
    """What a role says of a requirement: it asks for it, it brings it by another must, or neither."""

    role: str
    # Empty: neither.
    words: str
    is_must: bool = False
    # How the role's own list calls it, where the line is called otherwise.
    label: str = ""


@dataclass(frozen=True)
class Line:
    label: str
    cells: list[Cell]
    asked_by: int
    musts: int


@dataclass(frozen=True)
class Group:
    """Requirements that all, some or one of the roles ask for."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Way:
    """What moving from one of the roles to each of the others would need."""

    role: RoleUnits
    moves: list[Move]


@dataclass(frozen=True)
class SideBySide:
    roles: list[RoleUnits]
    # Each role with what is left without it.
    choices: list[Choice]
    # Each market with the pay of each role, in the roles' order, and the notes to the figures.
    pay: list[tuple[Market, list[PayCell]]]
    comparison: Comparison
    groups: list[Group]
    ways: list[Way]

    @classmethod
    def of(cls, catalogue: Catalogue, chosen: "Chosen") -> Self:
        """Six queries, however many roles there are."""
        by_slug = {role.slug: role for role in catalogue.roles.values()}
        roles = [by_slug[slug] for slug in chosen.slugs if slug in by_slug]
        query = Query.of_all()
        comparison = Comparison.of_roles([role.pk for role in roles], query)
        pay = [(market, [row.pay[place] for row in comparison.rows]) for place, market in enumerate(query.markets)]
        ways = [Way(role, [move(catalogue, role, to) for to in roles if to != role]) for role in roles]
        choices = [Choice(role, ",".join(slug for slug in chosen.slugs if slug != role.slug)) for role in roles]
        return cls(roles, choices, pay, comparison, _groups(_lines(catalogue, roles), len(roles)), ways)

    @property
    def title(self) -> str:
        """The roles' names as a list in words."""
        *names, last = [role.name for role in self.roles]
        return f"{', '.join(names)} and {last}"


def suggestions(catalogue: Catalogue, chosen: Chosen, most: int = 6) -> list[Choice]:
    """Roles to put beside the chosen ones: the nearest to the first of them, or the first ones where there is none.

    None where there is room for no more.
    """
    if len(chosen.slugs) == MOST:
        return []
    by_slug = {role.slug: role for role in catalogue.roles.values()}
    first = [by_slug[slug] for slug in chosen.slugs[:1] if slug in by_slug]
    near = [move.role for role in first for move in moves_from(catalogue, role, most + MOST)]
    others = [role for role in near or catalogue.roles.values() if role.slug not in chosen.slugs]
    return [Choice(role, ",".join([*chosen.slugs, role.slug])) for role in others[:most]]


def _lines(catalogue: Catalogue, roles: Sequence[RoleUnits]) -> list[Line]:
    """All that the roles ask for, what is met by the same skills in one line, in the order of the lists."""
    asked: dict[frozenset[int], dict[int, tuple[Unit, str]]] = {}
    for role in roles:
        for words, units in ((MUST_HAVE, role.musts), (NICE_TO_HAVE, role.nices)):
            for unit in units:
                asked.setdefault(unit.skills, {}).setdefault(role.pk, (unit, words))
    return [_line(catalogue, roles, skills, by_role) for skills, by_role in asked.items()]


def _line(
    catalogue: Catalogue,
    roles: Iterable[RoleUnits],
    skills: frozenset[int],
    by_role: dict[int, tuple[Unit, str]],
) -> Line:
    label = next(iter(by_role.values()))[0].label
    cells = []
    for role in roles:
        if role.pk in by_role:
            unit, words = by_role[role.pk]
            is_other = unit.label.casefold() != label.casefold()
            cells.append(Cell(role.name, words, words == MUST_HAVE, unit.label if is_other else ""))
        else:
            bringing = next((own.label for own in role.musts if vouches(catalogue, own.skills, skills)), "")
            cells.append(Cell(role.name, f"Comes with {bringing}" if bringing else ""))
    return Line(label, cells, len(by_role), sum(cell.is_must for cell in cells))


def _groups(lines: Iterable[Line], count: int) -> list[Group]:
    """What all ask for first; in each group what most must have goes first."""
    ordered = sorted(lines, key=lambda line: (-line.asked_by, -line.musts))
    everyone = "Both ask for" if count == 2 else "All ask for"
    groups = [
        Group(everyone, [line for line in ordered if line.asked_by == count]),
        Group("Some ask for", [line for line in ordered if 1 < line.asked_by < count]),
        Group("One asks for", [line for line in ordered if line.asked_by == 1]),
    ]
    return [group for group in groups if group.lines]
