"""What differs between two documents of an article, block by block and word by word.

Pairs of blocks that have changed their order are moved blocks; see `pairing`. Words are compared with difflib (Ratcliff
and Obershelp).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html.parser import HTMLParser
from itertools import groupby
from typing import Any, NamedTuple, cast

from django.db import models
from django.utils.text import capfirst

from . import references
from .documents import complete, references_in
from .models import Author, Category, Image, Series, Statistic
from .models.blocks import Block, Item, block_types
from .pairing import longest_rise, pairs_of
from .renditions import Renditions

HEADS = {
    "number": "number",
    "slug": "address",
    "title": "title",
    "standfirst": "standfirst",
    "category": "category",
    "series": "series",
    "headline": "headline figure",
    "social_text": "social text",
    "bylines": "bylines",
}


class Token(NamedTuple):
    """A word as it is shown, or the beginning of a paragraph (`opens`: the name of its element).

    Of a picture (“img”) the text is its address.
    """

    text: str
    is_strong: bool = False
    is_em: bool = False
    opens: str = ""


class Piece(NamedTuple):
    """Neighbouring words of one look: `mark` is “removed”, “added” or empty."""

    text: str
    mark: str
    is_strong: bool
    is_em: bool


class Paragraph(NamedTuple):
    element: str
    pieces: list[Piece]


@dataclass(frozen=True)
class FieldDifference:
    """A value of an article or a block before and after, in paragraphs; one of them is empty where there was none."""

    name: str
    before: list[Paragraph]
    after: list[Paragraph]


@dataclass(frozen=True)
class BlockDifference:
    """A block of one of the documents, or of both; places count from 1."""

    block_type: str
    summary: str
    before: int | None
    after: int | None
    fields: list[FieldDifference] = field(default_factory=list)
    is_moved: bool = False

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.fields else "moved" if self.is_moved else "same"

    @property
    def sentence(self) -> str:
        """What became of the block: “Block 3 (text) changed and moved from place 5”."""
        if self.after is None:
            return f"Block {self.before} ({self.block_type}) removed"
        name = f"Block {self.after} ({self.block_type})"
        if self.before is None:
            return f"{name} added"
        moved = f"moved from place {self.before}"
        return f"{name} {' and '.join([*(['changed'] if self.fields else []), *([moved] if self.is_moved else [])])}"


@dataclass(frozen=True)
class Differences:
    """What differs in the heads of two documents, and all their blocks in the order of the later one."""

    heads: list[FieldDifference]
    blocks: list[BlockDifference]

    @property
    def changes(self) -> list[tuple[str, int | None]]:
        """What differs, a sentence each, with the place of the block in the later document where it has one."""
        heads: list[tuple[str, int | None]] = [(f"{capfirst(head.name)} changed", None) for head in self.heads]
        return heads + [(block.sentence, block.after) for block in self.blocks if block.kind != "same"]

    @property
    def runs(self) -> list[tuple[bool, list[BlockDifference]]]:
        """The blocks, in runs of those that are the same (True) and of those that differ."""
        return [(same, list(run)) for same, run in groupby(self.blocks, key=lambda block: block.kind == "same")]


def between(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    keys_before: Sequence[str] = (),
    keys_after: Sequence[str] = (),
) -> Differences:
    """Compare two documents, in a number of queries that does not grow with them.

    The keys, where both are given, name the blocks of each document, so that a block is known whatever became of it.
    """
    before, after = complete(before), complete(after)
    words = _Words.of(before, after)
    heads = [
        difference(name, words.of_head(key, before.get(key)), words.of_head(key, after.get(key)))
        for key, name in HEADS.items()
        if before.get(key) != after.get(key)
    ]
    return Differences(heads, _blocks(before["blocks"], after["blocks"], keys_before, keys_after, words))


def difference(name: str, before: Sequence[Token], after: Sequence[Token]) -> FieldDifference:
    """Mark the words that only one of two texts has."""
    removed, added = [""] * len(before), [""] * len(after)
    for act, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if act != "equal":
            removed[i:j] = ["removed"] * (j - i)
            added[k:m] = ["added"] * (m - k)
    return FieldDifference(name, _paragraphs(before, removed), _paragraphs(after, added))


def _paragraphs(tokens: Sequence[Token], marks: Sequence[str]) -> list[Paragraph]:
    paragraphs: list[Paragraph] = []
    for token, mark in zip(tokens, marks, strict=True):
        if token.opens or not paragraphs:
            paragraphs.append(Paragraph(token.opens or "p", []))
        if not token.text:
            continue
        pieces = paragraphs[-1].pieces
        look = (mark, token.is_strong, token.is_em)
        if pieces and pieces[-1][1:] == look:
            pieces[-1] = Piece(f"{pieces[-1].text} {token.text}", *look)
        else:
            pieces.append(Piece(token.text, *look))
    return paragraphs


def _blocks(
    before: Sequence[Item],
    after: Sequence[Item],
    keys_before: Sequence[str],
    keys_after: Sequence[str],
    words: "_Words",
) -> list[BlockDifference]:
    pairs = pairs_of(before, after, keys_before, keys_after)
    origins = {place: origin for origin, place in pairs.items()}
    in_order = longest_rise([origins[place] for place in sorted(origins)])
    left = [place for place in range(len(before)) if place not in pairs]
    blocks: list[BlockDifference] = []

    def removed(until: int) -> None:
        while left and left[0] < until:
            place = left.pop(0)
            blocks.append(words.block(before[place], None, place + 1, None))

    for place, item in enumerate(after):
        origin = origins.get(place)
        if origin is None:
            # What went from here stands before what came.
            removed(next((origins[p] for p in range(place, len(after)) if origins.get(p) in in_order), len(before)))
            blocks.append(words.block(None, item, None, place + 1))
            continue
        if origin in in_order:
            removed(origin)
        blocks.append(words.block(before[origin], item, origin + 1, place + 1, is_moved=origin not in in_order))
    removed(len(before))
    return blocks


class _TextParser(HTMLParser):
    """Sanitised text as tokens: words, the beginnings of paragraphs, links by their address behind their words."""

    def __init__(self, figures: Mapping[str, str]) -> None:
        super().__init__()
        self.figures = figures
        self.tokens: list[Token] = []
        self._opens = ""
        self._open: list[str] = []
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = dict(attrs)
        if tag in {"p", "h2", "h3", "li", "blockquote", "br"}:
            # A paragraph of a list or a quotation stands for both.
            self._opens = self._opens if tag == "p" and self._opens else "p" if tag == "br" else tag
        elif tag == "data":
            self._add(self.figures.get(values.get("value") or "", f"[unknown figure {values.get('value')}]"))
        elif tag == "a":
            self._links.append(values.get("href") or "")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            self._add(f"({self._links.pop() or 'no address'})")
        if tag in self._open:
            self._open.reverse()
            self._open.remove(tag)
            self._open.reverse()

    def handle_data(self, data: str) -> None:
        for word in data.split():
            self._add(word)

    def _add(self, text: str) -> None:
        self.tokens.append(Token(text, "strong" in self._open, "em" in self._open, self._opens))
        self._opens = ""


@dataclass
class _Words:
    """The values of documents as texts: names in the place of slugs, figures in the place of references."""

    names: dict[type[models.Model], dict[str, str]]
    figures: dict[str, str]

    @classmethod
    def of(cls, *documents: Mapping[str, Any]) -> "_Words":
        wanted: dict[type[models.Model], set[str]] = defaultdict(set)
        types = block_types()
        for document in documents:
            for model, key in ((Category, "category"), (Series, "series"), (Statistic, "headline")):
                wanted[model].add(document.get(key) or "")
            wanted[Author].update(byline["author"] for byline in document["bylines"])
            for item in document["blocks"]:
                for f in _content_fields(types.get(item["type"])):
                    if isinstance(f, models.ForeignKey):
                        wanted[f.related_model].add(item.get(f.name) or "")
        names = {
            model: {
                cast("Any", record).slug: str(record)
                for record in (
                    model._default_manager.filter(slug__in=slugs - {""}).select_related("parent")
                    if model is Category
                    else model._default_manager.filter(slug__in=slugs - {""})
                )
            }
            for model, slugs in wanted.items()
            if slugs - {""}
        }
        known = references.load([r for document in documents for r in references_in(document)])
        figures = {key: f"[{figure.text}: {figure.subject}]" for key, figure in known.items()}
        return cls(names, figures)

    def of_head(self, key: str, value: Any) -> list[Token]:
        models_of_heads: dict[str, type[models.Model]] = {"category": Category, "series": Series, "headline": Statistic}
        if key in models_of_heads:
            return _plain(self._name(models_of_heads[key], value))
        if key == "bylines":
            return _plain("\n".join(f"{b['credit']} {self._name(Author, b['author'])}" for b in value or []))
        return _plain(str(value if value is not None else ""))

    def block(
        self, before: Item | None, after: Item | None, origin: int | None, place: int | None, *, is_moved: bool = False
    ) -> BlockDifference:
        item: Item = after or before or {}
        block_type = block_types().get(item["type"])
        fields = []
        for f in _content_fields(block_type):
            old, new = ((one or {}).get(f.name) for one in (before, after))
            if old != new and f.editable:
                texts = [self._value(f, value) if one else [] for one, value in ((before, old), (after, new))]
                # A default that nobody saw makes no difference.
                if texts[0] != texts[1]:
                    fields.append(difference(str(f.verbose_name), *texts))
        name = str(block_type._meta.verbose_name) if block_type else str(item["type"])
        return BlockDifference(name, self._summary(block_type, item), origin, place, fields, is_moved)

    def _summary(self, block_type: type[Block] | None, item: Item) -> str:
        texts = (self._value(f, item.get(f.name)) for f in _content_fields(block_type) if f.editable)
        in_words = (tokens for tokens in texts if tokens and tokens[0].opens != "img")
        words = next((" ".join(token.text for token in tokens) for tokens in in_words), "")
        return words if len(words) <= 90 else words[:89].rpartition(" ")[0] + "…"

    def _value(self, f: models.Field, value: Any) -> list[Token]:
        if value is None or value == "":
            return []
        if isinstance(f, models.ForeignKey):
            return _plain(self._name(f.related_model, value))
        if isinstance(f, models.JSONField):
            return _plain("\n".join(" | ".join(map(str, row)) for row in value))
        if isinstance(f, models.BooleanField):
            return _plain("yes" if value else "no")
        if f is Image._meta.get_field("file"):
            url = Renditions.of(value).url
            return [Token(url, opens="img")] if url else _plain("A picture that is not kept any more")
        if f.name == "html":
            parser = _TextParser(self.figures)
            parser.feed(str(value))
            return parser.tokens
        return _plain(str(dict(f.flatchoices).get(value, value)))

    def _name(self, model: type[models.Model], slug: str | None) -> str:
        if not slug:
            return ""
        return self.names.get(model, {}).get(slug, f"{slug} (no longer there)")


def _content_fields(block_type: type[Block] | None) -> Iterable[models.Field]:
    return block_type.content_fields() if block_type else []


def _plain(text: str) -> list[Token]:
    tokens = []
    for line in text.splitlines():
        for place, word in enumerate(line.split()):
            tokens.append(Token(word, opens="" if place else "p"))
    return tokens
