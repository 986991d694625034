"""Rows as JSON lines that any engine takes: through the models' fields, so that no column type is the engine's own."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import batched
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from .archive import DamagedError

type Model = type[models.Model]

# What does not outlive a restore: who is signed in, brakes on signing in, tasks, which may have been done since,
# what the page cache has still to be told, and the index of the search, which is made again.
LEFT_OUT = {
    "django_tasks_database.DBTaskResult",
    "modelsearch.IndexEntry",
    "sessions.Session",
    "veltrix.Attempt",
    "veltrix.ContentChange",
    "veltrix.SearchEntry",
    "veltrix.SearchMark",
    "veltrix.SearchWord",
    "veltrix.SessionRecord",
}
# A table that SQLite keeps for another one.
NO_TABLES = {"modelsearch.SQLiteFTSIndexEntry"}
# What migrations write by themselves: an installation that holds nothing else is empty.
MADE_BY_MIGRATIONS = {"contenttypes.ContentType", "auth.Permission", "auth.Group", "auth.Group_permissions"}
AT_ONCE = 2_000


def kept() -> list[Model]:
    """The models whose rows a backup holds."""
    return [model for model in _stored() if model._meta.label not in LEFT_OUT]


def left_out() -> list[Model]:
    return [model for model in _stored() if model._meta.label in LEFT_OUT]


def _stored() -> list[Model]:
    found = apps.get_models(include_auto_created=True)
    stored = [model for model in found if model._meta.managed and model._meta.label not in NO_TABLES]
    return sorted(stored, key=lambda model: model._meta.label)


def migrations() -> list[str]:
    """The migrations that the database has had, as “app.name”."""
    return sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())


@contextmanager
def snapshot() -> Iterator[None]:
    """Let every query until the end of the block see the database as it is at the first; nobody is hindered."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            yield
        return
    with connection.cursor() as cursor:
        # Not by `atomic`: the settings let that lock out other writers.
        cursor.execute("BEGIN")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def rows(model: Model, count: Callable[[], object]) -> Iterator[bytes]:
    """The names of the columns, then the rows by key, one JSON array a line; `count` is called for each row."""
    names = [field.attname for field in _fields(model)]
    yield _line(names)
    for row in model._base_manager.order_by("pk").values_list(*names).iterator(AT_ONCE):
        count()
        yield _line(row)


def _fields(model: Model) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _line(values: Iterable[Any]) -> bytes:
    return json.dumps(list(values), default=_plain, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> str:
    """What `Field.to_python` takes back."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode()
    raise TypeError(f"A backup has no form for {type(value).__name__}.")


def load(model: Model, lines: Iterator[bytes]) -> int:
    """Insert rows as they are, with their keys and without what saving does; how many. Raises `DamagedError`."""
    fields, label = _fields(model), model._meta.label
    if json.loads(next(lines, b"[]")) != [field.attname for field in fields]:
        raise DamagedError(f"The columns of {label} are not those of this installation.")
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields if field.column)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    number = 0
    with connection.cursor() as cursor:
        for some in batched(lines, AT_ONCE, strict=False):
            cursor.executemany(statement, [_prepared(fields, json.loads(line)) for line in some])
            number += len(some)
    return number


def _prepared(fields: list[models.Field], row: list[Any]) -> list[Any]:
    return [_for_database(field, value) for field, value in zip(fields, row, strict=True)]


def _for_database(field: models.Field, value: Any) -> Any:
    if isinstance(field, models.JSONField) and (value is not None or not field.null):
        # A null in JSON is none in SQL where the column takes none.
        return field.get_db_prep_value(value, connection)
    return field.get_db_prep_save(field.to_python(value), connection)


def empty(model: Model) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608


def reset_sequences() -> None:
    """Let the next row of each table have a key that none has had."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kept()):
            cursor.execute(statement)


def renew_statistics() -> None:
    """Let PostgreSQL plan by the rows that are there now, and not by those of before until it looks by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(connection.ops.quote_name(model._meta.db_table) for model in kept())}")
