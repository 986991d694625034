"""How editions leave: by SMTP, by the API of a provider, or into the folder of a site that is only tried out."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from .api_lane import ApiLane
from .lanes import Lane, Outcome, Verdict
from .mails import Mail
from .smtp_lane import SmtpLane

SMTP = "django.core.mail.backends.smtp.EmailBackend"


def open_lane() -> Lane:
    """A new lane by the settings' mailer for editions, which is that for letters unless they have their own."""
    mailer: dict[str, Any] = settings.MAILERS.get("newsletter") or settings.MAILERS["default"]
    if mailer["BACKEND"].startswith("anymail."):
        return ApiLane(mailer["BACKEND"], mailer["OPTIONS"])
    return SmtpLane(mailer["OPTIONS"]) if mailer["BACKEND"] == SMTP else BackendLane()


class BackendLane:
    """Hands mails to Django's mailer, which takes them all or fails."""

    def send(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        letter = mail.letter(mail.own_headers)
        if not may_go():
            return Outcome(Verdict.UNREACHABLE, None, "This process had been stopped for too long.")
        try:
            letter.send()
        except OSError as error:
            return Outcome(Verdict.UNKNOWN, None, f"{type(error).__name__}: {error}")
        return Outcome(Verdict.ACCEPTED)

    def close(self) -> None:
        """Nothing is open."""
