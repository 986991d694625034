"""What an editor looks at before an edition is sent: errors that stand in the way, and warnings that do not."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from articles import references, review
from articles.links import dead, is_internal, path_of
from articles.models import ExternalLink
from articles.prose import sanitize_inner
from articles.review import Severity

from . import merging
from .models import Edition, EditionContent

# Gmail cuts a mail's HTML at 102 KB and hides the rest, the way out included.
MOST_BYTES = 100_000
SUBJECT_SHOWN = 60
PREHEADER_SHOWN = (40, 110)
FIELDS = {merging.UNSUBSCRIBE, merging.PREFERENCES, merging.ADDRESS}
_FIELD_LIKE = re.compile(r"\[\[[^\[\]\n]{0,40}\]\]|\{\{[^{}\n]{0,40}\}\}|%%[a-z_]{1,40}%%", re.IGNORECASE)

type Check = Callable[[Edition, EditionContent], Iterable["Point"]]


@dataclass(frozen=True)
class Point:
    """One thing to look at."""

    rule: str
    severity: Severity
    message: str


_checks: list[Check] = []


def check(function: Check) -> Check:
    _checks.append(function)
    return function


def points(edition: Edition, content: EditionContent) -> list[Point]:
    """All that there is to say about an edition and what it would be sent as, errors first."""
    found = [point for function in _checks for point in function(edition, content)]
    return sorted(found, key=lambda point: point.severity != Severity.ERROR)


def _error(rule: str, message: str) -> Point:
    return Point(rule, Severity.ERROR, message)


def _warning(rule: str, message: str) -> Point:
    return Point(rule, Severity.WARNING, message)


@check
def subject(edition: Edition, content: EditionContent) -> Iterator[Point]:
    if not edition.subject.strip():
        yield _error("subject", "The edition has no subject.")
    elif len(edition.subject) > SUBJECT_SHOWN:
        yield _warning(
            "subject", f"The subject has {len(edition.subject)} characters: lists of mail show some {SUBJECT_SHOWN}."
        )
    if edition.subject.isupper():
        yield _warning("subject", "The subject is all capitals, which looks like spam.")


@check
def preheader(edition: Edition, content: EditionContent) -> Iterator[Point]:
    least, most = PREHEADER_SHOWN
    if not edition.preheader:
        yield _warning("preheader", "There is no preheader: lists of mail show the first words of the text instead.")
    elif not least <= len(edition.preheader) <= most:
        yield _warning(
            "preheader", f"The preheader has {len(edition.preheader)} characters: {least} to {most} are shown well."
        )
    if edition.preheader and edition.preheader == edition.subject:
        yield _warning("preheader", "The preheader repeats the subject.")


@check
def something(edition: Edition, content: EditionContent) -> Iterator[Point]:
    document = content.document
    if not (document["intro"] or document["parts"]):
        yield _error("content", "The edition is empty: write an intro, or add a part.")


@check
def text_part(edition: Edition, content: EditionContent) -> Iterator[Point]:
    if not content.text.strip():
        yield _error("text", "The plain text is empty.")


@check
def size(edition: Edition, content: EditionContent) -> Iterator[Point]:
    number = len(content.html.encode())
    if number > MOST_BYTES:
        yield _error(
            "size", f"The HTML has {number // 1000} KB. From 102 KB on, Gmail hides the end of a mail, and the way out."
        )


@check
def way_out(edition: Edition, content: EditionContent) -> Iterator[Point]:
    for name, part in (("HTML", content.html), ("plain text", content.text)):
        if merging.UNSUBSCRIBE not in part:
            yield _error("unsubscribe", f"The {name} has no link to leave by.")


@check
def postal_address(edition: Edition, content: EditionContent) -> Iterator[Point]:
    if not settings.NEWSLETTER_POSTAL_ADDRESS:
        # A site on this machine writes to nobody.
        say = _error if settings.IS_HTTPS else _warning
        yield say(
            "postal-address",
            "The settings have no postal address, which the law asks for in every mail: let whoever runs the site set "
            "NEWSLETTER_POSTAL_ADDRESS.",
        )


@check
def merge_fields(edition: Edition, content: EditionContent) -> Iterator[Point]:
    """A field of another system, or one of ours, which has its places: the archive would show it as it stands."""
    for field in sorted(set(_FIELD_LIKE.findall(json.dumps(content.document, ensure_ascii=False)))):
        yield _error("merge-field", f"“{field}” looks like a field to be filled in: readers would see it as it stands.")


@check
def links(edition: Edition, content: EditionContent) -> Iterator[Point]:
    addresses = [address for address in _addresses_in(content.html) if address not in FIELDS]
    own = edition.get_absolute_url()
    internal = {path_of(address) for address in addresses if is_internal(address)} - {own}
    for path in sorted(dead(internal)):
        yield _error("links", f"{path} leads nowhere on this site.")
    for address in addresses:
        if urlsplit(address).scheme not in {"https", "http", "mailto"}:
            yield _error("links", f"“{address}” is no whole address: a mail has no page that it could be relative to.")
    digests = [ExternalLink.digest_of(address) for address in addresses]
    for link in ExternalLink.objects.broken().filter(digest__in=digests):
        yield _warning("links", f"{link.address} does not answer as it should.")


@check
def figures(edition: Edition, content: EditionContent) -> Iterator[Point]:
    for part in content.document["parts"]:
        if (figure := part.get("figure")) and figure["note"]:
            yield _warning("figures", f"{figure['text']} ({part['title']}): {figure['note']}.")


@check
def figures_in_text(edition: Edition, content: EditionContent) -> Iterator[Point]:
    """What the words refer to: a figure that is not there leaves a hole in its sentence."""
    texts = [edition.intro, edition.closing, *(part.text for part in edition.parts.all())]
    found = dict.fromkeys(reference for text in texts for reference in references.find(sanitize_inner(text)))
    figures = references.load(found)
    for reference in found:
        figure = figures.get(reference)
        if figure is None:
            yield _error("figures", f"The text refers to “{reference}”, but there is no such figure: choose another.")
        elif figure.is_withdrawn:
            yield _error("figures", f"The text refers to “{reference}”, which has been withdrawn: choose another.")
        elif note := review.words_of(review.badges_of(figure, timezone.localdate())):
            yield _warning("figures", f"{figure.text} (in the text): {note}.")


def _addresses_in(html: str) -> list[str]:
    """The addresses that a mail's links lead to, each once, in their order."""
    reader = _Links()
    reader.feed(html)
    return list(dict.fromkeys(reader.found))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs).get("href") or "")
