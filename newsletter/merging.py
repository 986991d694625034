"""Merge fields: what stands in a frozen edition for that which differs from one subscriber to the next."""

import re
from collections.abc import Callable, Mapping

from django.conf import settings
from django.urls import reverse
from django.utils.html import escape

UNSUBSCRIBE = "[[unsubscribe_url]]"
PREFERENCES = "[[preferences_url]]"
ADDRESS = "[[address]]"

FIELD = re.compile(r"\[\[(?:unsubscribe_url|preferences_url|address)\]\]")


def values(token: str, address: str) -> dict[str, str]:
    """What the fields stand for, for the subscriber with this token and address."""
    return {
        UNSUBSCRIBE: settings.SITE_URL + reverse("newsletter:unsubscribe", args=[token]),
        PREFERENCES: settings.SITE_URL + reverse("newsletter:preferences", args=[token]),
        ADDRESS: address,
    }


def merged_text(text: str, fields: Mapping[str, str]) -> str:
    return _merged(text, fields, str)


def merged_html(html: str, fields: Mapping[str, str]) -> str:
    return _merged(html, fields, escape)


def _merged(template: str, fields: Mapping[str, str], quote: Callable[[str], str]) -> str:
    return FIELD.sub(lambda field: quote(fields[field[0]]), template)
