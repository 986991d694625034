"""Old addresses: kept when an article gets another one, and followed where nothing else answers.

A redirect names an article, not the address that it had, and is settled past other redirects when it is saved: so
nobody is ever sent on twice, and no loop can come about.
"""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

from . import announcing
from .models import Article, Redirect
from .models.redirects import address_of

# The addresses of an article beside its page: as Markdown, and its social card.
FORMS = [".md", "/card.png"]

type GetResponse = Callable[[HttpRequest], HttpResponse]


def keep(redirect: Redirect) -> None:
    """Save a redirect that was cleaned, and let those that lead to its old address lead where it leads."""
    with transaction.atomic():
        redirect.save()
        Redirect.objects.filter(target=redirect.path).update(article=redirect.article, target=redirect.target)


def moved(article: Article, old_slug: str) -> Redirect:
    """Keep the address that a published article had until now; it is saved with its new one in this transaction."""
    old, new = address_of(old_slug), article.get_absolute_url()
    Redirect.objects.filter(path=new, article=article).delete()
    redirect, _ = Redirect.objects.update_or_create(path=old, defaults={"article": article, "target": ""})
    Redirect.objects.filter(target=old).update(article=article, target="")
    announcing.soon()
    return redirect


def destinations(paths: Iterable[str]) -> dict[str, str]:
    """Where each of these paths leads that is an old address with a page for readers at its end; in one query."""
    return {
        path: redirect.destination
        for path, redirect in _followed(paths).items()
        if redirect.article is None or redirect.article.is_public
    }


def _followed(paths: Iterable[str]) -> dict[str, Redirect]:
    """The redirect that a request for each path follows; a slash at its end may be missing or one too many."""
    others = {path: path.removesuffix("/") if path.endswith("/") else f"{path}/" for path in paths}
    redirects = Redirect.objects.filter(path__in={*others, *others.values()}).select_related("article")
    found = {redirect.path: redirect for redirect in redirects if redirect.is_followed}
    return {path: found.get(path) or found[other] for path, other in others.items() if path in found or other in found}


def _destination(path: str) -> str:
    """Where a request for a path is sent on to; empty where nowhere. What stands beside an article moves with it."""
    form = next((form for form in FORMS if path.endswith(form)), None)
    page = f"{path.removesuffix(form)}/" if form else path
    found = _followed({path, page})
    if redirect := found.get(path):
        return redirect.destination
    beside = found.get(page)
    return beside.destination.removesuffix("/") + (form or "") if beside and beside.article else ""


def follow(get_response: GetResponse) -> GetResponse:
    """Answer a request for a page that is not there with the place to which its address leads, if it is an old one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_desk = request.path_info.startswith(f"/{settings.ADMIN_PATH}")
        if response.status_code != 404 or request.method not in {"GET", "HEAD"} or is_desk:
            return response
        try:
            destination = _destination(request.path_info)
        except DatabaseError:
            # The page for what is not there needs no database.
            return response
        if not destination:
            return response
        query = request.META.get("QUERY_STRING", "")
        answer = HttpResponsePermanentRedirect(f"{destination}?{query}" if query else destination)
        # Who remembered it would go in circles once the article takes its old address back.
        answer.headers["Cache-Control"] = "public, no-cache"
        return answer

    return middleware
