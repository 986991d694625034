"""What is searched of roles and skills."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q

from articles import searched

from .models import Requirement, Role, Skill, SkillAlias


def _load_roles(keys: Collection[int]) -> Iterator[searched.Words]:
    roles = list(Role.objects.filter(pk__in=keys).select_related("path"))
    paths = {role.path_id for role in roles if role.path_id}
    lines = Requirement.objects.filter(Q(role__in=keys) | Q(path__in=paths)).order_by("order", "pk")
    of_roles: dict[int | None, list[Requirement]] = defaultdict(list)
    of_paths: dict[int | None, list[Requirement]] = defaultdict(list)
    for line in lines:
        of_owner = of_roles[line.role_id] if line.role_id else of_paths[line.path_id]
        of_owner.append(line)
    for role in roles:
        asked = of_roles[role.pk]
        if all(line.importance == Requirement.Importance.CORE for line in asked):
            asked = asked + of_paths[role.path_id]
        yield searched.Words(
            key=role.pk,
            path=role.get_absolute_url(),
            heading=role.name,
            text="\n".join(text for text in (role.summary, _asks_for(asked)) if text),
        )


def _asks_for(lines: Iterable[Requirement]) -> str:
    labels = dict.fromkeys(line.label for line in lines)
    return f"Asks for {', '.join(labels)}" if labels else ""


def _asked_by(line: Requirement) -> Iterable[int | None]:
    if line.role_id:
        return [line.role_id]
    return Role.objects.filter(path=line.path_id).values_list("pk", flat=True)


def _label_roles(keys: Collection[int]) -> dict[int, str]:
    return dict.fromkeys(Role.objects.filter(pk__in=keys).values_list("pk", flat=True), "Role")


searched.enter(
    searched.Kind(
        key="role",
        plural="Roles",
        order=20,
        keys=lambda: Role.objects.order_by("pk").values_list("pk", flat=True),
        load=_load_roles,
        label=_label_roles,
        touched_by={Role: lambda role: [role.pk], Requirement: _asked_by},
    )
)


def _load_skills(keys: Collection[int]) -> Iterator[searched.Words]:
    for skill in Skill.objects.unmerged().filter(pk__in=keys).select_related("broader").prefetch_related("aliases"):
        names = [alias.alias for alias in skill.aliases.all()]
        lines = [
            f"Also called {', '.join(names)}" if names else "",
            f"Part of {skill.broader.name}" if skill.broader else "",
            skill.get_kind_display(),
        ]
        yield searched.Words(
            key=skill.pk,
            path=skill.get_absolute_url(),
            heading=skill.name,
            text="\n".join(line for line in lines if line),
            names="\n".join(names),
        )


def _label_skills(keys: Collection[int]) -> dict[int, str]:
    return dict.fromkeys(Skill.objects.unmerged().filter(pk__in=keys).values_list("pk", flat=True), "Skill")


def _named_by(skill: Skill) -> Iterable[int | None]:
    """The skill itself, and those that are narrower, which name it."""
    return [skill.pk, *Skill.objects.filter(broader=skill.pk).values_list("pk", flat=True)]


searched.enter(
    searched.Kind(
        key="skill",
        plural="Skills",
        order=30,
        keys=lambda: Skill.objects.unmerged().order_by("pk").values_list("pk", flat=True),
        load=_load_skills,
        label=_label_skills,
        touched_by={Skill: _named_by, SkillAlias: lambda alias: [alias.skill_id]},
    )
)
