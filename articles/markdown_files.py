"""An article as a Markdown file: front matter in YAML, the text, and its sources as footnotes."""

import json
import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import escape

from veltrix.publication import PUBLISHER

from . import markdown
from .elsewhere import plain_html, plain_sources
from .models import Article
from .open_data import LICENCE
from .pages import Page

UNPRINTABLE = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff]")


def of_article(article: Article, page: Page) -> str:
    """A published article as its page shows it."""
    path = article.get_absolute_url()
    sources = enumerate(plain_sources(page, path), start=1)
    parts = [
        front_matter(article, page),
        markdown.heading(1, escape(page.title)),
        markdown.blocks(plain_html(page, path, with_sources=False)),
        "\n".join(f"[^{number}]: {markdown.line(source)}" for number, source in sources),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(article: Article, page: Page) -> str:
    """What is known of the article, in YAML; every JSON text is some (YAML 1.2, section 1.3)."""
    values: dict[str, Any] = {
        "title": page.title,
        "description": page.standfirst,
        "number": page.number,
        "url": settings.SITE_URL + article.get_absolute_url(),
        "published": _day(page.published_at),
        "updated": _day(page.changed_at),
        "authors": [f"{byline['credit']} {byline['author'].name}" for byline in page.bylines],
        "section": str(page.category) if page.category else None,
        "series": page.series.name if page.series else None,
        "publisher": PUBLISHER,
        "language": "en-GB",
        "licence": f"Figures: {LICENCE['name']} ({LICENCE['path']}), with the name of the source. Text: {PUBLISHER}.",
    }
    lines = [f"{name}: {_scalar(value)}" for name, value in values.items() if value not in (None, "", [])]
    return "\n".join(["---", *lines, "---"])


def _day(moment: datetime | None) -> str | None:
    return timezone.localdate(moment).isoformat() if moment else None


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
