"""Merging of skills that are the same: one stays, and whatever belonged to the others is its own."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from articles import searched

from .models import Requirement, Skill, SkillAlias
from .models.skills import chain_above


class MergeError(Exception):
    """Somebody else merged or deleted one of the skills in the meantime; its text says which."""


@transaction.atomic
def merge(skills: Iterable[Skill], into: Skill, by: User) -> list[Skill]:
    """Put `into` in the place of these skills; gives those that were not part of it before.

    Lines, other names and narrower skills move to it, and the others' names become other names of it. No line loses its
    last skill, nothing is deleted, and all that changes is logged. Doing it again changes nothing.
    """
    # All of them, always in the same order: two people at it neither wait for each other nor close a circle together.
    locked = {skill.pk: skill for skill in Skill.objects.select_for_update().order_by("pk")}
    keys = {skill.pk for skill in skills} - {into.pk}
    _refuse_what_changed(keys, into, locked)
    into = locked[into.pk]
    new = [locked[key] for key in sorted(keys) if locked[key].merged_into_id != into.pk]
    above = {skill.pk: skill.broader_id for skill in locked.values() if skill.broader_id}
    narrower = [locked[key] for key in above if above[key] in keys and key not in {*keys, into.pk}]
    led_on = [skill for skill in locked.values() if skill.merged_into_id in keys and skill.pk not in keys]
    broader = _broader_afterwards(into, keys, above)

    notes: list[tuple[models.Model, str]] = _move_lines(keys, into)
    SkillAlias.objects.filter(skill__in=keys).update(skill=into)
    # A name that is another name of some skill already stays there.
    SkillAlias.objects.bulk_create([SkillAlias(skill=into, alias=skill.name) for skill in new], ignore_conflicts=True)
    Skill.objects.filter(pk__in=keys).update(merged_into=into, broader=None)
    Skill.objects.filter(pk__in=[skill.pk for skill in led_on]).update(merged_into=into)
    Skill.objects.filter(pk__in=[skill.pk for skill in narrower]).update(broader=into)
    if broader != into.broader_id:
        Skill.objects.filter(pk=into.pk).update(broader=broader)
        notes.append((into, f"Implies {f'“{locked[broader]}”' if broader else 'nothing'} from now on."))

    if new:
        notes.append((into, f"Took the place of {in_quotes(new)}."))
    notes += [(skill, f"Merged into “{into}”.") for skill in new]
    notes += [(skill, f"Leads on to “{into}”.") for skill in led_on]
    notes += [(skill, f"Implies “{into}”, which took the place of “{locked[above[skill.pk]]}”.") for skill in narrower]
    _log(notes, by)
    searched.touch("skill", [*keys, into.pk, *(skill.pk for skill in narrower)])
    return new


@transaction.atomic
def settle(lines: models.QuerySet[Requirement]) -> None:
    """Let lines that name merged skills name those that stand in their place; call it where lines were saved.

    It waits for a merge that is going on, and a merge waits for it, so that no line is missed by both.
    """
    links: models.Manager[Any] = Requirement.skills.through._default_manager
    named = set(links.filter(requirement__in=lines).values_list("skill_id", flat=True))
    list(Skill.objects.select_for_update().filter(pk__in=named).order_by("pk").values_list("pk", flat=True))
    for link in links.filter(requirement__in=lines).exclude(skill__merged_into=None).select_related("skill"):
        if kept := link.skill.kept():
            links.get_or_create(requirement_id=link.requirement_id, skill_id=kept.pk)
            link.delete()


def in_quotes(records: Iterable[models.Model]) -> str:
    """“A”, “B” and “C”."""
    *others, last = [f"“{record}”" for record in records]
    return f"{', '.join(others)} and {last}" if others else last


def _refuse_what_changed(keys: Collection[int], into: Skill, locked: Mapping[int, Skill]) -> None:
    together = {*keys, into.pk}
    if not locked.keys() >= together:
        raise MergeError("One of these skills was deleted in the meantime.")
    for key in sorted(together):
        place = locked[key].merged_into_id
        if place and (key == into.pk or place not in together):
            raise MergeError(f"“{locked[key]}” was merged into “{locked[place]}” in the meantime.")


def _broader_afterwards(into: Skill, keys: Collection[int], above: Mapping[int, int]) -> int | None:
    """The nearest skill above the one that stays which does not come to imply it through what is merged."""
    merged = {*keys, into.pk}
    others = [key for key in chain_above(into.pk, above) if key not in merged]
    return next((key for key in others if merged.isdisjoint(chain_above(key, above))), None)


def _move_lines(keys: Collection[int], into: Skill) -> list[tuple[models.Model, str]]:
    """Let lines ask for `into` where they asked for the others; a line that asked for both asks once."""
    links: models.Manager[Any] = Requirement.skills.through._default_manager
    lines = Requirement.objects.filter(skills__in=keys).distinct().select_related("role", "path")
    of_owners: dict[models.Model, list[Requirement]] = {}
    for line in lines:
        of_owners.setdefault(line.owner, []).append(line)
    moved = [line.pk for of_owner in of_owners.values() for line in of_owner]
    links.bulk_create([links.model(requirement_id=key, skill_id=into.pk) for key in moved], ignore_conflicts=True)
    # Of these lines only: one that asks for a merged skill since a moment ago keeps it.
    links.filter(skill__in=keys, requirement__in=moved).delete()
    return [(owner, f"Asks for “{into}” in {in_quotes(of_owner)}.") for owner, of_owner in of_owners.items()]


def _log(notes: Iterable[tuple[models.Model, str]], by: User) -> None:
    LogEntry.objects.bulk_create(
        LogEntry(
            user=by,
            content_type=ContentType.objects.get_for_model(record),
            object_id=str(record.pk),
            object_repr=str(record)[:200],
            action_flag=CHANGE,
            change_message=note,
        )
        for record, note in notes
    )
