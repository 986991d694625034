"""What pages on the newsletter tell machines of themselves; see `articles.structured_data`."""

from django.urls import reverse
from django.utils import timezone

from articles.structured_data import LANGUAGE, Node, address, breadcrumbs, node, publisher
from veltrix.publication import NEWSLETTER

from .models import Edition

ARCHIVE = "Past editions"


def of_archive() -> list[Node]:
    return [breadcrumbs(*_way())]


def of_edition(edition: Edition) -> list[Node]:
    """An edition in the archive, as its page shows it."""
    path, content = edition.get_absolute_url(), edition.content
    home = reverse("newsletter:index")
    described = node(
        "Article",
        f"{path}#edition",
        headline=content.subject,
        description=content.preheader,
        url=address(path),
        inLanguage=LANGUAGE,
        isPartOf=node("Periodical", f"{home}#newsletter", name=NEWSLETTER, url=address(home)),
        datePublished=edition.started_at and timezone.localdate(edition.started_at).isoformat(),
        publisher=publisher(),
    )
    return [described, breadcrumbs(*_way(), (content.subject, path))]


def _way() -> list[tuple[str, str]]:
    return [(NEWSLETTER, reverse("newsletter:index")), (ARCHIVE, reverse("newsletter:archive"))]
