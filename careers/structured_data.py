"""What pages on careers tell machines of themselves; see `articles.structured_data`."""

from collections.abc import Iterable, Sequence

from django.urls import reverse
from django.utils.text import capfirst

from articles.open_data import LICENCE
from articles.structured_data import Node, address, breadcrumbs, node, publisher

from .comparison import PayCell
from .downloads import FILES
from .models import CareerPath, Market, Requirement, Role, RoleCode, SalaryRange


def of_index() -> list[Node]:
    """The data set that the page on roles and pay shows and gives away."""
    path = reverse("careers:index")
    files = [
        node("DataDownload", name=file.name, contentUrl=address(file.url), encodingFormat=file.media_type)
        for file in FILES
    ]
    described = node(
        "Dataset",
        f"{path}#data",
        name="Roles and pay in AI",
        description="What each role in AI pays in each market, and what it asks for.",
        url=address(path),
        license=LICENCE["path"],
        isAccessibleForFree=True,
        creator=publisher(),
        distribution=files,
    )
    return [described]


def of_role(
    role: Role, pay: Iterable[PayCell], lists: dict[str, list[Requirement]], codes: Iterable[RoleCode]
) -> list[Node]:
    """A role as an occupation in each market where its pay is shown; without a market where it is shown in none."""
    ranges: dict[Market, list[SalaryRange]] = {}
    for cell in pay:
        if cell.salary:
            ranges.setdefault(cell.market, []).append(cell.salary)
    lines = [line.label for importance in ("core", "must", "nice") for line in lists[importance]]
    exact = [code for code in codes if code.match == RoleCode.Match.EXACT]
    path = role.get_absolute_url()
    places: dict[str, Market | None] = {f"-{market.slug}": market for market in ranges} or {"": None}
    occupations = [
        node(
            "Occupation",
            f"{path}#occupation{ending}",
            name=role.name,
            description=role.summary,
            url=address(path),
            occupationLocation=market and node("Country", name=market.name),
            estimatedSalary=[_amount(salary) for salary in ranges[market]] if market else None,
            skills=list(dict.fromkeys(lines)),
            occupationalCategory=[_category(code) for code in exact],
        )
        for ending, market in places.items()
    ]
    return [*occupations, breadcrumbs(*_way_to(role), (role.name, path))]


def of_path(path: CareerPath) -> list[Node]:
    return [breadcrumbs(_careers(), (path.name, path.get_absolute_url()))]


def _careers() -> tuple[str, str]:
    return "Careers", reverse("careers:index")


def _way_to(role: Role) -> Sequence[tuple[str, str]]:
    return [_careers(), (role.path.name, role.path.get_absolute_url())] if role.path else [_careers()]


def _amount(salary: SalaryRange) -> Node:
    """A range of pay: without an upper end where it has none."""
    ends = {"minValue": salary.low, "maxValue": None if salary.is_open_ended else salary.high}
    kind = salary.get_kind_display().lower() if salary.kind != SalaryRange.Kind.TOTAL else None
    # An amount of money has no property for what it is paid for: its quantity has.
    quantity = node("QuantitativeValue", **ends, unitText=salary.period.upper())
    return node(
        "MonetaryAmount",
        name=kind,
        description=capfirst(salary.text_long),
        currency=salary.currency,
        **ends,
        value=quantity,
    )


def _category(code: RoleCode) -> Node:
    return node(
        "CategoryCode", codeValue=code.code, name=code.label, inCodeSet=node("CategoryCodeSet", name=code.scheme)
    )
