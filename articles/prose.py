"""What rich text may hold. One allow-list serves the editor, every save, every import and every page."""

from collections.abc import Callable
from functools import lru_cache

import nh3
from django.urls import reverse_lazy
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from articles import references

# Extensions of the editor, in the order of its toolbar; each is matched by tags below.
EXTENSIONS = {
    "Bold": True,
    "Italic": True,
    "Heading": {"levels": [2, 3]},
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "Link": {"enableTarget": False, "protocols": ["http", "https", "mailto"]},
    "FigureReference": {"url": reverse_lazy("admin:articles_article_figures")},
    "HardBreak": True,
    "History": True,
    "SpecialCharacters": True,
}
# A block inside another (an answer, a call-out) has no headings of its own.
INNER_EXTENSIONS = {name: value for name, value in EXTENSIONS.items() if name != "Heading"}

_INNER_TAGS = {"p", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "data"}


def _cleaner(tags: set[str]) -> nh3.Cleaner:
    attributes = {"a": {"href", "title"}, "ol": {"start"}, "data": {"value"}}
    return nh3.Cleaner(tags=tags, attributes=attributes, url_schemes={"http", "https", "mailto"}, link_rel=None)


_whole = _cleaner(_INNER_TAGS | {"h2", "h3"})
_inner = _cleaner(_INNER_TAGS)


# What a text becomes depends on nothing else: texts of articles come by again and again.
@lru_cache(maxsize=512)
def sanitize(html: str) -> str:
    """Keep the tags, attributes and link schemes on the allow-list; text that shows nothing becomes empty."""
    return _cleaned(html, _whole)


def sanitize_inner(html: str) -> str:
    """The same for a block inside another, which has no headings of its own."""
    return _cleaned(html, _inner)


def _cleaned(html: str, cleaner: nh3.Cleaner) -> str:
    html = cleaner.clean(html)
    if "<data" in html:
        # Once more, so that nothing leaves that the sanitiser has not written.
        html = cleaner.clean(references.emptied(html))
    return html if strip_tags(html).strip() or references.find(html) else ""


def as_safe_html(html: str, complete: Callable[[str], str] = str) -> SafeString:
    """Sanitise once more on the way out, so that a row written past every form is still harmless.

    `complete` puts markup of the site's own into the sanitised text, and escapes what is in it.
    """
    return mark_safe(complete(sanitize(html)))  # noqa: S308 - the one reviewed place: the text has just been sanitised
