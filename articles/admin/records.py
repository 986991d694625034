from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator

from articles.imports import SourceResource, StatisticResource
from articles.models import Author, Category, LiveReference, Series, Source, Sourced, Statistic, StatisticValue
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
        kinds = [kind for kind in LiveReference.kinds() if kind.target_model() is type(record)]
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


class StatisticForm(forms.ModelForm):
    """A claim. Once it has a figure, other words are a correction of that figure, which says what they were."""

    why_note = forms.CharField(
        label="Why it is worded anew",
        required=False,
        max_length=120,
        help_text="For another claim or scope of a published figure. Readers see it among the corrections, with the "
        "words that stood there before.",
    )

    class Meta:
        widgets = {
            "claim": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
            "scope": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        }

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        self.reworded = [name for name in ("claim", "scope") if name in self.changed_data]
        self.before = [str(self.initial.get(name)) for name in self.reworded]
        if self.reworded and self.instance.pk and self.instance.current and not self.cleaned_data.get("why_note"):
            self.add_error("why_note", "A published figure gets other words. Say why: readers see it.")
        return data


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
    form = StatisticForm

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Statistic]:
        return Statistic.objects.with_current()

    def get_fields(self, request: HttpRequest, obj: Statistic | None = None) -> Any:
        fields = ["claim", "slug", "unit", "scope"]
        return [*fields, "why_note"] if obj and obj.current and self.has_change_permission(request) else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Statistic | None = None) -> Any:
        """What is counted stays once it was: a figure in another unit is another statistic."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "unit"] if obj and obj.current else fields

    def save_model(self, request: HttpRequest, obj: Statistic, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.reworded and (current := obj.values.current().first()):
            before = "; ".join(f"“{text}”" for text in form.before)
            note = Truncator(f"{form.cleaned_data['why_note'].rstrip('.')}. Before: {before}").chars(300)
            why = Sourced.Why.RETRACTION if current.is_withdrawn else Sourced.Why.CORRECTION
            current.publish_successor(why=why, why_note=note)

    @admin.display(description="current figure")
    def figure(self, statistic: Statistic) -> str:
        return statistic.current.text if statistic.current else "none yet"

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
