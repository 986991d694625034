"""The mails of an edition, as bytes: what is the same for all is made once, the rest for each subscriber.

Python’s own encoder takes milliseconds for a mail, which a million mails do not have. Quoted-printable encodes each
line by itself (RFC 2045, section 6.7), so that only the lines with merge fields are encoded again.
"""

import email.policy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import quoprimime
from email.message import EmailMessage
from email.utils import formatdate
from functools import cached_property

from . import merging, signing
from .letters import LIST_UNSUBSCRIBE_POST, Letter, list_id, mail_host
from .models import EditionContent

CRLF = b"\r\n"


def clock() -> float:
    """Seconds that run on while the process is stopped or the machine sleeps; no moment of any calendar."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True)
class Recipient:
    """Whom a delivery goes to."""

    delivery: int
    token: str
    address: str


class Mailing:
    """The frozen content of an edition, ready for any number of subscribers."""

    def __init__(self, content: EditionContent) -> None:
        self.content = content
        self._boundary = f"=_{signing.make_token()}"  # what quoted-printable never holds
        # Of the list; the same for all.
        self.headers = {"List-Id": list_id(), "List-Unsubscribe-Post": LIST_UNSUBSCRIBE_POST}
        self._head = _headers(
            {
                "Subject": content.subject,
                "From": content.sender,
                **self.headers,
                "MIME-Version": "1.0",
                "Content-Type": f'multipart/alternative; boundary="{self._boundary}"',
            }
        )
        self._text = list(_pieces(content.text))
        self._html = list(_pieces(content.html))

    def mail_for(self, recipient: Recipient) -> "Mail":
        return Mail(self, recipient, merging.values(recipient.token, recipient.address))

    def as_bytes(self, mail: "Mail") -> bytes:
        """The whole mail in lines that end with CRLF, in seven bits, as it goes over the wire but for stuffed dots."""
        opening = CRLF + b"--" + self._boundary.encode()
        headers = {"To": mail.recipient.address, **mail.own_headers}
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
        return b"".join(
            [
                *(self._head, own, opening, _part("plain")),
                *_filled(self._text, mail.fields, is_html=False),
                *(opening, _part("html")),
                *_filled(self._html, mail.fields, is_html=True),
                *(opening, b"--", CRLF),
            ]
        )


@dataclass(frozen=True)
class Mail:
    """One edition for one subscriber."""

    mailing: Mailing
    recipient: Recipient
    fields: dict[str, str]

    @property
    def envelope_sender(self) -> str:
        """Where bounces go (RFC 5321, section 3.6.3)."""
        return signing.bounce_address(self.recipient.delivery)

    @cached_property
    def own_headers(self) -> dict[str, str]:
        """Headers that no other mail has, beside To. The Message-ID follows from the delivery: copies are known."""
        delivery = self.recipient.delivery
        return {
            "Date": formatdate(),
            "Message-ID": f"<{signing.sign_delivery(delivery)}@{mail_host()}>",
            "List-Unsubscribe": f"<{self.fields[merging.UNSUBSCRIBE]}>",
        }

    @property
    def text(self) -> str:
        return merging.merged_text(self.mailing.content.text, self.fields)

    @property
    def html(self) -> str:
        return merging.merged_html(self.mailing.content.html, self.fields)

    def letter(self, headers: Mapping[str, str]) -> Letter:
        """The mail in parts, for whoever puts it together; with the list’s headers and these."""
        content = self.mailing.content
        letter = Letter(
            subject=content.subject,
            body=self.text,
            from_email=content.sender,
            to=[self.recipient.address],
            headers={**self.mailing.headers, **headers},
        )
        letter.attach_alternative(self.html, "text/html")
        return letter

    @property
    def raw(self) -> bytes:
        return self.mailing.as_bytes(self)


def _headers(headers: dict[str, str]) -> bytes:
    policy, message = email.policy.SMTP, EmailMessage(policy=email.policy.SMTP)
    for name, value in headers.items():
        message[name] = value
    return b"".join(policy.fold_binary(name, message[name]) for name in headers)


def _part(subtype: str) -> bytes:
    head = f'\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode()


def _pieces(text: str) -> Iterator[bytes | str]:
    """Lines without merge fields, encoded together, and lines with one, to be encoded when they are filled."""
    fixed: list[str] = []
    for line in text.splitlines():
        if merging.FIELD.search(line):
            yield _encoded("\n".join(fixed)) if fixed else b""
            fixed.clear()
            yield line
        else:
            fixed.append(line)
    yield _encoded("\n".join(fixed)) if fixed else b""


def _encoded(lines: str) -> bytes:
    body = quoprimime.body_encode(f"{lines}\n".encode().decode("latin-1"), eol="\r\n")
    return body.encode("ascii")


def _filled(pieces: list[bytes | str], fields: dict[str, str], *, is_html: bool) -> Iterator[bytes]:
    merged = merging.merged_html if is_html else merging.merged_text
    for piece in pieces:
        yield piece if isinstance(piece, bytes) else _encoded(merged(piece, fields))
