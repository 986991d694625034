"""Mails that come back: reports of mail servers (RFC 3464), of readers who complain (RFC 5965), and what older servers
write. Which delivery one is about is told by a name that nobody can make up (`signing.sign_delivery`), never by an
address in it: anybody can write to the mailbox.
"""

import email
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr
from enum import Enum
from typing import cast

from flufl.bounce import all_failures

from . import replies, reports, signing
from .models import Delivery, MailReport

logger = logging.getLogger(__name__)

# What is read of a mail, bytes: a report comes before the mail that it returns.
LIMIT = 1_000_000
SOURCE = "mailbox"

# The envelope's sender (`+name@`) or the Message-ID (`<name@`), wherever a report repeats it.
_NAME = re.compile(rb"[+<]([0-9a-f]{1,16}\.[a-z2-7]{16})@", re.IGNORECASE)
# RFC 5965, section 7.3. Others are about authentication, or say that it is no spam.
_COMPLAINTS = {"abuse", "fraud", "virus", "other"}
_SERVERS = {"mailer-daemon", "postmaster"}


class What(Enum):
    """What a mail turned out to be; the values are printed."""

    BOUNCE = "bounces"
    COMPLAINT = "complaints"
    DELIVERED = "delivered"
    DELAY = "still being tried"
    AUTO_REPLY = "automatic replies"
    REPEATED = "known already"
    FORGED = "with a forged name"
    NAMELESS = "of no delivery of ours"
    OTHER = "not understood"


@dataclass(frozen=True)
class Finding:
    what: What
    status: str = ""
    diagnostic: str = ""


def deal_with(raw: bytes) -> What:
    """Read a mail and record what it reports. Raises nothing but what the database does."""
    finding, names = _understood(raw[:LIMIT])
    kind = _kind(finding)
    if kind is None:
        return finding.what
    known = [number for name in names if (number := signing.read_delivery(name)) is not None]
    delivery = Delivery.objects.select_related("subscriber").filter(pk__in=known[:1]).first()
    if delivery is None:
        return What.FORGED if names and not known else What.NAMELESS
    report = reports.record(
        kind,
        SOURCE,
        reports.key_of(raw),
        delivery=delivery,
        status=finding.status,
        diagnostic=finding.diagnostic,
    )
    return finding.what if report or kind == MailReport.Kind.DELIVERED else What.REPEATED


def read(raw: bytes) -> Finding:
    """What a mail says, whatever its bytes are."""
    return _understood(raw[:LIMIT])[0]


def _understood(raw: bytes) -> tuple[Finding, list[str]]:
    try:
        message = email.message_from_bytes(raw)
        return _finding(message), list(dict.fromkeys(_names(raw, message)))
    except Exception as error:  # noqa: BLE001
        # Strangers write these, and parsers of mail have their limits: what cannot be read is left for a person.
        logger.warning("A mail could not be read: %s", type(error).__name__)
        return Finding(What.OTHER), []


def _kind(finding: Finding) -> MailReport.Kind | None:
    match finding.what:
        case What.BOUNCE:
            return reports.kind_of(finding.status)
        case What.COMPLAINT:
            return MailReport.Kind.COMPLAINT
        case What.DELIVERED:
            return MailReport.Kind.DELIVERED
    return None


def _names(raw: bytes, message: Message) -> Iterator[str]:
    """Names of deliveries, by their looks: those of the mail's own address first, for that is the envelope's."""
    encoded = [part for part in message.walk() if not part.is_multipart() and "content-transfer-encoding" in part]
    for text in [raw, *(bytes(part.get_payload(decode=True) or b"") for part in encoded)]:
        for name in _NAME.findall(text):
            yield name.decode("ascii")


def _finding(message: Message) -> Finding:
    parts = {part.get_content_type(): part for part in reversed(list(_outer_parts(message)))}
    if feedback := parts.get("message/feedback-report"):
        return _of_feedback(feedback)
    if (status := parts.get("message/delivery-status")) and (finding := _of_status(status)):
        return finding
    is_of_server = "X-Failed-Recipients" in message or _local_part(message["From"]) in _SERVERS
    if _is_automatic(message) and not is_of_server:
        return Finding(What.AUTO_REPLY)
    for_now, for_good = all_failures(message)
    if for_good:
        words = replies.words(_text(message))
        return Finding(What.BOUNCE, reports.status_in(words), _around_status(words))
    return Finding(What.DELAY if for_now else What.OTHER)


def _of_feedback(part: Message) -> Finding:
    """RFC 5965, section 3. The parser takes the fields for the head of an embedded mail."""
    fields = _embedded(part)[0] if part.is_multipart() else email.message_from_string(str(part.get_payload()))
    kind = _field(fields, "Feedback-Type").lower()
    return Finding(What.COMPLAINT if kind in _COMPLAINTS else What.OTHER, "", kind)


def _of_status(part: Message) -> Finding | None:
    """RFC 3464, section 2.3: what became of our one recipient. The remote server's words outweigh the reporter's."""
    acts = {_field(block, "Action").lower(): block for block in _embedded(part)}
    if failed := acts.get("failed"):
        words = _field(failed, "Diagnostic-Code")
        return Finding(What.BOUNCE, reports.status_in(words) or reports.status_in(_field(failed, "Status")), words)
    if "delivered" in acts:
        return Finding(What.DELIVERED)
    return Finding(What.DELAY) if acts.keys() & {"delayed", "relayed", "expanded"} else None


def _is_automatic(message: Message) -> bool:
    """RFC 3834, section 5, and what programs wrote before it."""
    if _field(message, "Auto-Submitted").lower().startswith("auto-"):
        return True
    old = ("X-Autoreply", "X-Autorespond", "X-Vacation")
    return any(name in message for name in old) or _field(message, "Precedence").lower() == "auto_reply"


def _outer_parts(message: Message) -> Iterator[Message]:
    """The mail and its parts, without those of mails that it returns."""
    yield message
    if message.get_content_maintype() == "multipart":
        for part in _embedded(message):
            yield from _outer_parts(part)


def _embedded(message: Message) -> list[Message]:
    return cast(list[Message], message.get_payload()) if message.is_multipart() else []


def _text(message: Message) -> str:
    texts = [part for part in _outer_parts(message) if part.get_content_maintype() == "text"]
    return b"\n".join(bytes(part.get_payload(decode=True) or b"") for part in texts).decode("utf-8", "replace")


def _around_status(words: str) -> str:
    """The words about the status, of a text that begins with excuses."""
    at = words.find(reports.status_in(words))
    return words[max(at - 40, 0) : at + 200]


def _local_part(value: object) -> str:
    return parseaddr(str(value or ""))[1].partition("@")[0].lower()


def _field(message: Message, name: str) -> str:
    return replies.words(str(message.get(name, "")))
