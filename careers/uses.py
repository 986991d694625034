from django.urls import reverse

from articles.models import Article
from articles.uses import Use, shown_in

from .models import SalaryRange


def _in_words(salary: SalaryRange) -> str:
    return "No figure" if salary.is_withdrawn else salary.text_long


def _in_a_table(salary: SalaryRange) -> str:
    return "No figure" if salary.is_withdrawn else str(salary)


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
    uses.append(Use("Data file", "/careers/salaries.csv", _in_words))
    return uses
