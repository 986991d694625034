"""Settings that are read by machines elsewhere: addresses and keys, each checked before the site starts."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from .mail_urls import is_loopback


def web_address(name: str, address: str) -> str:
    """An address that is asked by this site or by its readers' programs; empty where there is none."""
    address = address.strip()
    try:
        parts = urlsplit(address)
        is_right = bool(parts.hostname) and (parts.scheme == "https" or is_loopback(parts.hostname))
    except ValueError:
        is_right = False
    if address and not (is_right and re.fullmatch(r"https?://[!#-;=?-~]+", address)):
        raise ImproperlyConfigured(f"{name} must be an address that begins with https://, not {address!r}.")
    return address


def indexnow_key(name: str, key: str) -> str:
    """A key in the form of the protocol (indexnow.org); it is public, at an address of its own."""
    key = key.strip()
    if key and not re.fullmatch(r"[A-Za-z0-9-]{8,128}", key):
        raise ImproperlyConfigured(f"{name} must be 8 to 128 letters, digits and hyphens, not {key!r}.")
    return key


def contact(name: str, address: str) -> str:
    """Where people are reached: a page or a mail address (RFC 9116, section 2.5.3)."""
    address = address.strip()
    if address and not re.fullmatch(r"(https://|mailto:[^\s@]+@)[^\s@]+", address):
        raise ImproperlyConfigured(f"{name} must begin with https:// or mailto:, not {address!r}.")
    return address


def page_cache_server(name: str, address: str) -> str:
    """Read the address of a Redis or Valkey server; both speak the same protocol."""
    scheme, _, rest = address.partition("://")
    schemes = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss", "unix": "unix"}
    if scheme not in schemes or not rest:
        raise ImproperlyConfigured(f"{name} must be redis://host:6379/0, rediss://…, unix:///path or off.")
    return f"{schemes[scheme]}://{rest}"
