"""Triggers that keep published rows as they are, whoever writes to the database.

A published figure is neither changed nor deleted; its `superseded_at` is set once, when a successor is there. They are
made anew after every migration, so that a new column is guarded too. Before one they are taken off SQLite, which drops
no column that a trigger names; there they are missing until the next migration that succeeds, should one fail. A
subclass of `Sourced` in any app is guarded by itself.

What they do not hinder: a row that is new and says it was published earlier, and whoever may drop triggers. SQLite
fires none for a row that REPLACE puts out of the way because of another key than its id, unless the connection asks for
that (`PRAGMA recursive_triggers`), as those of the settings do.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

PUBLISHED = "A published figure is frozen; publish a successor instead."
KEPT = "A published figure stays as history; it cannot be deleted."
VERSION = "A published version is never changed or deleted; publish another."
LOG = "What is written in a log is never changed or deleted."

# Tables of other apps whose rows are only added, each with the one column that may be emptied, if there is one.
_logs: dict[type[models.Model], str] = {}


def keep(model: type[models.Model], *, forgets: str = "") -> None:
    """Guard a table whose rows are only ever added, and in which `forgets`, if given, may be set to nothing."""
    _logs[model] = forgets


def guarded_models() -> list[type[models.Model]]:
    """The models whose published rows are frozen, and those whose rows are only added."""
    from .models import ArticleVersion
    from .models.sourced import kinds_of_figures

    return [ArticleVersion, *kinds_of_figures(), *_logs]


def install(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the triggers of an app's tables: a receiver of `post_migrate`, idempotent."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    for model in _of(app_config):
        # A migration to an earlier state leaves no table.
        if model._meta.db_table in tables:
            guard(connection, model)


def take_off(app_config: AppConfig, using: str, plan: Sequence[Any], **kwargs: Any) -> None:
    """Take the triggers off SQLite before migrations that are about to run: a receiver of `pre_migrate`."""
    connection = connections[using]
    if plan and connection.vendor == "sqlite":
        for model in _of(app_config):
            unguard(connection, model)


def _of(app_config: AppConfig) -> list[type[models.Model]]:
    return [model for model in guarded_models() if model._meta.app_config is app_config]


def guard(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Make a table's triggers anew."""
    unguard(connection, model)
    write = _postgresql if connection.vendor == "postgresql" else _sqlite
    with connection.cursor() as cursor:
        for statement in write(connection, model):
            cursor.execute(statement)


def unguard(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Drop a table's triggers."""
    quote, table = connection.ops.quote_name, model._meta.db_table
    with connection.cursor() as cursor:
        for act in ("update", "delete", "truncate", "insert"):
            place = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {quote(f'{table}_{act}_frozen')}{place}")


def _message(model: type[models.Model], figure: str) -> str:
    if model in _logs:
        return LOG
    return figure if _is_figure(model) else VERSION


def _is_figure(model: type[models.Model]) -> bool:
    from .models import Sourced

    return issubclass(model, Sourced)


def _postgresql(connection: BaseDatabaseWrapper, model: type[models.Model]) -> list[str]:
    quote, table = connection.ops.quote_name, model._meta.db_table
    name = quote(f"{table}_frozen")
    passes = ""
    if forgets := _logs.get(model, ""):
        passes = f"""
            IF TG_OP = 'UPDATE' AND NEW.{quote(forgets)} IS NULL
                AND to_jsonb(NEW) - '{forgets}' = to_jsonb(OLD) - '{forgets}' THEN
                RETURN NEW;
            END IF;
        """
    elif model not in _logs and _is_figure(model):
        same = "to_jsonb(NEW) - 'superseded_at' = to_jsonb(OLD) - 'superseded_at'"
        has_successor = f"EXISTS (SELECT 1 FROM {quote(table)} WHERE supersedes_id = OLD.id)"  # noqa: S608
        passes = f"""
            IF TG_OP <> 'TRUNCATE' THEN
                IF OLD.published_at IS NULL THEN
                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                END IF;
                IF TG_OP = 'UPDATE' AND OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL AND {same}
                    AND {has_successor} THEN
                    RETURN NEW;
                END IF;
            END IF;
        """
    function = f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {passes}
            RAISE EXCEPTION '{_message(model, PUBLISHED)}' USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """
    timings = [("update", "UPDATE", "ROW"), ("delete", "DELETE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT")]
    triggers = [
        f"CREATE TRIGGER {quote(f'{table}_{act}_frozen')} BEFORE {event} ON {quote(table)} "
        f"FOR EACH {level} EXECUTE FUNCTION {name}()"
        for act, event, level in timings
    ]
    return [function, *triggers]


def _sqlite(connection: BaseDatabaseWrapper, model: type[models.Model]) -> list[str]:
    quote, table = connection.ops.quote_name, model._meta.db_table
    may_change = _logs.get(model, "superseded_at")
    columns = [quote(f.column) for f in model._meta.concrete_fields if f.column and f.column != may_change]
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in columns)
    changed = deleted = published = ""
    if _logs.get(model):
        changed = f"WHEN NOT (NEW.{quote(may_change)} IS NULL AND {same})"
    elif model not in _logs and _is_figure(model):
        has_successor = f"EXISTS (SELECT 1 FROM {quote(table)} WHERE supersedes_id = OLD.id)"  # noqa: S608
        is_superseded = f"OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL AND {has_successor}"
        changed = f"WHEN OLD.published_at IS NOT NULL AND NOT ({is_superseded} AND {same})"
        deleted = "WHEN OLD.published_at IS NOT NULL"
        published = " AND published_at IS NOT NULL"
    # INSERT OR REPLACE puts a row in another's place without an update and, as a rule, without a deletion.
    replaced = f"WHEN EXISTS (SELECT 1 FROM {quote(table)} WHERE id = NEW.id{published})"  # noqa: S608
    conditions = {"UPDATE": changed, "DELETE": deleted, "INSERT": replaced}
    messages = [_message(model, text) for text in (PUBLISHED, KEPT, PUBLISHED)]
    return [
        f"CREATE TRIGGER {quote(f'{table}_{act.lower()}_frozen')} BEFORE {act} ON {quote(table)} "
        f"FOR EACH ROW {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for (act, condition), message in zip(conditions.items(), messages, strict=True)
    ]
