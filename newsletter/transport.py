"""How editions leave: by SMTP lanes of our own."""

from typing import Any

from django.conf import settings

from .lanes import Lane
from .smtp_lane import SmtpLane


def open_lane() -> Lane:
    """A new lane by the mailer of the settings."""
    mailer: dict[str, Any] = settings.MAILERS["default"]
    return SmtpLane(mailer["OPTIONS"])
