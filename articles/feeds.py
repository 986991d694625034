"""What all feeds of this site have in common: two forms, Atom (RFC 4287) and JSON Feed 1.1, of the same entries.

A feed says what its entries are; which hub tells its readers of news, if any, is a setting (W3C WebSub).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.feedgenerator import Atom1Feed, SyndicationFeed, rfc3339_date
from django.utils.html import escape
from django.views.decorators.http import require_safe

from veltrix.page_cache.views import BROWSERS, kept
from veltrix.publication import PUBLISHER

from .elsewhere import writable

LANGUAGE = "en-GB"
HTML = {"type": "html"}


# When a feed changed that has no entry yet; any moment would do that stays.
BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)


class Atom(Atom1Feed):
    """With the whole content of entries (section 4.1.3), all their authors, and their pictures."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else BEFORE_ALL

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        if settings.WEBSUB_HUB:
            handler.addQuickElement("link", "", {"rel": "hub", "href": settings.WEBSUB_HUB})

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name, address in item["authors"]:
            handler.startElement("author", {})
            handler.addQuickElement("name", writable(name))
            handler.addQuickElement("uri", address)
            handler.endElement("author")
        if item["image"]:
            handler.addQuickElement("link", "", {"rel": "enclosure", "type": "image/png", "href": item["image"]})
        handler.addQuickElement("content", item["content"], HTML)


class JsonFeed(SyndicationFeed):
    """JSON Feed 1.1 (jsonfeed.org)."""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: Any, encoding: str) -> None:
        feed = self.feed
        document = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed["title"],
            "home_page_url": feed["link"],
            "feed_url": feed["feed_url"],
            "description": feed["subtitle"],
            "language": feed["language"],
            "authors": [{"name": feed["author_name"], "url": f"{settings.SITE_URL}/"}],
            "hubs": [{"type": "WebSub", "url": settings.WEBSUB_HUB}] if settings.WEBSUB_HUB else None,
            "items": [_without_blanks(self._item(item)) for item in self.items],
        }
        outfile.write(json.dumps(_without_blanks(document), ensure_ascii=False).encode(encoding))

    @staticmethod
    def _item(item: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": item["unique_id"],
            "url": item["link"],
            "title": item["title"],
            "content_html": item["content"],
            "summary": item["summary"],
            "image": item["image"],
            "date_published": rfc3339_date(item["pubdate"]),
            "date_modified": rfc3339_date(item["updateddate"]),
            "authors": [{"name": name, "url": address} for name, address in item["authors"]],
            "tags": list(item["categories"]),
        }


def _without_blanks(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value or name == "items"}


FORMS: dict[str, type[SyndicationFeed]] = {"atom": Atom, "json": JsonFeed}


@method_decorator(require_safe, name="__call__")
class SiteFeed(Feed):
    """A feed in one of the forms; a subclass says its title and its entries, `page` is the page that they stand on."""

    author_name = PUBLISHER
    language = LANGUAGE
    # The name of its address in Atom.
    name: ClassVar[str]

    def __init__(self, form: str = "atom") -> None:
        self.feed_type = FORMS[form]
        self.url_name = name_in(form, self.name)

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().__call__(request, *args, **kwargs)
        links = [f'<{settings.SITE_URL}{request.path}>; rel="self"']
        if settings.WEBSUB_HUB:
            links.append(f'<{settings.WEBSUB_HUB}>; rel="hub"')
            # Told of news, the hub comes at once: caches on its way must ask whether they still have the same.
            response.headers["Cache-Control"] = BROWSERS
        response.headers["Link"] = ", ".join(links)
        # Django names the moment of the latest entry, which stays when an article goes or a figure gets another one.
        del response.headers["Last-Modified"]
        return response

    def page(self, obj: Any) -> str:
        raise NotImplementedError

    def link(self, obj: Any) -> str:
        return settings.SITE_URL + self.page(obj)

    def feed_url(self, obj: Any) -> str:
        return settings.SITE_URL + reverse(self.url_name, args=[obj.slug] if obj else [])

    def feed_guid(self, obj: Any) -> str:
        return settings.SITE_URL + reverse(self.name, args=[obj.slug] if obj else [])

    def item_link(self, item: Any) -> str:
        return settings.SITE_URL + item.get_absolute_url()

    def item_guid(self, item: Any) -> str:
        return guid(item)

    def item_description(self, item: Any) -> str:
        return escape(self.item_summary(item))

    def item_summary(self, item: Any) -> str:
        """A sentence or two, as plain text."""
        raise NotImplementedError

    def item_content(self, item: Any) -> str:
        """All that there is to read, as HTML that needs nothing of this site."""
        raise NotImplementedError

    def item_image(self, item: Any) -> str:
        return ""

    def item_authors(self, item: Any) -> list[tuple[str, str]]:
        """Names and addresses; without any it is the feed’s own."""
        return []

    def item_extra_kwargs(self, item: Any) -> dict[str, Any]:
        return {
            "summary": self.item_summary(item),
            "content": self.item_content(item),
            "image": self.item_image(item),
            "authors": self.item_authors(item),
        }


def guid(record: models.Model) -> str:
    """A tag URI (RFC 4151): it stays when a record moves to another path, and names the site’s host."""
    host = urlsplit(settings.SITE_URL).hostname
    return f"tag:{host},2026:{record._meta.label_lower}/{record.pk}"


def patterns_of(route: str, feed: Callable[[str], SiteFeed], name: str) -> list[URLPattern]:
    """The addresses of a feed, one for each form."""
    return [path(f"{route}.{form}", kept()(feed(form)), name=name_in(form, name)) for form in FORMS]


def paths_of(name: str, slug: str = "") -> list[str]:
    """The paths of a feed, one for each form; `name` is that of its address in Atom."""
    return [reverse(name_in(form, name), args=[slug] if slug else []) for form in FORMS]


def name_in(form: str, name: str) -> str:
    """What the address of a feed in a form is called: in Atom by the feed’s own name."""
    return name if form == "atom" else f"{name}-{form}"
