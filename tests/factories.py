"""Plain functions that make rows; each gives what a test does not care about a harmless value."""

from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from articles.models import (
    Article,
    Author,
    Byline,
    Category,
    RichText,
    Source,
    Statistic,
    StatisticBlock,
    StatisticValue,
)
from articles.models.statistics import number_in
from articles.publishing import publish
from careers.models import (
    CareerPath,
    ComparisonTable,
    Market,
    Requirement,
    Role,
    RoleTable,
    SalaryRange,
    Skill,
)

# Beyond those of the launch content, which tests may load beside.
_numbers = count(1_001)
PASSWORD = "a long enough password"


def make_user(group: str | None = None, **values: Any) -> User:
    """A person who may sign in to the admin, in one of the groups that ship."""
    values = {"username": f"user-{next(_numbers)}", "is_staff": True, **values}
    user = User.objects.create_user(password=PASSWORD, **values)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def make_source(**values: Any) -> Source:
    number = next(_numbers)
    values = {"slug": f"source-{number}", "producer": "Office for Counting", "title": f"Report {number}", **values}
    return Source.objects.create(**values)


def make_statistic(display_text: str = "42%", **values: Any) -> Statistic:
    """A statistic with a current value; `source` and other evidence go to the value."""
    number = next(_numbers)
    evidence = {
        name: values.pop(name) for name in list(values) if name in {"source", "check_status", "check_note", "as_of"}
    }
    defaults = {"slug": f"statistic-{number}", "claim": f"of people do thing {number}", "unit": "share"}
    statistic = Statistic.objects.create(**{**defaults, **values})
    StatisticValue.objects.create(
        statistic=statistic,
        value=number_in(display_text) or 42,
        display_text=display_text,
        published_at=timezone.now(),
        **evidence,
    )
    return statistic


def make_category(name: str = "AI Jobs", **values: Any) -> Category:
    slug = values.pop("slug", name.lower().replace(" ", "-"))
    category, _ = Category.objects.get_or_create(slug=slug, defaults={"name": name, **values})
    return category


def make_author(name: str = "Ada Lovelace", **values: Any) -> Author:
    author, _ = Author.objects.get_or_create(slug=name.lower().replace(" ", "-"), defaults={"name": name, **values})
    return author


def make_draft(
    *, html: str = "<p>A paragraph.</p>", statistics: Any = (), author: Author | None = None, **values: Any
) -> Article:
    """An article that lacks nothing for publication, with a paragraph and a block for each statistic."""
    number = values.pop("number", None) or next(_numbers)
    defaults = {
        "number": number,
        "slug": f"article-{number}",
        "title": f"Article {number}",
        "standfirst": "What it is about.",
        "category": values.pop("category", None) or make_category(),
    }
    article = Article.objects.create(**{**defaults, **values})
    Byline.objects.create(article=article, author=author or make_author())
    RichText.objects.create(parent=article, region="main", ordering=10, html=html)
    for place, statistic in enumerate(statistics, start=2):
        StatisticBlock.objects.create(parent=article, region="main", ordering=place * 10, statistic=statistic)
    return article


def make_article(**values: Any) -> Article:
    """A published article; see `make_draft`."""
    article = make_draft(**values)
    publish_as_is(article)
    article.refresh_from_db()
    return article


def publish_as_is(article: Article) -> None:
    """Publish a draft whatever the review says of its figures."""
    publish(article, by=None, reason="They are all we have.")


def make_markets() -> dict[str, Market]:
    """The UK and the US, by code."""
    rows = [("GB", "UK", "GBP", 1), ("US", "US", "USD", 2)]
    return {
        code: Market.objects.get_or_create(code=code, defaults={"name": name, "currency": currency, "order": order})[0]
        for code, name, currency, order in rows
    }


def make_skill(name: str = "Python", **values: Any) -> Skill:
    slug = name.lower().replace(" ", "-")
    skill, _ = Skill.objects.get_or_create(slug=slug, defaults={"name": name, "kind": "programming", **values})
    return skill


def make_role(name: str | None = None, *, pay: Any = None, core: Any = (), **values: Any) -> Role:
    """A role; `pay` maps market codes to (low, high) or (low, high, is_open_ended), `core` names skills."""
    name = name or f"Role {next(_numbers)}"
    role = Role.objects.create(**{"slug": name.lower().replace(" ", "-"), "name": name, **values})
    markets = make_markets() if pay else {}
    for code, (low, high, *rest) in (pay or {}).items():
        make_salary(role, markets[code], low=low, high=high, is_open_ended=bool(rest and rest[0]))
    for order, skill in enumerate(core):
        line = Requirement.objects.create(role=role, importance="core", label=skill, order=order)
        line.skills.add(make_skill(skill))
    return role


def make_salary(role: Role, market: Market, **values: Any) -> SalaryRange:
    defaults = {"low": 50_000, "high": 90_000, "published_at": timezone.now()}
    return SalaryRange.objects.create(role=role, market=market, **{**defaults, **values})


def make_path(name: str = "Data work", **values: Any) -> CareerPath:
    return CareerPath.objects.create(**{"slug": name.lower().replace(" ", "-"), "name": name, **values})


def make_table(*roles: Role, **values: Any) -> ComparisonTable:
    number = next(_numbers)
    table = ComparisonTable.objects.create(**{"slug": f"table-{number}", "title": f"Table {number}", **values})
    for order, role in enumerate(roles):
        table.rows.create(role=role, order=order)
    return table


def add_role_table(article: Article, table: ComparisonTable, **values: Any) -> RoleTable:
    defaults = {"region": "main", "ordering": 500, "caption": "Pay and core skills"}
    return RoleTable.objects.create(parent=article, table=table, **{**defaults, **values})
