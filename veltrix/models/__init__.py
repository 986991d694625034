"""What belongs to the whole site: how people of the desk sign in, what they did, and the index of the search."""

from .audit import Act, AuditEntry
from .content import ContentChange
from .factors import Authenticator, Passkey, RecoveryCode
from .search import SearchEntry, SearchMark, SearchWord
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
    "SearchEntry",
    "SearchMark",
    "SearchWord",
    "SessionRecord",
]
