"""Where mails that came back lie: a Maildir folder, or a mailbox on a mail server.

Each `read_*` hands over one mail after the other. What is understood is deleted once it has been dealt with; what is
not stays for a person to look at.
"""

import imaplib
import os
import poplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .bounces import LIMIT

type Deal = Callable[[bytes], bool]

# So many mails at once, so that a flood does not keep a run going for ever; and how long a server may take, seconds.
AT_ONCE = 5_000
TIMEOUT = 60

# A mail on one long line would stop every later run at the same place: poplib gives up at 2,048 bytes.
poplib._MAXLINE = LIMIT  # type: ignore[attr-defined]


class UnreachableError(Exception):
    """A mailbox could not be read now: `args[0]` says why."""


def is_maildir(path: Path) -> bool:
    return (path / "new").is_dir() and (path / "cur").is_dir()


def read_maildir(path: Path, deal: Deal) -> None:
    """Go through the new mails of a Maildir folder; those that are not understood are moved to the seen ones."""
    for mail in sorted((path / "new").iterdir())[:AT_ONCE]:
        if deal(read_file(mail)):
            mail.unlink(missing_ok=True)
        else:
            os.rename(mail, path / "cur" / f"{mail.name.partition(':')[0]}:2,S")


def read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LIMIT)


def read_mailbox(options: Mapping[str, Any], deal: Deal) -> None:
    """Go through a mailbox on a server, as `settings.BOUNCE_MAILBOX` describes one. Raises `UnreachableError`."""
    read = read_imap if options["protocol"] == "imap" else read_pop3
    try:
        read(options, deal)
    except (imaplib.IMAP4.error, poplib.error_proto, OSError, EOFError) as error:
        raise UnreachableError(f"{options['host']}: {type(error).__name__}: {error}") from error


def read_imap(options: Mapping[str, Any], deal: Deal) -> None:
    """Go through the unseen mails of a folder; those that are not understood are marked as seen."""
    with _imap(options) as server:
        _ok(server.select('"' + options["folder"].replace("\\", "\\\\").replace('"', '\\"') + '"'))
        uids = _ok(server.uid("SEARCH", "UNSEEN", "UNDELETED"))[0].split()
        try:
            for uid in uids[:AT_ONCE]:
                # PEEK: a run that ends here leaves the mail as it was.
                found = _ok(server.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{LIMIT}>)"))
                raw = next((part[1] for part in found if isinstance(part, tuple)), None)
                if raw is not None:
                    flag = r"(\Deleted)" if deal(raw) else r"(\Seen)"
                    _ok(server.uid("STORE", uid.decode(), "+FLAGS.SILENT", flag))
        finally:
            server.expunge()


def read_pop3(options: Mapping[str, Any], deal: Deal) -> None:
    """Go through all mails. POP3 has no marks, so those that are not understood are met again, at the beginning."""
    with _pop3(options) as server:
        for entry in server.list()[1][:AT_ONCE]:
            number, size = (int(part) for part in entry.split()[:2])
            lines = server.top(number, 5_000)[1] if size > LIMIT else server.retr(number)[1]
            if deal(b"\r\n".join(lines)):
                server.dele(number)


@contextmanager
def _imap(options: Mapping[str, Any]) -> Iterator[imaplib.IMAP4]:
    host, port, context = options["host"], options["port"], ssl.create_default_context()
    if options["security"] == "ssl":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT)
    else:
        server = imaplib.IMAP4(host, port, timeout=TIMEOUT)
    try:
        if options["security"] == "tls":
            server.starttls(context)
        server.login(options["username"], options["password"])
        yield server
    finally:
        # An error here must not hide why the dialogue ended.
        with suppress(imaplib.IMAP4.error, OSError):
            server.logout()
        with suppress(OSError):
            server.shutdown()


@contextmanager
def _pop3(options: Mapping[str, Any]) -> Iterator[poplib.POP3]:
    host, port, context = options["host"], options["port"], ssl.create_default_context()
    if options["security"] == "ssl":
        server: poplib.POP3 = poplib.POP3_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = poplib.POP3(host, port, timeout=TIMEOUT)
    try:
        if options["security"] == "tls":
            server.stls(context)
        server.user(options["username"])
        server.pass_(options["password"])
        yield server
    finally:
        # This deletes what was marked: each of those has been dealt with.
        with suppress(poplib.error_proto, OSError):
            server.quit()
        with suppress(OSError):
            server.close()


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(str(answer[1][:1])[:200])
    return answer[1]
