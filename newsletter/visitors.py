"""What a request tells the newsletter about who sent it."""

from django.conf import settings
from django.http import HttpRequest

from veltrix.clients import network_of

from . import signing


def network_digest(request: HttpRequest) -> str:
    return signing.network_digest(network_of(request))


def is_same_origin(request: HttpRequest) -> bool:
    """Whether a form of this site sent the request; it stands in for a CSRF cookie on pages without cookies.

    Browsers say where a POST comes from in Sec-Fetch-Site, older ones in Origin. With neither, nobody else's page can
    have made a reader's browser send it, and the form uses no authority of the sender's: it passes.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin in {f"{request.scheme}://{request.get_host()}", settings.SITE_URL}
