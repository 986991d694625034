"""The statements that ask FTS5 (https://sqlite.org/fts5.html), over the tables that modelsearch keeps.

Words are letters and digits only, so that none means anything else in FTS5's language.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

MOST_RANKED = 200

# The best are chosen before anything else of them is read; `rank` is bm25.
BEST = """
    SELECT * FROM (
        SELECT rowid AS id, rank AS place FROM modelsearch_indexentry_fts
        WHERE modelsearch_indexentry_fts MATCH %s ORDER BY rank LIMIT %s
    )
"""
# The best of those entered latest, where every page may match.
BEST_OF_LATEST = """
    SELECT * FROM (
        SELECT rowid AS id, rank AS place FROM modelsearch_indexentry_fts
        WHERE modelsearch_indexentry_fts MATCH %s AND rowid >= (
            SELECT coalesce(min(latest.rowid), 0) FROM (
                SELECT rowid FROM modelsearch_indexentry_fts
                WHERE modelsearch_indexentry_fts MATCH %s ORDER BY rowid DESC LIMIT %s
            ) AS latest
        ) ORDER BY rank LIMIT %s
    )
"""
IN_ORDER = "SELECT object_id FROM ({}) AS best JOIN modelsearch_indexentry USING (id) ORDER BY place, id DESC"
NUMBER = """
    SELECT count(*) FROM (
        SELECT rowid FROM modelsearch_indexentry_fts WHERE modelsearch_indexentry_fts MATCH %s LIMIT %s
    )
"""


@contextmanager
def bounded() -> Iterator[None]:
    """Nothing beside the bounds of each statement: none waits for another."""
    yield


def in_names(stems: Sequence[str], token: str, most: int, *, has_all: bool) -> list[str]:
    """Keys of entries with these stems in heading and names; bm25 prefers what is short and words that are rare."""
    return _column(IN_ORDER.format(BEST), [_match("title", stems, token, has_all=has_all), most])


def anywhere(stems: Sequence[str], token: str, most: int, *, has_all: bool) -> list[str]:
    """The same with the stems anywhere, among the latest `MOST_RANKED` entries that have them."""
    match = _match("title body", stems, token, has_all=has_all)
    return _column(IN_ORDER.format(BEST_OF_LATEST), _latest(match, most))


def count(stems: Sequence[str], tokens: Mapping[str, str], most: int, *, has_all: bool) -> dict[str, int]:
    """How many entries of each kind match, counted up to one more than `most`: one statement."""
    parameters: list[Any] = []
    for token in tokens.values():
        parameters += [_match("title body", stems, token, has_all=has_all), most + 1]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([NUMBER] * len(tokens)), parameters)
        return dict(zip(tokens, [row[0] for row in cursor.fetchall()], strict=True))


def beginning(words: Sequence[str], most: int) -> list[str]:
    whole = " AND ".join(f'"{word}"' for word in words)
    return _column(IN_ORDER.format(BEST_OF_LATEST), _latest(f"{{autocomplete}} : ({whole} *)", most))


def _latest(match: str, most: int) -> list[Any]:
    return [match, match, MOST_RANKED, most]


def _match(columns: str, stems: Sequence[str], token: str, *, has_all: bool) -> str:
    words = (" AND " if has_all else " OR ").join(f'"{stem}"' for stem in stems)
    of_kind = f' AND {{title}} : "{token}"' if token else ""
    return f"({{{columns}}} : ({words})){of_kind}"


def _column(statement: str, parameters: Sequence[Any]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]
