from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReviewMarkQuerySet(models.QuerySet["ReviewMark"]):
    def snoozing(self, today: date) -> Self:
        return self.filter(snoozed_until__gt=today)


class ReviewMark(models.Model):
    """What people of the desk made of one finding of the review: who looks into it, and until when it may rest.

    A finding is found anew each time; this row is what is kept of it. `subject` names the record that it is about, a
    figure's row: once another figure is published, the finding, if it still holds, is a new one.
    """

    rule = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    snoozed_until = models.DateField(null=True, blank=True)
    snooze_reason = models.CharField(max_length=300, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    objects = ReviewMarkQuerySet.as_manager()

    class Meta:
        ordering = ["rule", "subject"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(name="one_review_mark_for_each_finding", fields=["rule", "subject"]),
            models.CheckConstraint(
                name="review_mark_is_snoozed_for_a_reason",
                condition=Q(snoozed_until=None) | ~Q(snooze_reason=""),
                violation_error_message="Say why this can wait.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}"
