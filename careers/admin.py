from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from articles.admin.importing import ImportMixin
from articles.admin.records import LastingSlugMixin, UsedInArticlesMixin
from articles.admin.sourced import CHANGE, CHECK, EVIDENCE, SourcedAdmin, StateFilter

from .admin_merging import may_merge, merge_page, to_merge_page
from .imports import RoleResource, SalaryRangeResource
from .merging import settle
from .models import (
    CareerPath,
    ComparisonTable,
    ComparisonTableRow,
    Market,
    Requirement,
    Role,
    RoleCode,
    RoleRelation,
    SalaryRange,
    Skill,
    SkillAlias,
)


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    list_display = ["name", "code", "currency", "order"]
    list_editable = ["order"]
    search_fields = ["name", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Market | None = None) -> list[str]:
        # Published ranges are in this currency.
        return ["code", "currency"] if obj else []


class DistinctFormSet(BaseInlineFormSet):
    """Refuses two new rows that the database would take for one; Django compares rows only field by field."""

    message: str

    def key(self, data: dict[str, Any]) -> Any:
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.forms:
            if form.is_valid() and form.cleaned_data and not form.cleaned_data.get("DELETE"):
                key = self.key(form.cleaned_data)
                if key in seen:
                    form.add_error(None, self.message)
                    raise ValidationError(self.message)
                seen.add(key)


class RequirementFormSet(DistinctFormSet):
    message = "This list has a line of this name already."

    def key(self, data: dict[str, Any]) -> Any:
        return data["importance"], data["label"]


class SkillAliasFormSet(DistinctFormSet):
    message = "This alias belongs to a skill already."

    def key(self, data: dict[str, Any]) -> Any:
        return data["alias"].lower()


NOT_TO_CHOOSE = {"invalid_choice": "This skill was merged into another one, or is gone. Choose the one that stays."}


class RequirementInline(admin.TabularInline):
    model = Requirement
    formset = RequirementFormSet
    fields = ["importance", "label", "detail", "needs", "skills", "order"]
    autocomplete_fields = ["skills"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Requirement]:
        return super().get_queryset(request).prefetch_related("skills")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, error_messages=NOT_TO_CHOOSE, **kwargs)


class ListedMixin:
    """For the admin of what has a list of requirements."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        # Somebody may have merged a skill since the form was read.
        settle(form.instance.requirements.all())


PAY_FIELDS: Any = ["market", "kind", "low", "high", "is_open_ended", "as_of", "source", "check_status"]


class CurrentSalaryInline(admin.TabularInline):
    """The role's current pay, to read; a range is changed on its own page."""

    model = SalaryRange
    fields = readonly_fields = PAY_FIELDS
    verbose_name_plural = "current salary ranges"
    show_change_link = True
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalaryRange]:
        current = SalaryRange.objects.current().select_related("market", "role", "source")
        return current.order_by("market__order", "kind", "pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RoleCodeInline(admin.TabularInline):
    model = RoleCode
    extra = 0


class RoleRelationInline(admin.TabularInline):
    model = RoleRelation
    fk_name = "role"
    autocomplete_fields = ["related"]
    extra = 0


@admin.register(Role)
class RoleAdmin(ListedMixin, ImportMixin, LastingSlugMixin, UsedInArticlesMixin, admin.ModelAdmin):
    import_resource = RoleResource
    list_display = ["name", "path", "current_ranges", "slug", "order"]
    list_filter = ["path"]
    list_select_related = ["path"]
    search_fields = ["name", "slug", "requirements__label"]
    autocomplete_fields = ["path"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [CurrentSalaryInline, RequirementInline, RoleRelationInline, RoleCodeInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return Role.objects.with_current_pay()

    @admin.display(description="current pay")
    def current_ranges(self, role: Any) -> str:
        ranges = sorted(role.current_pay, key=lambda salary: salary.market.order)
        return ", ".join(salary.text for salary in ranges) or "none yet"

    def live_articles(self, record: Any) -> Any:
        return record.used_in()


@admin.register(CareerPath)
class CareerPathAdmin(ListedMixin, LastingSlugMixin, UsedInArticlesMixin, admin.ModelAdmin):
    list_display = ["name", "slug", "order"]
    list_editable = ["order"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RequirementInline]


class SkillAliasInline(admin.TabularInline):
    model = SkillAlias
    formset = SkillAliasFormSet
    extra = 0


class MergedFilter(admin.SimpleListFilter):
    title = "merged"
    parameter_name = "merged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Not merged"), ("yes", "Merged into another")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(merged_into__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Skill)
class SkillAdmin(LastingSlugMixin, admin.ModelAdmin):
    """A merged skill is there to read: its address leads on to the one that stayed."""

    list_display = ["name", "kind", "broader", "uses", "merged_into", "slug"]
    list_filter = [MergedFilter, "kind"]
    list_select_related = ["broader", "merged_into"]
    ordering = ["name"]  # the count of lines drops the model’s own
    search_fields = ["name", "slug", "aliases__alias"]
    autocomplete_fields = ["broader"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [SkillAliasInline]
    actions = ["merge_skills"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(merge_page, site=self.admin_site))
        return [path("merge/", view, name="careers_skill_merge"), *super().get_urls()]

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return may_merge(request.user)

    @admin.action(description="Merge the chosen skills into one", permissions=["merge"])
    def merge_skills(self, request: HttpRequest, queryset: QuerySet[Skill]) -> HttpResponse | None:
        return to_merge_page(request, queryset)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        return super().get_queryset(request).annotate(use_count=Count("requirements", distinct=True))

    def get_readonly_fields(self, request: HttpRequest, obj: Skill | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "merged_into"] if obj and obj.merged_into_id else fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, error_messages=NOT_TO_CHOOSE, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Skill | None = None) -> bool:
        return not (obj and obj.merged_into_id) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Skill, form: Any, change: bool) -> None:
        # Only what was typed: somebody may have merged the skill since the form was read.
        obj.save(update_fields=[name for name in form.changed_data if name in form.cleaned_data] if change else None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        lines = Requirement.objects.filter(skills__in=objs).select_related("role", "path").distinct()
        asked = [f"“{line.label}” of {line.owner} asks for it" for line in lines]
        asked += [f"“{skill}” leads readers on to “{skill.merged_into}”" for skill in objs if skill.merged_into_id]
        return to_delete, counts, set() if asked else missing, [*asked, *protected]

    @admin.display(description="asked for in", ordering="use_count")
    def uses(self, skill: Any) -> str:
        return f"{skill.use_count} line{'' if skill.use_count == 1 else 's'}"


@admin.register(SalaryRange)
class SalaryRangeAdmin(ImportMixin, SourcedAdmin):
    import_resource = SalaryRangeResource
    list_display = ["role", "market", "__str__", "kind", "as_of", "source", "check_status", "state", "published_at"]
    list_display_links = ["role", "__str__"]
    list_filter = [StateFilter, "market", "role", "kind", "check_status", "why"]
    list_select_related = ["role", "market", "source"]
    search_fields = ["role__name", "role__slug", "market__name"]
    autocomplete_fields = ["role", "market", "source"]
    fieldsets = [
        (None, {"fields": [("role", "market"), ("low", "high", "is_open_ended"), ("median", "sample_size")]}),
        ("What it measures", {"fields": [("kind", "period"), ("basis", "level")]}),
        EVIDENCE,
        CHECK,
        CHANGE,
        ("History", {"fields": ["published_at", "superseded_at"]}),
    ]


class ComparisonTableRowInline(admin.TabularInline):
    model = ComparisonTableRow
    autocomplete_fields = ["role"]
    extra = 0


@admin.register(ComparisonTable)
class ComparisonTableAdmin(LastingSlugMixin, UsedInArticlesMixin, admin.ModelAdmin):
    list_display = ["title", "slug"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [ComparisonTableRowInline]
