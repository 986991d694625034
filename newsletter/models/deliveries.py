from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .editions import Edition
from .subscribers import Subscriber


class SenderQuerySet(models.QuerySet["Sender"]):
    def running(self) -> Self:
        return self.filter(ended_at=None)


class Sender(models.Model):
    """One slice of an edition’s sending by one process: its sign of life, and its books.

    The books say in which state the deliveries are that this sender held last, so that the sums over an edition’s
    senders are what counting its deliveries would say. Moments are the database’s, so that machines need not agree.
    """

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="senders")
    host = models.CharField(max_length=100)
    process = models.PositiveIntegerField()
    lanes = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    is_lost = models.BooleanField(default=False, help_text="Its process died, or gave no sign of life for too long.")
    sent = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    uncertain = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    retried = models.PositiveIntegerField(default=0)

    objects = SenderQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["heartbeat_at"], name="sender_running", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.host}, process {self.process}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> Self:
        return self.filter(state=Delivery.State.PENDING)

    def uncertain(self) -> Self:
        return self.filter(state=Delivery.State.UNCERTAIN)

    def failed(self) -> Self:
        return self.filter(state=Delivery.State.FAILED)


class Delivery(models.Model):
    """One edition for one subscriber: the queue of sending and its record.

    A row leaves `pending` in the transaction that claims it, before SMTP starts, and comes back to it only when the
    server has certainly not taken the mail. So a mail is sent at most once, whatever dies when.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waits"
        SENDING = "sending", "Is being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Refused"
        UNCERTAIN = "uncertain", "Uncertain"
        SKIPPED = "skipped", "Left out"

    class Skip(models.TextChoices):
        """Why a delivery was left out after the audience had been frozen."""

        LEFT = "left", "No longer subscribed"
        SUPPRESSED = "suppressed", "Must not be written to"
        PAUSED = "paused", "Has paused it"
        DECLINED = "declined", "Declined the topic"
        CANCELLED = "cancelled", "The edition was cancelled"

    edition = models.ForeignKey(Edition, models.PROTECT, related_name="deliveries", db_index=False)
    subscriber = models.ForeignKey(Subscriber, models.PROTECT, related_name="deliveries", db_index=False)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    sender = models.ForeignKey(Sender, models.PROTECT, null=True, related_name="deliveries", db_index=False)
    claimed_at = models.DateTimeField(null=True)
    # When its outcome was written down: never for what a dead sender has left behind.
    settled_at = models.DateTimeField(null=True)
    skip = models.CharField("why left out", max_length=10, choices=Skip, blank=True)
    # What the mail server said last: its SMTP reply, without addresses.
    code = models.PositiveSmallIntegerField(null=True)
    reply = models.CharField(max_length=200, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        permissions = [("settle_delivery", "Can say what became of uncertain deliveries")]
        # No index over all rows but the key and the one of the constraint: at a million rows each costs more than all
        # else. What waits, is on its way, or needs a look is found by indexes that hold nothing more.
        indexes = [
            models.Index(fields=["edition", "due_at", "id"], name="delivery_due", condition=Q(state="pending")),
            models.Index(fields=["edition", "sender"], name="delivery_on_its_way", condition=Q(state="sending")),
            models.Index(fields=["edition"], name="delivery_uncertain", condition=Q(state="uncertain")),
            models.Index(fields=["edition", "code"], name="delivery_failed", condition=Q(state="failed")),
            models.Index(fields=["edition", "skip"], name="delivery_left_out", condition=Q(state="skipped")),
        ]
        constraints = [
            # The subscriber first: so that it finds the editions that somebody got, too.
            models.UniqueConstraint(name="one_delivery_for_each_subscriber", fields=["subscriber", "edition"]),
            models.CheckConstraint(
                name="delivery_state_is_known",
                condition=Q(state__in=["pending", "sending", "sent", "failed", "uncertain", "skipped"]),
            ),
            models.CheckConstraint(
                name="delivery_on_its_way_has_a_sender",
                condition=Q(state__in=["pending", "skipped"]) | Q(sender__isnull=False, claimed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="delivery_left_out_has_a_reason",
                condition=Q(state="skipped") & ~Q(skip="") | ~Q(state="skipped") & Q(skip=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"


class SendingRate(models.Model):
    """When the next mail may leave, for each limit: what all workers share. One row for each name."""

    name = models.CharField(max_length=20, unique=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class MailReport(models.Model):
    """What a mail server or provider said of a mail later on: a bounce, a complaint, a delivery. Kept once each."""

    class Kind(models.TextChoices):
        HARD = "hard", "Came back for good"
        SOFT = "soft", "Came back for now"
        COMPLAINT = "complaint", "Reported as spam"
        DELIVERED = "delivered", "Delivered"

    kind = models.CharField(max_length=9, choices=Kind)
    # How it came: mailbox, smtp (the reply while sending), or the provider’s name.
    source = models.CharField(max_length=30)
    # What makes it the same report when it comes again: the provider’s id, or the hash of the mail.
    key = models.CharField(max_length=128)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, null=True, related_name="mail_reports")
    delivery = models.ForeignKey(Delivery, models.SET_NULL, null=True, related_name="reports")
    edition = models.ForeignKey(Edition, models.SET_NULL, null=True, related_name="reports")
    status = models.CharField("status code", max_length=20, blank=True, help_text="RFC 3463, such as 5.1.1.")
    diagnostic = models.CharField(max_length=300, blank=True, help_text="Without addresses.")
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["edition", "kind"], name="mail_report_by_edition"),
            models.Index(fields=["subscriber", "kind", "received_at"], name="mail_report_by_subscriber"),
        ]
        constraints = [
            models.UniqueConstraint(name="mail_report_is_kept_once", fields=["source", "key"]),
            models.CheckConstraint(
                name="mail_report_kind_is_known", condition=Q(kind__in=["hard", "soft", "complaint", "delivered"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.source})"
