"""Checks structured data against the vocabulary of schema.org; see the README beside this file."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

_VOCABULARY = json.loads((Path(__file__).parent / "vocabulary.json").read_text("utf-8"))
TYPES = _VOCABULARY["types"]
DATA_TYPES = _VOCABULARY["data_types"]
KEYWORDS = {"@type", "@id"}

_DATE = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
_FORMS = {
    "Date": _DATE,
    "DateTime": rf"{_DATE}T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)",
    "Time": r"\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?",
    "Duration": r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?",
    "URL": r"https?://[^\s<>\"]+",
}


def problems(document):
    """What is wrong with a JSON-LD document, a line each."""
    if document.get("@context") != "https://schema.org":
        return ["the context is not https://schema.org"]
    found = [line for node in document["@graph"] for line in _problems_of(node, "")]
    ids = [node["@id"] for node in document["@graph"] if "@id" in node]
    return found + [f"the id {name} is given twice" for name in sorted(set(ids)) if ids.count(name) > 1]


def _problems_of(node, place):
    kind = node.get("@type")
    place = f"{place}/{kind}"
    if kind not in TYPES:
        return [f"{place}: there is no such type"]
    known = {name: of for of in (kind, *_above(kind)) for name in TYPES[of].get("has", {})}
    found = []
    for name, value in node.items():
        if name in KEYWORDS:
            continue
        if name not in known:
            found.append(f"{place}: it has no property {name}")
            continue
        if name in TYPES[known[name]].get("superseded", []):
            found.append(f"{place}: {name} is superseded")
        for one in value if isinstance(value, list) else [value]:
            found += _problems_of_value(one, TYPES[known[name]]["has"][name], f"{place}/{name}")
    return found


def _problems_of_value(value, allowed, place):
    if not isinstance(value, dict):
        is_fitting = any(_is_a(value, kind) for kind in allowed)
        return [] if is_fitting else [f"{place}: {value!r} is none of {', '.join(allowed)}"]
    kind = value.get("@type")
    found = _problems_of(value, place)
    if kind in TYPES and not {kind, *_above(kind)} & set(allowed):
        found.append(f"{place}: a {kind} is none of {', '.join(allowed)}")
    return found


def _above(kind):
    """The types above one, however many steps away."""
    found = []
    for over in TYPES[kind].get("under", []):
        if over in TYPES:
            found += [over, *_above(over)]
    return found


def _is_a(value, kind):
    """Whether a plain value is of a data type, or of one that is narrower; members of an enumeration too."""
    if kind in TYPES:
        return value in {f"https://schema.org/{name}" for name in TYPES[kind].get("members", [])}
    if kind == "Text":
        return isinstance(value, str) and bool(value.strip())
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind in {"Number", "Float", "Integer"}:
        numbers = int if kind == "Integer" else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    if kind in _FORMS:
        return isinstance(value, str) and re.fullmatch(_FORMS[kind], value) is not None
    return any(_is_a(value, narrower) for narrower in DATA_TYPES[kind])


class _Reader(HTMLParser):
    """Takes from a page its structured data, its words and the addresses that it links to."""

    VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}

    def __init__(self):
        super().__init__()
        self.documents, self.words, self.links = [], [], []
        self._open = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" or values.get("rel") == "canonical":
            self.links.append(values.get("href"))
        if values.get("property") == "og:image":
            self.links.append(values.get("content"))
        if values.get("datetime"):
            self.words.append(f" {values['datetime']} ")
        if tag not in self.VOID:
            self._open.append((tag, values))
        if tag in {"p", "li", "br", "div", "td", "th", "dt", "dd", "h1", "h2", "h3"}:
            self.words.append(" ")

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, values = self._open[-1] if self._open else ("", {})
        if tag == "script" and values.get("type") == "application/ld+json":
            self.documents.append(json.loads(data))
        is_note = any(values.get("class") == "note-mark" for _, values in self._open)
        if tag not in {"script", "style"} and not is_note:
            self.words.append(data)


def read(html):
    """A page's JSON-LD documents, its words on one line, and the addresses that it links to."""
    reader = _Reader()
    reader.feed(html)
    return reader.documents, " ".join("".join(reader.words).split()), reader.links


def nodes_in(value):
    """Every node of a document, those inside others too."""
    if isinstance(value, dict):
        if "@type" in value:
            yield value
        for inner in value.values():
            yield from nodes_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes_in(inner)
