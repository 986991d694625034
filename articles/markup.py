"""Headings and links in sanitised text."""

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from .models.blocks import Item, block_types
from .prose import sanitize


@dataclass
class Heading:
    level: int
    text: str = ""


@dataclass
class Link:
    href: str
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.headings: list[Heading] = []
        self.links: list[Link] = []
        self._heading: Heading | None = None
        self._link: Link | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in {"h2", "h3"}:
            self._heading = Heading(int(tag[1]))
            self.headings.append(self._heading)
        elif tag == "a":
            self._link = Link(dict(attrs).get("href") or "")
            self.links.append(self._link)
        elif tag == "data":
            self.handle_data("[figure]")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h2", "h3"}:
            self._heading = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        for part in (self._heading, self._link):
            if part:
                part.text = f"{part.text}{data}".strip()


def _read(item: Item) -> _Reader:
    reader = _Reader()
    if item.get("html") and item["type"] in block_types():
        reader.feed(sanitize(item["html"]))
    return reader


def outline(item: Item) -> list[Heading]:
    """The headings in the text of an object of a document."""
    return _read(item).headings


def links(document: Mapping[str, Any]) -> list[tuple[int, Link]]:
    """The links in a document's texts, each after the number of its block."""
    return [(place, link) for place, item in enumerate(document["blocks"], start=1) for link in _read(item).links]
