"""Open data on careers: roles and salaries; see `articles.open_data`."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse

from articles import open_data
from articles.models import Source
from articles.open_data import KEY, LICENCE, REQUIRED, Column, Record, Table, iso, one_of
from veltrix.publication import NAME, PUBLISHER

from .models import Market, Requirement, Role, RoleRelation, SalaryRange

TITLE = f"{NAME} data on AI roles, skills and pay"
# Whatever of the files has no moments of its own; the desk’s log knows when it was edited.
ROLE_RECORDS = [
    "careers.role",
    "careers.careerpath",
    "careers.skill",
    "careers.market",
]


@dataclass(frozen=True)
class RoleFacts:
    """A role with its lists of requirements by importance; the path’s where it has none of its own."""

    role: Role
    lists: dict[str, list[Requirement]]
    related: list[str]

    def labels(self, importance: str) -> list[str] | None:
        return [line.label for line in self.lists[importance]] or None


ROLES = Table(
    name="roles",
    title="Roles",
    description="Roles in AI with what they ask for, as we describe them now; what they pay is in salaries.csv.",
    primary_key="slug",
    columns=[
        Column("slug", "string", "Short name of the role; it never changes.", lambda f: f.role.slug, KEY),
        Column("name", "string", "The role’s name.", lambda f: f.role.name, REQUIRED),
        Column("url", "string", "Its page.", lambda f: settings.SITE_URL + f.role.get_absolute_url(), REQUIRED),
        Column("summary", "string", "What somebody in this role does.", lambda f: f.role.summary or None),
        Column(
            "path", "string", "Career path that it belongs to.", lambda f: f.role.path.slug if f.role.path else None
        ),
        Column("path_name", "string", "The path’s name.", lambda f: f.role.path.name if f.role.path else None),
        Column(
            "core_skills",
            "string",
            "Skills that the comparison shows, parted by semicolons.",
            lambda f: f.labels("core"),
        ),
        Column("must_have", "string", "What the role requires, parted by semicolons.", lambda f: f.labels("must")),
        Column("nice_to_have", "string", "What helps beside that, parted by semicolons.", lambda f: f.labels("nice")),
        Column(
            "codes",
            "string",
            "Codes in official classifications, each behind its classification’s name, parted by semicolons.",
            lambda f: [f"{code.scheme} {code.code}" for code in f.role.codes.all()] or None,
        ),
        Column("related", "string", "Short names of related roles, parted by semicolons.", lambda f: f.related or None),
    ],
)

SALARIES = Table(
    name="salaries",
    title="Salary ranges",
    description="Every salary range that was ever published, with its evidence and its history.",
    primary_key="id",
    foreign_keys={"role": ("roles", "slug"), "source": ("sources", "slug"), "supersedes": ("", "id")},
    columns=[
        Column("id", "integer", "Number of the row; it never changes.", lambda r: r.figure.pk, KEY),
        Column("role", "string", "Short name of the role in roles.csv.", lambda r: r.figure.role.slug, REQUIRED),
        Column("role_name", "string", "The role’s name.", lambda r: r.figure.role.name, REQUIRED),
        Column(
            "market",
            "string",
            "Country, as ISO 3166-1 alpha-2 has it: GB, US.",
            lambda r: r.figure.market.code,
            {"required": True, "pattern": "^[A-Z]{2}$"},
        ),
        Column(
            "currency",
            "string",
            "Currency, as ISO 4217 has it: GBP, USD.",
            lambda r: r.figure.currency,
            {"required": True, "pattern": "^[A-Z]{3}$"},
        ),
        Column(
            "kind",
            "string",
            "Base pay, total pay, or not stated.",
            lambda r: r.figure.kind,
            one_of(SalaryRange.Kind.values),
        ),
        Column("basis", "string", "How the range was obtained, in words.", lambda r: r.figure.basis or None),
        Column("level", "string", "Seniority; empty: all levels.", lambda r: r.figure.level or None),
        Column(
            "period",
            "string",
            "What the amounts are paid for.",
            lambda r: r.figure.period,
            one_of(SalaryRange.Period.values),
        ),
        Column("low", "integer", "Lower figure, in whole currency units.", lambda r: r.number("low"), {"minimum": 0}),
        Column(
            "high",
            "integer",
            "Upper figure; empty: the source states none.",
            lambda r: r.number("high"),
            {"minimum": 0},
        ),
        Column(
            "is_open_ended",
            "boolean",
            "Whether the source says “or more” after the last figure.",
            lambda r: r.number("is_open_ended"),
        ),
        Column("median", "integer", "Median, where it is stated.", lambda r: r.number("median"), {"minimum": 0}),
        Column(
            "sample_size",
            "integer",
            "How many salaries the range is made of.",
            lambda r: r.number("sample_size"),
            {"minimum": 1},
        ),
        *open_data.figure_columns(),
    ],
)


def all_roles() -> list[RoleFacts]:
    """Every role with its lists: seven queries, however many roles."""
    related = RoleRelation.objects.select_related("related")
    roles = Role.objects.select_related("path").prefetch_related("codes", Prefetch("relations", queryset=related))
    of_roles: dict[int | None, list[Requirement]] = defaultdict(list)
    of_paths: dict[int | None, list[Requirement]] = defaultdict(list)
    for line in Requirement.objects.prefetch_related("skills"):
        (of_roles if line.role_id else of_paths)[line.role_id or line.path_id].append(line)
    facts = []
    for role in roles:
        lists = Requirement.by_importance(of_roles[role.pk])
        if not (lists["must"] or lists["nice"]) and role.path_id:
            lists = {**Requirement.by_importance(of_paths[role.path_id]), "core": lists["core"]}
        facts.append(RoleFacts(role, lists, [relation.related.slug for relation in role.relations.all()]))
    return facts


def all_salary_ranges() -> list[SalaryRange]:
    """The whole history of all ranges in the order of the file."""
    ranges = SalaryRange.objects.published().select_related("role", "market", "source")
    return list(ranges.order_by("role__slug", "market__code", "published_at", "pk"))


def roles_json(
    roles: Iterable[RoleFacts], markets: Iterable[Market], salaries: Iterable[Record[SalaryRange]], as_of: str
) -> bytes:
    """Roles with what they pay and ask for; without a date the pay that is shown now."""
    pay: dict[int, list[Record[SalaryRange]]] = defaultdict(list)
    for record in salaries:
        if as_of or record.is_current:
            pay[record.figure.role_id].append(record)
    cited = {record.figure.source for records in pay.values() for record in records if record.figure.source}
    return as_json(
        {
            "title": TITLE,
            "publisher": PUBLISHER,
            "homepage": settings.SITE_URL + reverse("careers:index"),
            "licence": LICENCE,
            "as_of": as_of or None,
            "markets": [{"code": m.code, "name": m.name, "currency": m.currency} for m in markets],
            "roles": [_role(facts, pay[facts.role.pk]) for facts in roles],
            "sources": [_source(source) for source in sorted(cited, key=lambda source: source.slug)],
        }
    )


def _role(facts: RoleFacts, pay: Iterable[Record[SalaryRange]]) -> dict[str, Any]:
    role = facts.role
    return {
        "slug": role.slug,
        "name": role.name,
        "url": settings.SITE_URL + role.get_absolute_url(),
        "summary": role.summary,
        "path": {"slug": role.path.slug, "name": role.path.name} if role.path else None,
        "pay": [_range(record) for record in pay],
        "requirements": {
            importance: [_requirement(line) for line in lines] for importance, lines in facts.lists.items()
        },
        "codes": [
            {
                "scheme": code.scheme,
                "code": code.code,
                "label": code.label,
                "match": code.match,
                "checked_in": code.checked_in,
                "checked_on": code.checked_on.isoformat(),
            }
            for code in role.codes.all()
        ],
        "related": facts.related,
    }


def _requirement(line: Requirement) -> dict[str, Any]:
    skills = [skill.slug for skill in line.skills.all()]
    return {"label": line.label, "detail": line.detail, "needs": line.needs, "skills": skills}


def _range(record: Record[SalaryRange]) -> dict[str, Any]:
    salary = record.figure
    names = ["kind", "basis", "level", "period", "low", "high", "is_open_ended", "median", "sample_size"]
    return {
        "id": salary.pk,
        "market": salary.market.code,
        "currency": salary.currency,
        **{name: getattr(salary, name) for name in names},
        "source": salary.source.slug if salary.source else None,
        "locator": salary.locator,
        "as_of": salary.as_of or None,
        "check_status": salary.check_status,
        "check_note": salary.check_note,
        "checked_on": salary.checked_on.isoformat() if salary.checked_on else None,
        "published_at": iso(salary.published_at) if salary.published_at else None,
        "true_from": record.true_from.isoformat() if record.true_from else None,
        "true_until": record.true_until.isoformat() if record.true_until else None,
    }


def _source(source: Source) -> dict[str, Any]:
    return {"slug": source.slug, "citation": source.citation, "url": source.address or None}


def as_json(value: Any) -> bytes:
    """JSON for people too: indented, in UTF-8, the same bytes for the same value."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
