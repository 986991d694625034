from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

type GetResponse = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)


def security_headers(get_response: GetResponse) -> GetResponse:
    """Add the headers that Django has no setting for; it stands outside all that can answer early."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        # What a 304 says replaces what was said with the body (RFC 9111, section 4.3.4), and embeds are open to others.
        if response.status_code != 304:
            response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def replaced_when_gone(get_response: GetResponse) -> GetResponse:
    """Let nginx, which keeps pages for when no node answers, put the word that one is gone in its place."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if settings.BEHIND_PROXY and response.status_code in {404, 410} and not response.has_header("Cache-Control"):
            response.headers["X-Accel-Expires"] = "@1"
        return response

    return middleware


def no_body_for_head(get_response: GetResponse) -> GetResponse:
    """Answer HEAD with the headers alone, the length of the body among them (RFC 9110, 9.3.2)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.headers["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return middleware


def _limit(path: str) -> int:
    if path.startswith(f"/{settings.ADMIN_PATH}"):
        return settings.MAX_ADMIN_BODY_SIZE
    return settings.MAX_REPORT_BODY_SIZE if path.startswith("/newsletter/reports/") else settings.MAX_BODY_SIZE


def limit_body(get_response: GetResponse) -> GetResponse:
    """Answer 413 to a body larger than any form of ours, or any provider, sends, before a byte of it is read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        limit = _limit(request.path_info)
        length = request.headers.get("content-length") or "0"
        if not (length.isascii() and length.isdigit()) or int(length) > limit:
            return HttpResponse("Too much data", status=413, content_type="text/plain; charset=utf-8")
        return get_response(request)

    return middleware


def refuse_malformed_text(get_response: GetResponse) -> GetResponse:
    """Answer 400 to a path or query with NUL, which no database column takes, and which no link of ours holds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, ValueError("NUL"))
        return get_response(request)

    return middleware
