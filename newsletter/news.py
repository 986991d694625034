"""What there is to announce of editions; see `articles.announcing`."""

from articles.announcing import States, enter
from articles.feeds import paths_of
from articles.news import digest

from .feeds import MOST_ENTRIES
from .models import Edition


def pages() -> States:
    return {edition.get_absolute_url(): str(edition.pk) for edition in Edition.objects.in_archive().only("slug")}


def feeds() -> States:
    latest = list(Edition.objects.in_archive().values_list("pk", flat=True)[:MOST_ENTRIES])
    return dict.fromkeys(paths_of("editions-feed"), digest(latest)) if latest else {}


enter(pages=pages, feeds=feeds)
