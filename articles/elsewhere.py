"""An article as HTML for programs that know nothing of this site: feed readers, and whoever turns it into Markdown.

A block type may have a template of its own for this, `<app>/blocks/<type>.plain.html`; without one the template of its
pages serves. Either way only what means the same everywhere is kept, and every address is absolute.
"""

import re
from urllib.parse import urljoin

import nh3
from django.conf import settings
from django.template.loader import render_to_string

from .pages import Page

# What leads from a figure to its source or to what is known of it: small and raised, in any style.
NOTE_MARK = re.compile(r'<span class="note-mark">(.*?)</span>')
LINES = re.compile(r"\s*\n\s*")
# XML 1.0 has no way to write them.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

TEXT = {"p", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "figure", "figcaption", "br", "hr"}
INLINE = {"a", "strong", "em", "sup", "sub", "code", "img"}
TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
# What goes with all that is in it.
WITHOUT = {"script", "style", "svg", "form", "button", "select", "textarea", "template", "nav", "tfoot"}


def plain_html(page: Page, path: str, *, with_sources: bool = True) -> str:
    """All that there is to read of the page at a path of this site, but for its title."""
    context = {"page": page, "with_sources": with_sources}
    return portable(render_to_string("articles/elsewhere.html", context), path)


def plain_sources(page: Page, path: str) -> list[str]:
    """The entries of its list of sources, in their order."""
    entries = (render_to_string("articles/_plain_source.html", {"note": note}) for note in page.sources)
    return [portable(entry, path) for entry in entries]


def portable(html: str, path: str) -> str:
    """HTML of this site’s templates without what means nothing elsewhere; links start from the page at the path."""
    base = settings.SITE_URL + path
    cleaned = nh3.clean(
        NOTE_MARK.sub(_raised, writable(html)),
        tags=TEXT | INLINE | TABLE,
        attributes=ATTRIBUTES,
        clean_content_tags=WITHOUT,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        attribute_filter=lambda _, name, value: _absolute(base, value) if name in {"href", "src"} else value,
    )
    return LINES.sub("\n", cleaned).strip()


def _raised(mark: re.Match[str]) -> str:
    """A mark as programs know it. What it stands for, which a page says by its label, goes into the link’s title."""
    return f"<sup>{mark[1].replace(' aria-label=', ' title=')}</sup>"


def _absolute(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address)
    except ValueError:
        # An editor’s link that is no address, such as one with half an IPv6 host.
        return None


def writable(text: str) -> str:
    """Text without what no feed can hold."""
    return CONTROL_CHARACTERS.sub(" ", text)
