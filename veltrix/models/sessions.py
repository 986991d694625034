from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .factors import Authenticator, Passkey

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
FRESH = timedelta(minutes=10)
# A page a minute is activity enough to know of.
NOTED_EVERY = timedelta(minutes=1)


class Factor(models.TextChoices):
    """What was proved beside the password, or instead of it."""

    NONE = "", "Password only"
    CODE = "code", "Password and code"
    PASSKEY = "passkey", "Passkey"
    RECOVERY = "recovery", "Password and recovery code"


class SessionRecordQuerySet(models.QuerySet["SessionRecord"]):
    def open_at(self, moment: datetime) -> Self:
        return self.filter(ended_at=None, seen_at__gt=moment - IDLE, started_at__gt=moment - LONGEST)

    def with_factors(self) -> Self:
        """Also whether the person has a second factor: `has_factor`."""
        has_app = Exists(Authenticator.objects.working().filter(user=OuterRef("user")))
        has_passkey = Exists(Passkey.objects.filter(user=OuterRef("user")))
        return self.annotate(has_factor=Q(has_app) | Q(has_passkey))

    def end(self) -> int:
        """End these now: whoever goes on with one is a stranger."""
        return self.filter(ended_at=None).update(ended_at=timezone.now())


class SessionRecord(models.Model):
    """One sign-in of one person, from its beginning to its end. Its key stands in the session itself."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="session_records")
    factor = models.CharField(max_length=10, choices=Factor, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    network = models.CharField(max_length=50, blank=True)
    browser = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(default=timezone.now, help_text="When a password or factor was last given.")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SessionRecordQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        ordering = ["-seen_at"]
        default_permissions = ()
        permissions = [("manage_sign_in", "Can end others' sessions and reset their second factors")]
        indexes = [models.Index(fields=["user", "-seen_at"], name="sessions_of_a_person")]
        constraints = [
            models.CheckConstraint(name="session_has_a_known_factor", condition=Q(factor__in=Factor.values)),
        ]

    def __str__(self) -> str:
        return f"{self.browser or 'A session'}, since {timezone.localtime(self.started_at):%d %B %Y, %H:%M}"

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and now - self.seen_at < IDLE and now - self.started_at < LONGEST

    def is_fresh(self, now: datetime) -> bool:
        """Whether a password or factor was given a moment ago."""
        return now - self.confirmed_at < FRESH

    def see(self, now: datetime) -> None:
        if now - self.seen_at >= NOTED_EVERY:
            SessionRecord.objects.filter(pk=self.pk, ended_at=None).update(seen_at=now)

    def confirm(self, factor: str = "") -> None:
        """Keep that a password, or this factor, was given now."""
        self.confirmed_at = timezone.now()
        self.factor = factor or self.factor
        self.save(update_fields=["confirmed_at", "factor"])


class Attempt(models.Model):
    """A password or code that is being tried, or was wrong. A right one takes its own away. Kept for a day."""

    class Kind(models.TextChoices):
        PASSWORD = "password", "Password"
        CODE = "code", "Code"
        CHALLENGE = "challenge", "Passkey"

    kind = models.CharField(max_length=10, choices=Kind)
    account_digest = models.CharField(max_length=64, blank=True)
    network_digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["kind", "network_digest", "at"], name="attempts_of_a_network"),
            models.Index(fields=["kind", "account_digest", "at"], name="attempts_at_an_account"),
        ]
        constraints = [
            models.CheckConstraint(
                name="attempt_has_a_known_kind", condition=Q(kind__in=["password", "code", "challenge"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%d %B %Y, %H:%M}"
