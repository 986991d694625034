from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from articles.partial_dates import PATTERN, PartialDateField, in_words

web_address = URLValidator(schemes=["http", "https"])


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
    accessed_on = models.DateField(null=True, blank=True)
    licence = models.CharField(max_length=120, blank=True)
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

    @property
    def citation(self) -> str:
        return ", ".join(part for part in (self.producer, self.title, self.edition) if part)

    @property
    def published_text(self) -> str:
        return in_words(self.published)


class FrozenFigureError(Exception):
    """A published figure was to be changed or deleted; publish a successor instead."""


class SupersededFigureError(Exception):
    """The figure has a successor already: somebody else published one in the meantime."""


class SourcedQuerySet(models.QuerySet):
    def current(self) -> Self:
        """Published figures that no later one has superseded."""
        return self.filter(superseded_at=None).exclude(published_at=None)

    def update(self, **kwargs: Any) -> int:
        if self.exclude(published_at=None).exists():
            raise FrozenFigureError("A published figure is frozen; publish a successor instead.")
        return super().update(**kwargs)

    def corrections(self) -> Self:
        """Figures that replaced a wrong one, latest first."""
        return self.filter(why=Sourced.Why.CORRECTION).exclude(published_at=None).order_by("-published_at")

    def delete(self) -> tuple[int, dict[str, int]]:
        if self.exclude(published_at=None).exists():
            raise FrozenFigureError("A published figure stays as history; it cannot be deleted.")
        return super().delete()


class Sourced(models.Model):
    """A published number with its evidence. A published row is frozen; a change publishes a successor."""

    class CheckStatus(models.TextChoices):
        UNCHECKED = "unchecked", "Unchecked"
        CONFIRMED = "confirmed", "Confirmed"
        DISPUTED = "disputed", "Disputed"
        NOT_FOUND = "not-found", "Not found in the source"

    class Why(models.TextChoices):
        NEW = "new", "New"
        UPDATE = "update", "Update: a later figure"
        CORRECTION = "correction", "Correction: the earlier figure was wrong"
        RESOURCED = "re-sourced", "Re-sourced: same figure, other evidence"

    source = models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        blank=True,
        help_text="The edition that states the figure. Empty: no source is stated.",
    )
    locator = models.CharField(max_length=120, blank=True, help_text="Where in the source: “p. 28”, “table 3”.")
    quote = models.TextField(
        blank=True, help_text="The source’s own words for the figure, kept as evidence and not shown."
    )
    as_of = PartialDateField("as of", blank=True, help_text="When the figure held: 2025, 2026-04 or 2026-04-08.")
    check_status = models.CharField(max_length=10, choices=CheckStatus, default=CheckStatus.UNCHECKED)
    check_note = models.TextField(blank=True, help_text="What the check found. Readers see it.")
    checked_on = models.DateField(null=True, blank=True)
    review_by = models.DateField(null=True, blank=True, help_text="When to look at the figure again.")
    why = models.CharField("reason", max_length=10, choices=Why, default=Why.NEW)
    why_note = models.CharField(
        "reason in words",
        max_length=300,
        blank=True,
        help_text="For a correction: what was wrong. Readers see it.",
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True, editable=False)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="successor"
    )

    # What a figure belongs to, the same for all its history, and what makes it up beside its evidence.
    owner_fields: ClassVar[tuple[str, ...]] = ()
    figure_fields: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_as_of_is_a_date",
                condition=Q(as_of="") | Q(as_of__regex=PATTERN),
                violation_error_message="Write a year, a month or a day: 2026, 2026-04 or 2026-04-08.",
            ),
            models.CheckConstraint(
                name="%(class)s_correction_has_a_reason",
                condition=~Q(why="correction") | ~Q(why_note=""),
                violation_error_message="Say what was wrong: readers see the reason of a correction.",
            ),
            models.CheckConstraint(
                name="%(class)s_check_status_is_known",
                condition=Q(check_status__in=["unchecked", "confirmed", "disputed", "not-found"]),
            ),
            models.CheckConstraint(
                name="%(class)s_why_is_known",
                condition=Q(why__in=["new", "update", "correction", "re-sourced"]),
            ),
            models.CheckConstraint(
                name="%(class)s_superseded_after_published",
                condition=Q(superseded_at=None) | Q(superseded_at__gte=F("published_at"), published_at__isnull=False),
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._is_frozen():
            raise FrozenFigureError("A published figure is frozen; publish a successor instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self._is_frozen():
            raise FrozenFigureError("A published figure stays as history; it cannot be deleted.")
        return super().delete(*args, **kwargs)

    def _is_frozen(self) -> bool:
        """Whether the database, not this copy of the row, says that the figure was published."""
        rows = type(self)._base_manager.exclude(published_at=None)
        return self.pk is not None and rows.filter(pk=self.pk).exists()

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    @property
    def status_text(self) -> str:
        """What a reader should know about the evidence, in plain words; empty where the source was confirmed."""
        if self.source_id is None:
            return "No source stated"
        return {"unchecked": "Not yet checked", "confirmed": ""}.get(self.check_status, self.get_check_status_display())

    def latest(self) -> Self:
        """The figure at the end of this one's line of successors, itself if it is current."""
        figure = self
        while figure.superseded_at and (successor := getattr(figure, "successor", None)):
            figure = successor
        return figure

    def publish_successor(self, *, at: datetime | None = None, **changes: Any) -> Self:
        """Publish a changed copy of this current figure and return it; this row stays as history.

        `changes` holds new field values, `why` among them. Raises `SupersededFigureError` if this figure is no longer
        the current one.
        """
        at = at or timezone.now()
        with transaction.atomic():
            locked = type(self)._base_manager.select_for_update().get(pk=self.pk)
            if locked.superseded_at is not None or locked.published_at is None:
                raise SupersededFigureError("A newer figure was published in the meantime.")
            type(self)._base_manager.filter(pk=self.pk).update(superseded_at=at)
            copied = {
                field.attname: getattr(locked, field.attname)
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in {"published_at", "superseded_at", "supersedes"}
            }
            successor = type(self)(**copied, supersedes_id=self.pk, published_at=at)
            for name, value in changes.items():
                setattr(successor, name, value)
            successor.save(force_insert=True)
        return successor
