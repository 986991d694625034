"""Passkeys (WebAuthn): challenges are kept in the session, used once, and end after five minutes."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from veltrix.mail_urls import is_loopback
from veltrix.models import Attempt, Passkey
from veltrix.publication import NAME

from . import limits

KEY = "passkey_challenge"
LASTS = 5 * 60
MOST_FOR_ONE = 20

# What a proof that is no proof makes the library, or JSON itself, raise.
WRONG = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


class NotProvedError(Exception):
    """The browser's answer proves nothing. `args[0]` says why, for the log."""


def host() -> str:
    """The name that passkeys belong to: that of the site; an address of this machine counts as its name."""
    name = urlsplit(settings.SITE_URL).hostname or ""
    return "localhost" if is_loopback(name) else name


def origin() -> str:
    parts = urlsplit(settings.SITE_URL)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host()}{port}"


def are_offered(request: HttpRequest) -> bool:
    """Whether the page stands under the name that passkeys belong to: browsers take no other."""
    return f"{request.scheme}://{request.get_host()}" == origin()


def begin_registration(request: HttpRequest, user: User) -> dict[str, Any]:
    """The options for making a passkey, for the browser."""
    entity = PublicKeyCredentialUserEntity(
        name=user.get_username(), id=str(user.pk).encode(), display_name=user.get_full_name() or user.get_username()
    )
    options, state = _server().register_begin(
        entity,
        _descriptors(user),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _remember(request, "make", user, state)
    return dict(options)


def register(request: HttpRequest, user: User, answer: str, name: str) -> Passkey:
    """Keep a new passkey. Raises `NotProvedError`."""
    state = _take(request, "make", user)
    if user.passkeys.count() >= MOST_FOR_ONE:
        raise NotProvedError("too many passkeys")
    try:
        response = RegistrationResponse.from_dict(json.loads(answer))
        data = _server().register_complete(state, response)
        credential = data.credential_data
        if credential is None:
            raise NotProvedError("no credential")
        with transaction.atomic():
            return Passkey.objects.create(
                user=user,
                credential_id=websafe_encode(credential.credential_id),
                public_key=bytes(credential),
                sign_count=data.counter,
                name=name.replace("\x00", "").strip()[:60] or "Passkey",
            )
    except IntegrityError as error:
        raise NotProvedError("the passkey is known already") from error
    except WRONG as error:
        raise NotProvedError(str(error)) from error


def begin_proof(request: HttpRequest, user: User | None) -> dict[str, Any]:
    """The options for proving one of somebody's passkeys, or any that the device holds for this site."""
    options, state = _server().authenticate_begin(
        _descriptors(user) if user else None, user_verification=UserVerificationRequirement.REQUIRED
    )
    _remember(request, "prove", user, state)
    return dict(options)


def proved(request: HttpRequest, user: User | None, answer: str) -> User:
    """Whose passkey was proved: of `user` where they are known. Raises `NotProvedError`."""
    state = _take(request, "prove", user)
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        passkey = Passkey.objects.select_related("user").get(credential_id=websafe_encode(response.raw_id))
        credential = AttestedCredentialData(bytes(passkey.public_key))
        _server().authenticate_complete(state, [credential], response)
        handle = response.response.user_handle
        count = response.response.authenticator_data.counter
    except Passkey.DoesNotExist as error:
        raise NotProvedError("unknown passkey") from error
    except WRONG as error:
        raise NotProvedError(str(error)) from error
    owner: User = passkey.user
    if (user and owner != user) or (handle is not None and handle != str(owner.pk).encode()):
        raise NotProvedError("the passkey of somebody else")
    if not owner.is_active or not owner.is_staff:
        raise NotProvedError("the account is closed")
    if not passkey.use(count, timezone.now()):
        raise NotProvedError("a copy of the passkey was used")
    return owner


def _server() -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(name=NAME, id=host()), verify_origin=lambda given: given == origin())


def _descriptors(user: User) -> list[PublicKeyCredentialDescriptor]:
    ids = user.passkeys.values_list("credential_id", flat=True)
    return [PublicKeyCredentialDescriptor(type="public-key", id=websafe_decode(key)) for key in ids]  # type: ignore[arg-type]


def _remember(request: HttpRequest, purpose: str, user: User | None, state: dict[str, Any]) -> None:
    """Keep a challenge in the session. Raises `TooManyError` where a network asks for one after the other."""
    attempt = limits.begin(request, limits.Kind.CHALLENGE)
    request.session[KEY] = {
        "attempt": attempt.pk,
        "purpose": purpose,
        "user": user.pk if user else None,
        "at": time.time(),
        "state": state,
    }


def _take(request: HttpRequest, purpose: str, user: User | None) -> dict[str, Any]:
    """The challenge that was given for this purpose, which then is gone.

    Raises `NotProvedError`; and `TooManyError` for answers to no challenge, one after the other.
    """
    kept = request.session.pop(KEY, None)
    # Of two requests at once with the same challenge one deletes the row.
    if not kept or not Attempt.objects.filter(pk=kept["attempt"]).delete()[0]:
        limits.begin(request, limits.Kind.CHALLENGE)
        raise NotProvedError("no challenge is open")
    if kept["purpose"] != purpose or kept["user"] != (user.pk if user else None) or time.time() - kept["at"] > LASTS:
        raise NotProvedError("no challenge is open")
    return kept["state"]
