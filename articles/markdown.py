"""HTML of `articles.elsewhere` as Markdown: CommonMark, with tables and marks of footnotes as GitHub writes them.

Whatever a text holds stands for itself: no letter of it becomes markup.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import takewhile

from django.conf import settings
from django.utils.encoding import iri_to_uri

from .elsewhere import TABLE, TEXT

SPACE = re.compile(r"[ \t\r\n\f]+")
# What would be markup wherever it stands; a mark of exclamation only makes a picture of what follows.
MARKUP = re.compile(r"([\\`*_\[\]<~])|(!)(?=$|\[)|(&)(?=#?\w+;)")
# What would be markup at the beginning of a line.
AT_START = re.compile(r"^([#+\-=>|:])|^(\d+)([.)])")
ENTITY = re.compile(r"&#?\w+;")
SAFE_ADDRESS = re.compile(r"[A-Za-z0-9/:.?=#%&~+@,;-]+")
CLOSING = re.compile(r"(?<= )#+$")
NOTE = re.compile(r"#source-(\d+)$")
BLOCKS = (TEXT - {"br"}) | TABLE
VOID = {"br", "hr", "img"}
MARKS = {"strong": "**", "em": "_"}
# Elements that stand deeper are read as if they were not there.
DEEPEST = 50


@dataclass
class Node:
    """An element with what is in it; a text has no tag."""

    tag: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def words(self) -> str:
        return self.text + "".join(child.words() for child in self.children)

    def all(self, tag: str) -> list["Node"]:
        found = [child for child in self.children if child.tag == tag]
        return found + [deeper for child in self.children for deeper in child.all(tag)]


class _Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Node("body")
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        if len(self._open) < DEEPEST or tag in VOID:
            self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node if len(self._open) < DEEPEST else self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(Node(text=data))


def blocks(html: str) -> str:
    """Markdown of HTML that `elsewhere.portable` made; an empty line between two blocks."""
    return "\n\n".join(_blocks(_Tree(html).root))


def heading(level: int, html: str) -> str:
    return "".join(_heading(level, _Tree(html).root))


def line(html: str) -> str:
    """The same on one line, whatever blocks there are."""
    return _inline(_Tree(html).root.children, end=" ")


def _blocks(parent: Node) -> list[str]:
    """The blocks of an element, each with its lines; text that stands between blocks is one of its own."""
    found: list[str] = []
    loose: list[Node] = []
    lists = 0
    for child in [*parent.children, Node("end")]:
        if child.tag not in BLOCKS | {"end"}:
            loose.append(child)
            continue
        if words := _inline(loose, end="\\\n"):
            found.append(words)
        loose = []
        # Neighbouring lists would become one, but for another sign.
        lists = lists + 1 if child.tag in {"ul", "ol"} else 0
        found += _block(child, lists)
    return found


def _block(node: Node, lists: int) -> list[str]:
    match node.tag:
        case "h2" | "h3" | "h4":
            return _heading(int(node.tag[1]), node)
        case "ul" | "ol":
            return _list(node, lists)
        case "blockquote":
            inner = "\n\n".join(_blocks(node))
            return ["\n".join(f"> {line}".rstrip() for line in inner.split("\n"))] if inner else []
        case "table":
            return _table(node)
        case "hr":
            return ["* * *"]
        case "end":
            return []
        case _:
            return _blocks(node)


def _heading(level: int, node: Node) -> list[str]:
    words = _inline(node.children, end=" ")
    # Signs at its end would be taken for the end of the heading.
    words = CLOSING.sub(lambda match: match[0].replace("#", "\\#"), words)
    return [f"{'#' * level} {words}"] if words else []


def _list(node: Node, lists: int) -> list[str]:
    number = int(node.attributes.get("start") or 1) if (node.attributes.get("start") or "1").isdecimal() else 1
    lines = []
    for child in node.children:
        if child.tag != "li":
            continue
        sign = f"{number}{'.)'[(lists - 1) % 2]}" if node.tag == "ol" else "-*"[(lists - 1) % 2]
        number += 1
        blocks = _blocks(child)
        inner = ("\n" if _is_tight(child) else "\n\n").join(blocks)
        lines.append(_indented(inner, f"{sign} ", " " * (len(sign) + 1)))
    return ["\n".join(lines)] if lines else []


def _is_tight(item: Node) -> bool:
    """Whether an item is a line with at most lists below it."""
    kinds = [child.tag for child in item.children if child.tag in BLOCKS]
    return all(kind in {"ul", "ol"} for kind in kinds[1:])


def _indented(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join([f"{first}{lines[0]}".rstrip(), *(f"{rest}{line}".rstrip() for line in lines[1:])])


def _table(node: Node) -> list[str]:
    rows = [[cell for cell in row.children if cell.tag in {"th", "td"}] for row in node.all("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return []
    width = max(map(len, rows))
    texts = [[_cell(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in texts]
    caption = _inline([child for part in node.all("caption") for child in part.children], end=" ")
    table = "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
    return [f"**{caption}**", table] if caption else [table]


def _cell(cell: Node) -> str:
    return _inline(cell.children, end=" ").replace("|", "\\|")


@dataclass
class _Piece:
    """Text as it will be written, or a mark of emphasis that is yet to be judged by its neighbours."""

    text: str
    mark: str = ""
    is_opening: bool = False


def _inline(nodes: list[Node], *, end: str) -> str:
    """One paragraph; `end` is what ends a line within it."""
    pieces = [*_pieces(nodes)]
    written = "".join(_judged(pieces))
    lines = [SPACE.sub(" ", line).strip() for line in written.split("\x00")]
    return end.join(AT_START.sub(_escaped_start, line) for line in lines if line)


def _escaped_start(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}"


def _pieces(nodes: Iterable[Node]) -> Iterable[_Piece]:
    for node in nodes:
        if not node.tag:
            yield _Piece(escaped(node.text))
        elif node.tag == "br":
            yield _Piece("\x00")
        elif node.tag == "img":
            yield _Piece(f"![{escaped(node.attributes.get('alt', ''))}]({_address(node.attributes.get('src', ''))})")
        elif node.tag in MARKS:
            yield _Piece("", MARKS[node.tag], is_opening=True)
            yield from _pieces(node.children)
            yield _Piece("", MARKS[node.tag])
        elif node.tag == "a":
            # A space at either end belongs beside the link.
            text = node.words()
            yield _Piece(f"{text[:1].isspace() * ' '}{_link(node)}{text[-1:].isspace() * ' '}")
        else:
            yield from _pieces(node.children)
            if node.tag in BLOCKS:
                yield _Piece(" ")


def _link(node: Node) -> str:
    words = _inline(node.children, end=" ")
    href = node.attributes.get("href", "")
    if note := NOTE.search(href) if href.startswith(settings.SITE_URL) else None:
        return f"[^{note[1]}]" if words == note[1] else f"{words}[^{note[1]}]"
    title = escaped(node.attributes.get("title", "")).replace('"', '\\"')
    return f"[{words}]({_address(href)}{title and f' "{title}"'})" if words and href else words


def _judged(pieces: list[_Piece]) -> Iterable[str]:
    """Write the marks that CommonMark takes for what they are (section 6.2); others are left out, with their twins."""
    marks: list[tuple[int, int]] = []
    waiting: list[int] = []
    for place, piece in enumerate(pieces):
        if piece.mark and piece.is_opening:
            waiting.append(place)
        elif piece.mark:
            marks.append((waiting.pop(), place))
    kept = {place for pair in marks if _is_understood(pieces, *pair) for place in pair}
    for place, piece in enumerate(pieces):
        yield piece.mark if place in kept else piece.text


def _is_understood(pieces: list[_Piece], start: int, stop: int) -> bool:
    within = pieces[start + 1 : stop]
    first, last = (next((piece.text for piece in way if piece.text), " ") for way in (within, reversed(within)))
    is_tight = not first[0].isspace() and not last[-1].isspace() and "\x00" not in (first[0], last[-1])
    is_nested = any(piece.mark == pieces[start].mark for piece in within)
    return is_tight and not is_nested and all(_is_apart(pieces, place, way) for place, way in ((start, -1), (stop, 1)))


def _is_apart(pieces: list[_Piece], place: int, way: int) -> bool:
    """Whether what stands beside a mark, that way, lets it be one."""
    end = len(pieces) if way > 0 else -1
    beside = list(takewhile(lambda piece: piece.mark, (pieces[at] for at in range(place + way, end, way))))
    # Two marks of one kind side by side would be read as one.
    if any(piece.mark == pieces[place].mark for piece in beside):
        return False
    text = next((pieces[at].text for at in range(place + way, end, way) if pieces[at].text), "\x00")
    letter = text[0] if way > 0 else text[-1]
    return letter == "\x00" or letter.isspace() or _is_punctuation(letter)


def _is_punctuation(letter: str) -> bool:
    return letter not in "*_\\" and unicodedata.category(letter).startswith("P")


def escaped(text: str) -> str:
    """Text that stands for itself within a line."""
    return MARKUP.sub(lambda match: f"\\{match[0]}", SPACE.sub(" ", text).replace("\x00", ""))


def _address(address: str) -> str:
    address = iri_to_uri(address) or ""
    if SAFE_ADDRESS.fullmatch(address) and not ENTITY.search(address):
        return address
    return f"<{address.replace('&', '&amp;')}>"
