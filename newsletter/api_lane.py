"""A way to a mail provider's HTTP API, by Anymail's payloads.

Anymail sends and raises; which exception means that a mail has certainly not been taken, it does not say. So the
request is made here, and of the answers only 4xx are refusals (RFC 9110, section 15.5): after a 5xx or a silence, the
provider may have the mail.
"""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailInvalidAddress
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from . import signing
from .lanes import Outcome, Verdict
from .mails import Mail, clock

# About the account, the sender or the address of the API, never about one mail.
_LOCKED_OUT = {401, 402, 403, 404, 405, 410}
# Too many, too soon: 408 says that the request had not come in whole.
_FOR_NOW = {408, 425, 429}
# How long a lane rests, in seconds, once it does not know what became of a mail: while a provider is ill, each that is
# tried may become an uncertain one. So once in a slice.
REST = 30.0
# What a provider says of a recipient whom it does not even try.
_REFUSED = {"rejected", "invalid", "failed"}


class ApiLane:
    """`backend` is the dotted name of Anymail's backend, `options` are its settings."""

    def __init__(self, backend: str, options: Mapping[str, Any]) -> None:
        self.backend = import_string(backend)(alias="newsletter", **options)
        self.rests_until, self.illness = 0.0, ""

    def send(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        if clock() < self.rests_until:
            return Outcome(Verdict.UNREACHABLE, None, f"Not tried: {self.illness}")
        outcome = self._sent(mail, may_go)
        if outcome.verdict == Verdict.UNKNOWN:
            self.rests_until, self.illness = clock() + REST, f"{outcome.code or ''} {outcome.reply}".strip()
        return outcome

    def _sent(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        self.backend.open()
        message = message_for(mail)
        try:
            payload = self.backend.build_message_payload(message, self.backend.send_defaults)
            request = payload.get_request_params(self.backend.api_url)
        except AnymailInvalidAddress:
            return Outcome(Verdict.REFUSED, None, "The address cannot be written to.")
        except AnymailError as error:
            # A mail that cannot be put into words for this provider: the next one could not either.
            return Outcome(Verdict.LOCKED_OUT, None, type(error).__name__)
        if not may_go():
            return Outcome(Verdict.UNREACHABLE, None, "This process had been stopped for too long.")
        try:
            response = self.backend.session.request(**request, timeout=self.backend.timeout, allow_redirects=False)
        except (requests.RequestException, OSError) as error:
            self.close()
            return _unanswered(error)
        return self._answered(response, payload, message)

    def close(self) -> None:
        with suppress(OSError):
            self.backend.close()

    def _answered(self, response: requests.Response, payload: Any, message: EmailMultiAlternatives) -> Outcome:
        code, reply = response.status_code, " ".join(response.text[:1000].split())
        if code in _LOCKED_OUT:
            return Outcome(Verdict.LOCKED_OUT, code, reply)
        if code in _FOR_NOW:
            return Outcome(Verdict.DEFERRED, code, reply)
        if 400 <= code < 500:
            return Outcome(Verdict.REFUSED, code, reply)
        if not 200 <= code < 300:
            return Outcome(Verdict.UNKNOWN, code, reply)
        try:
            recipients = self.backend.parse_recipient_status(response, payload, message)
        except (AnymailError, AttributeError, KeyError, TypeError, ValueError) as error:
            # A success that is not worded as this provider's: from something between it and here.
            return Outcome(Verdict.UNKNOWN, code, f"{type(error).__name__}: {reply}")
        is_refused = any(recipient.status in _REFUSED for recipient in recipients.values())
        return Outcome(Verdict.REFUSED if is_refused else Verdict.ACCEPTED, code, reply)


def message_for(mail: Mail) -> EmailMultiAlternatives:
    """The mail in parts, which the provider puts together. Reports name the delivery by its metadata.

    The provider gives its own Message-ID and takes the bounces. Nothing is to be tracked.
    """
    message = mail.letter({"List-Unsubscribe": mail.own_headers["List-Unsubscribe"]})
    wishes = {"metadata": {"delivery": signing.sign_delivery(mail.recipient.delivery)}}
    vars(message).update(wishes, track_opens=False, track_clicks=False)
    return message


def _unanswered(error: Exception) -> Outcome:
    """Without an answer: certainly not taken only where there was no connection to send it by."""
    causes = list(_causes(error))
    reply = f"{type(error).__name__}: {causes[-1]}"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Outcome(Verdict.LOCKED_OUT, None, reply)
    is_unconnected = any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes)
    return Outcome(Verdict.UNREACHABLE if is_unconnected else Verdict.UNKNOWN, None, reply)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and those that it was made of: requests wraps urllib3, which wraps what the system said."""
    found: list[BaseException] = []
    inner: Any = error
    while isinstance(inner, BaseException) and inner not in found:
        found.append(inner)
        wrapped = [part for part in inner.args if isinstance(part, BaseException)]
        inner = getattr(inner, "reason", None) or next(iter(wrapped), None) or inner.__cause__
    return found
