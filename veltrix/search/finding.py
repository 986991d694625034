"""Which pages an engine finds, the best first, at a cost that is bounded whatever the number of pages.

modelsearch keeps the index. It is asked for pages through OpenSearch; the databases are asked by statements of our own,
because modelsearch ranks every page that matches before it gives the first ten (measured in docs/search.md).

The order is the same everywhere: pages whose heading or other names have all the words come before those that have
them in their text. Within both, the engine's own measure of relevance decides.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError, connection
from modelsearch.backends import get_search_backend
from modelsearch.query import PlainText

from articles import searched
from veltrix.models import SearchEntry
from veltrix.models.search import token_of

from . import postgresql, sqlite
from .engines import failures, is_in_database

logger = logging.getLogger(__name__)

# Pages that are listed; more than so many of a kind are not counted.
MOST_LISTED = 100

_engine = postgresql if connection.vendor == "postgresql" else sqlite


class NoAnswerError(Exception):
    """The engine did not answer, or not in time."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever an engine fails with into `NoAnswerError`, and into a line of the log."""
    known: tuple[type[Exception], ...] = (DatabaseError, *failures())
    try:
        yield
    except known as error:
        logger.exception("The search did not answer")
        raise NoAnswerError from error


@dataclass(frozen=True)
class Found:
    """Keys of entries, the best first, and how many pages of each kind there are, `MOST_LISTED` + 1 for more."""

    entries: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str = "") -> int:
        return self.counts.get(kind, 0) if kind else sum(self.counts.values())


def find(stems: Sequence[str], kind: str = "", *, has_all: bool = True) -> Found:
    """Pages that have all of these stems, or any of them; of a kind, if one is given."""
    if not stems:
        return Found()
    if not is_in_database():
        return _find_elsewhere(stems, kind, has_all=has_all)
    tokens = {key: token_of(key) for key in searched.kinds()}
    with _engine.bounded():
        counts = _engine.count(stems, tokens, MOST_LISTED, has_all=has_all)
        wanted = counts.get(kind, 0) if kind else sum(counts.values())
        asked = (stems, tokens.get(kind, ""), MOST_LISTED)
        entries = _engine.in_names(*asked, has_all=has_all) if wanted else []
        if len(entries) < min(wanted, MOST_LISTED):
            entries = list(dict.fromkeys([*entries, *_engine.anywhere(*asked, has_all=has_all)]))
    return Found(entries[:MOST_LISTED], counts)


def beginning(words: Sequence[str], most: int) -> list[str]:
    """Keys of entries whose heading or names have all of these words, the last of which may be only begun."""
    if not words:
        return []
    if not is_in_database():
        found = get_search_backend().autocomplete(" ".join(words), SearchEntry, operator="and")
        return [entry.pk for entry in found[:most]]
    with _engine.bounded():
        return _engine.beginning(words, most)


def _find_elsewhere(stems: Collection[str], kind: str, *, has_all: bool) -> Found:
    query = PlainText(" ".join(stems), operator="and" if has_all else "or")
    backend = get_search_backend()
    counts = dict(backend.search(query, SearchEntry).facet("kind"))
    entries = SearchEntry.objects.filter(kind=kind) if kind else SearchEntry.objects.all()
    found = backend.search(query, entries)[:MOST_LISTED]
    return Found([entry.pk for entry in found], counts)
