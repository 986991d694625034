"""Codes that a camera reads, drawn as shapes for an SVG image."""

from itertools import groupby
from typing import NamedTuple, Self

import segno

# A longer text makes a code so fine that cameras fail at it.
LONGEST = 400
QUIET_ZONE = 4


class QrCode(NamedTuple):
    """The side in modules, with the quiet zone, and the outline of the dark ones as the data of an SVG path."""

    size: int
    path: str

    @classmethod
    def of(cls, text: str) -> Self | None:
        """A code of level M, which can be read with a seventh of it lost; None if the text is too long for one."""
        if len(text.encode()) > LONGEST:
            return None
        code = segno.make_qr(text, error="m", boost_error=False)
        rows = [bytes(row) for row in code.matrix_iter(border=QUIET_ZONE)]
        return cls(len(rows), "".join(_bars(row, y) for y, row in enumerate(rows)))


def _bars(row: bytes, y: int) -> str:
    """Each run of dark modules as one bar."""
    bars, x = [], 0
    for is_dark, modules in groupby(row):
        length = len(list(modules))
        if is_dark:
            bars.append(f"M{x} {y}h{length}v1h-{length}z")
        x += length
    return "".join(bars)
