from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html

from articles.imports import SourceResource, StatisticResource
from articles.models import Author, Category, LiveReference, Series, Source, Statistic, StatisticValue
from articles.models.article import Article

from .importing import ImportMixin
from .sourced import CHANGE, CHECK, EVIDENCE, SourcedAdmin, StateFilter


class LastingSlugMixin:
    """Addresses and the documents of published articles name a record by its slug, so it is chosen once."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [*fields, "slug"] if obj else fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)  # type: ignore[misc]


class UsedInArticlesMixin:
    """Says, before a deletion is refused, in which articles, live or scheduled, a record is used."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        uses = [
            format_html("Article <a href='{}'>{}</a> shows “{}”", article.get_absolute_url(), article, record)
            for record in objs
            for article in self.live_articles(record)
        ]
        reasons = [*uses, *protected]
        # The page names missing permissions in front of reasons; where there are reasons, they are what helps.
        return to_delete, counts, set() if reasons else missing, reasons

    def live_articles(self, record: models.Model) -> Any:
        """The articles, live or scheduled, that use this record."""
        kinds = [kind for kind in LiveReference.__subclasses__() if kind.target_model() is type(record)]
        keys = [key for kind in kinds for key in kind.articles_of(record)]
        return Article.objects.filter(pk__in=keys)


@admin.register(Category)
class CategoryAdmin(LastingSlugMixin, admin.ModelAdmin):
    list_display = ["name", "parent", "slug"]
    list_select_related = ["parent"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Series)
class SeriesAdmin(LastingSlugMixin, admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Author)
class AuthorAdmin(LastingSlugMixin, UsedInArticlesMixin, admin.ModelAdmin):
    list_display = ["name", "description", "slug"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Source)
class SourceAdmin(ImportMixin, LastingSlugMixin, admin.ModelAdmin):
    import_resource = SourceResource
    list_display = ["citation", "kind", "published", "projection_horizon", "newer_edition", "address"]
    list_filter = ["kind", "producer"]
    list_select_related = ["newer_edition"]
    search_fields = ["producer", "authors", "title", "edition", "slug", "=doi", "=isbn"]
    autocomplete_fields = ["newer_edition"]
    prepopulated_fields = {"slug": ["producer", "title", "edition"]}
    fieldsets = [
        (None, {"fields": ["producer", "authors", "title", "edition", "slug", "kind", "published"]}),
        (
            "Where it is",
            {
                "fields": [("doi", "isbn"), "url", "archive_url", "accessed_on", "licence"],
                "description": "A DOI, an ISBN or an address: whatever lets a reader find it. Fill in what you know.",
            },
        ),
        ("What it covers", {"fields": ["projection_horizon", "newer_edition"]}),
    ]


HISTORY_FIELDS: Any = [
    "display_text",
    "value",
    "source",
    "as_of",
    "check_status",
    "why",
    "published_at",
    "superseded_at",
]


class StatisticValueInline(admin.TabularInline):
    """The figure and its history, to read; a figure is changed on its own page."""

    model = StatisticValue
    fields = readonly_fields = HISTORY_FIELDS
    ordering = ["-published_at"]
    show_change_link = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Statistic)
class StatisticAdmin(ImportMixin, LastingSlugMixin, UsedInArticlesMixin, admin.ModelAdmin):
    import_resource = StatisticResource
    import_further_models = [StatisticValue]
    list_display = ["slug", "figure", "claim", "evidence"]
    search_fields = ["slug", "claim", "scope", "values__display_text", "values__source__producer"]
    prepopulated_fields = {"slug": ["claim"]}
    inlines = [StatisticValueInline]
    change_form_template = "admin/articles/statistic/change_form.html"
    view_on_site = False  # a statistic without a figure has no page yet

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Statistic]:
        return Statistic.objects.with_current()

    @admin.display(description="current figure")
    def figure(self, statistic: Statistic) -> str:
        return statistic.current.display_text if statistic.current else "none yet"

    @admin.display(description="evidence")
    def evidence(self, statistic: Statistic) -> str:
        return statistic.current.get_check_status_display() if statistic.current else ""


@admin.register(StatisticValue)
class StatisticValueAdmin(SourcedAdmin):
    list_display = [
        "display_text",
        "statistic__slug",
        "source",
        "as_of",
        "check_status",
        "why",
        "state",
        "published_at",
    ]
    list_filter = [StateFilter, "check_status", "why", "source"]
    list_select_related = ["statistic", "source"]
    search_fields = ["display_text", "statistic__slug", "statistic__claim"]
    autocomplete_fields = ["statistic", "source"]
    fieldsets = [
        (None, {"fields": ["statistic", "value", "display_text", "horizon_year"]}),
        EVIDENCE,
        CHECK,
        CHANGE,
        ("History", {"fields": ["published_at", "superseded_at"]}),
    ]
