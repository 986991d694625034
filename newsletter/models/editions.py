from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models, transaction
from django.db.models import F, Q, Sum
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_prose_editor.fields import ProseEditorField

from articles.models import Article, Category
from articles.prose import INNER_EXTENSIONS, sanitize_inner

# Below this many mails a rate of failures says nothing.
RATE_COUNTS_FROM = 50


class NotPossibleError(Exception):
    """An edition was to go where its state does not lead. `args[0]` says why, to an editor."""


class EditionQuerySet(models.QuerySet["Edition"]):
    def due(self) -> Self:
        """Scheduled editions whose moment has come."""
        return self.filter(state=Edition.State.SCHEDULED, scheduled_at__lte=timezone.now())

    def being_prepared(self) -> Self:
        return self.filter(state=Edition.State.PREPARING)

    def being_sent(self) -> Self:
        return self.filter(state=Edition.State.SENDING)

    def in_archive(self) -> Self:
        """Editions that readers may see: from the moment at which the first copy may leave."""
        return self.filter(started_at__isnull=False).exclude(content=None).order_by("-started_at", "-pk")


class Edition(models.Model):
    """One number of the newsletter, from its draft to the report on its sending.

    The state changes by the methods below and by no form. What subscribers get is `content`, frozen with the audience
    at preparation; the fields of the draft are free until then.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        PREPARING = "preparing", "Being prepared"
        SENDING = "sending", "Being sent"
        PAUSED = "paused", "Paused"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Cancelled"

    slug = models.SlugField(
        max_length=80, unique=True, help_text="Its page is /newsletter/…/; fixed once sending has begun."
    )
    subject = models.CharField(max_length=150)
    preheader = models.CharField(
        max_length=150,
        blank=True,
        help_text="The line that lists of mail show after the subject. 40 to 110 characters.",
    )
    intro = ProseEditorField(blank=True, config={"extensions": INNER_EXTENSIONS}, sanitize=sanitize_inner)
    closing = ProseEditorField(blank=True, config={"extensions": INNER_EXTENSIONS}, sanitize=sanitize_inner)

    topic = models.ForeignKey(
        Category,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Leave empty for everybody. With a topic, it is not sent to those who have declined that topic.",
    )
    source = models.CharField(
        "signed up at",
        max_length=200,
        blank=True,
        help_text="Only to those who signed up at this page, such as /newsletter/, or came with this import.",
    )
    signed_up_from = models.DateField("signed up from", null=True, blank=True)
    signed_up_until = models.DateField("signed up until", null=True, blank=True, help_text="This day included.")
    per_second = models.PositiveIntegerField(
        "mails a second",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="At most, over all workers. Empty: as the site’s settings say.",
    )
    per_hour = models.PositiveIntegerField(
        "mails an hour",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000_000)],
        help_text="At most, over all workers. Empty: as the site’s settings say.",
    )

    state = models.CharField(max_length=9, choices=State, default=State.DRAFT, editable=False)
    created_at = models.DateTimeField("begun", default=timezone.now, editable=False)
    changed_at = models.DateTimeField("last changed", auto_now=True)
    scheduled_at = models.DateTimeField("to be sent at", null=True, blank=True, editable=False)
    # The audience is who was subscribed at this moment; those up to a key have been looked at.
    audience_at = models.DateTimeField(null=True, editable=False)
    prepared_through = models.BigIntegerField(default=0, editable=False)
    candidates = models.PositiveIntegerField(default=0, editable=False)
    deliveries_made = models.PositiveIntegerField(default=0, editable=False)
    prepared_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField("sending began", null=True, editable=False)
    resumed_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField("sending ended", null=True, editable=False)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    # One after the other, over all workers: a mail that gets through sets it back.
    connection_errors = models.PositiveIntegerField(default=0, editable=False)
    # Deliveries that a cancellation took out of the queue: no sender has ever held them.
    withdrawn = models.PositiveIntegerField(default=0, editable=False)

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [("send_edition", "Can schedule, pause, resume and cancel editions")]
        indexes = [
            models.Index(fields=["state"], name="edition_by_state"),
            models.Index(fields=["-started_at"], name="edition_by_start"),
        ]
        constraints = [
            models.CheckConstraint(
                name="edition_state_is_known",
                condition=Q(state__in=["draft", "scheduled", "preparing", "sending", "paused", "sent", "cancelled"]),
                violation_error_message="Choose one of the states.",
            ),
            models.CheckConstraint(
                name="edition_on_its_way_has_a_moment",
                condition=Q(state__in=["draft", "cancelled"]) | Q(scheduled_at__isnull=False),
                violation_error_message="Say when the edition is to be sent.",
            ),
            models.CheckConstraint(
                name="edition_is_sent_to_a_prepared_audience",
                condition=~Q(state__in=["sending", "sent"]) | Q(prepared_at__isnull=False, started_at__isnull=False),
                violation_error_message="Nothing is sent before the audience is complete.",
            ),
            models.CheckConstraint(
                name="edition_says_why_it_is_paused",
                condition=Q(state="paused") & ~Q(pause_reason="") | ~Q(state="paused") & Q(pause_reason=""),
                violation_error_message="A paused edition has a reason, and no other has one.",
            ),
            models.CheckConstraint(
                name="edition_days_are_in_order",
                condition=Q(signed_up_from=None)
                | Q(signed_up_until=None)
                | Q(signed_up_from__lte=F("signed_up_until")),
                violation_error_message="The first day cannot come after the last one.",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("newsletter:edition", args=[self.slug])

    @property
    def readers(self) -> str:
        """Whom it is meant for, in words."""
        narrowed = [
            f"who have not declined {self.topic}" if self.topic else "",
            f"who signed up at {self.source}" if self.source else "",
            f"who signed up from {date(self.signed_up_from, 'j F Y')} on" if self.signed_up_from else "",
            f"who signed up until {date(self.signed_up_until, 'j F Y')}" if self.signed_up_until else "",
        ]
        return f"Subscribers {', '.join(filter(None, narrowed))}" if any(narrowed) else "All subscribers"

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_in_archive(self) -> bool:
        return self.started_at is not None

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.SENT, self.State.CANCELLED}

    def begin_another(self) -> "Edition":
        """A saved draft with the words and readers of this edition, but for its articles."""
        copy = Edition.objects.create(
            slug=f"{self.slug[:60]}-{get_random_string(6).lower()}",
            subject=self.subject,
            preheader=self.preheader,
            intro=self.intro,
            closing=self.closing,
            topic=self.topic,
            source=self.source,
            signed_up_from=self.signed_up_from,
            signed_up_until=self.signed_up_until,
            per_second=self.per_second,
            per_hour=self.per_hour,
        )
        for part in self.parts.filter(article=None):
            copy.parts.create(position=part.position, heading=part.heading, text=part.text)
        return copy

    def lock(self) -> None:
        """Read this row afresh and hold it until the transaction ends."""
        self.refresh_from_db(from_queryset=Edition.objects.select_for_update())

    def schedule(self, moment: datetime) -> None:
        """Let the edition be sent at a moment, or at once if it has passed. Raises `NotPossibleError`."""
        with self._leaving(self.State.DRAFT, self.State.SCHEDULED, to="schedule"):
            self.state, self.scheduled_at = self.State.SCHEDULED, moment
            self._save("state", "scheduled_at")

    def unschedule(self) -> None:
        """Make a scheduled edition a draft again. Raises `NotPossibleError` once its preparation has begun."""
        with self._leaving(self.State.SCHEDULED, to="take back"):
            self.state, self.scheduled_at = self.State.DRAFT, None
            self._save("state", "scheduled_at")

    def pause(self, reason: str) -> None:
        """Claim no mail from now on. Mails that were claimed before may still leave: one for each lane."""
        with self._leaving(self.State.PREPARING, self.State.SENDING, to="pause"):
            self.state, self.pause_reason = self.State.PAUSED, reason[:300]
            self._save("state", "pause_reason")

    def resume(self) -> None:
        """Go on where a pause came. Raises `NotPossibleError`."""
        with self._leaving(self.State.PAUSED, to="resume"):
            begun = self.State.PREPARING if self.audience_at else self.State.SCHEDULED
            self.state = self.State.SENDING if self.prepared_at else begun
            self.pause_reason, self.resumed_at, self.connection_errors = "", timezone.now(), 0
            self._save("state", "pause_reason", "resumed_at", "connection_errors")

    def cancel(self) -> None:
        """End it for good. What waits is taken out of the queue bit by bit; what has left has left."""
        states = self.State.SCHEDULED, self.State.PREPARING, self.State.SENDING, self.State.PAUSED
        with self._leaving(*states, to="cancel"):
            self.state, self.pause_reason, self.finished_at = self.State.CANCELLED, "", timezone.now()
            self._save("state", "pause_reason", "finished_at")

    def _save(self, *fields: str) -> None:
        self.save(update_fields=[*fields, "changed_at"])

    @contextmanager
    def _leaving(self, *states: "Edition.State", to: str) -> Iterator[None]:
        """A transaction that holds the edition in one of the states from which an act is possible."""
        with transaction.atomic():
            self.lock()
            if self.state not in states:
                label = self.State(self.state).label
                raise NotPossibleError(f"The edition’s state is “{label}”: there is nothing to {to}.")
            yield

    def is_sending_now(self) -> bool:
        """Whether mail may be claimed: read inside the claiming transaction, which a pause then waits for.

        A lock that claims share and that a change of the state excludes; SQLite has one writer at a time anyway.
        """
        share = " FOR SHARE" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT state FROM newsletter_edition WHERE id = %s{share}", [self.pk])  # noqa: S608
            row = cursor.fetchone()
        return row is not None and row[0] == self.State.SENDING

    def progress(self) -> "Progress":
        """What has become of the deliveries so far, from the senders' books: no count over the deliveries."""
        sums = self.senders.aggregate(
            **{name: Sum(name, default=0) for name in ("sent", "failed", "uncertain", "skipped", "retried")}
        )
        return Progress(total=self.deliveries_made, withdrawn=self.withdrawn, **sums)


@dataclass(frozen=True)
class Progress:
    """How many deliveries are in which state; `retried` counts attempts that were put off, not deliveries."""

    total: int
    sent: int
    failed: int
    uncertain: int
    skipped: int
    retried: int
    withdrawn: int

    @property
    def settled(self) -> int:
        return self.sent + self.failed + self.uncertain + self.skipped + self.withdrawn

    @property
    def waiting(self) -> int:
        """Those that wait or are being sent at this moment."""
        return self.total - self.settled

    @property
    def percent(self) -> int:
        """Rounded down: a hundred is said when nothing waits."""
        return 100 * self.settled // self.total if self.total else 0


class EditionPart(models.Model):
    """A part between intro and closing: an article, or words of its own, or an article with words before it."""

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField(default=0)
    article = models.ForeignKey(
        Article,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Its title, standfirst and headline figure come along, as they are when the edition is prepared.",
    )
    heading = models.CharField(max_length=120, blank=True, help_text="Above the text.")
    text = ProseEditorField(blank=True, config={"extensions": INNER_EXTENSIONS}, sanitize=sanitize_inner)

    class Meta:
        verbose_name = "part"
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="edition_has_an_article_once",
                fields=["edition", "article"],
                violation_error_message="This article is in the edition already.",
            ),
            models.CheckConstraint(
                name="edition_part_holds_something",
                condition=Q(article__isnull=False) | ~Q(text=""),
                violation_error_message="Choose an article, or write something.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.article) if self.article else self.heading or "Text"

    def clean(self) -> None:
        super().clean()
        if self.article and not Article.objects.published().filter(pk=self.article.pk).exists():
            raise ValidationError({"article": "Readers cannot see this article. Publish it first, or choose another."})


class EditionContent(models.Model):
    """What subscribers get and the archive shows: written once, at preparation, and never changed.

    `document` is what the archive’s page is made of; `html` and `text` are the mail’s parts, in which merge fields
    stand for what differs from one subscriber to the next.
    """

    edition = models.OneToOneField(Edition, models.CASCADE, related_name="content")
    subject = models.CharField(max_length=150)
    preheader = models.CharField(max_length=150, blank=True)
    sender = models.CharField(max_length=320)
    html = models.TextField()
    text = models.TextField()
    document = models.JSONField()
    frozen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.subject


class Exclusion(models.Model):
    """How many candidates an edition does not go to, for one reason: candidates are deliveries and these."""

    class Reason(models.TextChoices):
        SOURCE = "source", "Signed up elsewhere"
        DATE = "date", "Signed up earlier or later"
        DECLINED = "declined", "Declined the topic"
        PAUSED = "paused", "Have paused it"
        SUPPRESSED = "suppressed", "Must not be written to"

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="exclusions")
    reason = models.CharField(max_length=10, choices=Reason)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["reason"]
        constraints = [
            models.UniqueConstraint(name="one_count_for_each_exclusion", fields=["edition", "reason"]),
            models.CheckConstraint(
                name="exclusion_reason_is_known",
                condition=Q(reason__in=["source", "date", "declined", "paused", "suppressed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.number}"
