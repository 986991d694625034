"""What mail servers and strangers write, as it may be kept."""

import re

# A word with an address in it, however it is written: with @ in one of its forms, or encoded as in VERP and in links.
_ADDRESS = re.compile(r"(?<![^\s<>])(?=[^\s<>]*?(?:[@\uff20]|[=%]40[\w-]+\.))[^\s<>]++")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")


def words(text: str) -> str:
    """What a stranger wrote, as a database takes it, on one line."""
    return _UNPRINTABLE.sub(" ", text[:20_000]).strip()


def without_addresses(text: str) -> str:
    """The beginning of it without addresses."""
    return _ADDRESS.sub("…", words(text[:1000]))[:200]
