"""What is searched of articles and statistics: what readers see of them, never a draft."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from django.utils import timezone
from django_prose_editor.fields import ProseEditorField

from . import searched
from .models import Article, Source, Statistic, StatisticValue
from .models.blocks import Item, block_types
from .prose import sanitize
from .references import marked


def text_of(document: Mapping[str, Any]) -> str:
    """The words of a document below its title, a line for each paragraph, with marks in the place of its figures."""
    texts = [document["standfirst"], *(text for item in document["blocks"] for text in _texts_of(item))]
    return "\n".join(text for text in texts if text)


def _texts_of(item: Item) -> Iterator[str]:
    block_type = block_types().get(item["type"])
    fields = block_type.content_fields() if block_type else []
    for field in fields:
        value = item.get(field.name)
        if block_type is None or field.is_relation or field.name in block_type.unsearched:
            continue
        if isinstance(field, ProseEditorField):
            yield marked(sanitize(value or ""))
        else:
            yield from _strings_in(value)


def _strings_in(value: Any) -> Iterator[str]:
    """The strings in a value of JSON, a row of a table as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        rows = [row if isinstance(row, list) else [row] for row in value]
        yield from (" ".join(cell for cell in row if isinstance(cell, str)) for row in rows)


def _load_articles(keys: Collection[int]) -> Iterator[searched.Words]:
    now = timezone.now()
    for article in Article.objects.filter(pk__in=keys).select_related("live_version"):
        version = article.live_version
        to_come = [moment for moment in (article.published_at, article.withdrawn_at) if moment and moment > now]
        yield searched.Words(
            key=article.pk,
            path=article.get_absolute_url(),
            heading=version.title if version else "",
            text=text_of(version.document) if version and article.is_public else "",
            is_hidden=not article.is_public,
            changes_at=min(to_come, default=None) if version else None,
        )


def _label_articles(keys: Collection[int]) -> dict[int, str]:
    articles = Article.objects.published().filter(pk__in=keys).values_list("pk", "number")
    return {key: f"Article {number}" for key, number in articles}


searched.enter(
    searched.Kind(
        key="article",
        plural="Articles",
        order=10,
        keys=lambda: (
            Article.objects.exclude(live_version=None).order_by("published_at", "pk").values_list("pk", flat=True)
        ),
        load=_load_articles,
        label=_label_articles,
        touched_by={Article: lambda article: [article.pk]},
    )
)


def _load_statistics(keys: Collection[int]) -> Iterator[searched.Words]:
    values = StatisticValue.objects.in_force().filter(statistic__in=keys).select_related("statistic", "source")
    for value in values:
        statistic, source = value.statistic, value.source
        lines = [statistic.scope, statistic.unit, f"{source.producer}: {source.title}" if source else ""]
        yield searched.Words(
            key=statistic.pk,
            path=statistic.get_absolute_url(),
            heading=statistic.claim,
            # Its successor, or its retraction, makes the entry again.
            names=value.display_text,
            text="\n".join(line for line in lines if line),
        )


def _label_statistics(keys: Collection[int]) -> dict[int, str]:
    values = StatisticValue.objects.in_force().filter(statistic__in=keys)
    return {key: f"Statistic: {text}" for key, text in values.values_list("statistic", "display_text")}


def _resting_on(source: Source) -> Iterable[int]:
    return StatisticValue.objects.in_force().filter(source=source.pk).values_list("statistic", flat=True)


searched.enter(
    searched.Kind(
        key="statistic",
        plural="Statistics",
        order=40,
        keys=lambda: Statistic.objects.order_by("pk").values_list("pk", flat=True),
        load=_load_statistics,
        label=_label_statistics,
        touched_by={
            Statistic: lambda statistic: [statistic.pk],
            StatisticValue: lambda value: [value.statistic_id],
            Source: _resting_on,
        },
    )
)
