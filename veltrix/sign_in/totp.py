"""Codes by time (RFC 6238): SHA-1, six digits, thirty seconds, as every authenticator app knows them."""

import hmac
import logging
import secrets
import struct
import time
from base64 import b32encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from veltrix.publication import NAME

logger = logging.getLogger("veltrix.sign_in")

SECONDS = 30
DIGITS = 6
# A clock may be one step behind or ahead.
TOLERANCE = 1


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: bytes, code: str) -> int | None:
    """The time step, near the present one, that a code belongs to; the latest where it is of two."""
    now = int(time.time()) // SECONDS
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def new_secret() -> bytes:
    return secrets.token_bytes(20)


def in_words(secret: bytes) -> str:
    """The secret as it is typed into an app that cannot read the picture: eight groups of four characters."""
    text = b32encode(secret).decode()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def uri(secret: bytes, username: str) -> str:
    """The address that an app reads out of the picture."""
    parameters = {"secret": b32encode(secret).decode(), "issuer": NAME, "digits": DIGITS, "period": SECONDS}
    return f"otpauth://totp/{quote(f'{NAME}:{username}')}?{urlencode(parameters)}"


def encrypted(secret: bytes) -> str:
    return _fernet().encrypt(secret).decode()


def decrypted(text: str) -> bytes | None:
    """The secret; None where it was encrypted with a key that this site no longer has."""
    try:
        return _fernet().decrypt(text.encode())
    except InvalidToken:
        logger.error("A secret of an authenticator app cannot be read: its SECRET_KEY is not among the fallbacks.")
        return None


def _fernet() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]])


def _key(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"veltrix.authenticator").derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
