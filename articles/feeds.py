import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from veltrix.publication import NAME, PUBLISHER

from .figure_pages import corrections
from .models import Sourced

MOST_ENTRIES = 50
# XML 1.0 has no way to write them.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@method_decorator(require_safe, name="__call__")
class AtomFeed(Feed):
    """What every feed of this site says of itself and of its entries (RFC 4287)."""

    feed_type = Atom1Feed
    author_name = PUBLISHER
    language = "en-GB"

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().__call__(request, *args, **kwargs)

    def feed_url(self) -> str:
        raise NotImplementedError

    def feed_guid(self) -> str:
        return self.feed_url()

    def item_link(self, item: Any) -> str:
        return settings.SITE_URL + item.get_absolute_url()

    def item_guid(self, item: models.Model) -> str:
        """A tag URI (RFC 4151), which stays whatever happens to addresses."""
        host = urlsplit(settings.SITE_URL).hostname
        return f"tag:{host},2026:{item._meta.label_lower}/{item.pk}"


class CorrectionsFeed(AtomFeed):
    """The latest corrections and retractions of figures."""

    title = f"{NAME}: corrections"
    subtitle = "Figures that were wrong, what they are now, and why."

    def link(self) -> str:
        return settings.SITE_URL + reverse("articles:corrections")

    def feed_url(self) -> str:
        return settings.SITE_URL + reverse("articles:corrections-feed")

    def items(self) -> list[Sourced]:
        return list(corrections(1, a_page=MOST_ENTRIES).object_list)

    def item_title(self, item: Sourced) -> str:
        return writable(f"{item.change_text}: {item.subject}")

    def item_description(self, item: Sourced) -> str:
        return format_html("<p>{}</p>", writable(item.why_note))

    def item_pubdate(self, item: Sourced) -> datetime | None:
        return item.published_at

    def item_updateddate(self, item: Sourced) -> datetime | None:
        return item.published_at


def writable(text: str) -> str:
    """Text without what no feed can hold."""
    return CONTROL_CHARACTERS.sub(" ", text)
