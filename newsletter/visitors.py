"""What a request tells about who sent it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from . import signing


def network_of(request: HttpRequest) -> str:
    """The visitor's network: the /24 of an IPv4 address or the /64 of an IPv6 address; empty where it is unknown.

    Exactly one proxy is trusted, and only behind one: the last address of X-Forwarded-For is the one that it saw.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        address = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    return str(ipaddress.ip_network((ip.packed, 24 if ip.version == 4 else 64), strict=False))


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
