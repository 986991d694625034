"""Tokens and keyed hashes. Each has a purpose of its own, so that none can stand in for another."""

import base64
import hmac
import secrets
from datetime import datetime, time, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core import signing
from django.utils import timezone
from django.utils.crypto import salted_hmac

from . import addresses

CONFIRMATION_LASTS = timedelta(days=7)
# Pages are cached: for thirty days the form of an old copy is as good as that of a new one, which may bear the stamp of
# the beginning of its week.
STAMP_LASTS = timedelta(days=30 + 7)
MAX_FORM_NAME = 200


def _confirmations() -> signing.TimestampSigner:
    # The separator is outside the alphabet of the signature and stays unescaped in an address.
    return signing.TimestampSigner(salt="newsletter.confirm", sep=".")


class _WeekSigner(signing.TimestampSigner):
    """Signs with the moment at which this week began, by the clock of readers, by which pages are rendered anew."""

    def timestamp(self) -> str:
        today = timezone.localdate()
        monday = datetime.combine(today - timedelta(days=today.weekday()), time())
        return signing.b62_encode(int(timezone.make_aware(monday).timestamp()))


def _stamps(signer: type[signing.TimestampSigner] = signing.TimestampSigner) -> signing.TimestampSigner:
    return signer(salt="newsletter.stamp")


def make_token() -> str:
    """128 random bits in 22 characters: short, because mail programs break long addresses."""
    return secrets.token_urlsafe(16)


def sign_confirmation(event_id: int) -> str:
    return _confirmations().sign(str(event_id))


def read_confirmation(token: str) -> int:
    """The request that a mailed link answers. Raises `BadSignature`, of which `SignatureExpired` is one."""
    return int(_confirmations().unsign(token, max_age=CONFIRMATION_LASTS))


def stamp(form: str) -> str:
    """Sign where a form stands and when it was rendered, to the second."""
    return _stamps().sign(form[:MAX_FORM_NAME])


def stamp_of_the_week(form: str) -> str:
    """Sign where a form stands and in which week it was rendered: the same from Monday to Sunday."""
    return _stamps(_WeekSigner).sign(form[:MAX_FORM_NAME])


def read_stamp(value: str) -> str:
    """Where the form stood. Raises `BadSignature`, of which `SignatureExpired` is one."""
    return _stamps().unsign(value, max_age=STAMP_LASTS)


def is_younger(value: str, age: timedelta) -> bool:
    """Whether a good stamp was made less than `age` ago."""
    try:
        _stamps().unsign(value, max_age=age)
    except signing.SignatureExpired:
        return False
    return True


def sign_delivery(delivery_id: int) -> str:
    """A name of a delivery in 8 and more letters that can be read back and not made up: `2a.5f0c…`.

    Lower case and dots only: mail servers may change the case of an address, and bounces come back to one.
    """
    return f"{delivery_id:x}.{_delivery_mark(delivery_id, settings.SECRET_KEY)}"


def read_delivery(name: str) -> int | None:
    """The delivery that `sign_delivery` named so; None for what it never did."""
    number, _, mark = name.strip().lower().partition(".")
    try:
        delivery_id = int(number, 16)
    except ValueError:
        return None
    known = [_delivery_mark(delivery_id, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return delivery_id if any(hmac.compare_digest(mark.encode(), own.encode()) for own in known) else None


def _delivery_mark(delivery_id: int, key: str) -> str:
    mark = salted_hmac("newsletter.delivery", str(delivery_id), secret=key, algorithm="sha256").digest()[:10]
    return base64.b32encode(mark).decode("ascii").lower()


def bounce_address(delivery_id: int) -> str:
    """Where the bounces of a delivery go: NEWSLETTER_BOUNCE_ADDRESS with the delivery’s name in it, else the sender.

    That is VERP: `bounces@mail.example` becomes `bounces+2a.5f0c…@mail.example`.
    """
    address: str = settings.NEWSLETTER_BOUNCE_ADDRESS
    if not address:
        return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    local, _, domain = address.rpartition("@")
    return f"{local}+{sign_delivery(delivery_id)}@{domain}"


def network_digest(network: str) -> str:
    return salted_hmac("newsletter.network", network, algorithm="sha256").hexdigest()


def address_digests(address: str) -> list[str]:
    """The hashes that an address may be suppressed under: by the present key first, then by those before it.

    The key is NEWSLETTER_SUPPRESSION_KEY, or SECRET_KEY where it is not set. A hash cannot be renewed without its
    address, so a site that replaces its SECRET_KEY needs the former or suppressions end with the last fallback.
    """
    keys = [settings.NEWSLETTER_SUPPRESSION_KEY, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    value = addresses.key(address)
    return [
        salted_hmac("newsletter.suppression", value, secret=key, algorithm="sha256").hexdigest() for key in keys if key
    ]
