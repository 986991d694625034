from collections.abc import Collection, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from articles.partial_dates import PATTERN, PartialDateField, in_words

from .sources import Source

if TYPE_CHECKING:
    from articles.uses import Use

# What stands in the place of a figure that was taken back.
WITHDRAWN = "withdrawn"

# What a successor does not take over from the figure before.
NOT_INHERITED = {"published_at", "superseded_at", "supersedes", "why", "why_note"}


class FrozenFigureError(Exception):
    """A published figure was to be changed or deleted; publish a successor instead."""


class SupersededFigureError(Exception):
    """The figure has a successor already: somebody else published one in the meantime."""


class SourcedQuerySet(models.QuerySet):
    def matching(self, words: Sequence[str], *fields: str) -> Self:
        """Figures of which each of these words occurs in one of these fields."""
        rows = self
        for word in words:
            anywhere = (Q(**{f"{field}__icontains": word}) for field in fields)
            rows = rows.filter(reduce(or_, anywhere))
        return rows

    def published(self) -> Self:
        """Figures that readers see or once saw: the whole history."""
        return self.exclude(published_at=None)

    def current(self) -> Self:
        """Published figures that no later one has superseded, one at the end of each line; withdrawn ones too."""
        return self.published().filter(superseded_at=None)

    def in_force(self) -> Self:
        """Current figures that were not withdrawn."""
        return self.current().exclude(why=Sourced.Why.RETRACTION)

    def with_evidence(self) -> Self:
        """Fetch what a badge asks for along with each figure: its source and that source’s newer edition."""
        return self.select_related("source__newer_edition")

    def for_review(self) -> Self:
        """Fetch what the rules of the review ask for along with each figure."""
        return self.with_evidence().select_related("supersedes", *self.model.owner_fields)  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        if self.exclude(published_at=None).exists():
            raise FrozenFigureError("A published figure is frozen; publish a successor instead.")
        return super().update(**kwargs)

    def corrections(self) -> Self:
        """Figures that replaced a wrong one or withdrew it, latest first."""
        return self.published().filter(why__in=Sourced.CORRECTING).order_by("-published_at", "-pk")

    def delete(self) -> tuple[int, dict[str, int]]:
        if self.exclude(published_at=None).exists():
            raise FrozenFigureError("A published figure stays as history; it cannot be deleted.")
        return super().delete()


def kinds_of_figures() -> "list[type[Sourced]]":
    """The kinds of figures of all installed apps, those of `articles` first."""
    kinds = [model for model in apps.get_models() if issubclass(model, Sourced)]
    return sorted(kinds, key=lambda kind: kind._meta.app_label != "articles")


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
        RETRACTION = "retraction", "Retraction: the figure is withdrawn and none takes its place"

    # Reasons that say of the figure before: it was wrong. Those that put another row in the place of the same point.
    CORRECTING: ClassVar = (Why.CORRECTION, Why.RETRACTION)
    REPLACING: ClassVar = (*CORRECTING, Why.RESOURCED)

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
        help_text="For a correction or a retraction: what was wrong. Readers see it.",
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True, editable=False)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="successor"
    )

    # What a figure belongs to, the same for all its history, and what makes it up beside its evidence.
    owner_fields: ClassVar[tuple[str, ...]] = ()
    figure_fields: ClassVar[tuple[str, ...]] = ()
    # What a reference in rich text calls this kind of figure; empty: no text can refer to it. Such a kind has the two
    # methods below and `about`. A text that refers to a figure keeps its owners from deletion once it is published.
    reference_kind: ClassVar[str] = ""

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
                condition=~Q(why__in=["correction", "retraction"]) | ~Q(why_note=""),
                violation_error_message="Say what was wrong: readers see the reason of a correction or a retraction.",
            ),
            models.CheckConstraint(
                name="%(class)s_check_status_is_known",
                condition=Q(check_status__in=["unchecked", "confirmed", "disputed", "not-found"]),
            ),
            models.CheckConstraint(
                name="%(class)s_why_is_known",
                condition=Q(why__in=["new", "update", "correction", "re-sourced", "retraction"]),
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

    def get_absolute_url(self) -> str:
        """Where readers find its history and evidence."""
        raise NotImplementedError

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self._is_frozen():
            raise FrozenFigureError("A published figure stays as history; it cannot be deleted.")
        return super().delete(*args, **kwargs)

    def _is_frozen(self) -> bool:
        """Whether the database, not this copy of the row, says that the figure was published."""
        rows = type(self)._base_manager.exclude(published_at=None)
        return self.pk is not None and rows.filter(pk=self.pk).exists()

    @classmethod
    def load_references(cls, keys: Collection[str]) -> dict[str, Self]:
        """The current figures that these keys mean, with owners and evidence, in a fixed number of queries.

        A key is what a reference says after its kind: letters, digits and “-_.~%/”. Unknown ones are left out.
        """
        raise NotImplementedError

    @classmethod
    def search_references(cls, words: Sequence[str], most: int) -> list[tuple[str, Self]]:
        """At most so many figures in force about all these words, with owners and evidence, each after its key."""
        raise NotImplementedError

    @property
    def machine_value(self) -> str:
        """The figure as a plain number, for machines; empty where it is none."""
        return ""

    @classmethod
    def stale_after_months(cls) -> int:
        """After how many months a figure of this kind is too old."""
        return int(settings.REVIEW_STATISTIC_MONTHS)

    @property
    def text(self) -> str:
        """The figure as readers see it."""
        raise NotImplementedError

    @property
    def correction_anchor(self) -> str:
        """The id of its entry among the corrections."""
        return f"correction-{self._meta.model_name}-{self.pk}"

    @property
    def why_text(self) -> str:
        """Why it was published, in a word for readers."""
        return self.get_why_display().partition(":")[0]

    @property
    def subject(self) -> str:
        """What the figure is about, for sentences that name it."""
        raise NotImplementedError

    @property
    def is_withdrawn(self) -> bool:
        """Whether this row says that there is no such figure; what it shows is the figure that was withdrawn."""
        return self.why == self.Why.RETRACTION

    @property
    def change_text(self) -> str:
        """What replacing the earlier figure changed, in words: “97M is now 98M”. Needs `supersedes`."""
        earlier = self.supersedes
        if earlier is None:
            return ""
        if self.is_withdrawn:
            return f"{earlier.text} is withdrawn"
        if earlier.is_withdrawn:
            return f"{self.text} is shown again after it had been withdrawn"
        if earlier.text == self.text:
            return f"{self.text} stays, but what is said of it has changed"
        return f"{earlier.text} is now {self.text}"

    @property
    def as_of_text(self) -> str:
        return in_words(self.as_of)

    def uses(self) -> "list[Use]":
        """Where readers are shown the figure."""
        raise NotImplementedError

    def latest(self) -> Self:
        """The figure at the end of this one's line of successors, itself if it is current."""
        figure = self
        while figure.superseded_at and (successor := getattr(figure, "successor", None)):
            figure = successor
        return figure

    def locked(self) -> Self:
        """This row as the database has it, locked together with what it belongs to, so that figures come one by one."""
        self.lock_owner()
        return type(self)._base_manager.select_for_update().get(pk=self.pk)

    def lock_owner(self) -> None:
        owner = type(self)._meta.get_field(self.owner_fields[0])
        rows: models.Manager[Any] = owner.related_model._base_manager  # type: ignore[union-attr]
        rows.select_for_update().filter(pk=getattr(self, owner.attname)).first()  # type: ignore[union-attr]

    def publish_successor(self, *, why: str, why_note: str = "", at: datetime | None = None, **changes: Any) -> Self:
        """Publish a changed copy of this current figure and return it; this row stays as history.

        `changes` holds new field values; what may follow a figure is told by `articles.succession`. Raises
        `SupersededFigureError` if this figure is no longer the current one.
        """
        at = at or timezone.now()
        with transaction.atomic():
            locked = self.locked()
            if locked.superseded_at is not None or locked.published_at is None:
                raise SupersededFigureError("A newer figure was published in the meantime.")
            copied = {
                field.attname: getattr(locked, field.attname)
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in NOT_INHERITED
            }
            successor = type(self)(**copied, supersedes_id=self.pk, why=why, why_note=why_note)
            for name, value in changes.items():
                setattr(successor, name, value)
            # No figure is superseded without a successor, and no two are current: the successor comes unpublished.
            successor.save(force_insert=True)
            type(self)._base_manager.filter(pk=self.pk).update(superseded_at=at)
            successor.published_at = at
            successor.save(update_fields=["published_at"])
        return successor
