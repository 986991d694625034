"""Django's PostgreSQL, but no wait for the server is endless where readers wait for the answer.

A server that has crashed is noticed at once. One that is silent (its machine hangs, its process is stopped, the network
drops packets) is not: neither `connect_timeout` nor `statement_timeout` ends the wait for an answer to a statement. A
process that serves pages therefore calls `limit_waiting`; commands and workers, whose statements may be long, do not.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Self

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

# While the server is silent, each answer is waited for so many seconds only, and one thread at a time tries to connect,
# so many seconds after the last one did. Whichever connection gets an answer ends that.
LIMIT_IN_SILENCE = 2.0
REST = 1.0

_limit: float | None = None
_limit_here: ContextVar[float | None] = ContextVar("limit_here", default=None)
_trial = threading.Lock()
_is_silent = False
_next_trial_at = 0.0


def limit_waiting(seconds: float | None) -> None:
    """From now on let no wait of this process for the database take longer; None takes the limit away."""
    global _limit, _is_silent
    _limit, _is_silent = seconds, False


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Let no wait in this thread take longer, until the end of the block."""
    token = _limit_here.set(seconds)
    try:
        yield
    finally:
        _limit_here.reset(token)


def _note_silence() -> None:
    global _is_silent, _next_trial_at
    _is_silent, _next_trial_at = True, time.monotonic() + REST


def _current_limit() -> float | None:
    limit = _limit_here.get() or _limit
    return min(limit, LIMIT_IN_SILENCE) if _is_silent and limit else limit


@contextmanager
def _trying_if_silent() -> Iterator[bool]:
    """Whether this is a trial of a silent server; raises `OperationalError` where it is not this thread's turn."""
    if not _is_silent:
        yield False
        return
    if time.monotonic() < _next_trial_at or not _trial.acquire(blocking=False):
        raise psycopg.OperationalError("the database gave no answer a moment ago")
    try:
        yield True
    finally:
        _trial.release()


def _ending_silence[T](gen: PQGen[T]) -> PQGen[T]:
    """The same waits; the silence ends with the first answer, not with what needs none."""
    global _is_silent
    is_asked = False
    try:
        state = next(gen)
        while True:
            ready = yield state
            is_asked = True
            state = gen.send(ready)
    except StopIteration as end:
        if is_asked:
            _is_silent = False
        result: T = end.value
        return result


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when an answer takes too long, so that nobody takes a late one for their own."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect; while the server is silent one thread tries, and the others fail at once."""
        global _is_silent
        with _trying_if_silent() as is_trial:
            if is_trial:
                kwargs["connect_timeout"] = int(LIMIT_IN_SILENCE)
            try:
                connection = super().connect(*args, **kwargs)
            except psycopg.errors.ConnectionTimeout:
                if _limit is not None:
                    _note_silence()
                raise
            _is_silent = False
        return connection

    def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server (the one place where psycopg does); raise `OperationalError` beyond the limit."""
        limit = _current_limit()
        if limit is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_ending_silence(gen) if _is_silent else gen, interval, limit)
        except psycopg.errors._WaitTimeout:
            # A limit of one thread alone is shorter than what says that the server is silent.
            if _limit is not None and (_is_silent or limit >= _limit):
                _note_silence()
            self.close()
            raise psycopg.OperationalError(f"the database gave no answer for {limit:g} seconds") from None


class DatabaseWrapper(base.DatabaseWrapper):
    # psycopg, but for the connections that it makes.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})  # type: ignore[assignment]
