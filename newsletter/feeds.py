from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from articles.elsewhere import portable, writable
from articles.feeds import SiteFeed
from veltrix.publication import NEWSLETTER

from .archive import editions
from .models import Edition

MOST_ENTRIES = 20


class EditionsFeed(SiteFeed):
    """The latest editions of the newsletter, whole."""

    name = "editions-feed"
    title = NEWSLETTER
    subtitle = "The figures on AI and work, each with its source."

    def page(self, obj: Any) -> str:
        return reverse("newsletter:archive")

    def items(self, obj: Any) -> list[Edition]:
        return list(editions()[:MOST_ENTRIES])

    def item_title(self, item: Edition) -> str:
        return writable(item.content.subject)

    def item_summary(self, item: Edition) -> str:
        return writable(item.content.preheader)

    def item_content(self, item: Edition) -> str:
        context = {"document": item.content.document, "site": settings.SITE_URL}
        return portable(render_to_string("newsletter/feed_entry.html", context), item.get_absolute_url())

    def item_pubdate(self, item: Edition) -> datetime | None:
        return item.started_at

    def item_updateddate(self, item: Edition) -> datetime | None:
        return item.started_at
