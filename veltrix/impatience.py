"""Transactions that rather fail than keep a reader waiting."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def transaction_waiting_at_most(seconds: int) -> Iterator[None]:
    """A transaction that waits no longer for what somebody else has locked: a row, or with SQLite the database.

    Raises `OperationalError` then. Within another transaction on SQLite there is nothing left to wait for.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{int(seconds)}s'")
            yield
        return
    connection.ensure_connection()
    # Not by a cursor of Django’s: this is about the connection, and asks the database nothing.
    handle = connection.connection
    (before,) = handle.execute("PRAGMA busy_timeout").fetchone()
    handle.execute(f"PRAGMA busy_timeout = {seconds * 1000:d}")
    try:
        with transaction.atomic():
            yield
    finally:
        # After an error Django may have closed it.
        if connection.connection is handle:
            handle.execute(f"PRAGMA busy_timeout = {before:d}")
