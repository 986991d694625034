"""What every role asks for, taken apart into units: read once for the skill check and for moves between roles."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.text import capfirst

from .models import Requirement, Role, Skill

CORE, MUST, NICE = Requirement.Importance.CORE, Requirement.Importance.MUST, Requirement.Importance.NICE


class KnownSkill(NamedTuple):
    pk: int
    slug: str
    name: str
    kind: str

    def get_absolute_url(self) -> str:
        return reverse("careers:skill", args=[self.slug])


class Origin(StrEnum):
    """Where a role has a unit from."""

    OWN_LIST = "own list"
    PATH_LIST = "path’s list"
    CORE_SKILLS = "core skills"


class Unit(NamedTuple):
    """One thing that a role asks for. Any one of its skills meets it."""

    label: str
    detail: str
    skills: frozenset[int]
    # The requirement's key, and its label where it asks for more than this unit.
    line: int
    part_of: str
    # Whether it counts as a must, as a core skill may.
    is_must: bool
    origin: Origin

    @property
    def more(self) -> str:
        """What there is to say beneath the label."""
        part = f"Part of “{self.part_of}”" if self.part_of else ""
        detail = self.detail if part else capfirst(self.detail)
        return ": ".join(text for text in (part, detail) if text)


class RoleUnits(NamedTuple):
    pk: int
    slug: str
    name: str
    order: int
    path_slug: str
    path_name: str
    musts: tuple[Unit, ...]
    nices: tuple[Unit, ...]

    def get_absolute_url(self) -> str:
        return reverse("careers:role", args=[self.slug])

    def get_path_url(self) -> str:
        return reverse("careers:path", args=[self.path_slug])

    @property
    def place(self) -> tuple[int, str, str]:
        """What it is sorted by where nothing else decides."""
        return self.order, self.name.casefold(), self.name


# The rows that a catalogue is made of, in the order of the columns that `load` asks for.


class SkillRow(NamedTuple):
    pk: int
    slug: str
    name: str
    kind: str
    broader: int | None = None
    merged_into: int | None = None


class RoleRow(NamedTuple):
    pk: int
    slug: str
    name: str
    order: int = 0
    path: int | None = None
    path_slug: str | None = None
    path_name: str | None = None


class LineRow(NamedTuple):
    pk: int
    role: int | None
    path: int | None
    importance: str
    label: str
    detail: str
    needs: str
    skills: tuple[int, ...]


@dataclass(frozen=True)
class Catalogue:
    """Skills and roles by key, roles in the editors' order. A merged skill is the skill that it was merged into.

    `rows` are all skills, merged ones too.
    """

    rows: list[SkillRow]
    skills: dict[int, KnownSkill]
    roles: dict[int, RoleUnits]
    # What lines of roles or paths name, and what that implies.
    asked: frozenset[int]
    # The skill that each skill counts as: itself, unless it was merged.
    target: dict[int, int]
    # What each skill that counts brings: itself and all broader skills.
    implied: dict[int, frozenset[int]]
    _implying: dict[int, frozenset[int]]

    @classmethod
    def load(cls) -> Self:
        """Read all in four queries."""
        return cls._read(Role.objects.all(), Requirement.objects.all(), Requirement.skills.through._default_manager)

    @classmethod
    def load_roles(cls, slugs: Collection[str]) -> Self:
        """Read these roles and all skills in four queries; `asked` is what these roles and their paths ask for."""
        roles = Role.objects.filter(slug__in=slugs)
        lines = Requirement.objects.filter(Q(role__in=roles.values("pk")) | Q(path__in=roles.values("path")))
        links: Any = Requirement.skills.through._default_manager
        return cls._read(roles, lines, links.filter(requirement__in=lines.values("pk")))

    @classmethod
    def _read(cls, roles: models.QuerySet[Role], lines: models.QuerySet[Requirement], links: Any) -> Self:
        skills_of = defaultdict(list)
        for line, skill in links.values_list("requirement_id", "skill_id"):
            skills_of[line].append(skill)
        columns = ("pk", "role_id", "path_id", "importance", "label", "detail", "needs")
        asking = [LineRow._make((*row, tuple(skills_of[row[0]]))) for row in lines.values_list(*columns)]
        columns = ("pk", "slug", "name", "order", "path_id", "path__slug", "path__name")
        chosen = [RoleRow(*row) for row in roles.values_list(*columns)]
        skills = Skill.objects.values_list("pk", "slug", "name", "kind", "broader_id", "merged_into_id").order_by("pk")
        return cls.of([SkillRow(*row) for row in skills], chosen, asking)

    @classmethod
    def of(cls, skills: Iterable[SkillRow], roles: Iterable[RoleRow], lines: Iterable[LineRow]) -> Self:
        """Put together what these rows say; lines come in the order of the lists."""
        rows = {row.pk: row for row in skills}
        merged_into = {pk: row.merged_into for pk, row in rows.items()}
        target = {pk: _end_of(merged_into, pk) for pk in rows}
        known = {pk: KnownSkill(*row[:4]) for pk, row in rows.items() if target[pk] == pk}
        broader = {pk: target.get(rows[pk].broader or 0) for pk in known}
        implied = {pk: frozenset(_chain(broader, pk)) for pk in known}
        implying = defaultdict(set)
        for pk, chain in implied.items():
            for other in chain:
                implying[other].add(pk)
        lines = list(lines)
        named = {target[skill] for line in lines for skill in line.skills if skill in target}
        lists = _Lists(known, target, lines)
        asks = [lists.units_of(role) for role in roles]
        return cls(
            rows=list(rows.values()),
            skills=known,
            roles={role.pk: role for role in sorted(asks, key=lambda role: role.place)},
            asked=frozenset().union(*(implied[skill] for skill in named)),
            target=target,
            implied=implied,
            _implying={pk: frozenset(others) for pk, others in implying.items()},
        )

    def implied_by(self, skills: Iterable[int]) -> frozenset[int]:
        """What somebody with these skills counts as having: them and all broader ones, however many steps away."""
        return frozenset().union(*(self.implied[self.target[skill]] for skill in skills if skill in self.target))

    def implying(self, skills: Iterable[int]) -> frozenset[int]:
        """The skills with each of which somebody counts as having one of these, themselves among them."""
        return frozenset().union(*(self._implying[skill] for skill in skills))

    def plainness(self, skill: int) -> tuple[int, str, str, int]:
        """What skills are sorted by where several would do: those that imply least first, then by name."""
        name = self.skills[skill].name
        return len(self.implied[skill]), name.casefold(), name, skill

    def one_skill_for(self, units: Iterable[Unit]) -> KnownSkill | None:
        """The plainest skill that alone meets all of these units. None if none does or nothing is to be met."""
        candidates: frozenset[int] | None = None
        for unit in units:
            meeting = self.implying(unit.skills)
            candidates = meeting if candidates is None else candidates & meeting
            if not candidates:
                return None
        return self.skills[min(candidates, key=self.plainness)] if candidates else None


def _chain(following: Mapping[int, int | None], start: int) -> Iterator[int]:
    """The start and whatever follows it, each once, were it a circle."""
    seen: set[int] = set()
    link: int | None = start
    while link is not None and link not in seen:
        yield link
        seen.add(link)
        link = following.get(link)


def _end_of(merged_into: Mapping[int, int | None], skill: int) -> int:
    """Where the chain of merges ends; in a circle, the lowest key of the circle."""
    chain = [link for link in _chain(merged_into, skill) if link in merged_into]
    last = merged_into[chain[-1]]
    return min(chain[chain.index(last) :]) if last in chain else chain[-1]


class _Lists:
    """The lines of all roles and paths, and the units that they make."""

    def __init__(self, known: Mapping[int, KnownSkill], target: Mapping[int, int], lines: Iterable[LineRow]) -> None:
        self.known = known
        self.target = target
        self.core: dict[int | None, list[LineRow]] = defaultdict(list)
        self.explicit: dict[int | None, list[LineRow]] = defaultdict(list)
        of_path: dict[int | None, list[LineRow]] = defaultdict(list)
        for line in lines:
            if line.role is not None:
                (self.core if line.importance == CORE else self.explicit)[line.role].append(line)
            elif line.importance != CORE:
                of_path[line.path].append(line)
        self.of_path = {path: self._explicit_units(lines, Origin.PATH_LIST) for path, lines in of_path.items()}

    def units_of(self, role: RoleRow) -> RoleUnits:
        """What the role asks for: its own must and nice lines, else its path's, and core skills that these miss out."""
        if own := self.explicit.get(role.pk):
            musts, nices = self._explicit_units(own, Origin.OWN_LIST)
        else:
            musts, nices = self.of_path.get(role.path, ((), ()))
        mentioned = frozenset().union(*(unit.skills for unit in (*musts, *nices)))
        core = [unit for line in self.core.get(role.pk, ()) for unit in self._units(line, Origin.CORE_SKILLS)]
        further = tuple(unit for unit in core if unit.skills.isdisjoint(mentioned))
        path = (role.path_slug or "", role.path_name or "")
        return RoleUnits(role.pk, role.slug, role.name, role.order, *path, musts + further, nices)

    def _explicit_units(self, lines: Iterable[LineRow], origin: Origin) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        """Musts and nices."""
        musts, nices = (
            tuple(unit for line in lines if line.importance == importance for unit in self._units(line, origin))
            for importance in (MUST, NICE)
        )
        return musts, nices

    def _units(self, line: LineRow, origin: Origin) -> list[Unit]:
        """The line's units; none where it names no skill, for nobody could meet it."""
        skills = frozenset(self.target[skill] for skill in line.skills if skill in self.target)
        is_must = line.importance != NICE
        if line.needs == Requirement.Needs.ALL and len(skills) > 1:
            parts = sorted((self.known[skill] for skill in skills), key=lambda skill: (skill.name.casefold(), skill.pk))
            return [
                Unit(part.name, line.detail, frozenset([part.pk]), line.pk, line.label, is_must, origin)
                for part in parts
            ]
        return [Unit(line.label, line.detail, skills, line.pk, "", is_must, origin)] if skills else []
