from collections.abc import Callable, Iterable
from typing import cast

from django.urls import reverse

from articles.documents import references_in
from articles.models import Article, ArticleVersion
from articles.uses import Use, shown_in, uses_in_texts

from .models import SalaryRange


def _in_words(salary: SalaryRange) -> str:
    return "No figure" if salary.is_withdrawn else salary.text_long


def _in_a_table(salary: SalaryRange) -> str:
    return "No figure" if salary.is_withdrawn else str(salary)


def _references_to(salary: SalaryRange, articles: Iterable[Article]) -> Callable[[str], bool]:
    """Whether a reference in these articles means this very range."""
    kind = f"{SalaryRange.reference_kind}:"
    documents = (cast("ArticleVersion", article.live_version).document for article in articles)
    named = {r.removeprefix(kind) for d in documents for r in references_in(d) if r.startswith(kind)}
    meant = {kind + key for key, figure in SalaryRange.load_references(named).items() if figure.pk == salary.pk}
    return meant.__contains__


def uses_of_salary(salary: SalaryRange) -> list[Use]:
    """The role’s page, the comparison, and the tables of articles that show the role."""
    role, market = salary.role, salary.market
    uses = [
        Use(f"Page of the role {role}", salary.get_absolute_url(), _in_words),
        Use("Roles and pay", reverse("careers:index"), lambda s: f"{role}, {market}: {_in_a_table(s)}"),
    ]
    for article in shown_in(Article.objects.filter(comparisontablereference__target__rows__role=role).distinct()):
        where = f"Table in article {article}"
        uses.append(Use(where, article.get_absolute_url(), lambda s: f"{role}, {market}: {_in_a_table(s)}"))
    articles = shown_in(Article.objects.filter(rolereference__target=role))
    uses += uses_in_texts(articles, _references_to(salary, articles))
    uses.append(Use("Data file", reverse("careers:salaries_csv"), _in_words))
    return uses
