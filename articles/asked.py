"""What an address asks for beside what a page understands."""

import re
from collections.abc import Iterable, Sequence

MAX_VALUE_LENGTH = 80
MOST_NAMED = 8
# What other sites append to links: nothing that a reader asked for, so nothing to report.
TRACKING = {"fbclid", "gclid", "mc_cid", "mc_eid", "msclkid", "ref"}

PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


def is_tracking(name: str) -> bool:
    return name.startswith("utm_") or name in TRACKING


def is_bare(names: Iterable[str]) -> bool:
    """Whether an address asks for nothing but the page itself; give it the names of its parameters."""
    return all(is_tracking(name) for name in names)


def page_number(value: str) -> int | None:
    """The page of a list that a value means, counted from 1; None where it is no such number, or absurdly large.

    There is one way to write it, so that nobody makes many addresses of a page.
    """
    return int(value) if PAGE_NUMBER.fullmatch(value) else None


def in_list(values: Iterable[str]) -> list[str]:
    """The parts of values that hold several with commas between them, each once."""
    return list(dict.fromkeys(part for part in _parts(values) if part))


def is_tidy_list(values: Sequence[str]) -> bool:
    """Whether a list holds nothing twice and nothing empty, of which an address could hold any number."""
    return in_list(values) == _parts(values)


def _parts(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in value.split(",")]


def named(asked: Iterable[tuple[str, str]]) -> list[str]:
    """The parameters that were not understood, as “name=value”, cut short and not too many; tracking left out."""
    shown = [f"{name[:MAX_VALUE_LENGTH]}={value[:MAX_VALUE_LENGTH]}" for name, value in asked if not is_tracking(name)]
    return shown[:MOST_NAMED]
