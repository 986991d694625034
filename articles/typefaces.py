"""The site's typefaces and colours for pictures that are drawn: such a file cannot ask for a reader's scheme."""

import unicodedata
from functools import cache

from django.contrib.staticfiles import finders
from PIL import ImageFont

# The tokens of the light scheme in sRGB.
CANVAS, INK, INK_SOFT, RULE, ACCENT = "#fbfbf8", "#141821", "#4b505a", "#cfd1d5", "#c31214"

FONTS = {"serif": "fonts/newsreader.woff2", "sans": "fonts/instrument-sans.woff2"}
# A character of which Unicode says that it is none.
NO_CHARACTER = "\uffff"


@cache
def font_of(size: int, family: str, weight: int, shown_size: int = 0) -> ImageFont.FreeTypeFont:
    """One of the site's own typefaces, at a size in dots and a weight; `shown_size` where it is shown smaller."""
    font = ImageFont.truetype(str(finders.find(FONTS[family])), size)
    # Its axes: weight, and for the serif the optical size, of which it has 18 to 72.
    font.set_variation_by_axes([weight, min(max(shown_size or size, 18), 72)] if family == "serif" else [weight])
    return font


def drawable(words: str) -> str:
    """Words on one line, in letters that the typefaces have: another letter loses its accents, or is left out."""
    return " ".join("".join(map(_drawable_letter, unicodedata.normalize("NFC", words))).split())


@cache
def _drawable_letter(letter: str) -> str:
    if letter.isspace() or not letter.isprintable():
        return " "
    plain = "".join(each for each in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(each))
    return next((each for each in (letter, plain) if each and all(map(_has, each))), "")


def _has(letter: str) -> bool:
    return all(_shape(letter, family) != _shape(NO_CHARACTER, family) for family in FONTS)


def _shape(letter: str, family: str) -> bytes:
    return bytes(font_of(24, family, 400).getmask(letter))
