"""What is searched of the newsletter's editions: what the archive shows."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.utils import timezone

from articles import searched
from articles.prose import sanitize_inner
from articles.references import marked

from .archive import editions
from .models import Edition, EditionContent


def text_of(document: Mapping[str, Any], preheader: str) -> str:
    """The words of an edition below its subject, a line for each paragraph."""
    texts = [preheader, marked(sanitize_inner(document["intro"]))]
    for part in document["parts"]:
        texts += [part["heading"], part.get("title", ""), part.get("standfirst", ""), part.get("kicker", "")]
        if figure := part.get("figure"):
            texts.append(f"{figure['text']} {figure['claim']}")
        texts.append(marked(sanitize_inner(part["text"])))
    texts.append(marked(sanitize_inner(document["closing"])))
    return "\n".join(text for text in texts if text)


def _load(keys: Collection[int]) -> Iterator[searched.Words]:
    for edition in editions().filter(pk__in=keys):
        content = edition.content
        yield searched.Words(
            key=edition.pk,
            path=edition.get_absolute_url(),
            heading=content.subject,
            text=text_of(content.document, content.preheader),
        )


def _label(keys: Collection[int]) -> dict[int, str]:
    started = Edition.objects.in_archive().filter(pk__in=keys).values_list("pk", "started_at")
    return {key: f"Edition of {timezone.localdate(moment):%-d %B %Y}" for key, moment in started if moment}


searched.enter(
    searched.Kind(
        key="edition",
        plural="Editions",
        order=50,
        keys=lambda: Edition.objects.in_archive().order_by("started_at", "pk").values_list("pk", flat=True),
        load=_load,
        label=_label,
        touched_by={
            # One that was never sent is in no archive, and its senders save it often enough.
            Edition: lambda edition: [edition.pk] if edition.is_in_archive else [],
            EditionContent: lambda content: [content.edition_id],
        },
    )
)
