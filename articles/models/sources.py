import re
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from articles.partial_dates import PATTERN, PartialDateField, in_words

web_address = URLValidator(schemes=["http", "https"])

# A prefix, a slash and whatever the registrant chose (ISO 26324; the form that Crossref recommends to look for).
DOI = r"10\.[0-9]{4,9}/[^\s]+"


def without_resolver(doi: str) -> str:
    """A DOI as such, of one that was pasted as an address or with “doi:” in front."""
    return re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", doi.strip(), flags=re.IGNORECASE)


def digits_of_isbn(isbn: str) -> str:
    """The ten or thirteen characters of an ISBN without its hyphens and spaces."""
    return re.sub(r"[\s-]", "", isbn).upper()


def validate_isbn(value: str) -> None:
    """Refuse what is no ISBN, its check digit included (ISO 2108; ten digits as before 2007)."""
    digits = digits_of_isbn(value)
    if re.fullmatch(r"97[89][0-9]{10}", digits):
        is_right = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits)) % 10 == 0
    elif re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        is_right = sum(value * weight for value, weight in zip(values, range(10, 0, -1), strict=True)) % 11 == 0
    else:
        raise ValidationError("An ISBN has 13 digits and begins with 978 or 979, or has 10 characters.")
    if not is_right:
        raise ValidationError("This ISBN’s check digit does not fit: one of its digits is mistyped.")


class Source(models.Model):
    """One edition of one publication."""

    class Kind(models.TextChoices):
        REPORT = "report", "Report"
        DATASET = "dataset", "Data set"
        ARTICLE = "article", "Article"
        WEB_PAGE = "web-page", "Web page"
        BOOK = "book", "Book"

    slug = models.SlugField(max_length=80, unique=True)
    producer = models.CharField(max_length=120, help_text="Who publishes it: “World Economic Forum”.")
    authors = models.CharField(
        max_length=300,
        blank=True,
        help_text="Persons, family name first, parted by semicolons: “Frey, Carl; Osborne, Michael”. "
        "Empty: the producer is the author.",
    )
    title = models.CharField(max_length=200)
    edition = models.CharField(
        max_length=40, blank=True, help_text="As the publisher names it: “2023”, “third edition”."
    )
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.REPORT)
    published = PartialDateField(blank=True, help_text="A year, a month or a day: 2023, 2023-04 or 2023-04-30.")
    url = models.URLField(
        "address", max_length=500, blank=True, validators=[web_address], help_text="Where the reader finds it."
    )
    archive_url = models.URLField(
        "archive address",
        max_length=500,
        blank=True,
        validators=[web_address],
        help_text="A lasting copy of the page.",
    )
    doi = models.CharField(
        "DOI",
        max_length=200,
        blank=True,
        validators=[RegexValidator(rf"^{DOI}$", "A DOI looks like 10.1000/182.")],
        help_text="Such as 10.1000/182; an address at doi.org will do.",
    )
    isbn = models.CharField("ISBN", max_length=20, blank=True, validators=[validate_isbn])
    accessed_on = models.DateField(null=True, blank=True, help_text="When somebody here last saw it at its address.")
    licence = models.CharField(
        max_length=120, blank=True, help_text="Under what terms its data may be used: “CC BY 4.0”. Empty: not known."
    )
    projection_horizon = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The year up to which this edition projects."
    )
    newer_edition = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="older_editions",
        help_text="What has replaced it.",
    )

    class Meta:
        ordering = ["producer", "title", "-published"]
        constraints = [
            models.CheckConstraint(
                name="source_published_is_a_date",
                condition=Q(published="") | Q(published__regex=PATTERN),
                violation_error_message="Write a year, a month or a day: 2026, 2026-04 or 2026-04-08.",
            ),
            models.CheckConstraint(
                name="source_is_not_its_own_successor",
                condition=Q(newer_edition=None) | ~Q(newer_edition=F("id")),
                violation_error_message="An edition cannot replace itself.",
            ),
            models.CheckConstraint(
                name="source_horizon_is_a_year",
                condition=Q(projection_horizon=None) | Q(projection_horizon__range=(1900, 2200)),
                violation_error_message="Give the horizon as a year.",
            ),
        ]

    def __str__(self) -> str:
        return self.citation

    def get_absolute_url(self) -> str:
        return reverse("articles:source", args=[self.slug])

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        self.doi = without_resolver(self.doi)
        super().clean_fields(exclude)

    @property
    def address(self) -> str:
        """Where it is on the web: what its DOI leads to, else its address; empty where neither is known."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def persons(self) -> list[tuple[str, str]]:
        """Family and given name of each author who is a person."""
        names = [author.partition(",") for author in self.authors.split(";") if author.strip()]
        return [(family.strip(), given.strip()) for family, _, given in names]

    @property
    def citation(self) -> str:
        return ", ".join(part for part in (self.producer, self.title, self.edition) if part)

    @property
    def published_text(self) -> str:
        return in_words(self.published)
