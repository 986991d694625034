"""What the pages about skills print: who asks for a skill, in which line, and what counts for what."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from django.db import models

from .models import Requirement, Role, Skill
from .models.skills import chain_above

MUST, CORE, NICE = Requirement.Importance.MUST, Requirement.Importance.CORE, Requirement.Importance.NICE


@dataclass(frozen=True)
class Asking:
    """A line that asks for a skill, the roles for which it holds, and the other skills that it names."""

    line: Requirement
    roles: list[Role]
    others: list[Skill]


# By what readers call an importance, the gravest first, those alone of which there are any.
type Lists = dict[str, list[Asking]]


@dataclass(frozen=True)
class SkillPage:
    implied: list[Skill]
    narrower: list[Skill]
    other_names: list[str]
    asked: Lists
    # What asks for a skill that this one implies, and so is met by it too; nearest skills first.
    counts_for: list[tuple[Skill, Lists]]
    # What asks for a skill that implies this one, which by itself does not meet it.
    asked_narrower: Lists

    @property
    def is_required(self) -> bool:
        """Whether a must or core line asks for it or for one that implies it, so that the comparison finds roles."""
        required = {MUST.label, CORE.label}
        return not required.isdisjoint({*self.asked, *self.asked_narrower})

    @classmethod
    def of(cls, skill: Skill) -> Self:
        """Read it in seven queries, however many roles and skills there are."""
        implied, narrower = skill.implied(), skill.with_narrower() - {skill.pk}
        relatives = Skill.objects.unmerged().in_bulk({*implied, *narrower})
        found = _askings([skill.pk, *implied], narrower)
        return cls(
            implied=[relatives[key] for key in implied if key in relatives],
            narrower=sorted((relatives[key] for key in narrower if key in relatives), key=_by_name),
            other_names=[alias.alias for alias in skill.aliases.all()],
            asked=found.get(skill.pk, {}),
            counts_for=[(relatives[key], found[key]) for key in implied if key in found and key in relatives],
            asked_narrower=found.get(None, {}),
        )


def _by_name(skill: Skill) -> str:
    return skill.name.casefold()


def _askings(own: list[int], narrower: Collection[int]) -> dict[int | None, Lists]:
    """The lines that name these skills, by the first of `own` that they name, or None where they name none of them."""
    named = Requirement.objects.filter(skills__in={*own, *narrower}).distinct()
    lines = list(named.select_related("role", "path").prefetch_related("skills"))
    # The roles’ own lists before those of paths, each in the editors’ order.
    lines.sort(key=lambda line: (line.role is None, line.owner.order, line.owner.name, line.order, line.pk))
    on_path: dict[int | None, list[Role]] = defaultdict(list)
    for role in Role.objects.by_their_path().filter(path__in={line.path_id for line in lines if line.path_id}):
        on_path[role.path_id].append(role)
    found: dict[int | None, list[Asking]] = defaultdict(list)
    for line in lines:
        skills = list(line.skills.all())
        about = next((key for key in own if key in {skill.pk for skill in skills}), None)
        others = [skill for skill in skills if skill.pk != about]
        found[about].append(Asking(line, [line.role] if line.role else on_path[line.path_id], others))
    return {about: _by_importance(askings) for about, askings in found.items()}


def _by_importance(askings: list[Asking]) -> Lists:
    of_kinds = {kind.label: [a for a in askings if a.line.importance == kind] for kind in (MUST, CORE, NICE)}
    return {label: of_kind for label, of_kind in of_kinds.items() if of_kind}


@dataclass(frozen=True)
class ListedSkill:
    skill: Skill
    # How many roles require it, or a skill that implies it, as the comparison counts them.
    role_count: int
    is_nice: bool


def skills_by_kind() -> list[tuple[str, list[ListedSkill]]]:
    """The skills that count for anything, by the name of their kind, in three queries."""
    skills = list(Skill.objects.unmerged().select_related("broader"))
    families = _families(skills)
    named, requiring = _asked_for()
    roles: dict[int, set[int]] = defaultdict(set)
    for key, its_roles in requiring.items():
        for implied in families.get(key, []):
            roles[implied] |= its_roles
    counting = _counting(families, named)
    listed = [ListedSkill(s, len(roles[s.pk]), s.pk in named) for s in sorted(skills, key=_by_name) if s.pk in counting]
    kinds = [(kind.label, [entry for entry in listed if entry.skill.kind == kind]) for kind in Skill.Kind]
    return [(name, entries) for name, entries in kinds if entries]


def without_use() -> list[Skill]:
    """Skills that nothing asks for, neither them nor what they imply or are implied by: two queries."""
    skills = list(Skill.objects.unmerged())
    counting = _counting(_families(skills), set(_links().values_list("skill", flat=True).distinct()))
    return [skill for skill in skills if skill.pk not in counting]


def _families(skills: list[Skill]) -> dict[int, list[int]]:
    """Keys of each skill and of all that it implies."""
    above = {skill.pk: skill.broader_id for skill in skills if skill.broader_id}
    return {skill.pk: [skill.pk, *chain_above(skill.pk, above)] for skill in skills}


def _counting(families: dict[int, list[int]], named: set[int]) -> set[int]:
    """Keys of the skills that lines name, of those that these imply, and of those that imply them."""
    implied = {key for one in named for key in families.get(one, [])}
    return implied | {key for key, family in families.items() if not named.isdisjoint(family)}


def _links() -> models.Manager[Any]:
    """Which line names which skill."""
    return Requirement.skills.through._default_manager


def _asked_for() -> tuple[set[int], dict[int, set[int]]]:
    """Keys of the skills that lines name, and by such a key those of the roles that require it: two queries."""
    on_path: dict[int | None, set[int]] = defaultdict(set)
    for role, path in Role.objects.by_their_path().order_by().values_list("pk", "path"):
        on_path[path].add(role)
    lines = _links().values_list("skill", "requirement__importance", "requirement__role", "requirement__path")
    named: set[int] = set()
    requiring: dict[int, set[int]] = defaultdict(set)
    for skill, importance, role, path in lines:
        named.add(skill)
        if importance != NICE:
            requiring[skill] |= {role} if role else on_path[path]
    return named, requiring
