"""Careers of any size, drawn by lot from a seed: the same seed and size give the same content."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from articles.models import Source
from careers.models import (
    CareerPath,
    ComparisonTable,
    ComparisonTableRow,
    Market,
    Requirement,
    Role,
    SalaryRange,
    Skill,
    SkillAlias,
)

MARKETS = [("GB", "UK", "GBP"), ("US", "US", "USD"), ("DE", "Germany", "EUR"), ("FR", "France", "EUR")]
MARKETS += [("JP", "Japan", "JPY")]
SKILLS, PATHS, SOURCES = 300, 40, 20
LAST_YEAR = 2026


@dataclass(frozen=True)
class Size:
    roles: int
    markets: int = 5
    # Of pay, a figure a year.
    years: int = 10
    seed: int = 1


@transaction.atomic
def make_careers(size: Size) -> None:
    """Fill empty tables: skills with broader ones and aliases, paths, roles with lists, pay and its history."""
    lot = random.Random(size.seed)  # noqa: S311 - nothing is kept secret by it
    markets = Market.objects.bulk_create(
        Market(code=code, name=name, currency=currency, order=place)
        for place, (code, name, currency) in enumerate(MARKETS[: size.markets])
    )
    sources = Source.objects.bulk_create(
        Source(slug=f"survey-{n}", producer=f"Office {n}", title="Survey of pay", published=str(2016 + n % 10))
        for n in range(SOURCES)
    )
    skills = _make_skills(lot)
    paths = CareerPath.objects.bulk_create(
        CareerPath(slug=f"path-{n}", name=f"Path {n}", order=n) for n in range(min(PATHS, size.roles))
    )
    roles = Role.objects.bulk_create(
        Role(slug=f"role-{n}", name=f"Role {n}", summary="What it does.", path=lot.choice([None, *paths]), order=n)
        for n in range(size.roles)
    )
    _make_lists(lot, skills, paths, roles)
    _make_pay(lot, size, roles, markets, sources)
    table = ComparisonTable.objects.create(slug="some", title="Some roles")
    ComparisonTableRow.objects.bulk_create(
        ComparisonTableRow(table=table, role=role, order=place) for place, role in enumerate(roles[:20])
    )


def _make_skills(lot: random.Random) -> list[Skill]:
    kinds = Skill.Kind.values
    skills = Skill.objects.bulk_create(
        Skill(slug=f"skill-{n}", name=f"Skill {n}", kind=kinds[n % len(kinds)]) for n in range(SKILLS)
    )
    # Of every four skills one is implied by the other three; of those every fourth is implied by another.
    for place, skill in enumerate(skills):
        parent = place - place % 4 if place % 4 else place - place % 16
        skill.broader = skills[parent] if parent != place else None
    Skill.objects.bulk_update(skills, ["broader"], batch_size=100)
    SkillAlias.objects.bulk_create(SkillAlias(skill=skill, alias=f"alias {n}") for n, skill in enumerate(skills))
    return lot.sample(skills, len(skills))


def _make_lists(
    lot: random.Random, skills: Sequence[Skill], paths: Sequence[CareerPath], roles: Sequence[Role]
) -> None:
    """Six lines for each path, five core lines for each role, and six lines of its own for every second role."""
    lines: list[Requirement] = []

    def add(count: int, importances: Sequence[str], **owner: Any) -> None:
        for n in range(count):
            needs = "all" if lot.random() < 0.1 else "any"
            label = f"Line {n}"
            lines.append(Requirement(label=label, importance=lot.choice(importances), needs=needs, order=n, **owner))

    for path in paths:
        add(6, ["must", "must", "nice"], path=path)
    for place, role in enumerate(roles):
        add(5, ["core"], role=role)
        if place % 2:
            add(6, ["must", "must", "nice"], role=role)
    made = Requirement.objects.bulk_create(lines, batch_size=500)
    through = Requirement.skills.through
    links = [(line.pk, skill.pk) for line in made for skill in lot.sample(skills, lot.choice([1, 1, 1, 2]))]
    through._default_manager.bulk_create(
        [through(requirement_id=line, skill_id=skill) for line, skill in links], batch_size=500
    )


def _make_pay(
    lot: random.Random, size: Size, roles: Sequence[Role], markets: Sequence[Market], sources: Sequence[Source]
) -> None:
    """A range for each role and market and year, each the successor of that of the year before."""
    lows = {(role.pk, market.pk): lot.randrange(20, 120) * 1000 for role in roles for market in markets}
    before: list[SalaryRange | None] = [None] * len(lows)
    for year in range(LAST_YEAR - size.years + 1, LAST_YEAR + 1):
        is_last = year == LAST_YEAR
        rows = []
        for earlier, ((role, market), low) in zip(before, lows.items(), strict=True):
            low = lows[role, market] = low + lot.randrange(-1, 4) * 500
            rows.append(
                SalaryRange(
                    role_id=role,
                    market_id=market,
                    currency="GBP",
                    kind="base",
                    low=low,
                    high=low + lot.randrange(10, 80) * 1000,
                    is_open_ended=lot.random() < 0.1,
                    source=lot.choice(sources),
                    as_of=str(year),
                    why="update" if earlier else "new",
                    supersedes=earlier,
                    published_at=datetime(year, 3, 1, tzinfo=UTC),
                    superseded_at=None if is_last else datetime(year + 1, 3, 1, tzinfo=UTC),
                )
            )
        before = list(SalaryRange.objects.bulk_create(rows, batch_size=500))
