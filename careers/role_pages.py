"""What the page of a role prints."""

from dataclasses import dataclass
from typing import Self

from articles.figure_pages import Change, changes_of
from articles.history import lines_of
from articles.models.article import ArticleQuerySet

from .catalogue import Catalogue
from .comparison import PayCell
from .models import Market, Requirement, Role, RoleCode, RoleRelation, SalaryRange
from .moves import Move, moves_from, moves_into
from .pay import pay_of

ARTICLES_SHOWN = 20
MOVES_SHOWN = 4


@dataclass(frozen=True)
class RolePage:
    pay: list[PayCell]
    # The markets whose yearly pay it has, which can be drawn.
    markets: list[Market]
    # Empty where nothing ever changed: then the ranges themselves say all.
    pay_history: list[Change]
    # Core, must and nice lines.
    lists: dict[str, list[Requirement]]
    moves_out: list[Move]
    moves_in: list[Move]
    related: list[Role]
    codes: list[RoleCode]
    articles: ArticleQuerySet

    @classmethod
    def of(cls, role: Role) -> Self:
        """Read it in eleven queries and that of the articles, however much there is."""
        lines = lines_of(role.salary_ranges.published().for_review())
        catalogue = Catalogue.load()
        units, pay = catalogue.roles.get(role.pk), pay_of(lines)
        yearly = [cell.market for cell in pay if cell.salary and cell.salary.period == SalaryRange.Period.YEAR]
        return cls(
            pay=pay,
            markets=list(dict.fromkeys(yearly)),
            pay_history=[change for line in lines if len(line) > 1 for change in changes_of(line)],
            lists=role.lists(),
            # None where the role was deleted a moment ago.
            moves_out=moves_from(catalogue, units, MOVES_SHOWN) if units else [],
            moves_in=moves_into(catalogue, units, MOVES_SHOWN) if units else [],
            related=[link.related for link in RoleRelation.objects.filter(role=role).select_related("related")],
            codes=list(role.codes.all()),
            articles=role.shown_in().for_index()[:ARTICLES_SHOWN],
        )
