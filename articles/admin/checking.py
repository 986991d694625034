"""The checklist of an article before it is published, each point with its place in the form."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from articles import checklist
from articles.obstacles import unresolved_figures
from articles.publishing import what_is_missing
from articles.review import Severity

from .form_drafts import FormDraft
from .sourced import admin_url
from .working_copies import draft_now, is_window, permitted


@dataclass(frozen=True)
class Line:
    """A point of the checklist, and where in the form it is put right: the id of a field or a block, or an address."""

    message: str
    anchor: str = ""
    address: str = ""


def checklist_view(model_admin: ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """What stands between the draft and its publication, and what could be better; nothing is saved."""
    draft = draft_now(model_admin, request, permitted(model_admin, request, pk))
    errors, warnings = lines_of(draft, request)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": draft.article if pk else None,
        "title": "Checklist",
        "errors": errors,
        "warnings": warnings,
        "document": draft.document,
        "address": draft.article.get_absolute_url() if draft.article.slug else "",
        "card": _card_of(request, pk),
    }
    return render(request, "admin/articles/article/checklist.html", context)


def _card_of(request: HttpRequest, pk: int | None) -> str:
    """Where the card of what a window holds is drawn; empty for an article that is not kept yet."""
    window = request.GET.get("window") or request.POST.get("window", "")
    query = f"?{urlencode({'window': window})}" if is_window(window) else ""
    if pk:
        return reverse("admin:articles_article_card", args=[pk]) + query
    return reverse("admin:articles_article_add_card") + query if request.method == "GET" else ""


def lines_of(draft: FormDraft, request: HttpRequest) -> tuple[list[Line], list[Line]]:
    """The errors and the warnings about a draft."""
    errors = [Line(problem.sentence, problem.anchor) for problem in draft.problems]
    errors += [Line(sentence) for sentence in what_is_missing(draft.document)]
    errors += [
        Line(f"{finding.name}. {finding.message}", address=admin_address(finding.subject, request))
        for finding in unresolved_figures(draft.document)
    ]
    warnings: list[Line] = []
    for point in checklist.points(draft.document):
        (errors if point.severity == Severity.ERROR else warnings).append(line_of(draft, point))
    return errors, warnings


def line_of(draft: FormDraft, point: checklist.Point) -> Line:
    if point.place:
        return Line(f"Block {point.place}: {point.message}", draft.anchors[point.place - 1])
    return Line(point.message, f"id_{point.field}" if point.field else "")


def admin_address(record: Any, request: HttpRequest) -> str:
    """Where a record is changed in the admin; empty for those who may not see it."""
    may_see = request.user.has_perm(f"{record._meta.app_label}.view_{record._meta.model_name}")
    return admin_url(record, "change") if may_see else ""
