from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class Act(models.TextChoices):
    SIGN_IN = "sign-in", "Signed in"
    SIGN_IN_FAILED = "sign-in-failed", "Sign-in failed"
    SECOND_STEP_FAILED = "second-step-failed", "Second step failed"
    SIGN_OUT = "sign-out", "Signed out"
    CONFIRMED = "confirmed", "Confirmed who they are"
    CONFIRM_FAILED = "confirm-failed", "Failed to confirm who they are"
    PASSWORD = "password", "Password changed"
    FACTOR_ADDED = "factor-added", "Second factor added"
    FACTOR_REMOVED = "factor-removed", "Second factor removed"
    CODES = "codes", "Recovery codes made"
    SESSION_ENDED = "session-ended", "Session ended"
    PERMISSIONS = "permissions", "Permissions changed"
    PUBLISHED = "published", "Published"
    EXPORTED = "exported", "Exported"
    ADDED = "added", "Added"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def forget_addresses(self, *, before: datetime) -> int:
        """Blank the network addresses of what happened before a moment, the one thing that may change."""
        return self.filter(at__lt=before, address__isnull=False).update(address=None)


class AuditEntry(models.Model):
    """Who did what to what, when and from where. The database takes no change and no deletion (`articles.frozen`)."""

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="audit_entries",
        verbose_name="who",
        help_text="Empty where no account has the name that was typed; the name itself is not kept.",
    )
    act = models.CharField("what", max_length=20, choices=Act)
    subject_type = models.CharField(max_length=100, blank=True, help_text="The model, such as articles.article.")
    subject_key = models.CharField(max_length=100, blank=True)
    subject_name = models.CharField("to what", max_length=200, blank=True)
    words = models.TextField("in words", max_length=2000, blank=True)
    address = models.GenericIPAddressField("from where", null=True, help_text="Forgotten after a while.")
    browser = models.CharField(max_length=60, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-pk"]
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(
                name="audit_entry_has_a_known_act",
                condition=models.Q(act__in=Act.values),
                violation_error_message="Nobody can do this.",
            ),
        ]
        indexes = [models.Index(fields=["act", "-at"], name="audit_entry_by_act")]

    def __str__(self) -> str:
        return f"{self.get_act_display()}, {timezone.localtime(self.at):%d %B %Y, %H:%M}"


def subject_of(record: models.Model | None) -> dict[str, Any]:
    """The columns that name a record."""
    if record is None:
        return {}
    return {
        "subject_type": record._meta.label_lower,
        "subject_key": str(record.pk)[:100],
        "subject_name": str(record)[:200],
    }
