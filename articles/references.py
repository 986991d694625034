"""References to figures in rich text: `<data value="statistic:new-roles"></data>`.

A reference names a kind of figure and a key of that kind. The text never holds the number: what readers see is the
current figure, put in when their page is made. A model becomes a kind by its `reference_kind`; see `Sourced`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from itertools import zip_longest
from typing import TYPE_CHECKING

from django.template.loader import get_template
from django.utils.html import strip_tags

from articles.models.sourced import Sourced, kinds_of_figures

if TYPE_CHECKING:
    from articles.pages import SourceNotes

_REFERENCE = r"[a-z][a-z-]{0,29}:[A-Za-z0-9_.~%/-]{1,600}"
_WELL_FORMED = re.compile(_REFERENCE)
_OPENING = re.compile(f'<data value="({_REFERENCE})">')
_ELEMENT = re.compile(f'<data value="({_REFERENCE})"></data>')
# Where a paragraph ends, and how many letters of it are given on either side of a figure.
_BREAK = re.compile("</?(?:p|h2|h3|li|blockquote)[^<>]*>|<br>")
_WIDTH = 60
# What stands around a reference in plain text: characters for private use, which no text of an editor's needs.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{_OPEN}({_REFERENCE}){_CLOSE}")
_PRIVATE = str.maketrans("", "", _OPEN + _CLOSE)
# A tag as the sanitiser writes it: every value in double quotes, no quote inside. No tag may have four attributes.
_TAG = re.compile("<(/?)([a-z0-9]+)" + '(?: [a-z]+="[^"]*")?' * 4 + ">")


def is_well_formed(reference: str) -> bool:
    return _WELL_FORMED.fullmatch(reference) is not None


def emptied(html: str) -> str:
    """Keep of every `data` element its well-formed value, and nothing of the others; `html` has been sanitised."""
    kept: list[str] = []
    depth = end = 0
    for tag in _TAG.finditer(html):
        if tag[2] != "data":
            continue
        if tag[1]:
            depth -= 1
            end = tag.end()
            continue
        if depth == 0:
            kept.append(html[end : tag.start()])
            if _OPENING.fullmatch(tag[0]):
                kept.append(f"{tag[0]}</data>")
        depth += 1
    return "".join([*kept, html[end:]])


def find(html: str) -> list[str]:
    """The references in sanitised text, in reading order, each as often as it occurs."""
    return _ELEMENT.findall(html)


def replaced(html: str, text: str) -> str:
    """Sanitised text with the same words in the place of every reference."""
    return _ELEMENT.sub(lambda _: text, html)


def around(html: str, is_meant: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The words before and after each of these references in sanitised text; other figures are left open."""
    found = []
    for match in _ELEMENT.finditer(html):
        if is_meant(match[1]):
            before, after = (_words(part) for part in (html[: match.start()], html[match.end() :]))
            found.append((_last(before), _first(after)))
    return found


def _words(html: str) -> str:
    """Text of a part of a sentence’s paragraph, with “…” in the place of figures."""
    return unescape(strip_tags(_BREAK.sub("\n", replaced(html, "…"))))


def _last(text: str) -> str:
    line = text.rpartition("\n")[2]
    return line if len(line) <= _WIDTH else "…" + line[-_WIDTH:].partition(" ")[2]


def _first(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _WIDTH else line[:_WIDTH].rpartition(" ")[0] + "…"


def marked(html: str) -> str:
    """Sanitised text as plain text, a line for each paragraph, with its references as marks."""
    html = _ELEMENT.sub(lambda match: f"{_OPEN}{match[1]}{_CLOSE}", html.translate(_PRIVATE))
    return unescape(strip_tags(_BREAK.sub("\n", html)))


def marks_in(text: str) -> list[str]:
    """The references that plain text marks, in reading order."""
    return _MARKED.findall(text)


def with_marks(text: str, fill: Callable[[str], str]) -> str:
    """Plain text with what `fill` makes of each marked reference; no mark is left, whole or not."""
    return _MARKED.sub(lambda match: fill(match[1]), text).translate(_PRIVATE)


def kinds() -> dict[str, type[Sourced]]:
    """The models of the installed apps whose figures text can refer to, by kind; those of `articles` come first."""
    return {kind.reference_kind: kind for kind in kinds_of_figures() if kind.reference_kind}


def load(references: Iterable[str]) -> dict[str, Sourced]:
    """The current figures that these references mean, in one query or so a kind; unknown ones are left out."""
    keys: dict[str, set[str]] = defaultdict(set)
    for reference in references:
        kind, _, key = reference.partition(":")
        keys[kind].add(key)
    known = kinds()
    return {
        f"{kind}:{key}": figure
        for kind, wanted in keys.items()
        if kind in known
        for key, figure in known[kind].load_references(wanted).items()
    }


def search(words: str, *, most: int) -> list[tuple[str, Sourced]]:
    """Current figures about all these words with their references; each kind gets its share of the places."""
    found = [
        [(f"{kind}:{key}", figure) for key, figure in model.search_references(words.split(), most)]
        for kind, model in kinds().items()
    ]
    taken = [hit for hits in zip_longest(*found) for hit in hits if hit][:most]
    return sorted(taken, key=lambda hit: list(kinds()).index(hit[0].partition(":")[0]))


def shown(html: str, notes: "SourceNotes") -> str:
    """Sanitised text with the figures that the page has loaded in the place of its references."""
    return filled(html, lambda reference, is_in_link: _figure(reference, notes, is_in_link=is_in_link))


def filled(html: str, fill: Callable[[str, bool], str]) -> str:
    """Sanitised text with what `fill` makes, as HTML, of each reference and of whether it stands in a link."""
    return "".join(_filled(html, fill))


def _filled(html: str, fill: Callable[[str, bool], str]) -> Iterator[str]:
    end = links = 0
    for tag in _TAG.finditer(html):
        if tag[2] == "a":
            links += -1 if tag[1] else 1
        elif (opening := _OPENING.fullmatch(tag[0])) is not None:
            yield html[end : tag.start()]
            yield fill(opening[1], links > 0)
            end = tag.end() + len("</data>")
    yield html[end:]


def _figure(reference: str, notes: "SourceNotes", *, is_in_link: bool) -> str:
    value = notes.figures.get(reference)
    if value is None:
        return ""
    _, _, key = reference.partition(":")
    anchor = notes.anchor("figure-" + re.sub(r"[^A-Za-z0-9_-]", "-", key))
    context = {"value": value, "anchor": anchor, "note": notes.cite(value, anchor), "is_in_link": is_in_link}
    # What stands around the figure decides on spaces: none may come from the template.
    return get_template("articles/_inline_figure.html").render(context).strip()
