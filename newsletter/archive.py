"""The editions that have been sent, for readers: a list, and a page for each. Their feed is in `feeds`."""

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from articles.views import page_of
from veltrix.page_cache.views import kept

from . import structured_data
from .models import Edition
from .models.editions import EditionQuerySet

EDITIONS_A_PAGE = 20


def editions() -> EditionQuerySet:
    """The archive, latest first: each edition with its document, and nothing of its mails and its draft."""
    return (
        Edition.objects.in_archive()
        .select_related("content")
        .defer("intro", "closing", "content__html", "content__text")
        .fetch_mode(models.FETCH_RAISE)
    )


def first_figure(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The figure of the first article that leads with one."""
    return next((part["figure"] for part in document.get("parts", []) if part.get("figure")), None)


def before_and_after(edition: Edition) -> tuple[Edition | None, Edition | None]:
    """The editions next to this one in the archive, in one query each."""
    others = editions().defer("content__document")
    earlier = Q(started_at__lt=edition.started_at) | Q(started_at=edition.started_at, pk__lt=edition.pk)
    later = Q(started_at__gt=edition.started_at) | Q(started_at=edition.started_at, pk__gt=edition.pk)
    return others.filter(earlier).first(), others.filter(later).reverse().first()


@kept("page")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "page": page_of(Paginator(editions(), EDITIONS_A_PAGE), request),
        "structured_data": structured_data.of_archive(),
    }
    return render(request, "newsletter/archive.html", context)


@kept()
@require_safe
def edition(request: HttpRequest, slug: str) -> HttpResponse:
    edition = get_object_or_404(editions(), slug=slug)
    previous, next_ = before_and_after(edition)
    context = {
        "edition": edition,
        "document": edition.content.document,
        "previous": previous,
        "next": next_,
        "structured_data": structured_data.of_edition(edition),
    }
    return render(request, "newsletter/edition.html", context)
