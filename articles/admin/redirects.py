from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles import redirects
from articles.imports.redirects import RedirectResource
from articles.models import Redirect

from .importing import ImportMixin


@admin.register(Redirect)
class RedirectAdmin(ImportMixin, admin.ModelAdmin):
    import_resource = RedirectResource
    list_display = ["path", "leads_to", "created_at"]
    list_select_related = ["article"]
    list_per_page = 100
    search_fields = ["path", "target", "article__slug", "article__title"]
    fields = ["path", "target"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Redirect | None:
        """A redirect to an article is shown with the address that the article has now."""
        redirect = super().get_object(request, object_id, from_field)
        if redirect:
            redirect.target = redirect.destination
        return redirect

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Redirect]:
        return super().get_queryset(request).select_related("article")

    @admin.display(description="leads to")
    def leads_to(self, redirect: Redirect) -> SafeString:
        note = "" if redirect.article is None or redirect.article.is_public else " (not published)"
        return format_html('<a href="{}">{}</a>{}', redirect.destination, redirect.destination, note)

    def save_model(self, request: HttpRequest, obj: Redirect, form: Any, change: bool) -> None:
        redirects.keep(obj)
