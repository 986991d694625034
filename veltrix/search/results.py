"""What the page of the search shows: results, how many of which kind, and what to do where there are none."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.text import Truncator

from articles import searched
from veltrix.models import SearchEntry

from . import extracts, finding, spelling
from .asking import Asked, address
from .extracts import Piece
from .words import stem, words_of

RESULTS_A_PAGE = 10
# Of how many pages the first are chosen by their names, and how many letters of a name the finder shows.
CANDIDATES, NAME = 30, 90


@dataclass(frozen=True)
class Result:
    path: str
    # “Article 61”, “Statistic: 97M”.
    label: str
    heading: list[Piece]
    extract: list[Piece]


@dataclass(frozen=True)
class Choice:
    """A kind to which a search can be narrowed down; `count` says “7” or “over 100”."""

    name: str
    url: str
    count: str
    is_chosen: bool


@dataclass(frozen=True)
class Answer:
    asked: Asked
    page: Page[Any] | None = None
    results: list[Result] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    # How many pages there are: “23”, “over 100”.
    count: str = "0"
    is_one: bool = False
    # Whether more pages match than are listed.
    is_cut: bool = False
    # Whether no page has all of the words, so that these have some.
    has_some: bool = False
    # What the words may have meant, and where that is looked for.
    suggestion: str = ""
    suggestion_url: str = ""


def answer(asked: Asked) -> Answer:
    """What is found, in a number of queries that depends on nothing but whether anything is."""
    if asked.is_empty or asked.problem:
        return Answer(asked)
    found = finding.find(asked.stems, asked.kind)
    if found.count():
        return _shown(asked, asked.stems, found)
    if text := _suggestion(asked):
        return Answer(asked, suggestion=text, suggestion_url=address(text))
    if len(asked.stems) > 1 and (found := finding.find(asked.stems, asked.kind, has_all=False)).count():
        return _shown(asked, asked.stems, found, has_some=True)
    return Answer(asked)


def _suggestion(asked: Asked) -> str:
    """The search with other words in the place of slips of the pen; empty where there are none.

    Words stay known when the last page that had them goes, so each is looked for.
    """
    meant = spelling.meant(asked.words)
    found = {word: other for word, other in meant.items() if finding.find([stem(other)]).count()}
    return asked.corrected(found) if found else ""


def _shown(asked: Asked, stems: Sequence[str], found: finding.Found, **values: Any) -> Answer:
    paginator = Paginator(_as_typed_first(asked.words, found.entries), RESULTS_A_PAGE)
    page = paginator.get_page(asked.page)
    count = found.count(asked.kind)
    return Answer(
        asked,
        page=page,
        results=results_of(list(page), stems),
        choices=_choices(asked, found),
        count=_in_words(*([count] if asked.kind else found.counts.values())),
        is_one=count == 1,
        is_cut=count > len(found.entries),
        **values,
    )


def _as_typed_first(words: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Of the best pages, those whose names have the very words before those with other forms of them."""
    best, others = keys[:CANDIDATES], keys[CANDIDATES:]
    named = SearchEntry.objects.filter(pk__in=best).values_list("pk", "heading", "names")
    exact = {pk for pk, heading, names in named if set(words).issubset(words_of(f"{heading}\n{names}"))}
    return [*sorted(best, key=lambda key: key not in exact), *others]


def _in_words(*counts: int) -> str:
    most = finding.MOST_LISTED
    return f"over {most:,}" if any(count > most for count in counts) else f"{sum(counts):,}"


def _choices(asked: Asked, found: finding.Found) -> list[Choice]:
    """All pages, then each kind of which there are some; none where there is but one kind."""
    kinds = [kind for kind in searched.kinds().values() if found.count(kind.key) or kind.key == asked.kind]
    if len(kinds) < 2 and not asked.kind:
        return []
    every = Choice("All", asked.narrowed(""), _in_words(*found.counts.values()), not asked.kind)
    return [every] + [
        Choice(kind.plural, asked.narrowed(kind.key), _in_words(found.count(kind.key)), kind.key == asked.kind)
        for kind in kinds
    ]


def results_of(keys: Sequence[str], stems: Sequence[str]) -> list[Result]:
    """The results for these entries in their order; those whose records readers no longer see are left out."""
    shown, labels = _seen(SearchEntry.objects.in_bulk(keys), keys)
    lines = extracts.filled(extracts.line_of(entry.text, stems) for entry in shown)
    return [
        Result(
            path=entry.path,
            label=labels[entry.pk],
            heading=extracts.pieces(entry.heading, stems),
            extract=extracts.pieces(extracts.cut(line, stems), stems),
        )
        for entry, line in zip(shown, lines, strict=True)
    ]


def begun(words: Sequence[str], most: int) -> list[Result]:
    """Pages whose names have these words, the last perhaps only begun; those that begin with them come first."""
    keys = finding.beginning(words, CANDIDATES)
    entries = SearchEntry.objects.defer("text").in_bulk(keys)
    typed = " ".join(words)
    keys.sort(key=lambda key: not entries[key].beginnings.startswith(typed) if key in entries else True)
    shown, labels = _seen(entries, keys)
    return [
        Result(entry.path, labels[entry.pk], [Piece(Truncator(entry.heading).chars(NAME), is_match=False)], [])
        for entry in shown[:most]
    ]


def _seen(entries: Mapping[str, SearchEntry], keys: Sequence[str]) -> tuple[list[SearchEntry], dict[str, str]]:
    """Those of these entries whose records readers see, in this order, and the labels of all of them."""
    labels = _labels(entries.values())
    return [entries[key] for key in keys if key in labels], labels


def _labels(entries: Iterable[SearchEntry]) -> dict[str, str]:
    """The labels of entries by their keys: one query for each kind among them."""
    keys: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        keys[entry.kind].append(entry.key)
    kinds = searched.kinds()
    return {
        f"{kind}:{key}": label
        for kind, those in keys.items()
        if kind in kinds
        for key, label in kinds[kind].label(those).items()
    }
