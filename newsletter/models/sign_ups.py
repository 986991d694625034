from datetime import datetime, timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from newsletter import addresses, signing

from .subscribers import ConsentEvent, Subscriber
from .suppression import Suppression


class SignUpQuerySet(models.QuerySet["SignUp"]):
    # How many sign-ups are accepted within how long: from one network, and from all together.
    PER_NETWORK = ((5, timedelta(minutes=10)), (20, timedelta(days=1)))
    IN_TOTAL = ((600, timedelta(hours=1)),)

    def expired(self, handled: datetime, at_all: datetime) -> Self:
        """Those sent before the one moment if they were dealt with, else before the other."""
        return self.filter(Q(created_at__lt=handled, handled_at__isnull=False) | Q(created_at__lt=at_all))

    def wait(self, network_digest: str) -> timedelta | None:
        """How long this network has to wait before it may sign up again; None if it need not."""
        own = self.filter(network_digest=network_digest)
        waits = [own._wait(*limit) for limit in self.PER_NETWORK] + [self._wait(*limit) for limit in self.IN_TOTAL]
        return max((wait for wait in waits if wait), default=None)

    def _wait(self, at_most: int, within: timedelta) -> timedelta | None:
        now = timezone.now()
        recent = self.filter(created_at__gt=now - within).order_by("-created_at")
        moments = list(recent.values_list("created_at", flat=True)[at_most - 1 : at_most])
        return moments[0] + within - now if moments else None


class SignUp(models.Model):
    """A form that was sent, until a task has dealt with it; thereafter, for a day, that its network sent one.

    The request writes this row and nothing else, whoever the address belongs to: so neither its answer nor the time
    that it takes tells whether somebody is on the list.
    """

    email = models.EmailField(max_length=addresses.MAX_LENGTH, blank=True)
    form = models.CharField(max_length=signing.MAX_FORM_NAME)
    wording = models.TextField()
    network_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    handled_at = models.DateTimeField(null=True)

    objects = SignUpQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["network_digest", "-created_at"], name="sign_up_by_network")]
        constraints = [
            models.CheckConstraint(
                name="sign_up_keeps_the_address_until_handled",
                condition=Q(handled_at=None) & ~Q(email="") | Q(handled_at__isnull=False, email=""),
                violation_error_message="The address is kept until the sign-up is dealt with and no longer.",
            ),
        ]

    def __str__(self) -> str:
        return f"Sign-up {self.pk}"

    def handle(self) -> ConsentEvent | None:
        """Record the request if a letter may follow it; None if not, or if that was done before."""
        with transaction.atomic():
            self.refresh_from_db(from_queryset=SignUp.objects.select_for_update())
            if self.handled_at:
                return None
            email, self.email, self.handled_at = self.email, "", timezone.now()
            self.save(update_fields=["email", "handled_at"])
            if Suppression.objects.for_address(email).lasting().exists():
                return None
            subscriber = Subscriber.objects.get_or_add(email)
            if not subscriber.may_be_written():
                return None
            return subscriber.consent_events.create(
                kind=ConsentEvent.Kind.ASKED, form=self.form, wording=self.wording, network_digest=self.network_digest
            )
