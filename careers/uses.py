from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self, cast

from django.urls import reverse

from articles.documents import references_in
from articles.models import Article, ArticleVersion
from articles.open_data import Record
from articles.uses import Use, shown_in, uses_in_texts

from .comparison import ROLES_AT_HOME, best_paid
from .models import SalaryRange
from .models.salaries import in_tables_by_market
from .open_data import SALARIES


def _in_words(salary: SalaryRange) -> str:
    return "No figure" if salary.is_withdrawn else salary.text_long


@dataclass(frozen=True)
class _Tables:
    """How tables read that show the role’s pay in a market: of several ranges they show one."""

    others: list[SalaryRange]

    @classmethod
    def beside(cls, salary: SalaryRange) -> Self:
        ranges = salary.role.salary_ranges.in_force().filter(market=salary.market_id).exclude(pk=salary.pk)
        return cls(list(ranges.select_related("market")))

    def shown(self, figure: SalaryRange) -> SalaryRange | None:
        ranges = self.others if figure.is_withdrawn else [*self.others, figure]
        return in_tables_by_market(ranges).get(figure.market_id)

    def show(self, figure: SalaryRange) -> bool:
        return self.shown(figure) is figure

    def read(self, figure: SalaryRange) -> str:
        return f"{figure.role}, {figure.market}: {self.shown(figure) or 'No figure'}"


def _references_to(salary: SalaryRange, articles: Iterable[Article]) -> Callable[[str], bool]:
    """Whether a reference in these articles means this very range."""
    kind = f"{SalaryRange.reference_kind}:"
    documents = (cast("ArticleVersion", article.live_version).document for article in articles)
    named = {r.removeprefix(kind) for d in documents for r in references_in(d) if r.startswith(kind)}
    meant = {kind + key for key, figure in SalaryRange.load_references(named).items() if figure.pk == salary.pk}
    return meant.__contains__


def uses_of_salary(salary: SalaryRange) -> list[Use]:
    """The role’s page, texts that refer to the range, tables that show it or could, and the data file."""
    role, tables = salary.role, _Tables.beside(salary)
    places = [("Roles and pay", reverse("careers:index"))]
    if role in (row.role for row in best_paid(ROLES_AT_HOME).rows):
        places.append(("Front page", reverse("home")))
    for article in shown_in(Article.objects.filter(comparisontablereference__target__rows__role=role).distinct()):
        places.append((f"Table in article {article}", article.get_absolute_url()))
    articles = shown_in(Article.objects.filter(rolereference__target=role))
    return [
        Use(f"Page of the role {role}", salary.get_absolute_url(), _in_words),
        *(Use(where, url, tables.read, tables.show) for where, url in places),
        *uses_in_texts(articles, _references_to(salary, articles)),
        Use("Data file", reverse("careers:salaries_csv"), _in_the_file),
    ]


def _in_the_file(salary: SalaryRange) -> str:
    row = Record(salary, salary.pk, None, None)
    names = ("low", "high", "currency", "period")
    columns = {column.name: column for column in SALARIES.columns}
    return "is_withdrawn" if salary.is_withdrawn else " ".join(columns[name].cell(row) for name in names).strip()
