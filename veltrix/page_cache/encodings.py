"""Which of the ready-made bodies a request gets (RFC 9110, section 12.5.3)."""

import gzip
from functools import lru_cache

import brotli

IDENTITY = "identity"
# In the order in which they are preferred where a client likes both as well.
COMPRESSED = ["br", "gzip"]
# Shorter texts grow.
WORTH_COMPRESSING = 300
# Types that shrink; pictures and archives are compressed already.
TEXTS = ("text/", "application/json", "application/feed+json", "application/xml", "application/atom+xml", "image/svg")


@lru_cache(maxsize=512)
def accepted(header: str) -> str:
    """The best coding for a value of Accept-Encoding; what cannot be read counts for nothing."""
    qualities = dict(_quality(part) for part in header.lower().split(","))
    others = qualities.get("*", 0.0)
    best = max(COMPRESSED, key=lambda coding: qualities.get(coding, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(IDENTITY, 0.0) else IDENTITY


def _quality(part: str) -> tuple[str, float]:
    coding, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return coding, 0.0
            return coding, quality if 0 <= quality <= 1 else 0.0
    return coding, 1.0


def encoded(body: bytes, content_type: str) -> dict[str, bytes]:
    """A body in every coding in which it is shorter, and as it is."""
    bodies = {IDENTITY: body}
    if len(body) >= WORTH_COMPRESSING and content_type.startswith(TEXTS):
        made = {"br": brotli.compress(body, quality=6), "gzip": gzip.compress(body, 6, mtime=0)}
        bodies |= {coding: short for coding, short in made.items() if len(short) < len(body)}
    return bodies
