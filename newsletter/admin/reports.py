from functools import cached_property
from typing import cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from newsletter.models import MailReport

from .subscribers import ReadOnly

# How far the list is turned: whoever looks for something older asks for it by a filter.
MOST_SHOWN = 5_000


class BoundedPaginator(Paginator):
    """Counts no further than the list goes."""

    @cached_property
    def count(self) -> int:
        return cast(QuerySet, self.object_list)[:MOST_SHOWN].count()


@admin.register(MailReport)
class MailReportAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["received_at", "kind", "status", "source", "edition", "diagnostic"]
    list_filter = ["kind", "received_at"]
    list_select_related = ["edition"]
    list_per_page = 50
    fields = ["received_at", "kind", "status", "diagnostic", "source", "edition", "subscriber", "delivery"]
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ["status"]
    search_help_text = "Finds reports by the beginning of their status code, such as 5.1."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MailReport], search_term: str
    ) -> tuple[QuerySet[MailReport], bool]:
        status = search_term.strip()
        return queryset.filter(status__startswith=status) if status else queryset, False
