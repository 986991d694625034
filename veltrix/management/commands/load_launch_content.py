import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand
from django.db import models, transaction
from django.utils.dateparse import parse_datetime

from articles.documents import read_document
from articles.models import Article, Author, Category, Series, Source, Sourced, Statistic, StatisticValue
from articles.publishing import publish
from careers.models import (
    CareerPath,
    ComparisonTable,
    Market,
    Requirement,
    Role,
    RoleRelation,
    SalaryRange,
    Skill,
)

FOLDER = Path(__file__).resolve().parents[2] / "launch"

# Why the launch articles show figures that could not be confirmed; readers see it beneath them.
WHY_UNRESOLVED = (
    "We show these figures because they are often quoted, and say beside each what our check found and what is missing."
)

type Record = dict[str, Any]


class Command(BaseCommand):
    help = "Load the launch content: creates what is missing, leaves alone what exists. Run it as often as you like."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        records = json.loads((FOLDER / "records.json").read_text("utf-8"))
        # Figures were printed with the first of the articles.
        first_printed = min(cast("datetime", parse_datetime(document["published_at"])) for document in _documents())
        counts = {
            "categories": _load(Category, records["categories"], links={"parent": Category}),
            "series": _load(Series, records["series"]),
            "authors": _load(Author, records["authors"]),
            "sources": _load_sources(records["sources"]),
            "statistics": _load(Statistic, records["statistics"], _statistic_fields, _publish_value(first_printed)),
            "markets": _load(Market, _in_order(records["markets"]), key="code"),
            "paths": _load(CareerPath, _in_order(records["paths"])),
            "skills": _load(Skill, records["skills"], _without("aliases", "broader"), _add_aliases),
            "roles": _load_roles(records, first_printed),
            "articles": _load_articles(),
        }
        self.stdout.write(
            "Launch content: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + " added."
        )


def _load(
    model: type[models.Model],
    records: list[Record],
    fields: Callable[[Record], Record] = dict,
    then: Callable[[Any, Record], None] | None = None,
    *,
    key: str = "slug",
    links: dict[str, type[models.Model]] | None = None,
) -> int:
    """Create the records whose key no row has, in order; `then` adds what belongs to a new row. Gives their number."""
    created = 0
    for record in records:
        taken = models.Q(**{key: record[key]})
        if key == "slug" and "name" in record:
            taken |= models.Q(name__iexact=record["name"])
        if model._default_manager.filter(taken).exists():
            continue
        values = fields(record)
        for name, target in (links or {}).items():
            values[name] = target._default_manager.get(slug=values[name]) if values[name] else None
        row = model(**values)
        row.full_clean()
        row.save()
        if then:
            then(row, record)
        created += 1
    return created


def _in_order(records: list[Record]) -> list[Record]:
    return [{**record, "order": order} for order, record in enumerate(records, start=1)]


def _without(*names: str) -> Callable[[Record], Record]:
    return lambda record: {name: value for name, value in record.items() if name not in names}


def _load_sources(records: list[Record]) -> int:
    # An edition is newer than the one that names it: the newest are made first.
    newest_first = sorted(records, key=lambda record: record["published"] or "", reverse=True)
    published = [{**record, "published": record["published"] or ""} for record in newest_first]
    return _load(Source, published, links={"newer_edition": Source})


def _statistic_fields(record: Record) -> Record:
    return {name: record[name] for name in ("slug", "claim", "unit", "scope")}


def _evidence(record: Record) -> Record:
    slug = record["source"]
    return {
        "source": Source.objects.get(slug=slug) if slug else None,
        "locator": record.get("locator", ""),
        "as_of": record["as_of"] or "",
    }


def _publish_value(at: datetime) -> Callable[[Any, Record], None]:
    """Publish the figure as it was first printed, and what its check found on the day of the check."""

    def publish_value(statistic: Statistic, record: Record) -> None:
        figure = {name: record[name] for name in ("value", "display_text", "horizon_year")}
        value = StatisticValue(statistic=statistic, **figure, **_evidence(record), published_at=at)
        value.full_clean()
        value.save()
        checked_on = date.fromisoformat(record["checked_on"])
        value.publish_successor(
            why=Sourced.Why.RESOURCED,
            why_note="We looked for it in its source.",
            at=datetime.combine(checked_on, time(12), UTC),
            check_status=record["check_status"],
            check_note=record["check_note"],
            checked_on=checked_on,
        )

    return publish_value


def _add_aliases(skill: Skill, record: Record) -> None:
    if record["broader"]:
        skill.broader = Skill.objects.get(slug=record["broader"]).kept()
        skill.save(update_fields=["broader"])
    for alias in record["aliases"]:
        skill.aliases.create(alias=alias)


def _load_roles(records: Record, at: datetime) -> int:
    """Create missing roles with all that belongs to them, and the lists of paths that have none yet."""
    new_roles: dict[str, Role] = {}
    created = _load(
        Role,
        _in_order(records["roles"]),
        then=lambda role, _: new_roles.update({role.slug: role}),
        links={"path": CareerPath},
    )
    markets = {market.code: market for market in Market.objects.all()}
    for record in records["salaries"]:
        if record["role"] in new_roles:
            figure = {name: record[name] for name in ("low", "high", "is_open_ended", "kind")}
            owner = {"role": new_roles[record["role"]], "market": markets[record["market"]]}
            check = {name: record[name] for name in ("check_status", "check_note")}
            salary = SalaryRange(**owner, **figure, **_evidence(record), **check, published_at=at)
            salary.full_clean()
            salary.save()
    for record in records["codes"]:
        if record["role"] in new_roles:
            new_roles[record["role"]].codes.create(**_without("role")(record))
    for record in records["related_roles"]:
        for order, slug in enumerate(record["related"] if record["role"] in new_roles else []):
            related = Role.objects.get(slug=slug)
            RoleRelation.objects.create(role=new_roles[record["role"]], related=related, order=order)
    _load_requirements(records["requirements"], new_roles)
    for record in records["comparison_tables"]:
        table, is_new = ComparisonTable.objects.get_or_create(slug=record["slug"], defaults={"title": record["title"]})
        for order, slug in enumerate(record["roles"] if is_new else []):
            table.rows.create(role=Role.objects.get(slug=slug), order=order)
    return created


def _load_requirements(records: list[Record], new_roles: dict[str, Role]) -> None:
    bare_paths = {path.slug: path for path in CareerPath.objects.filter(requirements=None)}
    # An editor may have merged them since.
    skills = {skill.slug: skill.merged_into or skill for skill in Skill.objects.select_related("merged_into")}
    for order, record in enumerate(records):
        owner = (
            {"role": new_roles.get(record["role"])} if record.get("role") else {"path": bare_paths.get(record["path"])}
        )
        if None in owner.values():
            continue
        line = {name: record[name] for name in ("importance", "label", "detail", "needs")}
        requirement = Requirement(**owner, **line, order=order)
        requirement.full_clean()
        requirement.save()
        requirement.skills.set(skills[slug] for slug in record["skills"])


def _documents() -> list[Record]:
    return [json.loads(file.read_text("utf-8")) for file in sorted((FOLDER / "articles").glob("*.json"))]


def _load_articles() -> int:
    created = 0
    for document in _documents():
        taken = models.Q(slug=document["slug"]) | models.Q(number=document["number"])
        if not Article.objects.filter(taken).exists():
            article = read_document(document)
            publish(article, by=None, note="Launch content", at=article.published_at, reason=WHY_UNRESOLVED)
            created += 1
    return created
