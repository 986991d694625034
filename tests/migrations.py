"""Which migrations would stop a site that is being read, or break the release that still runs while they are applied.

Read off the SQL that PostgreSQL would get; no server is needed for that. What locks how: the PostgreSQL manual,
“Explicit Locking” and “ALTER TABLE”.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from veltrix.postgresql.base import DatabaseWrapper

APPS = {"articles", "careers", "newsletter", "veltrix"}
# Migrations that may do what is forbidden, each with the reason, as “app.name”.
ACCEPTED: dict[str, str] = {}

TWO_STEPS = "releases that run meanwhile would fail: let one release stop using it, and the next one take it away"
IN_ITS_OWN_TIME = "writers wait until it is done: use AddIndexConcurrently in a migration that is not atomic"
VALIDATED_LATER = (
    "the table is locked while all rows are looked at: add it NOT VALID, and validate it in a later migration"
)

# What is wrong with a statement on a table that is there already.
FORBIDDEN = [
    (r"\bDROP COLUMN\b|^DROP TABLE\b|\bRENAME (COLUMN|TO)\b", TWO_STEPS),
    (
        r"\bALTER COLUMN \S+ TYPE\b",
        "the table is written anew, and locked: add another column, fill it, and change over",
    ),
    (r"\bALTER COLUMN \S+ SET NOT NULL\b", "all rows are looked at under a lock: validate a CHECK first"),
    (r"^CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)", IN_ITS_OWN_TIME),
    (r"\bADD CONSTRAINT \S+ (CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID)", VALIDATED_LATER),
    (r"\bADD CONSTRAINT \S+ (UNIQUE|EXCLUDE|PRIMARY KEY)\b(?!.*\bUSING INDEX)", IN_ITS_OWN_TIME),
]
NO_DEFAULT = "releases that run meanwhile do not fill it: let it be null, or give it a db_default"
MIXED = "rows are changed while tables are locked: let data and schema have a migration each"

_TABLE = re.compile(r'(?:CREATE TABLE|ALTER TABLE|DROP TABLE|\bON) (?:IF EXISTS )?"(\w+)"')
_COLUMN = re.compile(r'\bADD COLUMN ("\w+") (.*)')


def problems() -> list[str]:
    """What is wrong with the migrations of this site, one line each. The first of each app finds no rows yet."""
    loader = MigrationLoader(None)
    found = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in APPS and not migration.initial and f"{app}.{name}" not in ACCEPTED:
            state = loader.project_state((app, name), at_end=False)
            found += [f"{app}.{name}: {problem}" for problem in problems_of(migration, state)]
    return found


def problems_of(migration: Migration, state: ProjectState) -> list[str]:
    """What is wrong with one migration, from the state before it."""
    statements = _sql(migration, state.clone())
    found = [*_on_tables_in_use(statements), *_without_default(statements)]
    has_data = any(isinstance(operation, RunPython) for operation in migration.operations)
    others = [o for o in migration.operations if not isinstance(o, (RunPython, RunSQL))]
    if has_data and others and migration.atomic:
        found.append(MIXED)
    return found


def _sql(migration: Migration, state: ProjectState) -> list[str]:
    parameters: dict[str, Any] = {**connections.databases["default"], "NAME": "none", "OPTIONS": {}}
    wrapper = DatabaseWrapper(parameters)
    # Nothing here has a connection: values are told roughly, and no transaction is begun, as a context would.
    wrapper.ops.compose_sql = lambda sql, params: sql % tuple(map(repr, params))
    editor = wrapper.schema_editor(collect_sql=True)
    editor.deferred_sql = []
    migration.apply(state, editor, collect_sql=True)
    lines = [*editor.collected_sql, *map(str, editor.deferred_sql)]
    return [" ".join(line.split()) for line in lines if not line.startswith("--")]


def _on_tables_in_use(statements: list[str]) -> Iterator[str]:
    created = set()
    for statement in statements:
        table = found[1] if (found := _TABLE.search(statement)) else ""
        if statement.startswith("CREATE TABLE"):
            created.add(table)
        elif table not in created:
            yield from (f"{why} ({statement})" for pattern, why in FORBIDDEN if re.search(pattern, statement))


def _without_default(statements: list[str]) -> Iterator[str]:
    """Columns that must be filled and that the database does not fill by itself in the end."""
    for statement in statements:
        if (column := _COLUMN.search(statement)) and re.search(r"(?<!IS )\bNOT NULL\b", column[2]):
            dropped = any(f"ALTER COLUMN {column[1]} DROP DEFAULT" in later for later in statements)
            if dropped or ("DEFAULT" not in column[2] and "GENERATED" not in column[2]):
                yield f"{NO_DEFAULT} ({statement})"
