"""Who needs a second factor, who has one, and what becomes of it."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from veltrix.models import Authenticator, Passkey, RecoveryCode, SessionRecord


def is_required(user: User) -> bool:
    """Whether somebody may do what asks for a second factor."""
    if settings.SECOND_FACTOR != "required":
        return False
    return any(user.has_perm(permission) for permission in settings.SECOND_FACTOR_PERMISSIONS)


def has_any(user: User) -> bool:
    return Authenticator.objects.working().filter(user=user).exists() or Passkey.objects.filter(user=user).exists()


def is_last(user: User) -> bool:
    """Whether there is nothing beside the one factor that is left."""
    return Authenticator.objects.working().filter(user=user).count() + Passkey.objects.filter(user=user).count() == 1


@transaction.atomic
def reset(user: User) -> None:
    """Take everything away from somebody who has lost it, and end their sessions."""
    for kind in (Authenticator, Passkey, RecoveryCode):
        kind._default_manager.filter(user=user).delete()
    SessionRecord.objects.filter(user=user).end()


@transaction.atomic
def remove(user: User, found: QuerySet) -> str | None:
    """Remove one factor of somebody and say which; nothing where it is gone. None where it is the last, and needed.

    Recovery codes go with the last factor that they stand in for.
    """
    User.objects.select_for_update().get(pk=user.pk)
    factor = found.first()
    if factor is None:
        return ""
    if is_last(user):
        if is_required(user):
            return None
        RecoveryCode.objects.filter(user=user).delete()
    factor.delete()
    return str(factor)
