"""How long what is known of people's sign-ins is kept; docs/sign-in.md promises it."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from veltrix.models import Attempt, AuditEntry, Authenticator, SessionRecord

from . import limits

BEGUN = timedelta(days=1)


def prune() -> dict[str, int]:
    """Delete or forget what has outlived its purpose, and say how much of what."""
    now = timezone.now()
    forgotten = AuditEntry.objects.forget_addresses(before=now - timedelta(days=settings.AUDIT_ADDRESS_DAYS))
    return {
        "Addresses forgotten in the audit log": forgotten,
        "Attempts deleted": Attempt.objects.filter(at__lt=now - limits.KEPT_FOR).delete()[0],
        "Records of sessions deleted": SessionRecord.objects.filter(started_at__lt=now - limits.KNOWN_FOR).delete()[0],
        "Authenticator apps never finished": Authenticator.objects.begun()
        .filter(created_at__lt=now - BEGUN)
        .delete()[0],
        "Sessions deleted": Session.objects.filter(expire_date__lt=now).delete()[0],
    }
