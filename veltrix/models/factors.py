"""What people prove with, beside their password, that it is they who sign in."""

import hashlib
import secrets
from base64 import b32encode
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

RECOVERY_CODES = 10


class AuthenticatorQuerySet(models.QuerySet["Authenticator"]):
    def working(self) -> Self:
        """Those that have given a right code once."""
        return self.exclude(confirmed_at=None)

    def begun(self) -> Self:
        """Those whose secret was shown and that have given no code yet."""
        return self.filter(confirmed_at=None)


class Authenticator(models.Model):
    """An app that shows a code by time (RFC 6238). One works; another may have been begun, to take its place."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="authenticators")
    secret = models.TextField(help_text="Encrypted with a key that comes from SECRET_KEY.")
    last_step = models.BigIntegerField(default=0, help_text="The time step of the last code: no code works twice.")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = AuthenticatorQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="one_working_authenticator_for_a_person", fields=["user"], condition=Q(confirmed_at__isnull=False)
            ),
            models.UniqueConstraint(
                name="one_begun_authenticator_for_a_person", fields=["user"], condition=Q(confirmed_at=None)
            ),
        ]

    def __str__(self) -> str:
        return "Authenticator app"

    def use(self, step: int) -> bool:
        """Take the code of a time step; False where it, or a later one, was taken before."""
        return bool(Authenticator.objects.filter(pk=self.pk, last_step__lt=step).update(last_step=step))


class Passkey(models.Model):
    """A WebAuthn credential: a key in a person's device, phone or security key."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="passkeys")
    credential_id = models.CharField(max_length=1400, unique=True, help_text="In base64url.")
    public_key = models.BinaryField(help_text="The attested credential data of WebAuthn, its public key included.")
    sign_count = models.BigIntegerField(default=0)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"Passkey “{self.name}”"

    def use(self, sign_count: int, at: datetime) -> bool:
        """Take a proof of this key; False where the count says that a copy of the key has given one before."""
        counts = Q(sign_count__lt=sign_count)
        if sign_count == 0:
            # Keys that are kept on several devices do not count.
            counts = Q(sign_count=0)
        return bool(Passkey.objects.filter(counts, pk=self.pk).update(sign_count=sign_count, used_at=at))


class RecoveryCodeQuerySet(models.QuerySet["RecoveryCode"]):
    def unused(self) -> Self:
        return self.filter(used_at=None)

    @transaction.atomic
    def renew(self, user: Any) -> list[str]:
        """Put ten new codes in the place of a person's codes, and give them to be shown this once."""
        self.filter(user=user).delete()
        codes = [b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(RECOVERY_CODES)]
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=digest(user.pk, code)) for code in codes)
        return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]

    def use(self, user: Any, code: str, at: datetime) -> bool:
        """Take a code, as it was typed; False where it is none of theirs, or was taken before."""
        return bool(self.unused().filter(user=user, digest=digest(user.pk, code)).update(used_at=at))


class RecoveryCode(models.Model):
    """A code of 120 random bits that lets somebody in once who has lost their other factors. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "Recovery code, used" if self.used_at else "Recovery code"


def digest(user_pk: int, code: str) -> str:
    """The hash of a code, whatever hyphens, spaces and capitals it is typed with."""
    typed = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(f"veltrix.recovery-code:{user_pk}:{typed}".encode()).hexdigest()
