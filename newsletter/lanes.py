"""What sending a mail can come to, whoever carries it: `smtp_lane` to a mail server, `api_lane` to a provider."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from .mails import Mail


class Verdict(Enum):
    ACCEPTED = "accepted"  # the server has taken it
    REFUSED = "refused"  # for good (5xx), because of this mail or its recipient
    DEFERRED = "deferred"  # for now (4xx), because of this mail or its recipient; certainly not taken
    UNREACHABLE = "unreachable"  # nothing to do with this mail: no server, a dropped line; certainly not taken
    LOCKED_OUT = "locked out"  # the server lets us in no more: sign-in or sender refused; certainly not taken
    UNKNOWN = "unknown"  # the whole mail was handed over and no answer came: perhaps taken


@dataclass(frozen=True)
class Outcome:
    """`code` is the SMTP reply code or None, `reply` its text, which may hold addresses."""

    verdict: Verdict
    code: int | None = None
    reply: str = ""


class Lane(Protocol):
    """A way for one mail at a time, used by one thread. It never raises for what a server does, nor sends twice."""

    def send(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        """Send a mail. `may_go` is asked last before the act that cannot be taken back, and may say no by then."""

    def close(self) -> None: ...
