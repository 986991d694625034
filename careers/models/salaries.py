from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from articles.models import Sourced
from articles.models.sourced import WITHDRAWN, SourcedQuerySet

from .roles import Market, Role, symbol_of

if TYPE_CHECKING:
    from articles.uses import Use

EN_DASH = "\N{EN DASH}"


def shortened(amount: int) -> str:
    """Write whole thousands as “65K” and everything else in full: “65,500”."""
    return f"{amount // 1000}K" if amount >= 1000 and amount % 1000 == 0 else f"{amount:,}"


class SalaryRange(Sourced):
    """What a role pays in a market, in whole currency units a period."""

    class Kind(models.TextChoices):
        BASE = "base", "Base pay"
        TOTAL = "total", "Total pay"
        UNSTATED = "unstated", "Base or total not stated"

    class Period(models.TextChoices):
        YEAR = "year", "A year"
        MONTH = "month", "A month"
        DAY = "day", "A day"
        HOUR = "hour", "An hour"

    role = models.ForeignKey(Role, models.PROTECT, related_name="salary_ranges")
    market = models.ForeignKey(Market, models.PROTECT, related_name="salary_ranges")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.UNSTATED)
    basis = models.CharField(
        max_length=60,
        blank=True,
        help_text="How the range was obtained: “advertised”, “reported by employees”. Empty: not stated.",
    )
    level = models.CharField(
        max_length=40, blank=True, help_text="Seniority, where the source parts by it. Empty: all levels."
    )
    period = models.CharField(max_length=5, choices=Period, default=Period.YEAR)
    currency = models.CharField(max_length=3, editable=False)
    low = models.PositiveIntegerField("lower figure", help_text="Whole currency units: 65000.")
    high = models.PositiveIntegerField(
        "upper figure", null=True, blank=True, help_text="Empty: the source states none."
    )
    is_open_ended = models.BooleanField(
        "open-ended", default=False, help_text="The source prints a plus sign, or states no upper figure."
    )
    median = models.PositiveIntegerField(null=True, blank=True)
    sample_size = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many salaries the range is made of."
    )

    objects = SourcedQuerySet.as_manager()

    owner_fields = ("role", "market")
    reference_kind = "salary"
    figure_fields = ("kind", "basis", "level", "period", "low", "high", "is_open_ended", "median", "sample_size")

    class Meta(Sourced.Meta):
        ordering = ["role", "market", "-published_at"]
        indexes = [
            # What stands now is a small part of the history.
            models.Index(
                name="salary_range_not_superseded",
                fields=["period", "market", "role"],
                condition=Q(superseded_at=None),
            ),
        ]
        constraints = [
            *Sourced.Meta.constraints,
            models.UniqueConstraint(
                name="one_current_salary_range_of_a_kind",
                fields=["role", "market", "kind", "period", "level"],
                condition=Q(superseded_at=None, published_at__isnull=False),
                violation_error_message="There is a current range of this kind already: open that one and change it.",
            ),
            models.CheckConstraint(
                name="salary_range_is_ordered",
                condition=Q(high=None) | Q(low__lte=F("high")),
                violation_error_message="The lower figure cannot exceed the upper one.",
            ),
            models.CheckConstraint(
                name="salary_range_has_an_end_or_is_open",
                condition=Q(high__isnull=False) | Q(is_open_ended=True),
                violation_error_message="Without an upper figure the range is open-ended: tick “open-ended”.",
            ),
            models.CheckConstraint(
                name="salary_range_median_is_inside",
                condition=Q(median=None)
                | (Q(median__gte=F("low")) & (Q(high=None) | Q(is_open_ended=True) | Q(median__lte=F("high")))),
                violation_error_message="The median lies outside the range.",
            ),
            models.CheckConstraint(
                name="salary_range_kind_is_known", condition=Q(kind__in=["base", "total", "unstated"])
            ),
            models.CheckConstraint(
                name="salary_range_period_is_known", condition=Q(period__in=["year", "month", "day", "hour"])
            ),
            models.CheckConstraint(
                name="salary_range_sample_is_counted",
                condition=Q(sample_size=None) | Q(sample_size__gte=1),
                violation_error_message="A sample has at least one salary; leave it empty if unknown.",
            ),
        ]

    def __str__(self) -> str:
        symbol, plus = self.symbol, "+" if self.is_open_ended else ""
        if self.high is None or self.high == self.low:
            return f"{symbol}{shortened(self.low)}{plus}"
        return f"{symbol}{shortened(self.low)}{EN_DASH}{symbol}{shortened(self.high)}{plus}"

    def get_absolute_url(self) -> str:
        return f"{self.role.get_absolute_url()}#pay-{self.market.slug}"

    def clean(self) -> None:
        super().clean()
        for name in ("low", "high", "median"):
            if (getattr(self, name) or 0) > 100_000_000:
                raise ValidationError({name: "This is more than a hundred million: give whole currency units."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.currency = self.currency or self.market.currency
        super().save(*args, **kwargs)

    @classmethod
    def stale_after_months(cls) -> int:
        return int(settings.REVIEW_PAY_MONTHS)

    @property
    def symbol(self) -> str:
        return symbol_of(self.currency or self.market.currency)

    @property
    def subject(self) -> str:
        return f"{self.role}, {self.market}"

    @property
    def text(self) -> str:
        return WITHDRAWN if self.is_withdrawn else str(self)

    def uses(self) -> "list[Use]":
        from careers.uses import uses_of_salary

        return uses_of_salary(self)

    @property
    def text_long(self) -> str:
        """The range in words: “£65,000 to £120,000 a year”, “$140,000 to $250,000 or more a year”."""
        symbol, more = self.symbol, " or more" if self.is_open_ended else ""
        upper = f" to {symbol}{self.high:,}" if self.high is not None and self.high != self.low else ""
        return f"{symbol}{self.low:,}{upper}{more} {self.get_period_display().lower()}"

    @property
    def about(self) -> str:
        """What tells the figure from others in a list of them."""
        level = f", {self.level}" if self.level else ""
        return f"{self.subject}{level}: {self.text_long} ({self.get_kind_display().lower()})"

    # References in text

    @classmethod
    def load_references(cls, keys: Collection[str]) -> "dict[str, SalaryRange]":
        """A key is a role's slug and a market's code, “ml-engineer/gb”: the range that tables show.

        It goes on with kind, period and level where another is meant: “ml-engineer/gb/base/year/Senior”. Where a role
        has one current range in a market, that one is meant whatever the key goes on with.
        """
        parts = {key: key.split("/", 4) for key in keys if "/" in key}
        rows = cls.objects.current().with_evidence().filter(role__slug__in={slug for slug, *_ in parts.values()})
        ranges = defaultdict(list)
        for salary in rows.select_related("role", "market"):
            ranges[salary.role.slug, salary.market.slug].append(salary)
        found = {key: _meant(ranges[slug, market], rest) for key, (slug, market, *rest) in parts.items()}
        return {key: salary for key, salary in found.items() if salary}

    @classmethod
    def search_references(cls, words: Sequence[str], most: int) -> "list[tuple[str, SalaryRange]]":
        fields = ("role__slug", "role__name", "market__name", "market__code", "level")
        rows = cls.objects.in_force().with_evidence().select_related("role", "market")
        found = rows.matching(words, *fields).order_by("role__order", "role__name", "market__order", "pk")[:most]
        all_of = defaultdict(list)
        for salary in rows.filter(role__in={salary.role_id for salary in found}):
            all_of[salary.role_id].append(salary)
        in_tables = {salary.pk for ranges in all_of.values() for salary in in_tables_by_market(ranges).values()}
        return [(salary._key(is_refined=salary.pk not in in_tables), salary) for salary in found]

    def _key(self, *, is_refined: bool) -> str:
        key = f"{self.role.slug}/{self.market.slug}"
        refined = f"{key}/{self.kind}/{self.period}" + (f"/{quote(self.level, safe='')}" if self.level else "")
        return refined if is_refined else key


class Choosable(Protocol):
    """What choosing among a role's ranges asks of one: a salary range, or as much of it as this."""

    @property
    def pk(self) -> Any: ...
    @property
    def market_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def is_withdrawn(self) -> bool: ...


def _rank(salary: Choosable) -> tuple[bool, bool, int, int]:
    return salary.is_withdrawn, salary.level != "", ["total", "base", "unstated"].index(salary.kind), salary.pk


def in_tables_by_market[Range: Choosable](ranges: Iterable[Range]) -> dict[int, Range]:
    """Of a role's current ranges those that tables show, by market key: yearly pay, all levels first, total first."""
    by_market: dict[int, Range] = {}
    for salary in sorted(ranges, key=_rank):
        if salary.period == SalaryRange.Period.YEAR:
            by_market.setdefault(salary.market_id, salary)
    return by_market


def _meant(ranges: Sequence[SalaryRange], refinement: Sequence[str]) -> SalaryRange | None:
    """Which of a role's current ranges in one market a key means that goes on with kind, period and level."""
    if refinement:
        fitting = [salary for salary in sorted(ranges, key=_rank) if _fits(salary, refinement)]
    else:
        fitting = list(in_tables_by_market(ranges).values())
    if not fitting and len(ranges) == 1:
        return ranges[0]
    return fitting[0] if fitting else None


def _fits(salary: SalaryRange, refinement: Sequence[str]) -> bool:
    own = (salary.kind, salary.period, salary.level)
    # With kind and period and no level, all levels are meant and never one of them.
    asked = [*refinement, ""] if len(refinement) == 2 else refinement
    return all(mine == unquote(other) for mine, other in zip(own, asked, strict=False))
