from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed

from articles.feeds import AtomFeed, writable
from veltrix.publication import NEWSLETTER

from .archive import editions
from .models import Edition

MOST_ENTRIES = 20


class WithContent(Atom1Feed):
    """Entries that hold all that there is to read, beside their summary (RFC 4287, section 4.1.3)."""

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content", item["content"], {"type": "html"})


class EditionsFeed(AtomFeed):
    """The latest editions of the newsletter, whole."""

    feed_type = WithContent
    title = NEWSLETTER
    subtitle = "The figures on AI and work, each with its source."

    def link(self) -> str:
        return settings.SITE_URL + reverse("newsletter:archive")

    def feed_url(self) -> str:
        return settings.SITE_URL + reverse("editions-feed")

    def items(self) -> list[Edition]:
        return list(editions()[:MOST_ENTRIES])

    def item_title(self, item: Edition) -> str:
        return writable(item.content.subject)

    def item_description(self, item: Edition) -> str:
        return writable(item.content.preheader)

    def item_extra_kwargs(self, item: Edition) -> dict[str, Any]:
        context = {"document": item.content.document, "site": settings.SITE_URL}
        return {"content": writable(render_to_string("newsletter/feed_entry.html", context))}

    def item_pubdate(self, item: Edition) -> datetime | None:
        return item.started_at

    def item_updateddate(self, item: Edition) -> datetime | None:
        return item.started_at
