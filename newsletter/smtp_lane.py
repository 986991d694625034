"""One connection to a mail server, used for one mail after the other.

`smtplib.SMTP.sendmail` says neither in which phase it failed nor whether the final dot had left, which decides whether
a mail may be sent again (RFC 5321, section 4.5.4.1). So the dialogue is our own from MAIL to the reply to the dot.
"""

import re
import select
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any, cast

from django.core.mail.utils import DNS_NAME

from .lanes import Outcome, Verdict
from .mails import Mail
from .replies import words

# RFC 5321, section 4.5.3.2.6: a server may take its time over a whole mail. Twice over makes an uncertain one of it.
FINAL_REPLY_FACTOR = 5
SERVICE_CLOSING = 421
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class _EndedError(Exception):
    """The dialogue about a mail has come to an outcome before its end: `args[0]`."""


class SmtpLane:
    """Options as Django’s SMTP backend has them: host, port, timeout; username, password, use_tls, use_ssl."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self._server: smtplib.SMTP | None = None

    def send(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        try:
            server = self._greeted(mail.envelope_sender)
            self._recipient(server, mail.recipient.address)
            return self._body(server, mail.raw, may_go)
        except _EndedError as ended:
            outcome: Outcome = ended.args[0]
        if outcome.verdict in {Verdict.REFUSED, Verdict.DEFERRED}:
            self._reset()
        else:
            self._drop()
        return outcome

    def close(self) -> None:
        if self._server:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
        self._drop()

    def _greeted(self, sender: str) -> smtplib.SMTP:
        """A server that has taken the sender's name; where it had gone away since the last mail, another connection."""
        if self._server:
            try:
                code, reply = self._server.mail(sender)
            except (OSError, smtplib.SMTPException):
                code = SERVICE_CLOSING
            if code == 250:
                return self._server
            self._drop()
        server = self._server = self._connected()
        code, reply = self._asked(lambda: server.mail(sender))
        if code == 250:
            return server
        raise _ended(Verdict.LOCKED_OUT if code >= 500 else Verdict.UNREACHABLE, code, reply)

    def _connected(self) -> smtplib.SMTP:
        options, timeout = self.options, self.options["timeout"]
        try:
            context = ssl.create_default_context()
            if options.get("use_ssl"):
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    options["host"], options["port"], DNS_NAME.get_fqdn(), timeout=timeout, context=context
                )
            else:
                server = smtplib.SMTP(options["host"], options["port"], DNS_NAME.get_fqdn(), timeout=timeout)
            self._server = server
            # The final dot is a packet of its own, which Nagle's algorithm would hold back until the body is confirmed.
            cast(socket, server.sock).setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            server.ehlo_or_helo_if_needed()
            if options.get("use_tls"):
                server.starttls(context=context)
                server.ehlo()
            if options.get("username"):
                server.login(options["username"], options["password"])
        except smtplib.SMTPAuthenticationError as error:
            verdict = Verdict.LOCKED_OUT if error.smtp_code >= 500 else Verdict.UNREACHABLE
            raise _ended(verdict, error.smtp_code, error.smtp_error) from None
        except (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError) as error:
            raise _ended(Verdict.LOCKED_OUT, None, str(error)) from None
        except smtplib.SMTPResponseException as error:
            raise _ended(Verdict.UNREACHABLE, error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise _ended(Verdict.UNREACHABLE, None, f"{type(error).__name__}: {error}") from None
        return server

    def _recipient(self, server: smtplib.SMTP, address: str) -> None:
        code, reply = self._asked(lambda: server.rcpt(address))
        if code not in {250, 251}:
            raise _ended(_refusal(code), code, reply)

    def _body(self, server: smtplib.SMTP, raw: bytes, may_go: Callable[[], bool]) -> Outcome:
        code, reply = self._asked(lambda: server.docmd("DATA"))
        if code != 354:
            raise _ended(_refusal(code), code, reply)
        body = _LEADING_DOT.sub(b"..", raw)
        line = cast(socket, server.sock)
        try:
            line.sendall(body if body.endswith(b"\r\n") else body + b"\r\n")
            # A server that has said something already, or has gone, takes nothing any more.
            has_spoken = bool(select.select([line], [], [], 0)[0])
        except OSError as error:
            raise _ended(Verdict.UNREACHABLE, None, f"{type(error).__name__}: {error}") from None
        if has_spoken:
            code, reply = self._asked(server.getreply)
            # Without the dot the mail is not handed over. The rest of the dialogue would be out of step.
            self._drop()
            raise _ended(_refusal(code), code, reply)
        if not may_go():
            raise _ended(Verdict.UNREACHABLE, None, "This process had been stopped for too long.")
        return self._final_reply(server, line)

    def _final_reply(self, server: smtplib.SMTP, line: socket) -> Outcome:
        """Send the final dot: from here on, silence means that the mail has perhaps been taken."""
        try:
            line.settimeout(self.options["timeout"] * FINAL_REPLY_FACTOR)
            line.sendall(b".\r\n")
            code, reply = server.getreply()
            line.settimeout(self.options["timeout"])
        except (OSError, smtplib.SMTPException) as error:
            raise _ended(Verdict.UNKNOWN, None, f"{type(error).__name__}: {error}") from None
        if 200 <= code < 300:
            return Outcome(Verdict.ACCEPTED, code, _words(reply))
        raise _ended(_refusal(code) if code >= 400 else Verdict.UNKNOWN, code, reply)

    def _asked(self, ask: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        """The answer to a command before the final dot; a dropped line there means that nothing was taken."""
        try:
            return ask()
        except (OSError, smtplib.SMTPException) as error:
            raise _ended(Verdict.UNREACHABLE, None, f"{type(error).__name__}: {error}") from None

    def _reset(self) -> None:
        """Forget the mail that was refused, so that the next may follow on this connection."""
        try:
            code = self._server.rset()[0] if self._server else 0
        except (OSError, smtplib.SMTPException):
            code = 0
        if code != 250:
            self._drop()

    def _drop(self) -> None:
        if self._server:
            with suppress(OSError, smtplib.SMTPException):
                self._server.close()
        self._server = None


def _ended(verdict: Verdict, code: int | None, reply: bytes | str) -> _EndedError:
    return _EndedError(Outcome(verdict, code if code and code > 0 else None, _words(reply)))


def _words(reply: bytes | str) -> str:
    return words(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)


def _refusal(code: int) -> Verdict:
    """What a refusal of a recipient or a mail means. 421 is about the connection, whatever it answers."""
    if code == SERVICE_CLOSING or not 400 <= code < 600:
        return Verdict.UNREACHABLE
    return Verdict.REFUSED if code >= 500 else Verdict.DEFERRED
