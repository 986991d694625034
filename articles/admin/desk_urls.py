"""Addresses of the pages around an article's form, each with the methods that it answers to."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods

from . import cards, checking, exchanging, gate, history, merging, pictures, previews, scheduling, working_copies

type View = Callable[..., HttpResponse]

READ, WRITE, BOTH = ["GET", "HEAD"], ["POST"], ["GET", "HEAD", "POST"]


def desk_urls(model_admin: ModelAdmin) -> list[URLPattern]:
    """The pages of an article, and those of an article that is being added, which has no key yet."""

    def address(route: str, name: str, view: View, methods: list[str]) -> URLPattern:
        return path(route, _at_the_desk(model_admin, view, methods), name=f"articles_article_{name}")

    def shown_in_frames(route: str, name: str, view: View, methods: list[str]) -> URLPattern:
        policy = csp_override(previews.PREVIEW_CSP)
        return path(route, policy(_at_the_desk(model_admin, view, methods)), name=f"articles_article_{name}")

    return [
        address("<int:pk>/draft/", "draft", previews.draft_view, READ),
        address("import/", "import", exchanging.import_view, BOTH),
        address("<int:pk>/export/", "export", exchanging.export_view, READ),
        address("calendar/", "calendar", scheduling.calendar_view, READ),
        address("<int:pk>/schedule/", "schedule", scheduling.schedule_view, BOTH),
        address("<int:pk>/share/", "share", previews.share_view, BOTH),
        address("<int:pk>/history/", "history", history.history_view, READ),
        address("<int:pk>/compare/", "compare", history.compare_view, READ),
        address("<int:pk>/restore/", "restore", history.restore_view, WRITE),
        address("<int:pk>/merge/", "merge", merging.merge_view, BOTH),
        address("<int:pk>/publish/", "publish", gate.gate_view, BOTH),
        address("<int:pk>/checklist/", "checklist", checking.checklist_view, BOTH),
        address("<int:pk>/working-copy/", "working_copy", working_copies.copy_view, WRITE),
        address("<int:pk>/working-copy/discard/", "discard_copy", working_copies.discard_view, WRITE),
        shown_in_frames("<int:pk>/preview/", "preview", previews.preview_view, BOTH),
        address("<int:pk>/card/", "card", cards.card_view, READ),
        address("add/card/", "add_card", cards.card_view, READ),
        address("picture/", "picture", pictures.picture_view, WRITE),
        address("add/checklist/", "add_checklist", checking.checklist_view, BOTH),
        address("add/working-copy/", "add_working_copy", working_copies.copy_view, WRITE),
        address("add/working-copy/discard/", "add_discard_copy", working_copies.discard_view, WRITE),
        shown_in_frames("add/preview/", "add_preview", previews.preview_view, BOTH),
    ]


def _at_the_desk(model_admin: ModelAdmin, view: View, methods: list[str]) -> View:
    @require_http_methods(methods)
    def inner(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return view(model_admin, request, **kwargs)

    return model_admin.admin_site.admin_view(inner)
