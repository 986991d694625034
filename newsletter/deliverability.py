"""What can be said, without asking anybody, of whether mailboxes will take our mail: from settings and one sample."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings

from veltrix.mail_urls import PROVIDERS, is_loopback

from .letters import LIST_UNSUBSCRIBE_POST
from .signing import bounce_address

# Gmail cuts the HTML of a mail there.
MOST_BYTES_OF_HTML = 102_000
# RFC 5322, section 2.1.1, without the line's end.
LONGEST_LINE = 998

# Domains of mailboxes whose policy asks that nobody else's server writes in their name.
_FREE_MAIL = {"gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "aol.com"}
_LIST_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_RESULT = re.compile(r"\b(spf|dkim|dmarc)=([a-z]+)", re.IGNORECASE)


class Level(Enum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    level: Level
    subject: str
    message: str


def of_settings() -> list[Finding]:
    checks: list[Callable[[], Iterator[Finding]]] = [_site, _sender, _transport, _bounces, _webhooks, _postal, _key]
    return [finding for check in checks for finding in check()]


def of_sample(raw: bytes) -> list[Finding]:
    """A mail as it arrived (best, for it is signed then) or as it left."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        return [finding for check in _SAMPLE_CHECKS for finding in check(raw, message)]
    except (ValueError, LookupError, AttributeError) as error:
        return [_error("sample", f"It is not a mail that can be read ({type(error).__name__}).")]


def records() -> list[str]:
    """What is to be published in the DNS, in the form of a zone's lines; in brackets, what the mail server knows."""
    sender, envelope = _domain(settings.DEFAULT_FROM_EMAIL), _domain(bounce_address(1))
    return [
        f'{envelope}. TXT "v=spf1 [what the server or provider says] -all"',
        f'[selector]._domainkey.{sender}. TXT "v=DKIM1; k=rsa; p=[the public key]"',
        f'_dmarc.{sender}. TXT "v=DMARC1; p=none; rua=mailto:[an address that is read]"',
        f"{envelope}. MX 10 [the server that takes the bounces]",
        "[the server’s address, backwards].in-addr.arpa. PTR [the name that it greets with, which leads back to it]",
    ]


def _ok(subject: str, message: str) -> Finding:
    return Finding(Level.OK, subject, message)


def _warning(subject: str, message: str) -> Finding:
    return Finding(Level.WARNING, subject, message)


def _error(subject: str, message: str) -> Finding:
    return Finding(Level.ERROR, subject, message)


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2].lower()


def _are_aligned(one: str, other: str) -> bool:
    """Whether one domain is the other or lies under it: what DMARC calls relaxed, without a list of public suffixes."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _site() -> Iterator[Finding]:
    if settings.SITE_URL.startswith("https://"):
        yield _ok("site", "Links in mails lead to https.")
    else:
        yield _error("site", "One-click unsubscription asks for https: set SITE_URL to the public address.")


def _sender() -> Iterator[Finding]:
    domain, host = _domain(settings.DEFAULT_FROM_EMAIL), urlsplit(settings.SITE_URL).hostname or ""
    if "." not in domain:
        yield _error("sender", f"MAIL_FROM has no domain that could be written to: {domain or 'none'}.")
    elif domain in _FREE_MAIL:
        yield _error("sender", f"MAIL_FROM is at {domain}, in whose name only its own servers may write.")
    elif not _are_aligned(domain, host):
        yield _warning("sender", f"MAIL_FROM is at {domain}, the site at {host}: readers trust one name more than two.")
    else:
        yield _ok("sender", f"Mail comes from {domain}, where the site is.")


def _mailer() -> tuple[str, str, dict[str, object]]:
    """The kind of the editions' mailer (`smtp`, a provider's name, `files`), and its options."""
    mailer = settings.MAILERS.get("newsletter") or settings.MAILERS["default"]
    parts = mailer["BACKEND"].split(".")
    kind = parts[2] if parts[0] == "anymail" else "smtp" if "smtp" in parts else "files"
    return kind, "NEWSLETTER_EMAIL_URL" if "newsletter" in settings.MAILERS else "EMAIL_URL", mailer.get("OPTIONS", {})


def _transport() -> Iterator[Finding]:
    kind, name, options = _mailer()
    if kind == "files":
        yield _error("transport", f"Mail is written to files: set {name} to a mail server or a provider.")
    elif kind in PROVIDERS:
        if PROVIDERS[kind].can_switch_off_tracking:
            yield _ok("transport", f"Editions leave by {kind}, which is told with each mail not to track it.")
        else:
            yield _warning("transport", f"Editions leave by {kind}: switch off open and click tracking in the account.")
    elif options.get("use_tls") or options.get("use_ssl") or is_loopback(str(options.get("host"))):
        yield _ok("transport", "Editions leave by SMTP, over TLS or on this machine.")
    else:
        yield _warning("transport", f"Editions leave by SMTP in clear: begin {name} with smtp+tls:// or smtp+ssl://.")


def _bounces() -> Iterator[Finding]:
    kind, _, _ = _mailer()
    address: str = settings.NEWSLETTER_BOUNCE_ADDRESS
    if kind in PROVIDERS:
        yield _ok("bounces", f"{kind} takes the bounces.")
        return
    if not address:
        yield _error("bounces", "They come back to the sender and end nothing: set NEWSLETTER_BOUNCE_ADDRESS.")
        return
    domain = _domain(address)
    if not _are_aligned(domain, _domain(settings.DEFAULT_FROM_EMAIL)):
        yield _warning("bounces", f"They go to {domain}, so that SPF speaks for another domain than the sender’s.")
    else:
        yield _ok("bounces", f"Each mail has a return address of its own at {domain}.")
    if settings.BOUNCE_MAILBOX:
        yield _ok("bounces", "They are fetched from BOUNCE_MAILBOX: let process_bounces run every few minutes.")
    else:
        yield _warning("bounces", "BOUNCE_MAILBOX is not set: let the mail server pipe them to process_bounces -.")


def _webhooks() -> Iterator[Finding]:
    kind, _, _ = _mailer()
    if kind in PROVIDERS and kind not in settings.NEWSLETTER_WEBHOOKS:
        yield _error("reports", f"Nobody hears what {kind} reports: set NEWSLETTER_WEBHOOKS, and its webhook.")
    for provider in settings.NEWSLETTER_WEBHOOKS:
        yield _ok("reports", f"{provider} reports to {settings.SITE_URL}/newsletter/reports/{provider}/")


def _postal() -> Iterator[Finding]:
    if settings.NEWSLETTER_POSTAL_ADDRESS:
        yield _ok("postal address", "It stands at the foot of every mail.")
    else:
        yield _error("postal address", "The law of many countries asks for one: set NEWSLETTER_POSTAL_ADDRESS.")


def _key() -> Iterator[Finding]:
    if settings.NEWSLETTER_SUPPRESSION_KEY:
        yield _ok("suppression", "It outlives a change of SECRET_KEY.")
    else:
        yield _warning("suppression", "Set NEWSLETTER_SUPPRESSION_KEY before the first subscriber; see the README.")


def _lines(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    longest = max((len(line) for line in raw.splitlines()), default=0)
    if longest > LONGEST_LINE:
        yield _error("lines", f"One has {longest} bytes: servers break or refuse what is longer than {LONGEST_LINE}.")
    else:
        yield _ok("lines", f"The longest has {longest} bytes.")
    if not raw.isascii():
        yield _warning("lines", "It is not in seven bits: a server on the way may rewrite it and break its signature.")


def _headers(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        number = len(message.get_all(name, []))
        if number != 1:
            yield _error(name, f"There are {number} of this header; there has to be one.")
    if len(message.get_all("From", [])) == 1:
        sender = _domain(str(message["From"]))
        if sender != _domain(settings.DEFAULT_FROM_EMAIL):
            yield _warning("From", f"The sample is from {sender}, which is not MAIL_FROM.")
    if "Message-ID" in message and not re.fullmatch(
        r"<[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>", str(message["Message-ID"]).strip()
    ):
        yield _error("Message-ID", "It has not the form <name@domain>.")


def _unsubscription(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    """On the raw bytes: the parser would undo what breaks it for mail programs."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    found = re.findall(rb"^List-Unsubscribe:(.*(?:\r?\n[ \t].*)*)", head, re.IGNORECASE | re.MULTILINE)
    if len(found) != 1:
        yield _error("List-Unsubscribe", f"There are {len(found)} of this header; there has to be one.")
    elif b"\n" in found[0].rstrip() or b"=?" in found[0]:
        yield _error("List-Unsubscribe", "It is folded or encoded: many mail programs do not find the address then.")
    elif not re.search(rb"<https://[^<>\s]+>", found[0]):
        yield _error("List-Unsubscribe", "It holds no https address.")
    else:
        yield _ok("List-Unsubscribe", "One https address, on one line, not encoded.")
    if str(message["List-Unsubscribe-Post"] or "").strip() != LIST_UNSUBSCRIBE_POST:
        yield _error("List-Unsubscribe-Post", f"It has to be exactly {LIST_UNSUBSCRIBE_POST} (RFC 8058).")
    else:
        yield _ok("List-Unsubscribe-Post", "One click is offered.")


def _signature(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    signatures = [_tags(str(value)) for value in message.get_all("DKIM-Signature", [])]
    if not signatures:
        yield _warning("DKIM", "The sample is not signed. Take one as it arrived, to see what the server signs.")
        return
    sender = _domain(str(message["From"] or ""))
    own = [tags for tags in signatures if _are_aligned(tags.get("d", "").lower(), sender)]
    if not own:
        yield _error("DKIM", f"No signature is by {sender}, so that none counts for DMARC.")
        return
    signed = {name.strip().lower() for tags in own for name in tags.get("h", "").split(":")}
    for name in ("from", *_LIST_HEADERS):
        if name not in signed:
            yield _error("DKIM", f"The signature does not cover {name}: add it to the signed headers (h=).")
    if {"from", *_LIST_HEADERS} <= signed:
        yield _ok("DKIM", f"A signature by {own[0]['d']} covers the sender and both list headers.")
    if any("l" in tags for tags in own):
        yield _warning("DKIM", "It covers a part of the body only (l=): anybody may add to it.")
    if any(tags.get("a", "").lower() == "rsa-sha1" for tags in own):
        yield _error("DKIM", "It is made with SHA-1, which counts for nothing: use rsa-sha256.")


def _tags(value: str) -> dict[str, str]:
    pairs = ("".join(pair.split()).partition("=")[::2] for pair in value.split(";"))
    return {name: content for name, content in pairs if name}


def _results(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    """What the server that took the sample found: its header stands above all others."""
    results = str((message.get_all("Authentication-Results") or [""])[0])
    for method, result in dict(_RESULT.findall(results)).items():
        if result.lower() == "pass":
            yield _ok(method.upper(), "It passed where the sample arrived.")
        else:
            yield _error(method.upper(), f"It came to “{result}” where the sample arrived.")


def _parts(raw: bytes, message: EmailMessage) -> Iterator[Finding]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    if message.get_content_type() != "multipart/alternative" or text is None or html is None:
        yield _error("parts", "A mail has a text and an HTML part (multipart/alternative).")
    elif not str(text.get_content()).strip():
        yield _error("parts", "The text part is empty.")
    else:
        yield _ok("parts", "There is a text beside the HTML.")
    if html is None:
        return
    content = str(html.get_content())
    if (size := len(content.encode("utf-8", "replace"))) > MOST_BYTES_OF_HTML:
        yield _warning("size", f"The HTML has {size} bytes: Gmail shows {MOST_BYTES_OF_HTML} and hides the rest.")
    else:
        yield _ok("size", f"The HTML has {size} bytes, the whole {len(raw)}.")
    yield from _tracking(content)


def _tracking(html: str) -> Iterator[Finding]:
    """What a provider had put in: nobody is told who opens a mail or follows a link; that is a promise."""
    site = settings.SITE_URL + "/"
    pictures = [source for source in re.findall(r"<img\b[^>]*?\bsrc=[\"']?(https?://[^\"'\s>]+)", html, re.IGNORECASE)]
    links = re.findall(r"<a\b[^>]*?\bhref=[\"']?(https?://[^\"'\s>]+)", html, re.IGNORECASE)
    if any(not source.startswith(site) for source in pictures):
        yield _error("tracking", "A picture is loaded from elsewhere: somebody tracks who opens it. Switch that off.")
    if links and not any(link.startswith(site) for link in links):
        yield _error("tracking", "No link leads here: somebody has rewritten them to track clicks. Switch that off.")


_SAMPLE_CHECKS: list[Callable[[bytes, EmailMessage], Iterator[Finding]]] = [
    _headers,
    _unsubscription,
    _signature,
    _results,
    _parts,
    _lines,
]
