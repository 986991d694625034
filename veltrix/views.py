from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from articles import structured_data
from articles.models import Article, StatisticValue
from articles.uses import FIGURES_AT_HOME
from careers.comparison import ROLES_AT_HOME, best_paid

from .page_cache.views import kept

ARTICLES_AT_HOME = 7

# What may be served from uploads, and as what: never a type that a browser runs.
MEDIA_TYPES = {
    ".avif": "image/avif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@kept()
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    articles = list(Article.objects.published().for_index()[:ARTICLES_AT_HOME])
    comparison = best_paid(ROLES_AT_HOME)
    context = {
        "lead": articles[0] if articles else None,
        "articles": articles[1:],
        "comparison": comparison,
        "statistics": StatisticValue.objects.in_force().on_live_pages(FIGURES_AT_HOME),
        "structured_data": structured_data.of_home(),
    }
    return render(request, "home.html", context)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose proof of origin is missing or stale: the page for 403, which keeps to the site's policy."""
    return render(request, "403.html", status=403)


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """Serve an uploaded picture; nothing else is ever served from there."""
    content_type = MEDIA_TYPES.get(PurePosixPath(name).suffix.lower())
    if content_type is None or ".." in PurePosixPath(name).parts or not default_storage.exists(name):
        raise Http404("There is no such picture.")
    response = FileResponse(default_storage.open(name), content_type=content_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # Articles are read elsewhere, too: in feeds.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
