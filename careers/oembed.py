"""Embeds described to the sites that show them, by oEmbed 1.0 (oembed.com)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, QueryDict
from django.urls import Resolver404, resolve

from articles.downloads import date_among
from veltrix.publication import NAME

from .embeds import DEFAULT_WIDTH, MOST_WIDTH, Embed, RoleEmbed, TableEmbed

# For how many seconds a description may be kept.
CACHE_AGE = 60 * 60
# The addresses that are described, by the names of their views.
DESCRIBED: dict[str, type[Embed]] = {
    "careers:role": RoleEmbed,
    RoleEmbed.view: RoleEmbed,
    TableEmbed.view: TableEmbed,
}
# What no XML document may hold, in whatever way it is written.
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RefusedError(Exception):
    """No description: with the HTTP status that the specification has for it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def as_json(description: Mapping[str, Any]) -> bytes:
    return json.dumps(description).encode()


def as_xml(description: Mapping[str, Any]) -> bytes:
    root = ElementTree.Element("oembed")
    for name, value in description.items():
        ElementTree.SubElement(root, name).text = UNWRITABLE.sub("", str(value))
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


FORMATS: dict[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "json": ("application/json", as_json),
    "xml": ("text/xml; charset=utf-8", as_xml),
}


def answer(data: QueryDict) -> tuple[str, bytes]:
    """Media type and content of the description of `url`; `RefusedError` where there is none."""
    address, form = data.get("url", ""), data.get("format", "json")
    if not address:
        raise RefusedError(400, "Give the address of a page as url.")
    if form not in FORMATS:
        raise RefusedError(501, "The formats are json and xml.")
    most_width, most_height = _most(data, "maxwidth"), _most(data, "maxheight")
    content_type, write = FORMATS[form]
    return content_type, write(_describe(embed_at(address), most_width, most_height))


def _most(data: QueryDict, name: str) -> int | None:
    """A limit in pixels, None where it is not given."""
    value = data.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 6 and int(value) > 0):
        raise RefusedError(400, f"{name} is a whole number of pixels above 0.")
    return int(value)


def embed_at(address: str) -> Embed:
    """The embed that belongs to an address of this site; `RefusedError` where there is none."""
    unknown = RefusedError(404, "There is no embed for this address.")
    try:
        parts = urlsplit(address)
        match = resolve(unquote(parts.path))
    except (ValueError, Resolver404) as error:
        raise unknown from error
    kind = DESCRIBED.get(match.view_name)
    if kind is None or f"{parts.scheme}://{parts.netloc}" != settings.SITE_URL:
        raise unknown
    try:
        return kind.find(match.kwargs["slug"], date_among(QueryDict(parts.query).getlist("as_of")))
    except (BadRequest, Http404) as error:
        raise unknown from error


def _describe(embed: Embed, most_width: int | None, most_height: int | None) -> dict[str, Any]:
    width = min(most_width or DEFAULT_WIDTH, MOST_WIDTH)
    height = embed.height(width)
    if most_height is not None:
        height = min(height, most_height)
    return {
        "type": "rich",
        "version": "1.0",
        "title": embed.title,
        "provider_name": NAME,
        "provider_url": f"{settings.SITE_URL}/",
        "cache_age": CACHE_AGE,
        "html": embed.frame(width, height),
        "width": width,
        "height": height,
    }
