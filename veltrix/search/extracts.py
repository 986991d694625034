"""What a result shows of a page: the lines that have the words, with the words marked."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from articles.models import Sourced
from articles.references import load, marks_in, with_marks

from .words import spans, stem

# Letters of an extract, and of them at most so many before the first word that was looked for.
WIDTH, BEFORE = 240, 80


@dataclass(frozen=True)
class Piece:
    """A part of a text: whether it is one of the words that were looked for."""

    text: str
    is_match: bool


def line_of(text: str, stems: Collection[str]) -> str:
    """The line of a text that has the most of these stems, the first of several; its first line if none has any."""
    best, most = "", 0
    for line in text.splitlines():
        number = len({stem(word) for _, _, word in spans(line)} & set(stems))
        if number > most or not best.strip():
            best, most = line, number
        if most == len(stems):
            break
    return best.strip()


def filled(lines: Iterable[str]) -> list[str]:
    """These lines with today's figures in the place of their marks: one query or so for each kind of figures."""
    lines = list(lines)
    figures: Mapping[str, Sourced] = load(mark for line in lines for mark in marks_in(line))
    return [with_marks(line, lambda mark: figures[mark].text if mark in figures else "") for line in lines]


def pieces(text: str, stems: Collection[str]) -> list[Piece]:
    """A text as pieces, alternately without and with the words that were looked for."""
    return list(_pieces(text, stems))


def _pieces(text: str, stems: Collection[str]) -> Iterator[Piece]:
    end = 0
    for start, stop, word in spans(text):
        if stem(word) in stems:
            if start > end:
                yield Piece(text[end:start], is_match=False)
            yield Piece(text[start:stop], is_match=True)
            end = stop
    if end < len(text):
        yield Piece(text[end:], is_match=False)


def cut(text: str, stems: Collection[str]) -> str:
    """As much of a line as an extract holds, from a little before the first of these stems on, at whole words."""
    start, stop = next(((start, stop) for start, stop, word in spans(text) if stem(word) in stems), (0, 0))
    begin = 0 if start <= BEFORE or len(text) <= WIDTH else text.find(" ", start - BEFORE, start) + 1 or start
    rest = text[begin:]
    if len(rest) > WIDTH:
        end = rest.rfind(" ", stop - begin, WIDTH)
        rest = rest[: end if end > 0 else WIDTH].rstrip(" ,;:–—/(") + "…"
    return f"…{rest}" if begin else rest
