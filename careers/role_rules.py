"""The rules about roles, their lists and the skills in them."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from articles.review import Severity, record_rule

from .models import CareerPath, Requirement, Role, Skill
from .skill_pages import without_use

CORE, MUST, NICE = Requirement.Importance.CORE, Requirement.Importance.MUST, Requirement.Importance.NICE


@record_rule("core-but-nice", "Core in the table, only nice to have in the list", Severity.WARNING)
def core_but_nice(today: date) -> Iterator[tuple[Role, str, str]]:
    """One finding for each core line, compared with the role's own lists or, where it has none, with its path's."""
    links: models.Manager[Any] = Requirement.skills.through._default_manager
    same_skill = links.filter(skill=OuterRef("skill"))
    own = same_skill.filter(requirement__role=OuterRef("requirement__role"))
    of_path = same_skill.filter(requirement__path=OuterRef("requirement__role__path"))
    has_own = Exists(Requirement.objects.filter(role=OuterRef("requirement__role")).exclude(importance=CORE))
    found = (
        links.filter(requirement__importance=CORE, requirement__role__isnull=False)
        .filter(has_own & _only_nice(own) | ~has_own & _only_nice(of_path))
        .select_related("requirement__role__path")
        .order_by("requirement__role", "requirement__order", "requirement")
        .fetch_mode(models.FETCH_RAISE)
    )
    # A line of several skills is found by each of them.
    for line in {link.requirement_id: link.requirement for link in found}.values():
        message = f"“{line.label}” is core in the table, but in the must and nice lists it is only nice to have."
        yield line.role, message, str(line.pk)


def _only_nice(links: models.QuerySet[Any]) -> Q:
    """Whether some of these lines that name a skill are nice to have, and none is a must."""
    return Exists(links.filter(requirement__importance=NICE)) & ~Exists(links.filter(requirement__importance=MUST))


@record_rule("no-requirements", "No list of must and nice skills", Severity.WARNING)
def no_requirements(today: date) -> Iterator[tuple[Role, str]]:
    explicit = Requirement.objects.exclude(importance=CORE)
    roles = Role.objects.exclude(
        Exists(explicit.filter(role=OuterRef("pk"))) | Exists(explicit.filter(path=OuterRef("path")))
    )
    for role in roles.select_related("path").fetch_mode(models.FETCH_RAISE):
        who = f"Neither it nor its path, {role.path}, has a" if role.path else "It stands on no path and has no"
        yield role, f"{who} list of must and nice skills."


@record_rule("asked-twice", "The same skills in two lines of a list", Severity.WARNING)
def asked_twice(today: date) -> Iterator[tuple[Role | CareerPath, str, str]]:
    """Must and nice lines of one list that the same skills meet, as they can come about when skills are merged."""
    explicit = Requirement.objects.exclude(importance=CORE).select_related("role", "path").prefetch_related("skills")
    found: dict[tuple[Any, frozenset[int]], Requirement] = {}
    for line in explicit.order_by("order", "pk").fetch_mode(models.FETCH_RAISE):
        skills = frozenset(skill.pk for skill in line.skills.all())
        first = found.setdefault((line.owner, skills), line)
        if skills and first != line:
            words = f"“{first.label}” ({first.importance}) and “{line.label}” ({line.importance})"
            yield line.owner, f"{words} are met by the same skills.", str(line.pk)


@record_rule("merged-skill", "A line names a merged skill", Severity.WARNING)
def merged_skill(today: date) -> Iterator[tuple[Role | CareerPath, str, str]]:
    """What is left where a line was saved while its skill was being merged; saving the line again mends it."""
    links: models.Manager[Any] = Requirement.skills.through._default_manager
    stale = links.exclude(skill__merged_into=None).select_related("skill__merged_into")
    for link in stale.select_related("requirement__role", "requirement__path").order_by("pk"):
        line, skill = link.requirement, link.skill
        message = f"“{line.label}” names {skill}, which was merged into {skill.merged_into}. Save the list again."
        yield line.owner, message, f"{line.pk}-{skill.pk}"


@record_rule("line-without-skill", "A line that no skill meets", Severity.WARNING)
def line_without_skill(today: date) -> Iterator[tuple[Role | CareerPath, str, str]]:
    lines = Requirement.objects.filter(skills=None).select_related("role", "path").fetch_mode(models.FETCH_RAISE)
    for line in lines:
        yield line.owner, f"“{line.label}” names no skill, so nobody can meet it.", str(line.pk)


@record_rule("skill-without-use", "A skill that counts for nothing", Severity.WARNING)
def skill_without_use(today: date) -> Iterator[tuple[Skill, str]]:
    for skill in without_use():
        yield skill, "No line asks for it, nor for a skill that it implies or that implies it."
