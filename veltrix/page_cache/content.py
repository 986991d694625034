"""Sees every write to what readers see, whichever way it is made, and lets the pages of before go when it is committed.

It reads the statements that go to the database, so that no update, no bulk of rows and no cascade gets by. What is not
named here as unseen counts as seen.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from .stores import UnavailableError, store

logger = logging.getLogger(__name__)

WRITE = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)"
    r"\s+(?:ONLY\s+)?\"?(\w+)",
    re.IGNORECASE,
)
ASSIGNED = re.compile(r"\"(\w+)\" = ")
# Apps of which no page for readers shows a row.
UNSEEN_APPS = {"admin", "auth", "contenttypes", "django_tasks_database", "modelsearch", "sessions", "veltrix"}
# How long a process may take between its commit and the word to the store.
GRACE = timedelta(seconds=5)


class Watch:
    """What is seen of the statements that go through one process’s connections."""

    def __init__(self) -> None:
        self.unseen_tables: set[str] = set()
        self.unseen_columns: dict[str, set[str]] = {}
        self.is_on = True

    def leave_out(self, *kinds: type[models.Model]) -> None:
        """Say of which models no page for readers shows a row."""
        self.unseen_tables |= {kind._meta.db_table for kind in kinds}

    def leave_out_columns(self, kind: type[models.Model], *fields: str) -> None:
        """Say of which fields of a model readers see another copy."""
        columns = {str(kind._meta.get_field(name).column) for name in fields}  # type: ignore[union-attr]
        self.unseen_columns.setdefault(kind._meta.db_table, set()).update(columns)

    def leave_out_apps(self) -> None:
        kinds = apps.get_models(include_auto_created=True)
        self.leave_out(*(kind for kind in kinds if kind._meta.app_label in UNSEEN_APPS))

    def is_change(self, sql: str) -> bool:
        verb = sql.split(None, 1)[0].upper()
        if verb == "TRUNCATE":
            # It may name any number of tables.
            return True
        # A common table expression may hold several of them.
        found = WRITE.findall(sql) if verb == "WITH" else WRITE.findall(sql[:200])[:1]
        tables = set(found) - self.unseen_tables
        columns = self.unseen_columns.get(*tables) if len(tables) == 1 and verb == "UPDATE" else None
        return bool(tables) and not (columns and _written(sql) <= columns)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith("SELECT") or not self.is_on or not self.is_change(sql):
            return execute(sql, params, many, context)
        return _announced(context["connection"], context["cursor"], lambda: execute(sql, params, many, context))


def _written(sql: str) -> set[str]:
    """The columns that an update writes, and whatever else may look like one."""
    assignments = sql.partition(" SET ")[2].partition(" WHERE ")[0]
    return set(ASSIGNED.findall(assignments)) or {"*"}


watch = Watch()


def listen(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    if connection.alias == DEFAULT_DB_ALIAS and watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def _announced[T](connection: BaseDatabaseWrapper, cursor: Any, execute: Callable[[], T]) -> T:
    """Run a statement that changes what readers see; its transaction’s commit begins a new generation, once."""
    if any(isinstance(entry[1], _Committed) for entry in connection.run_on_commit):
        return execute()
    # A statement by itself is a transaction too, which the row of the change must be part of.
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        result = execute()
        if connection.vendor == "sqlite" and cursor.description:
            # It is not over before the rows that it returns have been read, and cannot be committed.
            cursor.cursor = _Fetched(cursor)
        if cursor.rowcount != 0:
            _tell_at_commit()
    return result


def _tell_at_commit() -> None:
    from veltrix.models import ContentChange

    transaction.on_commit(_Committed(ContentChange.objects.create().pk), robust=True)


class _Fetched:
    """A cursor of SQLite whose rows have been read, until it is asked something else."""

    def __init__(self, wrapper: Any) -> None:
        self.wrapper, self.cursor = wrapper, wrapper.cursor
        self.rows = iter(self.cursor.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return self.rows

    def fetchall(self) -> list[Any]:
        return list(self.rows)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return list(islice(self.rows, size))

    def fetchone(self) -> Any:
        return next(self.rows, None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("execute"):
            self.wrapper.cursor = self.cursor
        return getattr(self.cursor, name)


class _Committed:
    def __init__(self, change: int) -> None:
        self.change = change

    def __call__(self) -> None:
        try:
            store().renew()
        except UnavailableError:
            # The row stays: `settle` tells the store when it can be told.
            return
        _forget([self.change])


def settle() -> None:
    """Tell the store of changes whose process could not: it was killed after its commit, or the store was away."""
    from veltrix.models import ContentChange

    left = ContentChange.objects.filter(made_at__lt=Now() - GRACE).order_by("pk")
    changes = list(left.values_list("pk", flat=True)[:1_000])
    if not changes:
        return
    try:
        store().renew()
    except UnavailableError:
        return
    _forget(changes)


def _forget(changes: list[int]) -> None:
    from veltrix.models import ContentChange

    try:
        ContentChange.objects.filter(pk__in=changes).delete()
    except (OperationalError, InterfaceError):
        # They are forgotten with the next ones; pages are rendered once more than they must be.
        logger.warning("The page cache knows of changes that could not be struck off")


def pause(**kwargs: object) -> None:
    """Migrations write tables while others are not there yet; pages of before go when they are done."""
    watch.is_on = False


def resume(**kwargs: object) -> None:
    if not watch.is_on:
        watch.is_on = True
        try:
            store().renew()
        except UnavailableError:
            logger.warning("The page cache could not be told of the migrations")
