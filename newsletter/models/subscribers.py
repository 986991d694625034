import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from articles.models import Category
from newsletter import addresses, signing, wording

from .suppression import Suppression

logger = logging.getLogger(__name__)

LETTERS_AT_MOST = 3
LETTERS_WITHIN = timedelta(days=30)
LETTERS_APART = timedelta(minutes=10)
# No address goes on with so many of the last letters.
LONGEST_BEGINNING = 40
# Each choice is kept as evidence, and a program could press buttons without end.
CHOICES_AT_MOST = 50
CHOICES_WITHIN = timedelta(days=1)


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def with_address(self, address: str) -> Self:
        # The second condition is that of the index, which SQLite uses for no query without it.
        return self.filter(email_key=addresses.key(address)).exclude(email_key="")

    def beginning_with(self, words: str) -> Self:
        """Those whose address begins so, or is this, by the index of whole addresses and in its order.

        What begins so lies within bounds, whichever characters the engine’s order puts last.
        """
        try:
            beginning = addresses.key(addresses.canonical(words))
        except ValidationError:
            beginning = words.lower()
        if not (beginning.isascii() and beginning.isprintable()):
            return self.none()
        last = Greatest(Value(beginning + "~" * LONGEST_BEGINNING), Value(beginning + "z" * LONGEST_BEGINNING))
        within = self.filter(email_key__gte=beginning, email_key__lte=last, email_key__startswith=beginning)
        return within.exclude(email_key="").order_by("email_key")

    def with_token(self, token: str) -> Self:
        """The subscriber whose link this is; none for what cannot be a token."""
        return self.filter(token=token) if len(token) <= 22 and token.isascii() else self.none()

    def get_or_add(self, email: str) -> "Subscriber":
        """The subscriber of this address, pending if it is a new one, locked until the transaction ends."""
        subscriber, _ = self.exclude(email_key="").get_or_create(
            email_key=addresses.key(email), defaults={"email": email}
        )
        return self.select_for_update().get(pk=subscriber.pk)

    def never_confirmed(self, since: datetime) -> Self:
        """Pending ones that have not asked to sign up since that moment."""
        asked = ConsentEvent.objects.filter(subscriber=OuterRef("pk"), created_at__gte=since)
        return self.filter(status=Subscriber.Status.PENDING, created_at__lt=since).exclude(Exists(asked))

    def gone(self, since: datetime) -> Self:
        """Those who left, or whom mail cannot or must not reach, for as long, and whose address is still kept."""
        return self.filter(ended_at__lt=since, status__in=Subscriber.ENDINGS)


class Subscriber(models.Model):
    """A person on the list, or on the way to it or from it. Only the person’s own act changes the state."""

    class Status(models.TextChoices):
        PENDING = "pending", "Not confirmed yet"
        ACTIVE = "active", "Subscribed"
        UNSUBSCRIBED = "unsubscribed", "Left"
        BOUNCED = "bounced", "Mail came back"
        COMPLAINED = "complained", "Reported as spam"
        ERASED = "erased", "Erased"

    # How a subscription can end other than by erasure, and what the address is suppressed for then.
    ENDINGS = {
        Status.UNSUBSCRIBED: Suppression.Reason.LEFT,
        Status.BOUNCED: Suppression.Reason.BOUNCE,
        Status.COMPLAINED: Suppression.Reason.COMPLAINT,
    }

    email = models.EmailField("e-mail address", max_length=addresses.MAX_LENGTH, blank=True)
    email_key = models.CharField("normalised address", max_length=addresses.MAX_LENGTH, blank=True, editable=False)
    token = models.CharField(max_length=22, unique=True, default=signing.make_token, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField("first signed up", default=timezone.now, editable=False)
    source = models.CharField(
        "signed up at", max_length=signing.MAX_FORM_NAME, blank=True, help_text="The page of the form, or the import."
    )
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)
    paused_until = models.DateTimeField("paused until", null=True, blank=True)
    declined_topics = models.ManyToManyField(
        Category, blank=True, related_name="+", db_table="newsletter_declined_topic"
    )
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("erase_subscriber", "Can erase what is held about subscribers"),
            ("import_subscriber", "Can import subscribers"),
            ("export_subscriber", "Can export subscribers"),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="subscriber_by_status"),
            models.Index(fields=["-created_at", "-id"], name="subscriber_newest_first"),
            # For retention: a few of many.
            models.Index(fields=["ended_at"], name="subscriber_gone", condition=Q(ended_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_subscriber_for_each_address",
                fields=["email_key"],
                condition=~Q(email_key=""),
                violation_error_message="This address is on the list already.",
            ),
            models.CheckConstraint(
                name="subscriber_status_is_known",
                condition=Q(status__in=["pending", "active", "unsubscribed", "bounced", "complained", "erased"]),
                violation_error_message="Choose one of the states.",
            ),
            models.CheckConstraint(
                name="subscriber_is_erased_or_has_an_address",
                condition=Q(status="erased", email="", email_key="")
                | (~Q(status="erased") & ~Q(email="") & ~Q(email_key="")),
                violation_error_message="Only an erased subscriber has no address.",
            ),
            models.CheckConstraint(
                name="subscriber_is_active_by_confirmation",
                condition=~Q(status="active") | Q(confirmed_at__isnull=False),
                violation_error_message="Nobody is subscribed without having confirmed.",
            ),
            models.CheckConstraint(
                name="subscriber_is_pending_until_confirmation",
                condition=~Q(status="pending") | Q(confirmed_at=None),
                violation_error_message="A subscriber who has confirmed is not pending.",
            ),
            models.CheckConstraint(
                name="subscriber_has_an_end_unless_on_the_list",
                condition=Q(status__in=["pending", "active"], ended_at=None)
                | (~Q(status__in=["pending", "active"]) & Q(ended_at__isnull=False)),
                violation_error_message="A subscription that ended has the moment of its end, and no other has one.",
            ),
        ]

    def __str__(self) -> str:
        # Not the address: this text outlives it in the admin's log.
        return f"Subscriber {self.pk}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def is_resting(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()

    def lock(self) -> None:
        """Read this row afresh and hold it until the transaction ends."""
        self.refresh_from_db(from_queryset=Subscriber.objects.select_for_update())

    def may_be_written(self) -> bool:
        """Whether a sign-up may cause one letter more: at most three in 30 days, ten minutes apart."""
        now = timezone.now()
        asked = self.consent_events.filter(kind=ConsentEvent.Kind.ASKED, created_at__gt=now - LETTERS_WITHIN)
        moments = list(asked.order_by("-created_at").values_list("created_at", flat=True)[:LETTERS_AT_MOST])
        return not moments or (len(moments) < LETTERS_AT_MOST and moments[0] <= now - LETTERS_APART)

    def confirm(self, asked: "ConsentEvent", network_digest: str) -> "ConsentEvent | None":
        """Begin the subscription that `asked` requested, or begin it again after it had ended.

        Returns the confirmation; None if nothing changed, because the subscription runs already (see `is_active`), or
        because the request is older than its end, or because mail to the address was stopped for good.
        """
        with transaction.atomic():
            self.lock()
            if self.is_active or not asked.holds_for(self):
                return None
            if Suppression.objects.for_address(self.email).lasting().exists():
                return None
            Suppression.objects.for_address(self.email).delete()
            self.status, self.confirmed_at, self.ended_at = self.Status.ACTIVE, timezone.now(), None
            self.source, self.paused_until = asked.form, None
            self.save(update_fields=["status", "confirmed_at", "ended_at", "source", "paused_until"])
            return self.consent_events.create(
                kind=ConsentEvent.Kind.CONFIRMED,
                form=asked.form,
                wording=wording.CONFIRMATION,
                network_digest=network_digest,
            )

    def end(self, status: "Subscriber.Status", form: str) -> bool:
        """End the subscription and suppress the address; False if it had ended so already. `form` says how."""
        with transaction.atomic():
            self.lock()
            if self.status in {status, self.Status.COMPLAINED, self.Status.ERASED}:
                return False
            self.status, self.ended_at = status, timezone.now()
            self.save(update_fields=["status", "ended_at"])
            self._record_end(ConsentEvent.ENDINGS[status], form)
            Suppression.objects.suppress(self.email, self.ENDINGS[status])
        return True

    def may_choose(self) -> bool:
        """Whether one choice more is taken today."""
        chosen = self.consent_events.filter(
            kind=ConsentEvent.Kind.CHOSE, created_at__gt=timezone.now() - CHOICES_WITHIN
        )
        return chosen.count() < CHOICES_AT_MOST

    def choose_topics(self, offered: Iterable[Category], wanted: Iterable[Category], form: str) -> bool:
        """Decline those of the topics offered that are not wanted; a topic that was not offered stays as it was.

        Like every choice it is for those who are subscribed, and False if it changed nothing.
        """
        with transaction.atomic():
            self.lock()
            before = set(self.declined_topics.select_related("parent"))
            after = before.difference(offered) | set(offered).difference(wanted)
            if not self.is_active or after == before:
                return False
            self.declined_topics.set(after)
            declined = ", ".join(sorted(str(topic) for topic in after))
            self._record_choice(f"All topics but: {declined}." if declined else "All topics.", form)
        return True

    def pause(self, until: datetime, form: str) -> bool:
        """Send nothing until a moment; one who has paused already stays so until the moment chosen first."""
        with transaction.atomic():
            self.lock()
            if not self.is_active or self.is_resting:
                return False
            self._set_pause(until, f"Nothing until {timezone.localtime(until):%d %B %Y}.", form)
        return True

    def go_on(self, form: str) -> bool:
        """End a pause before its time."""
        with transaction.atomic():
            self.lock()
            if not self.is_active or not self.is_resting:
                return False
            self._set_pause(None, "Go on after a pause.", form)
        return True

    def _set_pause(self, until: datetime | None, wording: str, form: str) -> None:
        self.paused_until = until
        self.save(update_fields=["paused_until"])
        self._record_choice(wording, form)

    def _record_choice(self, wording: str, form: str) -> None:
        self.consent_events.create(kind=ConsentEvent.Kind.CHOSE, form=form, wording=wording)

    def erase(self, form: str) -> bool:
        """Forget the address but for its hash, and whatever else could tell whose record this was."""
        from .sign_ups import SignUp  # which makes subscribers

        with transaction.atomic():
            self.lock()
            if self.status == self.Status.ERASED:
                return False
            Suppression.objects.suppress(
                self.email, self.ENDINGS.get(self.Status(self.status), Suppression.Reason.LEFT)
            )
            SignUp.objects.filter(email__iexact=self.email).delete()
            self.email = self.email_key = self.source = ""
            self.paused_until = None
            self.declined_topics.clear()
            self.status, self.ended_at, self.token = self.Status.ERASED, timezone.now(), signing.make_token()
            self.save(update_fields=["email", "email_key", "source", "paused_until", "status", "ended_at", "token"])
            self.consent_events.all().forget_networks()
            self._record_end(ConsentEvent.Kind.ERASED, form)
        return True

    def _record_end(self, kind: "ConsentEvent.Kind", form: str) -> None:
        """The log knows it, too: whoever restores an older database learns there who has left since."""
        self.consent_events.create(kind=kind, form=form)
        transaction.on_commit(partial(logger.info, "Subscriber %s: %s", self.pk, kind.value))


class AppendOnlyError(Exception):
    """A piece of evidence was to be changed or deleted."""


class ConsentEventQuerySet(models.QuerySet["ConsentEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Evidence of consent is never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Evidence of consent is never deleted by itself.")

    def forget_networks(self) -> int:
        """Drop the networks, the only part that is kept for a limited time."""
        return super(ConsentEventQuerySet, self.exclude(network_digest="")).update(network_digest="")

    def with_confirmation(self, token: str) -> "ConsentEvent":
        """The request that a mailed link answers. Raises `BadSignature`, or `DoesNotExist` where it is forgotten."""
        return self.select_related("subscriber").get(pk=signing.read_confirmation(token))


class ConsentEvent(models.Model):
    """What a person agreed to or withdrew: append-only, deleted only with a subscriber who never confirmed."""

    class Kind(models.TextChoices):
        ASKED = "asked", "Asked to sign up"
        CONFIRMED = "confirmed", "Confirmed"
        IMPORTED = "imported", "Imported with consent given elsewhere"
        CHOSE = "chose", "Changed what they get"
        LEFT = "left", "Left"
        BOUNCED = "bounced", "Mail came back"
        COMPLAINED = "complained", "Reported as spam"
        ERASED = "erased", "Erased"

    ENDINGS = {
        Subscriber.Status.UNSUBSCRIBED: Kind.LEFT,
        Subscriber.Status.BOUNCED: Kind.BOUNCED,
        Subscriber.Status.COMPLAINED: Kind.COMPLAINED,
    }

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="consent_events")
    kind = models.CharField("what", max_length=10, choices=Kind)
    created_at = models.DateTimeField("when", default=timezone.now)
    form = models.CharField(
        max_length=signing.MAX_FORM_NAME, help_text="The page whose form was used, or the kind of link."
    )
    wording = models.TextField(blank=True, help_text="The words beside the button.")
    network_digest = models.CharField(
        "hash of the network", max_length=64, blank=True, help_text="Deleted after 30 days."
    )

    objects = ConsentEventQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["subscriber", "kind", "created_at"], name="consent_event_by_kind"),
            models.Index(fields=["created_at"], name="consent_event_by_moment"),
            # For retention: the few that still hold a network.
            models.Index(fields=["created_at"], name="consent_event_with_network", condition=~Q(network_digest="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="consent_event_kind_is_known",
                condition=Q(
                    kind__in=["asked", "confirmed", "imported", "chose", "left", "bounced", "complained", "erased"]
                ),
                violation_error_message="Choose what happened.",
            ),
            models.CheckConstraint(
                name="consent_event_keeps_the_words_agreed_to",
                condition=~Q(kind__in=["asked", "confirmed", "imported"]) | ~Q(wording=""),
                violation_error_message="Consent is kept with the words that were agreed to.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.created_at:%d %B %Y %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise AppendOnlyError("Evidence of consent is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Evidence of consent is never deleted by itself.")

    def holds_for(self, subscriber: Subscriber) -> bool:
        """Whether this is a request to sign up that has not been overtaken by the end of the subscription."""
        is_newer = subscriber.ended_at is None or self.created_at > subscriber.ended_at
        return self.kind == self.Kind.ASKED and self.subscriber_id == subscriber.pk and is_newer
