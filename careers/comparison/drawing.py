"""A chart to take away: laid out once, written as SVG by a template and as PNG by Pillow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Self

from django.template.loader import render_to_string
from PIL import Image, ImageDraw

from articles.typefaces import ACCENT, CANVAS, INK, INK_SOFT, RULE, font_of

from .chart import Chart

WIDTH = 1200
MARGIN = 48
# Where the axis begins and ends; names stand before it and ranges after it.
AXIS_START, AXIS_END = 380, 940
ROW_HEIGHT, BAR_HEIGHT = 40, 16
# A PNG has so many dots for each unit of the drawing.
DENSITY = 2

MARKET_COLOURS = {"gb": "#12549e", "us": "#c37e16"}

# Control characters that XML 1.0 does not allow (section 2.2).
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Text:
    """Words that stand on a baseline; `anchor` is start, middle or end."""

    x: float
    y: float
    words: str
    size: int = 18
    family: str = "sans"
    weight: int = 400
    colour: str = INK
    anchor: str = "start"


@dataclass(frozen=True)
class Rectangle:
    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Arrow:
    """The head at the end of a range that is open: it points right from x, as high as its bar."""

    x: float
    y: float
    height: float
    colour: str

    @property
    def points(self) -> list[tuple[float, float]]:
        tip = (self.x + self.height * 0.75, self.y + self.height / 2)
        return [(self.x, self.y), tip, (self.x, self.y + self.height)]


@dataclass
class Drawing:
    """Shapes in units of which the width has 1,200, in the order in which they are drawn."""

    title: str
    height: float = 0
    rectangles: list[Rectangle] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    width: int = WIDTH
    canvas: str = CANVAS

    @classmethod
    def of(cls, chart: Chart, *, subtitle: str, notes: list[str], credit: str) -> Self:
        """Lay a chart out under its title, with what is to be known of it and where it comes from beneath."""
        drawing = cls(f"What AI roles pay a year: {chart.market}")
        y = drawing._write(MARGIN + 36, drawing.title, size=40, family="serif", step=44)
        y = drawing._write(y, subtitle, colour=INK_SOFT, step=26) + 24
        y = drawing._draw(chart, y)
        for note in notes:
            y = drawing._write(y, note, size=15, colour=INK_SOFT, step=21) + 4
        y += 20
        drawing.texts.append(Text(MARGIN, y, "Veltrix", 24, "serif", 500))
        stop = MARGIN + length_of("Veltrix", 24, "serif", 500)
        drawing.texts.append(Text(stop, y, ".", 24, "serif", 500, ACCENT))
        drawing.texts.append(Text(WIDTH - MARGIN, y, credit, 15, colour=INK_SOFT, anchor="end"))
        drawing.height = y + 32
        return drawing

    def _write(self, y: float, words: str, *, step: int, **look: Any) -> float:
        """Write words over as many lines as they take; gives the baseline that follows."""
        text = Text(MARGIN, y, plain(words), **look)
        for line in lines_of(text, WIDTH - 2 * MARGIN):
            self.texts.append(Text(MARGIN, y, line, **look))
            y += step
        return y

    def _draw(self, chart: Chart, top: float) -> float:
        colour = MARKET_COLOURS.get(chart.market.slug, INK_SOFT)
        bottom = top + ROW_HEIGHT * len(chart.rows)
        share = (AXIS_END - AXIS_START) / 100
        for tick in chart.ticks:
            x = AXIS_START + tick.x * share
            self.rectangles.append(Rectangle(x - 0.5, top, 1, bottom - top + 6, RULE))
            self.texts.append(Text(x, bottom + 26, tick.text, 15, colour=INK_SOFT, anchor="middle"))
        for place, row in enumerate(chart.rows):
            y = top + ROW_HEIGHT * place
            baseline = y + ROW_HEIGHT / 2 + 6
            name = cut(plain(row.role.name), AXIS_START - MARGIN - 24)
            self.texts.append(Text(MARGIN, baseline, name, weight=500))
            self.texts.append(Text(WIDTH - MARGIN, baseline, row.text, weight=500, anchor="end"))
            if row.bar:
                x, width = AXIS_START + row.bar.x * share, row.bar.width * share
                y += (ROW_HEIGHT - BAR_HEIGHT) / 2
                self.rectangles.append(Rectangle(x, y, width, BAR_HEIGHT, colour))
                if row.bar.is_open_ended:
                    self.arrows.append(Arrow(x + width, y, BAR_HEIGHT, colour))
        return bottom + 66

    def svg(self) -> bytes:
        return render_to_string("careers/chart.svg", {"drawing": self}).encode()

    def png(self) -> bytes:
        image = Image.new("RGB", (WIDTH * DENSITY, round(self.height * DENSITY)), CANVAS)
        canvas = ImageDraw.Draw(image)
        for box in self.rectangles:
            start, end = (box.x, box.y), (box.x + box.width, box.y + box.height)
            canvas.rectangle([_dots(start), _dots(end)], fill=box.colour)
        for arrow in self.arrows:
            canvas.polygon([_dots(point) for point in arrow.points], fill=arrow.colour)
        for text in self.texts:
            font = font_of(text.size * DENSITY, text.family, text.weight)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[text.anchor]
            canvas.text(_dots((text.x, text.y)), text.words, fill=text.colour, font=font, anchor=anchor)
        file = BytesIO()
        image.save(file, "PNG")
        return file.getvalue()


def plain(words: str) -> str:
    """Words in one line, without what no XML document may hold; no-break spaces stay."""
    return re.sub(r"[ \t\r\n\f\v\x85\u2028\u2029]+", " ", NOT_IN_XML.sub("", words)).strip()


def _dots(point: tuple[float, float]) -> tuple[int, int]:
    x, y = point
    return round(x * DENSITY), round(y * DENSITY)


def length_of(words: str, size: int, family: str = "sans", weight: int = 400) -> float:
    """How long a line of words is, in units of the drawing."""
    return font_of(size * DENSITY, family, weight).getlength(words) / DENSITY


def lines_of(text: Text, room: float) -> Iterator[str]:
    """The words of a text in lines that are not longer than this, a single long word excepted."""
    line = ""
    for word in text.words.split(" "):
        longer = f"{line} {word}" if line else word
        if line and length_of(longer, text.size, text.family, text.weight) > room:
            yield line
            longer = word
        line = longer
    yield line


def cut(name: str, room: float) -> str:
    """A name that fits its column, shortened if need be."""
    if length_of(name, 18, weight=500) <= room:
        return name
    while name and length_of(f"{name}…", 18, weight=500) > room:
        name = name[:-1]
    return f"{name.rstrip()}…"
