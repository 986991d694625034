from typing import Self

from django.db import models, transaction
from django.db.models import Q

from newsletter import signing


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def for_address(self, address: str) -> Self:
        """The suppression of this address, whichever of the present and former keys it was hashed with."""
        return self.filter(digest__in=signing.address_digests(address))

    def lasting(self) -> Self:
        """Those that a new sign-up does not lift."""
        return self.exclude(reason=Suppression.Reason.LEFT)

    def suppress(self, address: str, reason: "Suppression.Reason", note: str = "") -> "Suppression":
        """Suppress an address, or give its suppression a weightier reason; the reasons stand in their order."""
        with transaction.atomic():
            suppression, _ = self.get_or_create(
                digest=self._present_digest(address), defaults={"reason": reason, "note": note}
            )
            order = Suppression.Reason.values
            if order.index(reason) > order.index(suppression.reason):
                suppression.reason, suppression.note = reason, note or suppression.note
                suppression.save(update_fields=["reason", "note"])
        return suppression

    def _present_digest(self, address: str) -> str:
        """The hash under the present key, to which a row found under a former one moves."""
        present, *former = signing.address_digests(address)
        if not self.filter(digest=present).exists():
            for old in self.filter(digest__in=former)[:1]:
                self.filter(pk=old.pk).update(digest=present)
        return present


class Suppression(models.Model):
    """An address that must not be written to, kept as a keyed hash so that it outlives the address itself."""

    class Reason(models.TextChoices):
        """From the lightest to the weightiest."""

        LEFT = "left", "Left the newsletter"
        BOUNCE = "bounce", "Mail came back"
        REQUEST = "request", "Asked never to be written to"
        COMPLAINT = "complaint", "Reported as spam"

    digest = models.CharField("hash of the address", max_length=64, unique=True, editable=False)
    reason = models.CharField(
        max_length=9,
        choices=Reason,
        help_text="A person who merely left may sign up again; every other reason stays until the entry is deleted.",
    )
    note = models.CharField(max_length=200, blank=True, help_text="For colleagues. Never the address itself.")
    created_at = models.DateTimeField("since", auto_now_add=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="suppression_digest_is_a_hash",
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"),
                violation_error_message="Only the hash of an address is stored, never the address.",
            ),
            models.CheckConstraint(
                name="suppression_reason_is_known",
                condition=Q(reason__in=["left", "bounce", "request", "complaint"]),
                violation_error_message="Choose one of the reasons.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:12]}, {self.get_reason_display().lower()}"
