"""What a reader asks of the search, read from the address."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from articles import asked, searched

from .words import STOP_WORDS, spans, stem, words_of

LONGEST = 200
MOST_WORDS = 12
TOO_LONG = f"A search is at most {LONGEST} characters long. Please shorten it."
NO_WORD = "There is no word in this to look for. Type letters or digits."
NAMES = ("q", "kind", "page")


@dataclass(frozen=True)
class Asked:
    """A search: the text as it was typed, its words that count, and the kind to which it is narrowed down."""

    text: str = ""
    kind: str = ""
    page: int = 1
    words: list[str] = field(default_factory=list)
    # A sentence that says why nothing is looked for.
    problem: str = ""
    ignored: list[str] = field(default_factory=list)
    # Whether there are more words than are looked for.
    has_more_words: bool = False

    @classmethod
    def read(cls, parameters: QueryDict) -> Self:
        values = {name: next(iter(parameters.getlist(name)), "") for name in NAMES}
        kind = values["kind"] if values["kind"] in searched.kinds() else ""
        page = asked.page_number(values["page"]) if values["page"] else 1
        return replace(
            cls.of(values["q"]), kind=kind, page=page or 1, ignored=asked.named(_ignored(parameters, kind, page))
        )

    @classmethod
    def of(cls, text: str) -> Self:
        """A search among all pages."""
        text = " ".join(text.split())
        words = _words_that_count(text) if len(text) <= LONGEST else []
        return cls(
            text=text[:LONGEST],
            words=words[:MOST_WORDS],
            problem=_problem(text, words),
            has_more_words=len(words) > MOST_WORDS,
        )

    @property
    def is_empty(self) -> bool:
        return not self.text

    @property
    def typed(self) -> list[str]:
        """All words as they were typed, the last of which may be only begun."""
        return words_of(self.text)[:MOST_WORDS] if self.words else []

    @property
    def stems(self) -> list[str]:
        return list(dict.fromkeys(stem(word) for word in self.words))

    @property
    def of_other_pages(self) -> str:
        """What the links to other pages of the same search hold, as “q=pay&”."""
        return urlencode({"q": self.text, **({"kind": self.kind} if self.kind else {})}) + "&"

    def narrowed(self, kind: str) -> str:
        """The address of the same search among one kind of pages, or among all."""
        return address(self.text, kind)

    def corrected(self, meant: dict[str, str]) -> str:
        """The text with other words in the place of some folded ones; all else as it was typed."""
        parts, end = [], 0
        for start, stop, word in spans(self.text):
            if word in meant:
                parts += [self.text[end:start], meant[word]]
                end = stop
        return "".join([*parts, self.text[end:]])


def address(text: str, kind: str = "") -> str:
    parameters = {"q": text, **({"kind": kind} if kind else {})}
    return f"{reverse('search')}?{urlencode(parameters)}"


def _words_that_count(text: str) -> list[str]:
    """The words of a text, each once, without those that say nothing, unless there are no others."""
    words = list(dict.fromkeys(words_of(text)))
    return [word for word in words if word not in STOP_WORDS] or words


def _problem(text: str, words: list[str]) -> str:
    if len(text) > LONGEST:
        return TOO_LONG
    return NO_WORD if text and not words else ""


def _ignored(parameters: QueryDict, kind: str, page: int | None) -> Iterator[tuple[str, str]]:
    """What is not understood, and what is said a second time."""
    for name, values in parameters.lists():
        first, *others = values or [""]
        is_understood = {"q": True, "kind": kind == first, "page": page is not None}.get(name, False)
        if not is_understood and (first or name not in NAMES):
            yield name, first
        yield from ((name, other) for other in others)
