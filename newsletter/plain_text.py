"""Sanitised rich text as plain text, in lines of a mail's width."""

import textwrap
from html.parser import HTMLParser

WIDTH = 72
_PARAGRAPHS = {"p", "h2", "h3", "li", "blockquote"}


def plain(html: str, width: int = WIDTH) -> str:
    """Paragraphs apart by a blank line; the address of a link follows its words; lists have dashes or numbers."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text, before = "", None
    for paragraph in (paragraph for paragraph in reader.paragraphs if paragraph.words):
        if before:
            # The items of a list stand together.
            text += "\n" if before.is_item and paragraph.is_item else "\n\n"
        text, before = text + paragraph.filled(width), paragraph
    return text


def wrapped(text: str, first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """Lines of at most this width; an address is never broken."""
    return textwrap.fill(
        " ".join(text.split(" ")),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


class _Paragraph:
    def __init__(self, first: str = "", rest: str = "", *, is_item: bool = False) -> None:
        self.first, self.rest, self.is_item, self.text = first, rest, is_item, ""

    @property
    def words(self) -> str:
        return self.text.strip()

    def filled(self, width: int) -> str:
        lines = [line.strip() for line in self.words.split("\n")]
        return "\n".join(
            wrapped(line, self.first if place == 0 else self.rest, self.rest, width) for place, line in enumerate(lines)
        )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.paragraphs = [_Paragraph()]
        # The lists that are open: the number of the next item, or None for dashes.
        self.lists: list[int | None] = []
        self.quotes = 0
        self.link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "ul":
            self.lists.append(None)
        elif tag == "ol":
            start = values.get("start") or ""
            self.lists.append(int(start) if start.isdecimal() and len(start) < 9 else 1)
        elif tag == "br":
            self.paragraphs[-1].text += "\n"
        elif tag == "a":
            self.link = values.get("href") or ""
        self.quotes += tag == "blockquote"
        if tag in _PARAGRAPHS:
            self._begin(is_item=tag == "li")

    def _begin(self, *, is_item: bool) -> None:
        quote, indent = "> " * self.quotes, "  " * len(self.lists)
        if is_item and self.lists:
            number = self.lists[-1]
            mark = "– " if number is None else f"{number}. "
            if number is not None:
                self.lists[-1] = number + 1
            start = quote + indent[2:]
            self.paragraphs.append(_Paragraph(start + mark, start + " " * len(mark), is_item=True))
        elif self.paragraphs[-1].words or not self.lists:
            self.paragraphs.append(_Paragraph(quote + indent, quote + indent))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"ul", "ol"} and self.lists:
            self.lists.pop()
            self.paragraphs.append(_Paragraph())
        elif tag == "blockquote":
            self.quotes = max(0, self.quotes - 1)
            self.paragraphs.append(_Paragraph())
        elif tag == "a" and self.link:
            shown = self.link.removeprefix("mailto:")
            if not self.paragraphs[-1].text.endswith(shown):
                self.paragraphs[-1].text += f" ({shown})"
            self.link = ""

    def handle_data(self, data: str) -> None:
        self.paragraphs[-1].text += data.replace("\n", " ")
