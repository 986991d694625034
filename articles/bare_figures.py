"""Numbers typed into text that look like a figure, where a reference to the figure should stand."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, NamedTuple

from .models.blocks import CheckedText, block_types

_NUMBER = r"[0-9](?:[0-9.,]{0,18}[0-9])?"
_SYMBOL = r"[£$€¥₹]"
_CODE = r"(?:GBP|USD|EUR|JPY|INR|CHF|CAD|AUD)"
_CURRENCY_WORD = r"(?:pounds|dollars|euros|yen|rupees)"
_MAGNITUDE = r"(?:[KkMmB]|bn|tn|\s?(?:thousand|million|billion|trillion)|\s(?:bn|tn))(?!\w)"
# Behind a letter, a digit or their hyphen a number is part of a name: “GPT-4”, “Qwen-72B”, “15-2051.00”.
_START = r"(?<![A-Za-z0-9.,/_])(?<![A-Za-z]-)"
_ALTERNATIVES = [
    rf"{_SYMBOL}\s?{_NUMBER}(?:{_MAGNITUDE})?\+?",
    rf"\b{_CODE}\s?{_NUMBER}(?:{_MAGNITUDE})?\+?",
    rf"{_START}{_NUMBER}(?:{_MAGNITUDE})?\s?(?:{_SYMBOL}|(?:{_CODE}|{_CURRENCY_WORD})\b)",
    rf"{_START}{_NUMBER}{_MAGNITUDE}\+?",
    rf"{_START}{_NUMBER}\s?(?:%|per\s?cent\b|percentage points?\b)",
]
_IN_CELLS = re.compile("|".join(_ALTERNATIVES))
_ANYWHERE = re.compile("|".join([*_ALTERNATIVES, rf"{_START}{_NUMBER}(?:x(?!\w)|\s?×(?!\w))(?!\s?[0-9])"]))

_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*)[^<>]*>")
_INLINE = {"a", "strong", "em", "b", "i", "span", "data"}
# What stands in the place of a reference, so that the words on its two sides do not meet.
_REFERENCE = "\N{OBJECT REPLACEMENT CHARACTER}"
_WIDTH = 24


class BareFigure(NamedTuple):
    """A number as it was typed, and the words around it in one line."""

    text: str
    context: str


def find(text_or_html: str, *, is_cell: bool = False) -> list[BareFigure]:
    """The numbers that look like a figure, in reading order.

    Money, magnitudes, percentages and, but in cells, multiples do; years, small counts, dates, ordinals and version
    numbers do not.
    """
    text = _text(text_or_html)
    pattern = _IN_CELLS if is_cell else _ANYWHERE
    return [BareFigure(match[0].strip(), _context(text, *match.span())) for match in pattern.finditer(text)]


def in_document(document: Mapping[str, Any]) -> list[tuple[str, BareFigure]]:
    """The bare figures of an article's document, each after its place in words: “Block 3 (text)”."""
    return [(place, figure) for place, text in _checked(document) for figure in find(text.text, is_cell=text.is_cell)]


def _checked(document: Mapping[str, Any]) -> Iterator[tuple[str, CheckedText]]:
    yield "Title", CheckedText("", document["title"])
    yield "Standfirst", CheckedText("", document["standfirst"])
    types = block_types()
    for number, item in enumerate(document["blocks"], start=1):
        if block := types.get(item["type"]):
            for text in block.checked_texts(item):
                place = f"Block {number} ({block._meta.verbose_name})"
                yield f"{place}, {text.place}" if text.place else place, text


def _text(text_or_html: str) -> str:
    def instead(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        if name == "data":
            return _REFERENCE
        return "" if name.lstrip("/") in _INLINE else "\n"

    return unescape(_TAG.sub(instead, text_or_html))


def _context(text: str, start: int, end: int) -> str:
    """The line around this place, cut at spaces to some words on either side."""
    before = text[max(start - _WIDTH, 0) : start].rpartition("\n")[2]
    after = text[end : end + _WIDTH].partition("\n")[0]
    if len(before) == _WIDTH:
        before = "…" + before.partition(" ")[2]
    if len(after) == _WIDTH:
        after = after.rpartition(" ")[0] + "…"
    return f"{before}{text[start:end]}{after}".replace(_REFERENCE, "[figure]").strip()
