from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexWhileInUse(AddIndexConcurrently):
    """Add an index; on PostgreSQL without keeping writers out, in a migration with `atomic = False`."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, after: ProjectState
    ) -> None:
        self._kind(editor).database_forwards(self, app_label, editor, before, after)

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, after: ProjectState
    ) -> None:
        self._kind(editor).database_backwards(self, app_label, editor, before, after)

    def _kind(self, editor: BaseDatabaseSchemaEditor) -> Any:
        return AddIndexConcurrently if editor.connection.vendor == "postgresql" else AddIndex
