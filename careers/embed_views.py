"""The pages that other sites may show in a frame, and how they are described to them (oEmbed 1.0)."""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from articles.downloads import date_among
from veltrix.page_cache.views import kept

from .embeds import Embed, RoleEmbed, TableEmbed
from .oembed import RefusedError, answer

# The policy of pages for readers, but for who may frame them.
FRAMEABLE_CSP: Mapping[str, Collection[str]] = settings.SECURE_CSP | {"frame-ancestors": ["*"]}

type View = Callable[..., HttpResponse]


def frameable(view: View) -> View:
    """Let any site frame the answers of a view, its refusals included, which are told in a page as small as a frame."""

    @csp_override(FRAMEABLE_CSP)
    @xframe_options_exempt
    @wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except (BadRequest, Http404) as error:
            status = 400 if isinstance(error, BadRequest) else 404
            response = render(request, "careers/embed/refused.html", {"reason": error}, status=status)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return framed


@kept("as_of")
@frameable
@require_safe
def role(request: HttpRequest, slug: str) -> HttpResponse:
    return show(request, RoleEmbed, slug)


@kept("as_of")
@frameable
@require_safe
def table(request: HttpRequest, slug: str) -> HttpResponse:
    return show(request, TableEmbed, slug)


def show(request: HttpRequest, kind: type[Embed], slug: str) -> HttpResponse:
    """An embed, live or frozen. What its page does not know in the address is left to whoever frames it.

    A date that cannot be shown is refused: a frozen embed that shows today’s figures would say what is not so.
    """
    embed = kind.find(slug, date_among(request.GET.getlist("as_of")))
    return render(request, embed.template, {"embed": embed})


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    try:
        content_type, content = answer(request.GET)
    except RefusedError as error:
        return HttpResponse(f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, content_type=content_type)
