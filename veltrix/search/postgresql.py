"""The statements that ask PostgreSQL's full-text search, over the table that modelsearch keeps.

Words are letters and digits only, so that none means anything else in a `tsquery`. Relevance is computed for a bounded
number of pages: of those that have the words in their text only, for the latest.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

# The planner does not know that to read a page's words costs much more than to find the page in the index.
BOUNDED = """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),
        set_config('statement_timeout', '3s', true)
"""
# Words with what narrows them down. PostgreSQL leaves out what its tables know as no letter: no word, no page.
ASKED = "CASE WHEN numnode(to_tsquery('simple', %s)) > 0 THEN to_tsquery('simple', %s) END"
IN_NAMES = f"""
    SELECT object_id FROM modelsearch_indexentry WHERE title @@ {ASKED}
    ORDER BY title_norm * ts_rank(title, to_tsquery('simple', %s)) DESC, id DESC LIMIT %s
"""  # noqa: S608
ANYWHERE = f"""
    SELECT object_id FROM (
        SELECT id, object_id, body FROM modelsearch_indexentry
        WHERE (title || body) @@ {ASKED} ORDER BY id DESC LIMIT %s
    ) AS latest ORDER BY ts_rank(body, to_tsquery('simple', %s)) DESC, id DESC
"""  # noqa: S608
NUMBER = f"""
    SELECT count(*) FROM (
        SELECT FROM modelsearch_indexentry WHERE (title || body) @@ {ASKED} LIMIT %s
    ) AS counted
"""  # noqa: S608
BEGINNING = """
    SELECT object_id FROM modelsearch_indexentry WHERE autocomplete @@ to_tsquery('simple', %s)
    ORDER BY title_norm DESC, id DESC LIMIT %s
"""


@contextmanager
def bounded() -> Iterator[None]:
    """A transaction for the statements below, in which none takes longer than three seconds."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(BOUNDED)
        yield


def in_names(stems: Sequence[str], token: str, most: int, *, has_all: bool) -> list[str]:
    """Keys of entries with these stems in heading and names; of two that have them as often, the shorter is first."""
    words = _words(stems, has_all=has_all)
    return _column(IN_NAMES, [*_asked(words, token), words, most])


def anywhere(stems: Sequence[str], token: str, most: int, *, has_all: bool) -> list[str]:
    words = _words(stems, has_all=has_all)
    return _column(ANYWHERE, [*_asked(words, token), most, words])


def count(stems: Sequence[str], tokens: Mapping[str, str], most: int, *, has_all: bool) -> dict[str, int]:
    """How many entries of each kind match, counted up to one more than `most`: one statement."""
    words = _words(stems, has_all=has_all)
    parameters = [value for token in tokens.values() for value in (*_asked(words, token), most + 1)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([NUMBER] * len(tokens)), parameters)
        return dict(zip(tokens, [row[0] for row in cursor.fetchall()], strict=True))


def beginning(words: Sequence[str], most: int) -> list[str]:
    *whole, last = words
    return _column(BEGINNING, [" & ".join([*whole, f"{last}:*"]), most])


def _words(stems: Sequence[str], *, has_all: bool) -> str:
    return (" & " if has_all else " | ").join(stems)


def _asked(words: str, token: str) -> tuple[str, str]:
    return words, f"({words}) & {token}" if token else words


def _column(statement: str, parameters: Sequence[Any]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]
