from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from . import audit

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    ModelAdmin = object


class Audited(ModelAdmin):
    """What an admin writes into its own log stands in the audit log too, with where it came from."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _note(request, audit.Act.ADDED, obj, super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _note(request, audit.Act.CHANGED, obj, super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            audit.note(request, audit.Act.DELETED, obj)
        return super().log_deletions(request, queryset)


def _note(request: HttpRequest, act: audit.Act, obj: Model, entry: LogEntry) -> LogEntry:
    audit.note(request, act, obj, entry.get_change_message())
    return entry
