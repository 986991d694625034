"""What counts as an e-mail address here, and when two of them are the same."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.encoding import punycode

MAX_LENGTH = 254  # RFC 5321 through erratum 1690
MAX_LOCAL_LENGTH = 64

INVALID = "Enter an e-mail address, such as name@example.com."

_validate = EmailValidator(message=INVALID, allowlist=[])


def canonical(address: str) -> str:
    """Check a typed address and return it as mail is sent to it: local part as typed, domain in lower-case ASCII.

    Raises `ValidationError`, also for what the mail standards allow but nobody owns: quoted local parts, bare hosts,
    numbers in brackets in place of a domain.
    """
    _validate(address)
    local, domain = address.rsplit("@", 1)
    try:
        domain = punycode(domain).lower()
    except UnicodeError:
        domain = ""
    # The validator's pattern ignores case, by which “ſ” and the sign of the kelvin pass for letters of ASCII.
    if not local.isascii() or local.startswith('"') or not domain or domain.startswith("["):
        raise ValidationError(INVALID, code="invalid")
    if len(local) > MAX_LOCAL_LENGTH or len(local) + 1 + len(domain) > MAX_LENGTH:
        raise ValidationError("This address is longer than an e-mail address can be.", code="too_long")
    return f"{local}@{domain}"


def key(address: str) -> str:
    """What two spellings of one address have in common. Takes what `canonical` returned, or any checked address."""
    local, domain = address.strip().rsplit("@", 1)
    return f"{local}@{punycode(domain)}".lower()


@cache
def _known_disposable() -> frozenset[str]:
    lines = Path(__file__).with_name("disposable_domains.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_disposable(address: str) -> bool:
    """Whether the address, or a domain above its own, belongs to a service of throw-away addresses."""
    refused = _known_disposable() | set(settings.NEWSLETTER_REFUSED_DOMAINS)
    labels = key(address).rsplit("@", 1)[1].split(".")
    return any(".".join(labels[start:]) in refused for start in range(len(labels) - 1))
