"""Mail servers, providers and mailboxes, each as one address of an environment variable."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_MAILBOX_PORTS = {"imap+ssl": 993, "imap+tls": 143, "pop3+ssl": 995, "pop3+tls": 110, "imap": 143, "pop3": 110}


@dataclass(frozen=True)
class Provider:
    """How an address `name://KEY` becomes options of Anymail's backend: the names of those options.

    `signed_by` is the option of a webhook that is signed with a key; the others send a password (HTTP basic).
    `can_switch_off_tracking` says whether its API takes that a mail is not to be tracked; with others, it is switched
    off in the account.
    """

    key: str
    second_key: str = ""
    domain: str = ""
    query: dict[str, str] = field(default_factory=dict)
    signed_by: str = ""
    can_switch_off_tracking: bool = True


# Those whose API takes headers and metadata, and whose webhooks prove where they come from.
PROVIDERS = {
    "brevo": Provider(key="api_key", can_switch_off_tracking=False),
    "mailgun": Provider(key="api_key", domain="sender_domain", signed_by="webhook_signing_key"),
    "mailjet": Provider(key="api_key", second_key="secret_key"),
    "postmark": Provider(key="server_token", query={"stream": "message_stream"}),
    "resend": Provider(key="api_key", can_switch_off_tracking=False),
    "sparkpost": Provider(key="api_key", query={"subaccount": "subaccount"}),
}


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def mail_server(name: str, address: str, timeout: int) -> dict[str, Any]:
    """A mailer by an address of the form smtp://, smtp+tls:// (STARTTLS) or smtp+ssl://user:password@host:port."""
    url, port = _split(address)
    if url.scheme not in {"smtp", "smtp+tls", "smtp+ssl"} or not url.hostname or not port:
        raise ImproperlyConfigured(
            f"{name} must have the form smtp+tls://user:password@host:587 (or smtp://, smtp+ssl://)."
        )
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": url.hostname,
            "port": port,
            "username": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "use_tls": url.scheme == "smtp+tls",
            "use_ssl": url.scheme == "smtp+ssl",
            "timeout": timeout,
        },
    }


def mail_server_or_provider(name: str, address: str, timeout: int) -> dict[str, Any]:
    """A mailer by the address of a mail server, or of a provider: postmark://TOKEN, mailgun://KEY@domain and so on."""
    url, _ = _split(address)
    if url.scheme.startswith("smtp"):
        return mail_server(name, address, timeout)
    if url.scheme not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise ImproperlyConfigured(f"{name} must begin with smtp://, smtp+tls://, smtp+ssl:// or one of {known} (://).")
    options = {"timeout": timeout, "ignore_unsupported_features": True, **_provider_options(name, url)}
    return {"BACKEND": f"anymail.backends.{url.scheme}.EmailBackend", "OPTIONS": options}


def mailbox(name: str, address: str) -> dict[str, Any]:
    """A mailbox: imap+ssl://, imap+tls:// (STARTTLS), pop3+ssl:// or pop3+tls://user:password@host/folder."""
    url, port = _split(address)
    protocol, _, security = url.scheme.partition("+")
    if url.scheme not in _MAILBOX_PORTS or not url.hostname or not url.username or port == 0:
        raise ImproperlyConfigured(f"{name} must have the form imap+ssl://user:password@host/INBOX (or pop3+ssl://).")
    if not security and not is_loopback(url.hostname):
        raise ImproperlyConfigured(f"{name} must begin with {protocol}+ssl:// or {protocol}+tls:// on another machine.")
    return {
        "protocol": protocol,
        "security": security,
        "host": url.hostname,
        "port": port or _MAILBOX_PORTS[url.scheme],
        "username": unquote(url.username),
        "password": unquote(url.password or ""),
        "folder": unquote(url.path.strip("/")) or "INBOX",
    }


def bounce_address(name: str, address: str) -> str:
    """An address with room for a plus and the name of a delivery: 64 letters may stand before the @."""
    if address and not re.fullmatch(r"[a-z0-9._-]{1,38}@[a-z0-9.-]+\.[a-z0-9-]+", address, re.IGNORECASE | re.ASCII):
        raise ImproperlyConfigured(f"{name} must have the form bounces@mail.example, without a plus and short.")
    return address


def webhooks(name: str, entries: list[str]) -> dict[str, str]:
    """The secrets of providers’ webhooks, by provider, from `postmark=user:password` or `mailgun=SIGNING-KEY`."""
    secrets = dict(entry.strip().partition("=")[::2] for entry in entries)
    for provider, secret in secrets.items():
        if provider not in PROVIDERS:
            raise ImproperlyConfigured(f"{name} names {provider!r}, which is none of {', '.join(PROVIDERS)}.")
        is_signed = bool(PROVIDERS[provider].signed_by)
        if len(secret) < 16 or not secret.isascii() or (":" not in secret and not is_signed):
            form = f"{provider}=SIGNING-KEY" if is_signed else f"{provider}=user:password"
            raise ImproperlyConfigured(f"{name} must have the form {form}, of 16 letters or more behind the sign.")
    return secrets


def _provider_options(name: str, url: SplitResult) -> dict[str, str]:
    """Not by `hostname`, which would put a token into lower case."""
    provider = PROVIDERS[url.scheme]
    account, at, domain = url.netloc.rpartition("@")
    key, _, secret = (account if at else domain).partition(":")
    given = {provider.key: unquote(key), provider.second_key: unquote(secret), provider.domain: domain if at else ""}
    wanted = {option for option in (provider.key, provider.second_key, provider.domain) if option}
    options = {option: value for option, value in given.items() if option and value}
    if options.keys() != wanted or (secret and not provider.second_key) or (at and not provider.domain) or url.path:
        form = "KEY:SECRET" if provider.second_key else "KEY@domain" if provider.domain else "KEY"
        raise ImproperlyConfigured(f"{name} must have the form {url.scheme}://{form}.")
    for parameter, value in parse_qsl(url.query):
        if parameter == "api_url" and _is_api_url(value):
            options["api_url"] = value
        elif parameter in provider.query:
            options[provider.query[parameter]] = value
        else:
            raise ImproperlyConfigured(f"{name} has an unknown or wrong {parameter!r} behind its question mark.")
    return options


def _is_api_url(value: str) -> bool:
    """Keys travel in clear to this machine only."""
    url, _ = _split(value)
    return bool(url.hostname) and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname)))


def _split(address: str) -> tuple[SplitResult, int | None]:
    """The parts of an address and its port: None without one, 0 for a wrong one."""
    try:
        url = urlsplit(address)
    except ValueError:
        return urlsplit(""), 0
    try:
        return url, url.port
    except ValueError:
        return url, 0
