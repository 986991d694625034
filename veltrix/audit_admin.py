"""The audit log at the desk: a list to filter and search, and the same as a CSV file."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from articles.open_data import neutral

from . import audit
from .models import AuditEntry
from .sign_in.confirming import ask_to_confirm

MOST_EXPORTED = 100_000
COLUMNS = ["when", "who", "act", "subject_type", "subject_key", "subject_name", "words", "address", "browser"]


class Echo:
    """A file that gives back what is written, for `csv` to stream."""

    def write(self, text: str) -> str:
        return text


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    list_display = ["at", "user", "act", "subject_name", "words", "address", "browser"]
    list_filter = ["act", ("user", admin.RelatedOnlyFieldListFilter), "at"]
    list_per_page = 50
    search_fields = ["user__username", "subject_name", "subject_type", "words"]
    search_help_text = "Finds names of people, of what they acted on, and words."
    list_select_related = ["user"]
    show_full_result_count = False
    change_list_template = "admin/sign_in/audit_log.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Audit log", **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.export_view))
        return [path("export/", view, name="veltrix_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows with these filters and this search, the latest first, as a CSV file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if asked := ask_to_confirm(request):
            return asked
        # A filter that there is not is answered by the list's own page, as it answers there.
        try:
            entries = self.get_changelist_instance(request).get_queryset(request).filter(at__lte=timezone.now())
        except admin.options.IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:veltrix_auditentry_changelist"))
        audit.note(request, audit.Act.EXPORTED, words=f"The audit log, as filtered by “{request.GET.urlencode()}”.")
        response = StreamingHttpResponse(_lines(entries[:MOST_EXPORTED]), content_type="text/csv; charset=utf-8")
        name = f"audit-log-{timezone.localdate():%Y-%m-%d}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    writer: Any = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries.iterator(chunk_size=1000):
        yield writer.writerow([neutral(value) for value in _cells(entry)])


def _cells(entry: AuditEntry) -> list[str]:
    return [
        entry.at.isoformat(),
        entry.user.get_username() if entry.user else "",
        entry.act,
        entry.subject_type,
        entry.subject_key,
        entry.subject_name,
        entry.words,
        entry.address or "",
        entry.browser,
    ]
