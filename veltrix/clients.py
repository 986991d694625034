"""What a request tells about who sent it."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

# The first that is found counts: other browsers carry the names of those below them too.
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Version/": "Safari"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def address_of(request: HttpRequest) -> str:
    """The visitor's network address; empty where it is unknown.

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
        # Without the name of a network card, which no database takes.
        ip = ip.ipv4_mapped or ipaddress.IPv6Address(ip.packed)
    return str(ip)


def network_of(request: HttpRequest) -> str:
    """The visitor's network: the /24 of an IPv4 address or the /64 of an IPv6 address; empty where it is unknown."""
    address = address_of(request)
    if not address:
        return ""
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip.packed, 24 if ip.version == 4 else 64), strict=False))


def browser_of(request: HttpRequest) -> str:
    """What the browser says it is, in a few words that single nobody out: “Firefox 145 on Windows”."""
    agent = request.headers.get("User-Agent", "")
    system = next((f" on {name}" for mark, name in SYSTEMS.items() if mark in agent), "")
    for mark, name in BROWSERS.items():
        if found := re.search(rf"{mark}([0-9]{{1,4}})", agent):
            return f"{name} {found[1]}{system}"
    return f"Another browser{system}"
