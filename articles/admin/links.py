"""The list of links to other sites, with what they answered when they were last looked at."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.link_checks import check_links
from articles.models import ExternalLink


class LinkStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("broken", "Broken"), ("moved", "Moved"), ("new", "Not looked at yet")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[ExternalLink]) -> models.QuerySet[ExternalLink]:
        conditions = {
            "broken": Q(failures__gte=ExternalLink.BROKEN_AFTER),
            "moved": ~Q(moved_to=""),
            "new": Q(checked_at=None),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(ExternalLink)
class ExternalLinkAdmin(admin.ModelAdmin):
    list_display = ["leads_to", "state", "stands_in", "checked_at"]
    list_display_links = None
    list_filter = [LinkStateFilter]
    list_per_page = 50
    search_fields = ["address"]
    actions = ["look_again"]
    readonly_fields = ["leads_to", "state", "stands_in", "checked_at"]
    fieldsets = [(None, {"fields": ["leads_to", "state", "stands_in", "checked_at"]})]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ExternalLink]:
        articles = models.Prefetch("articles", to_attr="in_articles")
        sources = models.Prefetch("sources", to_attr="in_sources")
        return super().get_queryset(request).prefetch_related(articles, sources)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ExternalLink | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ExternalLink | None = None) -> bool:
        return False

    def has_look_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("articles.change_externallink")

    @admin.display(description="leads to", ordering="address")
    def leads_to(self, link: ExternalLink) -> SafeString:
        return format_html('<a href="{}" rel="noreferrer" target="_blank">{}</a>', link.address, link.address)

    @admin.display(description="state", ordering="failures")
    def state(self, link: ExternalLink) -> str:
        if link.problem:
            times = f" {link.failures} times running." if link.failures > 1 else " Once so far."
            return f"{link.problem}{times}"
        if link.moved_to:
            return f"Moved to {link.moved_to}"
        return "There" if link.checked_at else "Not looked at yet"

    @admin.display(description="stands in")
    def stands_in(self, link: ExternalLink) -> SafeString:
        records = [*link.in_articles, *link.in_sources]  # type: ignore[attr-defined]
        return format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            (
                (reverse(f"admin:articles_{record._meta.model_name}_change", args=[record.pk]), str(record))
                for record in records
            ),
        )

    @admin.action(description="Look at them again", permissions=["look_again"])
    def look_again(self, request: HttpRequest, queryset: models.QuerySet[ExternalLink]) -> None:
        count = queryset.update(checked_at=None)
        check_links.enqueue()
        messages.success(request, f"{count} link{'' if count == 1 else 's'} will be looked at within minutes.")
