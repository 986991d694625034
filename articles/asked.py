"""What an address asks for beside what a page understands."""

from collections.abc import Iterable

MAX_VALUE_LENGTH = 80
MOST_NAMED = 8
# What other sites append to links: nothing that a reader asked for, so nothing to report.
TRACKING = {"fbclid", "gclid", "mc_cid", "mc_eid", "msclkid", "ref"}


def is_tracking(name: str) -> bool:
    return name.startswith("utm_") or name in TRACKING


def named(asked: Iterable[tuple[str, str]]) -> list[str]:
    """The parameters that were not understood, as “name=value”, cut short and not too many; tracking left out."""
    shown = [f"{name[:MAX_VALUE_LENGTH]}={value[:MAX_VALUE_LENGTH]}" for name, value in asked if not is_tracking(name)]
    return shown[:MOST_NAMED]
