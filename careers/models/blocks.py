from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from articles.models import Article, Block, LiveReference, Sourced
from articles.models.blocks import Item
from veltrix.prepared import Prepared

from .roles import CareerPath, ComparisonTable, Role
from .salaries import SalaryRange
from .skills import Requirement

if TYPE_CHECKING:
    from articles.pages import SourceNotes


class RoleReference(LiveReference):
    target = models.ForeignKey(Role, models.PROTECT, related_name="live_references")

    moments = "target__salary_ranges__published_at"

    @classmethod
    def figures_shown(cls, articles: models.QuerySet[Article]) -> Iterable[tuple[int, Sourced]]:
        """Pay that is referred to in text; a list of the role’s skills shows none."""
        from articles.documents import references_in
        from articles.references import load

        of_roles = articles.filter(rolereference__is_live=True).distinct()
        documents = of_roles.values_list("pk", "live_version__document")
        named = {key: references_in(document) for key, document in documents}
        figures = load({reference for references in named.values() for reference in references})
        pay = {reference: figure for reference, figure in figures.items() if isinstance(figure, SalaryRange)}
        return [(key, pay[r]) for key, references in named.items() for r in references if r in pay]


class CareerPathReference(LiveReference):
    target = models.ForeignKey(CareerPath, models.PROTECT, related_name="live_references")


class ComparisonTableReference(LiveReference):
    target = models.ForeignKey(ComparisonTable, models.PROTECT, related_name="live_references")

    moments = "target__rows__role__salary_ranges__published_at"

    @classmethod
    def figures_shown(cls, articles: models.QuerySet[Article]) -> Iterable[tuple[int, Sourced]]:
        from careers.comparison import comparisons_of

        pairs = list(
            cls._default_manager.filter(article__in=articles, is_live=True).values_list("article", "target__slug")
        )
        tables = comparisons_of({table for _, table in pairs})
        return [(article, salary) for article, table in pairs for salary in tables[table].salaries()]


class RoleTable(Block):
    type = "role-table"

    table = models.ForeignKey(ComparisonTable, models.PROTECT, related_name="+")
    caption = models.CharField(max_length=200, help_text="What the table shows, in a short sentence.")

    class Meta(Block.Meta):
        verbose_name = "role table"

    def summary(self) -> str:
        return f"{self.table}: {self.caption}"

    @classmethod
    def load(cls, items: Sequence[Item]) -> dict[str, Any]:
        from careers.comparison import comparisons_of

        return comparisons_of({item["table"] for item in items})

    @classmethod
    def context(cls, item: Item, loaded: dict[str, Any], notes: "SourceNotes") -> dict[str, Any] | None:
        from careers.embeds import TableEmbed

        comparison = loaded.get(item["table"])
        if comparison is None:
            return None
        anchor = notes.anchor(f"table-{item['table']}")
        for salary in comparison.salaries():
            notes.cite(salary, anchor)
        embed = TableEmbed(item["table"], item["caption"], "", comparison)
        return {"caption": item["caption"], "comparison": comparison, "anchor": anchor, "embed": embed}


class SkillList(Block):
    type = "skill-list"

    path = models.ForeignKey(CareerPath, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="+")
    heading = models.CharField(max_length=120, blank=True, help_text="Empty: the name of the path or role.")

    class Meta(Block.Meta):
        verbose_name = "skill list"
        constraints = [
            *Block.Meta.constraints,
            models.CheckConstraint(
                name="skill_list_is_of_a_role_or_a_path",
                condition=Q(role=None, path__isnull=False) | Q(role__isnull=False, path=None),
                violation_error_message="Choose either a path or a role.",
            ),
        ]

    def summary(self) -> str:
        return self.heading or str(self.path or self.role)

    @classmethod
    def load(cls, items: Sequence[Item]) -> dict[str, Mapping[str, Any]]:
        paths = _PATHS.objects(slugs={item["path"] for item in items if item.get("path")})
        roles = _ROLES.objects(slugs={item["role"] for item in items if item.get("role")})
        by_path, by_role = _lines_of(paths, roles)
        loaded: dict[str, Mapping[str, Any]] = {}
        for path in paths:
            loaded[f"path {path.slug}"] = {"subject": path, **by_path.get(path.pk, {})}
        for role in roles:
            lines = by_role.get(role.pk) or by_path.get(role.path_id or 0, {})
            loaded[f"role {role.slug}"] = {"subject": role, **lines}
        return loaded

    @classmethod
    def context(cls, item: Item, loaded: dict[str, Any], notes: "SourceNotes") -> dict[str, Any] | None:
        key = f"path {item['path']}" if item.get("path") else f"role {item.get('role')}"
        if key not in loaded:
            return None
        lists = loaded[key]
        return {
            "heading": item["heading"] or lists["subject"].name,
            "subject": lists["subject"],
            "musts": lists.get("must", []),
            "nices": lists.get("nice", []),
        }


_PATHS = Prepared(lambda slugs: CareerPath.objects.filter(slug__in=slugs), slugs=[str])
_ROLES = Prepared(lambda slugs: Role.objects.filter(slug__in=slugs).select_related("path"), slugs=[str])
_LINES = Prepared(
    lambda paths, roles: (
        Requirement.objects.filter(Q(path__in=paths) | Q(role__in=roles))
        .exclude(importance=Requirement.Importance.CORE)
        .prefetch_related("skills")
    ),
    paths=[int],
    roles=[int],
)


def _lines_of(paths: Iterable[CareerPath], roles: Iterable[Role]) -> tuple[dict[int, Any], dict[int, Any]]:
    """Must and nice lines of these paths (and the roles' paths) and roles, in two queries."""
    path_keys = {path.pk for path in paths} | {role.path_id for role in roles if role.path_id}
    lines = _LINES.objects(paths=path_keys, roles=[role.pk for role in roles])
    by_path: dict[int, dict[str, list[Requirement]]] = {}
    by_role: dict[int, dict[str, list[Requirement]]] = {}
    for line in lines:
        group, key = (by_path, line.path_id) if line.path_id else (by_role, line.role_id)
        group.setdefault(key or 0, {}).setdefault(line.importance, []).append(line)
    return by_path, by_role
