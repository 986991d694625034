"""The files that programs look for at addresses of their own."""

import secrets
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.http import require_safe

from articles.markdown import line
from articles.models import Article
from articles.open_data import LICENCE

from .page_cache.views import kept

TEXT = "text/plain; charset=utf-8"
MOST_ARTICLES = 1_000
# RFC 9116 recommends less than a year, so that nobody trusts what has been forgotten.
EXPIRES_AFTER = timedelta(days=180)


@kept()
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What programs may read (RFC 9309): everything, or nothing where the site is only tried out."""
    context = {"is_closed": settings.ROBOTS_DISALLOW_ALL, "licence": LICENCE}
    return render(request, "robots.txt", context, content_type=TEXT)


@kept()
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Whom to tell of a hole (RFC 9116); 404 where nobody is named."""
    if not settings.SECURITY_CONTACT:
        raise Http404("No contact is set.")
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(), time()))
    fields = {
        "Contact": settings.SECURITY_CONTACT,
        "Expires": (midnight + EXPIRES_AFTER).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Preferred-Languages": "en",
        "Canonical": settings.SITE_URL + request.path,
        "Policy": settings.SECURITY_POLICY,
    }
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value]
    return HttpResponse("".join(lines), content_type=TEXT)


@kept()
@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """What there is to read, for language models (llmstxt.org)."""
    articles = Article.objects.published().select_related("live_version").defer("live_version__document")
    context = {
        "articles": [
            {
                "number": article.number,
                "slug": article.slug,
                "title": line(escape(article.live_version.title)),
                "standfirst": line(escape(article.live_version.standfirst)),
            }
            for article in articles.newest_first()[:MOST_ARTICLES]
            if article.live_version
        ],
        "licence": LICENCE,
    }
    return render(request, "llms.txt", context, content_type=TEXT)


@require_safe
def indexnow_key(request: HttpRequest, key: str) -> HttpResponse:
    """Proof that whoever reports changes to search engines speaks for this site (indexnow.org)."""
    if not settings.INDEXNOW_KEY or not secrets.compare_digest(key, settings.INDEXNOW_KEY):
        raise Http404("There is no such file.")
    return HttpResponse(settings.INDEXNOW_KEY, content_type=TEXT)
