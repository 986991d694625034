"""A finished page: how it is made of an answer, kept as bytes, and given."""

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Self

from .encodings import IDENTITY, encoded

type Header = tuple[str, str]

# The mark of the form in which pages are kept, their checksum, and how long their description is.
HEAD = struct.Struct(">8sII")
FORM = b"veltrix1"
# They are made anew for each body, or say what is true of one answer only.
OF_ONE_BODY = {"content-length", "etag", "content-encoding", "vary", "last-modified", "date"}
# RFC 9110, section 15.4.5: what describes a body that is not sent stays away.
NOT_IN_304 = {"content-length", "content-type", "content-encoding", "content-disposition", "content-language"}


class DamagedPageError(Exception):
    """What was kept is not what was written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page in one coding."""

    headers: list[Header]
    headers_of_304: list[Header]
    etag: str
    body: bytes

    def is_known(self, if_none_match: str) -> bool:
        """Whether a client that names these entity tags has it (the weak comparison of RFC 9110, section 13.1.2)."""
        known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return self.etag in known or "*" in known


@dataclass(frozen=True, slots=True)
class Page:
    """A page in every coding, right until a moment (seconds since 1970)."""

    until: float
    answers: Mapping[str, Answer]

    @classmethod
    def of(cls, headers: Iterable[Header], body: bytes, *, until: float, now: float) -> Self:
        """The page that an answer of status 200 makes."""
        kept = [(name, value) for name, value in headers if name.lower() not in OF_ONE_BODY]
        modified = next((value for name, value in headers if name.lower() == "last-modified"), "")
        kept.append(("Last-Modified", modified or formatdate(now, usegmt=True)))
        content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
        return cls._described(until, kept, encoded(body, content_type))

    @classmethod
    def _described(cls, until: float, headers: list[Header], bodies: Mapping[str, bytes]) -> Self:
        digest = base64.urlsafe_b64encode(hashlib.sha256(bodies[IDENTITY]).digest()[:15]).decode()
        shared = [*headers, ("Vary", "Accept-Encoding")]
        answers = {}
        for coding, body in bodies.items():
            # A strong tag is of one sequence of bytes, so each coding has its own (RFC 9110, section 8.8.3).
            etag = f'"{digest}"' if coding == IDENTITY else f'"{digest}-{coding}"'
            all_headers = [*shared, ("ETag", etag), ("Content-Length", str(len(body)))]
            if coding != IDENTITY:
                all_headers.append(("Content-Encoding", coding))
            of_304 = [(name, value) for name, value in all_headers if name.lower() not in NOT_IN_304]
            answers[coding] = Answer(all_headers, of_304, etag, body)
        return cls(until, answers)

    @property
    def size(self) -> int:
        return sum(len(answer.body) for answer in self.answers.values()) + 4_000

    def answer(self, coding: str) -> Answer:
        return self.answers.get(coding) or self.answers[IDENTITY]

    def written(self) -> bytes:
        """The page as bytes, with a checksum over all of them."""
        plain = self.answers[IDENTITY]
        own = {"vary", "etag", "content-length"}
        description = {
            "until": self.until,
            "headers": [header for header in plain.headers if header[0].lower() not in own],
            "lengths": {coding: len(answer.body) for coding, answer in self.answers.items()},
        }
        head = json.dumps(description).encode()
        rest = b"".join([head, *(answer.body for answer in self.answers.values())])
        return HEAD.pack(FORM, zlib.crc32(rest), len(head)) + rest

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The page that was written. Raises `DamagedPageError` where that cannot be it."""
        try:
            form, checksum, length = HEAD.unpack_from(data)
            rest = memoryview(data)[HEAD.size :]
            if form != FORM or zlib.crc32(rest) != checksum:
                raise DamagedPageError
            description = json.loads(bytes(rest[:length]))
            bodies, start = {}, length
            for coding, size in description["lengths"].items():
                bodies[coding] = bytes(rest[start : start + size])
                start += size
            headers = [(name, value) for name, value in description["headers"]]
            return cls._described(description["until"], headers, bodies)
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise DamagedPageError from error
