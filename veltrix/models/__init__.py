"""What belongs to the whole site: how people of the desk sign in, and what they did."""

from .audit import Act, AuditEntry
from .content import ContentChange
from .factors import Authenticator, Passkey, RecoveryCode
from .sessions import Attempt, Factor, SessionRecord

__all__ = [
    "Act",
    "Attempt",
    "AuditEntry",
    "Authenticator",
    "ContentChange",
    "Factor",
    "Passkey",
    "RecoveryCode",
    "SessionRecord",
]
