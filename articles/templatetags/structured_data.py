import json
from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from articles.structured_data import Node

register = template.Library()

# What could end the element, or begin another, is written as JSON escapes it.
ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


@register.simple_tag
def structured_data(nodes: Sequence[Node]) -> SafeString:
    """These nodes as JSON-LD in an element of their own; nothing where there are none."""
    if not nodes:
        return SafeString()
    document = {"@context": "https://schema.org", "@graph": nodes}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308
