"""The reader's page of a draft, saved or not, beside its form or in a tab; and links that show the saved draft."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.csp import CSP

from articles.documents import document_of
from articles.models import Article
from articles.pages import Page
from articles.shares import share

from .access import record_for
from .form_drafts import FormDraft
from .working_copies import draft_now, permitted, whose

# What readers' pages may do, and besides: the desk shows them in a frame.
PREVIEW_CSP = {**settings.SECURE_CSP, "frame-ancestors": [CSP.SELF]}
SCHEMES = {"light", "dark"}


def page_context(draft: FormDraft) -> dict[str, Any]:
    article = draft.article
    return {
        "article": article,
        "page": Page.of(draft.document, published_at=article.published_at),
        "is_draft": True,
    }


def preview_view(model_admin: ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the draft as the page that it would be: what is posted, what a window holds, or what is saved."""
    draft = draft_now(model_admin, request, permitted(model_admin, request, pk))
    scheme = request.GET.get("scheme", "")
    context = {
        **page_context(draft),
        "problems": draft.problems,
        "scheme": scheme if scheme in SCHEMES else "",
    }
    response = render(request, "articles/detail.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def draft_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show the saved draft to whoever may read articles at the desk."""
    article = record_for(request, model_admin.has_view_permission, Article.objects.all(), pk)
    context = {
        "article": article,
        "page": Page.of(document_of(article), published_at=article.published_at),
        "is_draft": True,
        "edit_url": reverse("admin:articles_article_change", args=[article.pk]),
    }
    response = render(request, "articles/detail.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def share_view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The links to the saved draft: make one, see which are open, end one."""
    article = permitted(model_admin, request, pk)
    assert article is not None  # noqa: S101 - a key was given
    here = reverse("admin:articles_article_share", args=[pk])
    address = ""
    if request.method == "POST" and "revoke" in request.POST:
        key = request.POST["revoke"]
        link = article.share_links.open_now().filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
        if link is None:
            messages.info(request, "This link had ended already.")
        else:
            link.revoke(request.user)
            model_admin.log_change(request, article, "A link to the draft revoked.")
            messages.success(request, "The link is revoked: whoever opens it now learns that it has ended.")
        return HttpResponseRedirect(here)
    if request.method == "POST":
        link, token = share(article, by=whose(request))
        model_admin.log_change(
            request, article, f"The draft shared until {timezone.localtime(link.expires_at):%d %B %Y, %H:%M}."
        )
        address = settings.SITE_URL + reverse("articles:shared", args=[token])
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": article,
        "title": "Links to the draft",
        "links": article.share_links.open_now().select_related("created_by"),
        "address": address,
    }
    return render(request, "admin/articles/article/share.html", context)
