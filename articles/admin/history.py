"""The history of an article at the desk: its versions and saved drafts, compared and brought back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from articles import drafts
from articles.differences import Differences, between
from articles.documents import UnreadableDocumentError, blocks_of, document_of, say_the_same
from articles.models import Article, ArticleVersion
from articles.models.blocks import UnknownReferenceError
from articles.schedule import coming_of

from . import working_copies
from .access import record_for

SAVES_A_PAGE = 25
ACTS_SHOWN = 50
_STATE = re.compile(r"(version|save)-([0-9]{1,18})")


@dataclass(frozen=True)
class State:
    """One state of an article that can be compared with others."""

    key: str
    name: str
    document: Mapping[str, Any]
    keys: list[str]
    moment: datetime
    by: str = ""


def numbered(article: Article) -> list[tuple[int, ArticleVersion]]:
    """The versions of an article without their documents, latest first, each with its number counted from 1."""
    rows = list(article.versions.select_related("published_by", "cancellation").defer("document"))
    return [(len(rows) - place, version) for place, version in enumerate(rows)]


def state_named(article: Article, key: str) -> State:
    """The state that a key names: `draft`, `live`, `version-12` or `save-40`. Raises `Http404`."""
    if key == "draft":
        blocks = blocks_of(article)
        return State(key, "The draft", document_of(article, blocks), drafts.keys_of(blocks), article.changed_at)
    if key == "live":
        if article.live_version is None:
            raise Http404("There is no live version.")
        key = f"version-{article.live_version.pk}"
    match = _STATE.fullmatch(key)
    if match is None:
        raise Http404("There is no such state of the article.")
    if match[1] == "version":
        version = get_object_or_404(article.versions.select_related("published_by"), pk=match[2])
        name = f"Version {article.versions.filter(pk__lte=version.pk).count()}"
        if version.pk == article.next_version_id:
            name = f"{name}, scheduled"
        return State(key, name, version.document, [], version.published_at, person(version.published_by))
    save = get_object_or_404(article.saves.select_related("saved_by"), pk=match[2])
    return State(key, "Saved draft", save.document, save.keys, save.saved_at, person(save.saved_by))


def person(user: Any) -> str:
    return working_copies.name_of(user) if user else ""


def changes_since_live(article: Article) -> Differences | None:
    """What the saved draft changes; None where the article is not live or the draft says what it says."""
    if article.live_version is None:
        return None
    document, live = document_of(article), article.live_version.document
    # The address is the article's, whatever the version was published with.
    return None if say_the_same(document, live) else between({**live, "slug": article.slug}, document)


def _article(model_admin: ModelAdmin, request: HttpRequest, pk: int, *, may_change: bool = False) -> Article:
    may = model_admin.has_change_permission if may_change else model_admin.has_view_permission
    return record_for(request, may, Article.objects.select_related("live_version"), pk)


def history_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The versions and saved drafts of an article, and what was done with it at the desk."""
    article = _article(model_admin, request, pk)
    saves = article.saves.select_related("saved_by").defer("document")
    acts = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Article), object_id=str(article.pk)
    ).select_related("user")
    versions = numbered(article)
    changes = changes_since_live(article)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "History",
        "versions": versions,
        "saves": Paginator(saves, SAVES_A_PAGE).get_page(request.GET.get("page")),
        "acts": acts[:ACTS_SHOWN],
        "changes": changes.changes if changes else [],
        "may_change": model_admin.has_change_permission(request, article),
        "coming": coming_of(article),
        "time_zone": settings.TIME_ZONE,
    }
    return render(request, "admin/articles/article/history.html", context)


def compare_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Two states of an article side by side, block by block."""
    article = _article(model_admin, request, pk)
    before, after = (state_named(article, request.GET.get(name, "")) for name in ("from", "to"))
    if before.moment > after.moment and after.key != "draft":
        before, after = after, before
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": f"{before.name} and {after.name[0].lower()}{after.name[1:]}",
        "states": [before, after],
        "before": before,
        "after": after,
        "differences": between(before.document, after.document, keys_before=before.keys, keys_after=after.keys),
        "may_change": model_admin.has_change_permission(request, article),
    }
    return render(request, "admin/articles/article/compare.html", context)


def restore_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a version or a saved draft back into the draft, or discard what the draft changes; readers see nothing."""
    article = _article(model_admin, request, pk, may_change=True)
    key = request.POST.get("state", "")
    if key == "draft":
        raise Http404("The draft is what it is.")
    state = state_named(article, key)
    moment = f"{timezone.localtime(state.moment):%d %B %Y, %H:%M}"
    is_discard = key == "live"
    note = "Changes discarded" if is_discard else f"{state.name} of {moment} brought back"
    try:
        drafts.replace(article, state.document, by=working_copies.whose(request), note=note)
    except (UnknownReferenceError, UnreadableDocumentError) as error:
        messages.error(request, f"It cannot be brought back, and nothing is changed. {error.args[0]}")
    except ValidationError as error:
        messages.error(request, f"It cannot be brought back, and nothing is changed. {' '.join(error.messages)}")
    else:
        working_copies.forget(request)
        model_admin.log_change(request, article, f"{note}.")
        now = "what readers see: the changes are discarded" if is_discard else f"what it was on {moment}"
        messages.success(request, f"The draft is now {now}. What stood in it before is kept under History.")
    return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))
