"""The social card of an article, drawn: 1,200 by 630 dots in the site's typefaces, its headline figure the largest."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont, ImageOps

from veltrix.publication import NAME

from .typefaces import ACCENT, CANVAS, INK, INK_SOFT, font_of

WIDTH, HEIGHT = 1200, 630
# It is drawn so many times as large and made smaller, so that letters stand where they should between two dots.
DENSITY = 2
MARGIN = 64
RIGHT = WIDTH - MARGIN
# The line under the masthead, where words begin beneath it, and where they end.
MASTHEAD, TOP, BOTTOM = 122, 150, 574
# The line above the figure, and the room for it and for what is said of it.
BAND = 362
FIGURE_SIZES = range(236, 60, -8)
FOLIO_SIZES = range(190, 40, -6)
MOST_FIGURE = 640
# What is taken off the room of each letter of a large figure, in sizes.
CLOSENESS = 0.025
GAP = 48
PANEL = 740


@dataclass(frozen=True)
class Face:
    """A way to set words: `leading` is the distance of baselines in sizes."""

    family: str
    weight: int
    leading: float = 1.3
    colour: str = INK


TITLE = Face("serif", 400, 1.08)
LINE = Face("serif", 300, 1.3, INK_SOFT)
NUMERAL = Face("serif", 300, 1)
CLAIM = Face("sans", 400, 1.3)
SMALL = Face("sans", 400, 1.35, INK_SOFT)
STATUS = Face("sans", 600, 1.35)


def font_for(size: int, face: Face) -> ImageFont.FreeTypeFont:
    return font_of(size * DENSITY, face.family, face.weight, size)


def length(words: str, size: int, face: Face) -> float:
    return font_for(size, face).getlength(words) / DENSITY


def lines(words: str, size: int, face: Face, room: float) -> list[str]:
    """The words in as few lines as they take; a word that is longer than a line is broken."""
    done: list[str] = []
    line = ""
    for piece in _pieces(words, size, face, room):
        longer = f"{line} {piece}" if line else piece
        if line and length(longer, size, face) > room:
            done.append(line)
            longer = piece
        line = longer
    return [*done, line] if line else done


def _pieces(words: str, size: int, face: Face, room: float) -> Iterator[str]:
    for word in words.split():
        while length(word, size, face) > room:
            count = bisect_right(range(2, len(word)), room, key=lambda n: length(word[:n], size, face)) + 1
            yield word[:count]
            word = word[count:]
        yield word


def balanced(words: str, size: int, face: Face, room: float) -> list[str]:
    """As few lines as fit the room, and then as even as they can be."""
    fewest = len(lines(words, size, face, room))
    narrow, wide = 0, int(room)
    while wide - narrow > 4:
        middle = (narrow + wide) // 2
        if middle > size and len(lines(words, size, face, middle)) <= fewest:
            wide = middle
        else:
            narrow = middle
    return lines(words, size, face, wide)


def fitted(words: str, sizes: Sequence[int], face: Face, room: float, height: float) -> tuple[int, list[str]]:
    """The largest of these sizes at which the words fit, with their lines; the last size cuts what is too much."""
    for size in sizes:
        if len(lines(words, size, face, room)) * size * face.leading <= height:
            return size, balanced(words, size, face, room)
    return size, shortened(words, size, face, room, max(1, int(height / (size * face.leading))))


def shortened(words: str, size: int, face: Face, room: float, most: int) -> list[str]:
    """At most so many lines; where that is too few, they end with a whole sentence, else with an ellipsis."""
    found = lines(words, size, face, room)
    if len(found) <= most:
        return balanced(words, size, face, room)
    for end in reversed([place + 1 for place, two in enumerate(pairwise(words)) if two == (".", " ")]):
        if len(lines(words[:end], size, face, room)) <= most:
            return balanced(words[:end], size, face, room)
    last = found[most - 1]
    while last and length(f"{last}…", size, face) > room:
        last = last[:-1]
    return [*found[: most - 1], f"{last.rstrip(' ,;:–')}…"]


@dataclass(frozen=True)
class Words:
    """What a card says, in letters that can be drawn; what there is none of is empty."""

    title: str
    line: str
    number: int
    highest_number: int
    figure: str = ""
    claim: str = ""
    source: str = ""
    status: str = ""


class Drawing:
    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * DENSITY, HEIGHT * DENSITY), CANVAS)
        self.pen = ImageDraw.Draw(self.image)

    def write(self, x: float, baseline: float, words: str, size: int, face: Face, colour: str = "") -> float:
        """Set words on a baseline; gives where they end."""
        place = (x * DENSITY, baseline * DENSITY)
        self.pen.text(place, words, fill=colour or face.colour, font=font_for(size, face), anchor="ls")
        return x + length(words, size, face)

    def write_numeral(self, baseline: float, words: str, size: int) -> float:
        """Set a large figure, closely, so that its ink and not its room begins at the margin; gives where it ends."""
        mask, (left, _) = font_for(size, NUMERAL).getmask2(words, anchor="ls")
        ink = mask.getbbox()
        x = MARGIN - (left + (ink[0] if ink else 0)) / DENSITY
        for letter, next_letter in pairwise(f"{words} "):
            self.write(x, baseline, letter, size, NUMERAL)
            x += length(letter + next_letter, size, NUMERAL) - length(next_letter, size, NUMERAL) - size * CLOSENESS
        return x

    def write_lines(self, x: float, top: float, words: list[str], size: int, face: Face) -> float:
        """Set lines from a top on; gives where they end below."""
        for line in words:
            self.write(x, top + size * (0.5 + face.leading / 2 - 0.22), line, size, face)
            top += size * face.leading
        return top

    def rule(self, x: float, y: float, end: float) -> None:
        self.pen.rectangle((x * DENSITY, y * DENSITY, end * DENSITY, (y + 2) * DENSITY - 1), fill=INK)

    def png(self) -> bytes:
        file = BytesIO()
        self.image.reduce(DENSITY).save(file, "PNG", optimize=True)
        return file.getvalue()


def drawn(words: Words, picture: Image.Image | None = None, focus: tuple[int, int] = (50, 50)) -> bytes:
    """A card as PNG. A picture stands on the right where there is no figure; it is cropped about its focus."""
    drawing = Drawing()
    right = RIGHT
    if picture and not words.figure:
        right = PANEL - GAP
        room = ((WIDTH - PANEL) * DENSITY, HEIGHT * DENSITY)
        cropped = ImageOps.fit(picture.convert("RGB"), room, centering=(focus[0] / 100, focus[1] / 100))
        drawing.image.paste(cropped, (PANEL * DENSITY, 0))
    _masthead(drawing, words, right)
    if words.figure:
        _title(drawing, words, right, BAND - 18, range(68, 32, -2))
        _figure(drawing, words)
    else:
        _title(drawing, words, right, 420, range(92, 32, -2))
        _folio(drawing, words, right)
    return drawing.png()


def _masthead(drawing: Drawing, words: Words, right: float) -> None:
    baseline = 92
    end = drawing.write(MARGIN, baseline, NAME, 46, Face("serif", 500))
    drawing.write(end, baseline, ".", 46, Face("serif", 500), ACCENT)
    if words.figure:
        of = f"/ {words.highest_number}"
        start = right - length(of, 30, NUMERAL)
        drawing.write(start, baseline, of, 30, NUMERAL, INK_SOFT)
        drawing.write(start - 10 - length(str(words.number), 72, NUMERAL), baseline, str(words.number), 72, NUMERAL)
    drawing.rule(MARGIN, MASTHEAD, right)


def _title(drawing: Drawing, words: Words, right: float, bottom: float, sizes: Sequence[int]) -> None:
    """The title, and the line below it where the title leaves room for it at half its largest size."""
    room, height = right - MARGIN, bottom - TOP
    line = shortened(words.line, 30, LINE, room, 2) if words.line else []
    taken = len(line) * 30 * LINE.leading + 10
    size, title = fitted(words.title, sizes, TITLE, room, height - taken if line else height)
    if line and size < sizes[0] * 0.6:
        line = []
        size, title = fitted(words.title, sizes, TITLE, room, height)
    top = drawing.write_lines(MARGIN, TOP, title, size, TITLE)
    drawing.write_lines(MARGIN, top + 10, line, 30, LINE)


def _figure(drawing: Drawing, words: Words) -> None:
    drawing.rule(MARGIN, BAND, RIGHT)
    size = next((size for size in FIGURE_SIZES if _has_room(words.figure, size)), FIGURE_SIZES[-1])
    figure = shortened(words.figure, size, NUMERAL, MOST_FIGURE, 1)[0]
    end = drawing.write_numeral(BOTTOM - 6, figure, size)
    x = max(end + GAP, MARGIN + 330)
    room = RIGHT - x
    source = shortened(words.source, 20, SMALL, room, 1) if words.source else []
    status = shortened(words.status, 20, STATUS, room - 18, 1) if words.status else []
    notes = 20 * SMALL.leading * len(source + status)
    claim_size, claim = fitted(words.claim, range(30, 22, -1), CLAIM, room, BOTTOM - BAND - 28 - notes)
    # The last line stands on the figure's own baseline.
    top = BOTTOM - notes - claim_size * CLAIM.leading * len(claim) - 6
    top = drawing.write_lines(x, top, claim, claim_size, CLAIM) + 6
    top = drawing.write_lines(x, top, source, 20, SMALL)
    for line in status:
        drawing.pen.ellipse([DENSITY * place for place in (x, top + 9, x + 9, top + 18)], fill=ACCENT)
        drawing.write_lines(x + 18, top, [line], 20, STATUS)


def _has_room(figure: str, size: int) -> bool:
    box = font_for(size, NUMERAL).getbbox(figure, anchor="ls")
    left, top, right, bottom = (place / DENSITY for place in box)
    return right - left <= MOST_FIGURE and -top <= BOTTOM - BAND - 14 and bottom <= HEIGHT - BOTTOM - 10


def _folio(drawing: Drawing, words: Words, right: float) -> None:
    """The article's number where there is no figure, as large as one."""
    number, of = str(words.number), f"/ {words.highest_number}"
    room = right - MARGIN - 16 - length(of, 48, NUMERAL)
    size = next(size for size in FOLIO_SIZES if size == FOLIO_SIZES[-1] or length(number, size, NUMERAL) <= room)
    end = drawing.write_numeral(BOTTOM, number, size)
    drawing.write(end + 16, BOTTOM, of, 48, NUMERAL, INK_SOFT)
