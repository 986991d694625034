from typing import TYPE_CHECKING, Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.urls import reverse

from articles.models import Article
from articles.models.article import ArticleQuerySet

if TYPE_CHECKING:
    from .skills import Requirement

SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "JPY": "¥", "INR": "₹"}

# Addresses below /careers/ that belong to pages of their own.
RESERVED_SLUGS = [
    "charts",
    "compare",
    "embed",
    "fit",
    "oembed",
    "paths",
    "roles",
    "salaries",
    "skills",
    "statistics",
    "tables",
]


def symbol_of(currency: str) -> str:
    """The currency's sign, or its code and a no-break space where it has no sign of its own."""
    return SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


class Market(models.Model):
    code = models.CharField(
        max_length=2,
        unique=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", "Give two capital letters, as ISO 3166-1 does: GB, US, DE.")],
        help_text="ISO 3166-1 alpha-2: GB, US, DE.",
    )
    name = models.CharField(max_length=40, help_text="As readers see it: “UK”.")
    currency = models.CharField(
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}$", "Give three capital letters, as ISO 4217 does: GBP, USD, EUR.")],
        help_text="ISO 4217: GBP, USD, EUR.",
    )
    order = models.PositiveSmallIntegerField(default=0, help_text="Its place among the columns.")

    class Meta:
        ordering = ["order", "code"]
        constraints = [
            models.CheckConstraint(
                name="market_code_is_iso_3166",
                condition=Q(code__regex=r"^[A-Z]{2}$"),
                violation_error_message="Give two capital letters, as ISO 3166-1 does: GB, US, DE.",
            ),
            models.CheckConstraint(
                name="market_currency_is_iso_4217",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                violation_error_message="Give three capital letters, as ISO 4217 does: GBP, USD, EUR.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def slug(self) -> str:
        return self.code.lower()

    @property
    def symbol(self) -> str:
        return symbol_of(self.currency)


class CareerPath(models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=80, unique=True)
    summary = models.TextField(blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("careers:path", args=[self.slug])

    def used_in(self) -> ArticleQuerySet:
        """Articles that show this path’s lists, or will."""
        return Article.objects.exclude(live_version=None).filter(careerpathreference__target=self)

    def shown_in(self) -> ArticleQuerySet:
        """Articles in which readers see this path’s lists now."""
        return Article.objects.published().filter(careerpathreference__target=self, careerpathreference__is_live=True)


class RoleQuerySet(models.QuerySet["Role"]):
    def with_current_pay(self) -> Self:
        """Fetch the current salary ranges, withdrawn ones too, as `current_pay`: one query beside the roles' own."""
        from .salaries import SalaryRange

        pay = SalaryRange.objects.current().select_related("market")
        return self.select_related("path").prefetch_related(
            Prefetch("salary_ranges", queryset=pay, to_attr="current_pay")
        )

    def for_table(self) -> Self:
        """What a row of a comparison prints: the role, and its core lines as `core`."""
        from .skills import Requirement

        core = Requirement.objects.filter(importance=Requirement.Importance.CORE)
        roles = self.defer("summary").prefetch_related(Prefetch("requirements", queryset=core, to_attr="core"))
        return roles.fetch_mode(models.FETCH_RAISE)

    def by_their_path(self) -> Self:
        """Roles for which their path’s lists hold, as they have no must and nice lists of their own."""
        from .skills import Requirement

        own = Requirement.objects.filter(role=OuterRef("pk")).exclude(importance=Requirement.Importance.CORE)
        return self.exclude(path=None).exclude(Exists(own))


class Role(models.Model):
    slug = models.SlugField("address", max_length=80, unique=True)
    name = models.CharField(max_length=80, unique=True)
    summary = models.TextField(blank=True, help_text="One or two sentences: what somebody in this role does.")
    path = models.ForeignKey(
        CareerPath,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="roles",
        help_text="Its must and nice lists hold for this role too, unless the role has lists of its own.",
    )
    order = models.PositiveSmallIntegerField(default=0, help_text="Its place where nothing else decides.")

    objects = RoleQuerySet.as_manager()

    class Meta:
        ordering = ["order", "name"]
        constraints = [
            models.CheckConstraint(
                name="role_keeps_off_other_pages",
                condition=~Q(slug__in=RESERVED_SLUGS),
                violation_error_message="This address is taken by a page of the site. Choose another.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("careers:role", args=[self.slug])

    def lists(self) -> "dict[str, list[Requirement]]":
        """Core, must and nice lines by importance, with their skills; the path's lists where the role has none."""
        from .skills import Requirement

        own = list(Requirement.objects.filter(role=self).prefetch_related("skills"))
        explicit = [line for line in own if line.importance != Requirement.Importance.CORE]
        if not explicit and self.path_id:
            explicit = list(
                Requirement.objects.filter(path=self.path_id)
                .exclude(importance=Requirement.Importance.CORE)
                .prefetch_related("skills")
            )
        by_importance = Requirement.by_importance(explicit)
        by_importance["core"] = [line for line in own if line.importance == Requirement.Importance.CORE]
        return by_importance

    def used_in(self) -> ArticleQuerySet:
        """Articles whose tables or lists show this role, or will."""
        return Article.objects.exclude(live_version=None).filter(self._is_referred_to()).distinct()

    def shown_in(self) -> ArticleQuerySet:
        """Articles in whose tables or lists readers see this role now."""
        return Article.objects.published().filter(self._is_referred_to(is_live=True)).distinct()

    def _is_referred_to(self, **states: bool) -> Q:
        """That an article has a reference in these states to the role, to a table with it, or to its path."""
        targets: list[tuple[str, Any]] = [
            ("rolereference__target", self),
            ("comparisontablereference__target__rows__role", self),
        ]
        if self.path_id:
            targets.append(("careerpathreference__target", self.path_id))
        condition = Q()
        for lookup, target in targets:
            reference = lookup.partition("__")[0]
            condition |= Q(**{lookup: target}, **{f"{reference}__{name}": value for name, value in states.items()})
        return condition


class RoleCode(models.Model):
    """A role's code in an official classification, with how well it fits. Codes are looked up, never guessed."""

    class Match(models.TextChoices):
        EXACT = "exact", "Exact"
        CLOSE = "close", "Close"
        BROAD = "broad", "Broader than the role"
        NARROW = "narrow", "Narrower than the role"

    role = models.ForeignKey(Role, models.CASCADE, related_name="codes")
    scheme = models.CharField(max_length=40, help_text="“O*NET-SOC”, “ESCO”, “UK SOC 2020”, “ISCO-08”.")
    code = models.CharField(max_length=60)
    label = models.CharField(max_length=120, help_text="The classification’s own name for the code.")
    match = models.CharField(max_length=10, choices=Match)
    checked_in = models.CharField(max_length=120, help_text="Where it was looked up.")
    checked_on = models.DateField()

    class Meta:
        ordering = ["scheme", "code"]
        constraints = [
            models.UniqueConstraint(
                name="role_code_is_given_once",
                fields=["role", "scheme", "code"],
                violation_error_message="This role has this code already.",
            ),
            models.CheckConstraint(
                name="role_code_match_is_known", condition=Q(match__in=["exact", "close", "broad", "narrow"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.code}"


class RoleRelation(models.Model):
    role = models.ForeignKey(Role, models.CASCADE, related_name="relations")
    related = models.ForeignKey(Role, models.CASCADE, related_name="+")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="role_relation_is_given_once",
                fields=["role", "related"],
                violation_error_message="This role is named already.",
            ),
            models.CheckConstraint(
                name="role_is_not_related_to_itself",
                condition=~Q(role=F("related")),
                violation_error_message="A role cannot be related to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} and {self.related}"


class ComparisonTable(models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    roles = models.ManyToManyField(Role, through="ComparisonTableRow", related_name="tables")

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ComparisonTableRow(models.Model):
    table = models.ForeignKey(ComparisonTable, models.CASCADE, related_name="rows")
    role = models.ForeignKey(Role, models.PROTECT, related_name="table_rows")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "row"
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_row_for_each_role_of_a_table",
                fields=["table", "role"],
                violation_error_message="This role is in the table already.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.role)
