"""What is typed into an article's form and not saved yet: kept every few seconds, shown to nobody but in a preview."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from articles import drafts
from articles.documents import blocks_of
from articles.models import Article, WorkingCopy

from .access import record_for
from .form_drafts import FormDraft, as_fields, as_posted, draft_in_form, pairs_of_form, saved_draft

_WINDOW = re.compile(r"[0-9a-f]{32}")


def new_window() -> str:
    return secrets.token_hex(16)


def is_window(value: str) -> bool:
    return _WINDOW.fullmatch(value) is not None


def whose(request: HttpRequest) -> User:
    """Who is signed in: the desk lets nobody else in."""
    return cast("User", request.user)


def permitted(model_admin: ModelAdmin, request: HttpRequest, pk: int | None) -> Article | None:
    """The article that somebody may change, nothing where they may add one; refused to all others."""
    if pk is None:
        if not model_admin.has_add_permission(request):
            raise PermissionDenied
        return None
    articles = Article.objects.select_related("live_version")
    return record_for(request, model_admin.has_change_permission, articles, pk)


def keep(request: HttpRequest, article: Article | None, *, is_typed: bool) -> WorkingCopy:
    """Note that a window is open, and what is typed in it if anything is. What nobody came back for is dropped."""
    now = timezone.now()
    values: dict[str, Any] = {"article": article, "seen_at": now, "known": _plain(request.POST.get("known", ""))}
    if is_typed:
        values |= {"fields": pairs_of_form(request.POST), "typed_at": now}
    copy, is_new = WorkingCopy.objects.update_or_create(
        user=whose(request), window=request.POST["window"], defaults=values
    )
    if is_new and article and article.changed_at.isoformat() == copy.known:
        # What the form was made from, for the day that two drafts have to be brought together.
        drafts.keep(article, by=None)
    if is_new:
        WorkingCopy.objects.filter(seen_at__lt=now - WorkingCopy.KEPT).delete()
        WorkingCopy.objects.filter(fields__isnull=True, seen_at__lt=now - timedelta(hours=1)).delete()
    return copy


def _plain(moment: str) -> str:
    return moment.replace("\x00", "")[:40]


def forget(request: HttpRequest) -> None:
    """Drop the copy of the window whose form has just been saved."""
    WorkingCopy.objects.filter(user=whose(request), window=request.POST.get("window", "")[:32]).delete()


def to_restore(request: HttpRequest, article: Article | None) -> WorkingCopy | None:
    """What this person typed and did not save, in a window that is closed; or the copy that they ask for."""
    copies = WorkingCopy.objects.unsaved().filter(user=whose(request), article=article)
    asked = request.GET.get("copy", "")
    if asked:
        return copies.filter(window=asked).first() if is_window(asked) else None
    if article is None:
        # A new article begins empty; what was begun earlier is offered.
        return None
    return copies.exclude(pk__in=copies.open_now()).order_by("-typed_at").first()


def others_open(request: HttpRequest, article: Article | None, window: str) -> list[WorkingCopy]:
    """Other copies of this person's that hold something unsaved, latest first."""
    copies = WorkingCopy.objects.unsaved().filter(user=whose(request), article=article)
    return list(copies.exclude(window=window).order_by("-typed_at")[:5])


def copy_of(request: HttpRequest, article: Article | None) -> WorkingCopy | None:
    """The copy that `?window=` names, if it is this person's and of this article."""
    window = request.GET.get("window", "")
    if not is_window(window):
        return None
    return WorkingCopy.objects.unsaved().filter(user=whose(request), article=article, window=window).first()


def draft_now(model_admin: ModelAdmin, request: HttpRequest, article: Article | None) -> FormDraft:
    """The draft as somebody has it before them: what was posted, else what is kept of their window, else what is saved.

    Raises `Http404` where there is neither.
    """
    if request.method == "POST":
        return draft_in_form(model_admin, request, article)
    if copy := copy_of(request, article):
        return draft_in_form(model_admin, as_posted(request, as_fields(copy.fields or [])), article)
    if article is None:
        raise Http404("Nothing has been typed yet.")
    return saved_draft(article, blocks_of(article))


def copy_view(model_admin: ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Keep what a window holds, and answer with who else is there and whether the draft has been saved meanwhile."""
    article = permitted(model_admin, request, pk)
    if not is_window(request.POST.get("window", "")):
        return JsonResponse({"error": "The window is not named."}, status=400)
    if "_closed" in request.POST:
        WorkingCopy.objects.filter(user=whose(request), window=request.POST["window"]).update(
            seen_at=timezone.now() - WorkingCopy.SILENCE
        )
        return JsonResponse({})
    copy = keep(request, article, is_typed="_typed" in request.POST)
    return JsonResponse(
        {
            "kept": f"{timezone.localtime(copy.typed_at):%H:%M:%S}" if copy.typed_at else "",
            "others": [] if article is None else _others(article, request),
            "stale": _stale(article, copy),
        }
    )


def _others(article: Article, request: HttpRequest) -> list[dict[str, Any]]:
    now = timezone.now()
    found: dict[Any, datetime | None] = {}
    for copy in (
        article.working_copies.open_now().exclude(user=whose(request)).select_related("user").order_by("seen_at")
    ):
        moments = [moment for moment in (found.get(copy.user), copy.typed_at) if moment]
        found[copy.user] = max(moments, default=None)
    return [
        {"name": name_of(user), "seconds": None if typed is None else int((now - typed).total_seconds())}
        for user, typed in found.items()
    ]


def _stale(article: Article | None, copy: WorkingCopy) -> dict[str, str] | None:
    if article is None or article.changed_at.isoformat() == copy.known:
        return None
    save = article.saves.select_related("saved_by").defer("document").first()
    by = name_of(save.saved_by) if save and save.saved_by and save.saved_at == article.changed_at else "Somebody"
    return {"by": by, "at": f"{timezone.localtime(article.changed_at):%H:%M:%S}"}


def name_of(user: Any) -> str:
    return user.get_full_name() or user.get_username()


def discard_view(model_admin: ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Throw away what somebody typed and did not save."""
    article = permitted(model_admin, request, pk)
    window = request.POST.get("window", "")
    if is_window(window):
        with transaction.atomic():
            WorkingCopy.objects.filter(user=whose(request), article=article, window=window).delete()
        messages.info(request, "What was typed and not saved is gone. This is the draft as it was saved.")
    if article is None:
        return HttpResponseRedirect(reverse("admin:articles_article_add"))
    return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))
