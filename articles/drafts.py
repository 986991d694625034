"""Saves of an article's draft: each is kept as it was, and any of them can be brought back."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.dateparse import parse_datetime

from . import link_checks
from .documents import blocks_of, document_of, read_document
from .models import Article, DraftSave
from .models.blocks import Block


def keys_of(blocks: Iterable[Block]) -> list[str]:
    """The row of each block, by which it is known from one save to the next; empty for one that has no row yet."""
    return [f"{block.type}:{block.pk}" if block.pk else "" for block in blocks]


def keep(article: Article, *, by: User | None, note: str = "") -> DraftSave:
    """Keep the draft as it is saved now, unless that was done, and drop what is older than the last 200 saves."""
    last = article.saves.first()
    if last and last.saved_at == article.changed_at:
        return last
    blocks = blocks_of(article)
    save = DraftSave.objects.create(
        article=article,
        document=document_of(article, blocks),
        keys=keys_of(blocks),
        saved_at=article.changed_at,
        saved_by=by,
        note=note,
    )
    states = (save, article.live_version, article.next_version)
    link_checks.take_note(article, *(state.document for state in states if state))
    too_old = article.saves.values_list("pk", flat=True)[DraftSave.MOST :]
    article.saves.filter(pk__in=list(too_old)).delete()
    return save


def replace(article: Article, document: Mapping[str, Any], *, by: User | None, note: str) -> DraftSave:
    """Make a document the draft; what the draft was before stays among its saves. Nothing is published.

    Raises `UnreadableDocumentError` or `UnknownReferenceError`; nothing is changed then.
    """
    with transaction.atomic():
        article = Article.objects.select_for_update(of=("self",)).get(pk=article.pk)
        keep(article, by=None, note=f"Before: {note}")
        read_document(document, article)
        return keep(article, by=by, note=note)


def saved_as(article: Article, moment: str) -> DraftSave | None:
    """The save that made the draft what it was at this moment, in ISO 8601; nothing where there is none."""
    try:
        saved_at = parse_datetime(moment)
    except ValueError:
        return None
    return article.saves.filter(saved_at=saved_at).first() if saved_at and saved_at.tzinfo else None
