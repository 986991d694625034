"""What an edition says, made of its draft and of what it refers to: a document, and the two parts of its mails."""

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from articles import references, review
from articles.models import Article, Sourced
from articles.prose import as_safe_html, sanitize_inner
from veltrix import publication

from . import merging
from .letters import with_inline_styles
from .models import Edition, EditionContent, EditionPart
from .plain_text import plain

type Document = dict[str, Any]

# What the sanitiser writes: a link whose address begins at this site's root.
_OWN_LINK = re.compile(r'(<a (?:[a-z]+="[^"]*" )*href=")(?=/(?!/))')


class CannotComposeError(Exception):
    """The edition refers to what readers cannot see. `args[0]` says to what."""


def freeze(edition: Edition) -> EditionContent:
    """Keep what subscribers will get. Raises `CannotComposeError`, and `IntegrityError` if that was done before."""
    content = compose(edition)
    content.save()
    return content


def compose(edition: Edition, parts: Sequence[EditionPart] | None = None) -> EditionContent:
    """What subscribers would get if the edition were frozen now; not saved. Raises `CannotComposeError`.

    `parts` may be given for an edition that is not saved yet.
    """
    document = document_of(edition, parts)
    html, text = mail_of(document, settings.SITE_URL + edition.get_absolute_url())
    return EditionContent(
        edition=edition,
        subject=document["subject"],
        preheader=edition.preheader,
        sender=settings.DEFAULT_FROM_EMAIL,
        html=html,
        text=text,
        document=document,
    )


def document_of(edition: Edition, parts: Sequence[EditionPart] | None = None) -> Document:
    """The edition with its articles' and figures' present words, in a number of queries that does not grow."""
    parts = list(edition.parts.select_related("article")) if parts is None else parts
    articles = Article.objects.published().for_index().in_bulk([part.article_id for part in parts if part.article_id])
    for article in (part.article for part in parts if part.article):
        if article.pk not in articles:
            raise CannotComposeError(f"Readers cannot see “{article.title}”.")
    texts = [sanitize_inner(text) for text in (edition.intro, edition.closing, *(part.text for part in parts))]
    figures = references.load(reference for text in texts for reference in references.find(text))
    intro, closing, *words = (_complete(text, figures) for text in texts)
    return {
        # On one line, as a header must be: what is pasted may hold separators of lines that nobody sees.
        "subject": " ".join(edition.subject.split()),
        "preheader": edition.preheader,
        "intro": intro,
        "closing": closing,
        "parts": [
            {**_article(articles.get(part.article_id)), "heading": part.heading, "text": text}
            for part, text in zip(parts, words, strict=True)
        ],
    }


def _complete(html: str, figures: dict[str, Sourced]) -> str:
    """Text with its figures as links, and every address whole: a mail has no page that it could be relative to."""

    def fill(reference: str, is_in_link: bool) -> str:
        figure = figures.get(reference)
        if figure is None:
            return ""
        text = escape(figure.text)
        if not is_in_link:
            text = f'<a href="{escape(settings.SITE_URL + figure.get_absolute_url())}">{text}</a>'
        # In words, where a page has a mark and a note.
        note = review.words_of(review.badges_of(figure, timezone.localdate()))
        return f"{text} ({escape(note[0].lower() + note[1:])})" if note else text

    return _OWN_LINK.sub(lambda link: link[1] + settings.SITE_URL, references.filled(html, fill))


def _article(article: Article | None) -> Document:
    if article is None or article.live_version is None:
        return {"kind": "text"}
    version = article.live_version
    value = version.headline.current if version.headline else None
    figure = None
    if value and not value.is_withdrawn:
        figure = {
            "text": value.text,
            "claim": value.statistic.claim,
            "source": str(value.source) if value.source else "",
            "note": review.words_of(review.badges_of(value, timezone.localdate())),
            "path": value.get_absolute_url(),
        }
    return {
        "kind": "article",
        "number": article.number,
        "title": version.title,
        "path": article.get_absolute_url(),
        "standfirst": version.standfirst,
        "kicker": str(version.category) if version.category else "",
        "figure": figure,
    }


def mail_of(document: Document, web_address: str) -> tuple[str, str]:
    """The HTML and the text of the mail, with merge fields where they differ from one subscriber to the next."""
    context = {
        **publication.context(HttpRequest()),
        **document,
        "postal_address": settings.NEWSLETTER_POSTAL_ADDRESS,
        "web_address": web_address,
        "unsubscribe_url": merging.UNSUBSCRIBE,
        "preferences_url": merging.PREFERENCES,
        "address": merging.ADDRESS,
    }
    html = render_to_string("email/edition.html", context | _texts(document, as_safe_html))
    return with_inline_styles(html), render_to_string("email/edition.txt", context | _texts(document, plain))


def _texts(document: Document, write: Callable[[str], str]) -> Document:
    """The document's rich texts as one of the mail's parts has them."""
    parts = [{**part, "text": write(part["text"])} for part in document["parts"]]
    return {"intro": write(document["intro"]), "closing": write(document["closing"]), "parts": parts}
