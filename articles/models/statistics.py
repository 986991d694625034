import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, Prefetch, Q
from django.urls import reverse

from veltrix.prepared import Prepared

from .sourced import WITHDRAWN, Sourced, SourcedQuerySet

if TYPE_CHECKING:
    from articles.uses import Use


class StatisticQuerySet(models.QuerySet["Statistic"]):
    def with_current(self) -> Self:
        """Fetch each statistic's current value and its source along with it."""
        values = StatisticValue.objects.for_statistics()
        return self.prefetch_related(Prefetch("values", queryset=values, to_attr="current_values"))


class Statistic(models.Model):
    """A claim that a figure supports. The figure itself is its current `StatisticValue`."""

    slug = models.SlugField(max_length=80, unique=True)
    claim = models.CharField(max_length=300, help_text="What the figure says, as a sentence that follows the figure.")
    unit = models.CharField(max_length=60, help_text="What is counted: “jobs”, “USD a year”.")
    scope = models.CharField(max_length=200, blank=True, help_text="Whom, where and when it covers.")

    objects = StatisticQuerySet.as_manager()

    # Where they were fetched along with it: one, or none.
    current_values: "list[StatisticValue]"

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return f"{self.slug}: {self.claim}"

    def get_absolute_url(self) -> str:
        return reverse("articles:statistic", args=[self.slug])

    @property
    def current(self) -> "StatisticValue | None":
        """The value that readers see: from `with_current()` where it was used, else from a query."""
        values: list[StatisticValue] | None = getattr(self, "current_values", None)
        if values is None:
            values = list(self.values.current().with_evidence()[:1])
        value = values[0] if values else None
        if value is not None:
            value.statistic = self
        return value


class StatisticValueQuerySet(SourcedQuerySet):
    def for_statistics(self) -> Self:
        """Current values and their sources, as a list of statistics prints them."""
        return self.current().with_evidence().order_by("pk")

    def on_live_pages(self, most: int) -> "list[StatisticValue]":
        """Values in force whose statistics are shown in published articles, those of the newest article first.

        The newest articles are looked at first: where these show enough, no other can come before them.
        """
        from .article import Article

        newest = Article.objects.published().newest_first().values("pk")
        found = self._shown_in(newest[: 5 * most], most)
        return found if len(found) == most else self._shown_in(newest, most)

    def _shown_in(self, articles: models.QuerySet[Any, Any], most: int) -> "list[StatisticValue]":
        shown = self.filter(statistic__live_references__article__in=articles, statistic__live_references__is_live=True)
        ranked: Any = shown.annotate(latest=Max("statistic__live_references__article__published_at"))
        return list(ranked.with_evidence().select_related("statistic").order_by("-latest", "pk")[:most])


_CURRENT = Prepared(
    lambda statistics: StatisticValue.objects.for_statistics().filter(statistic__in=statistics), statistics=[int]
)


def give_current(statistics: Collection[Statistic]) -> None:
    """What `with_current()` does for a query, for statistics that are at hand."""
    values: dict[int, list[StatisticValue]] = {statistic.pk: [] for statistic in statistics}
    for value in _CURRENT.objects(statistics=values):
        values[value.statistic_id].append(value)
    for statistic in statistics:
        statistic.current_values = values[statistic.pk]


FACTORS = {"": 1, "K": 10**3, "M": 10**6, "bn": 10**9, "B": 10**9}


def number_in(text: str) -> Decimal | None:
    """The plain number that a display text such as “97M” or “$185K” stands for; None where that cannot be told."""
    match = re.fullmatch(r"[£$€]?(\d[\d,]{0,14}(?:\.\d{1,4})?) ?(K|M|bn|B|)[%×x+]?", text.strip())
    return Decimal(match[1].replace(",", "")) * FACTORS[match[2]] if match else None


def with_thousands(number: Decimal) -> str:
    """A number with its thousands parted and no idle zeros: “97,000,000”, “2.5”."""
    whole = number == number.to_integral_value()
    return f"{number.to_integral_value() if whole else number.normalize():,f}"


class StatisticValue(Sourced):
    statistic = models.ForeignKey(Statistic, models.PROTECT, related_name="values")
    value = models.DecimalField(max_digits=20, decimal_places=4, help_text="The plain number: 97000000.")
    display_text = models.CharField(max_length=20, help_text="As readers see it: “97M”, “$185K”, “3×”.")
    horizon_year = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="For a projection: the year that it speaks of."
    )

    objects = StatisticValueQuerySet.as_manager()

    owner_fields = ("statistic",)
    figure_fields = ("value", "display_text", "horizon_year")
    reference_kind = "statistic"

    class Meta(Sourced.Meta):
        ordering = ["statistic", "-published_at"]
        constraints = [
            *Sourced.Meta.constraints,
            models.UniqueConstraint(
                name="one_current_value_for_each_statistic",
                fields=["statistic"],
                condition=Q(superseded_at=None, published_at__isnull=False),
                violation_error_message="This statistic has a current value already: open that one and change it.",
            ),
            models.CheckConstraint(
                name="statistic_value_horizon_is_a_year",
                condition=Q(horizon_year=None) | Q(horizon_year__range=(1900, 2200)),
                violation_error_message="Give the horizon as a year.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.display_text} ({self.statistic.slug})"

    def get_absolute_url(self) -> str:
        return self.statistic.get_absolute_url()

    def clean(self) -> None:
        super().clean()
        shown = number_in(self.display_text)
        if self.value is not None and shown is not None and shown != self.value:
            sentence = f"This reads as {with_thousands(shown)}, but the plain number is {with_thousands(self.value)}."
            raise ValidationError({"display_text": sentence})

    @property
    def subject(self) -> str:
        return self.statistic.claim

    @property
    def text(self) -> str:
        return WITHDRAWN if self.is_withdrawn else self.display_text

    def uses(self) -> "list[Use]":
        from articles.uses import uses_of_statistic

        return uses_of_statistic(self)

    @property
    def about(self) -> str:
        """What tells the figure from others in a list of them."""
        return f"{self.statistic.claim} ({self.statistic.scope})" if self.statistic.scope else self.statistic.claim

    @property
    def machine_value(self) -> str:
        return "" if self.is_withdrawn else f"{self.value.normalize():f}"

    @classmethod
    def load_references(cls, keys: Collection[str]) -> "dict[str, StatisticValue]":
        """A key is the slug of a statistic."""
        values = cls.objects.current().with_evidence().filter(statistic__slug__in=keys).select_related("statistic")
        return {value.statistic.slug: value for value in values}

    @classmethod
    def search_references(cls, words: Sequence[str], most: int) -> "list[tuple[str, StatisticValue]]":
        fields = ("display_text", "statistic__slug", "statistic__claim", "statistic__unit", "statistic__scope")
        values = cls.objects.in_force().with_evidence().matching(words, *fields).select_related("statistic")
        return [(value.statistic.slug, value) for value in values.order_by("statistic__slug")[:most]]
