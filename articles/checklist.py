"""What an editor looks at before an article is published: faults that stand in the way, and advice that does not."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from . import bare_figures
from .link_checks import addresses_in
from .links import dead, is_internal, path_of
from .markup import links, outline
from .models import ExternalLink
from .redirects import destinations
from .review import Severity

type Document = Mapping[str, Any]

# What search engines show of a title and of a description before they cut it off, in characters.
TITLE_SHOWN = 60
DESCRIPTION_SHOWN = (70, 160)
# Flesch's scale: below this a text is hard for most readers.
EASE = 30
SENTENCE_SHOWN = 40


@dataclass(frozen=True)
class Point:
    """One thing to look at: `place` is the number of its block, `field` the article's field that it is about."""

    rule: str
    severity: Severity
    message: str
    place: int | None = None
    field: str = ""


RULES: dict[str, str] = {}
_checks: list[Callable[[Document], Iterable[Point]]] = []


def check(
    rule: str, title: str
) -> Callable[[Callable[[Document], Iterable[Point]]], Callable[[Document], Iterable[Point]]]:
    """Register a rule of the checklist; its title is what readers are told where it was overridden."""

    def register(function: Callable[[Document], Iterable[Point]]) -> Callable[[Document], Iterable[Point]]:
        RULES[rule] = title
        _checks.append(function)
        return function

    return register


def points(document: Document) -> list[Point]:
    """All that there is to say about a document, errors first, in its order."""
    found = [point for function in _checks for point in function(document)]
    return sorted(found, key=lambda point: (point.severity != Severity.ERROR, point.place or 0))


def errors(document: Document) -> list[Point]:
    """What stands in the way of publishing it."""
    return [point for point in points(document) if point.severity == Severity.ERROR]


@check("alternative-text", "A picture without a description")
def alternative_text(document: Document) -> Iterator[Point]:
    for place, item in enumerate(document["blocks"], start=1):
        if item["type"] == "image":
            alt = item.get("alt", "").strip()
            if not alt:
                yield Point("alternative-text", Severity.ERROR, "The picture has no alternative text.", place)
            elif re.match(r"(?i)(an? )?(image|picture|photo|photograph|graphic) of\b", alt):
                message = "The alternative text begins with what every picture is: say what it shows."
                yield Point("alternative-text", Severity.WARNING, message, place)
            elif alt == item.get("caption", "").strip():
                message = "Alternative text and caption are the same: listeners hear it twice."
                yield Point("alternative-text", Severity.WARNING, message, place)


@check("headings", "Headings out of order")
def heading_order(document: Document) -> Iterator[Point]:
    level = 0
    for place, item in enumerate(document["blocks"], start=1):
        own_heading = {"call-out": 2, "faq-item": 2}.get(item["type"], 0)
        for heading in outline(item):
            if not heading.text:
                yield Point("headings", Severity.ERROR, "A heading is empty.", place)
            elif heading.level == 3 and level < 2:
                message = f"“{heading.text}” is a heading of the second rank with none of the first above it."
                yield Point("headings", Severity.ERROR, message, place)
            level = heading.level
        level = own_heading or level


@check("links", "A link that leads nowhere")
def empty_links(document: Document) -> Iterator[Point]:
    for place, link in links(document):
        if not link.href.strip():
            yield Point("links", Severity.ERROR, f"The link “{link.text or 'without words'}” has no address.", place)
        elif not link.text:
            yield Point("links", Severity.ERROR, f"The link to {link.href} has no words.", place)
        elif re.fullmatch(r"(?i)(click )?here|more|this|link|read more", link.text):
            message = f"The link “{link.text}” does not say where it leads."
            yield Point("links", Severity.WARNING, message, place)


@check("dead-links", "A link to a page that is not there")
def dead_links(document: Document) -> Iterator[Point]:
    within = [(place, link) for place, link in links(document) if link.href.strip() and is_internal(link.href)]
    lost = dead(link.href for _, link in within)
    moved = destinations(path_of(href) for href in lost) if lost else {}
    for place, link in within:
        if link.href in lost and (destination := moved.get(path_of(link.href))):
            message = f"The link “{link.text}” leads to an old address: the page is at {destination} now."
            yield Point("dead-links", Severity.WARNING, message, place)
        elif link.href in lost:
            message = f"The link “{link.text}” leads to {link.href}, where readers find no page."
            yield Point("dead-links", Severity.ERROR, message, place)


@check("links-elsewhere", "A link to another site that does not answer")
def links_elsewhere(document: Document) -> Iterator[Point]:
    digests = {ExternalLink.digest_of(address) for address in addresses_in(document)}
    if not digests:
        return
    found = {row.address: row for row in ExternalLink.objects.filter(digest__in=digests).exclude(checked_at=None)}
    for place, link in links(document):
        row = found.get(link.href.strip())
        if row and row.problem:
            when = f"{timezone.localtime(row.checked_at):%-d %B, %H:%M}"
            message = f"The link “{link.text}” leads to {row.address}. {row.problem} Looked at on {when}."
            yield Point("links-elsewhere", Severity.WARNING, message, place)
        elif row and row.moved_to:
            message = f"The link “{link.text}” leads to {row.address}, which has moved to {row.moved_to}."
            yield Point("links-elsewhere", Severity.WARNING, message, place)


@check("lengths", "A title or description too long")
def lengths(document: Document) -> Iterator[Point]:
    title, standfirst = document["title"], document["standfirst"]
    if len(title) > TITLE_SHOWN:
        message = f"The title has {len(title)} characters; search results cut it off after about {TITLE_SHOWN}."
        yield Point("lengths", Severity.WARNING, message, field="title")
    least, most = DESCRIPTION_SHOWN
    if standfirst and not least <= len(standfirst) <= most:
        message = f"The standfirst has {len(standfirst)} characters; as a description, {least} to {most} show best."
        yield Point("lengths", Severity.WARNING, message, field="standfirst")


@check("reading-ease", "Hard to read")
def reading_ease(document: Document) -> Iterator[Point]:
    text = "\n".join(_words_of(item["html"]) for item in document["blocks"] if item.get("html"))
    ease = flesch(text)
    if ease is not None and ease < EASE:
        message = f"The text is hard to read (Flesch {ease:.0f}, estimated): shorter sentences and words help."
        yield Point("reading-ease", Severity.WARNING, message)
    for place, item in enumerate(document["blocks"], start=1):
        for sentence in _sentences(_words_of(item.get("html", ""))):
            if len(sentence.split()) > SENTENCE_SHOWN:
                start = " ".join(sentence.split()[:6])
                message = f"The sentence “{start}…” has {len(sentence.split())} words."
                yield Point("reading-ease", Severity.WARNING, message, place)


@check("bare-figures", "A number typed into the text")
def typed_figures(document: Document) -> Iterator[Point]:
    for where, figure in bare_figures.in_document(document):
        place = re.match(r"Block ([0-9]+)", where)
        field = "" if place else where.lower()
        message = f"“{figure.text}” in “{figure.context}” is typed in; a reference to the figure would stay right."
        yield Point("bare-figures", Severity.WARNING, message, int(place[1]) if place else None, field)


def flesch(text: str) -> float | None:
    """Reading ease on Flesch's scale (1948), from about 100 (easy) down; None for fewer than a hundred words.

    Syllables are counted as groups of vowels, a silent e at the end left out: an estimate.
    """
    words = re.findall(r"[A-Za-z’']+", text)
    if len(words) < 100:
        return None
    sentences = max(len(_sentences(text)), 1)
    syllables = sum(max(len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower()))), 1) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _words_of(html: str) -> str:
    return re.sub(r"<[^<>]*>", "", re.sub(r"</(p|h2|h3|li|blockquote)>|<br>", ".\n", html))


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?:])\s+", text) if re.search(r"\w", part)]
