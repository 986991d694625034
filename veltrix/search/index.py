"""What keeps the index right: marks, which changes of records leave, and `settle`, which works them off.

A mark is written in the transaction of the change and worked off right after it. Should the process die between the
two, whoever searches next works it off first; so does the worker. What changes by itself, such as a scheduled article,
leaves a mark for its moment.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import DatabaseError, models, transaction
from django.utils import timezone
from modelsearch.backends import get_search_backend

from articles import searched
from veltrix.impatience import transaction_waiting_at_most
from veltrix.models import SearchEntry, SearchMark

from . import spelling
from .engines import failures, is_in_database

logger = logging.getLogger(__name__)

# Records in one transaction.
BATCH = 200


def on_touched(sender: object, kind: str, keys: Iterable[int], **kwargs: Any) -> None:
    touch(kind, keys)


def touch(kind: str, keys: Iterable[int]) -> None:
    """Leave marks in this transaction; they are worked off once it is committed."""
    marks = [SearchMark(kind=kind, key=key) for key in dict.fromkeys(keys)]
    if marks:
        SearchMark.objects.bulk_create(marks)
        transaction.on_commit(work_off, robust=True)


def touch_all() -> None:
    """Leave marks for all that can be found."""
    for kind in searched.kinds().values():
        touch(kind.key, kind.keys())


def work_off() -> None:
    """Work off what is due: at once where the index is in the database, else by a task, which may take its time."""
    if is_in_database():
        settle()
    elif due().exists():
        from .tasks import settle_search

        settle_search.enqueue()


def due() -> models.QuerySet[SearchMark]:
    return SearchMark.objects.filter(due_at__lte=timezone.now())


def settle(*, most: int | None = None) -> int:
    """Work off the marks that are due, of at most so many records; how many were. One query where there are none."""
    total = 0
    while most is None or total < most:
        if not (number := _settle_batch()):
            break
        total += number
    return total


def settle_quietly() -> None:
    """Work off some marks before a search; if that cannot be done, it finds what it would have found a moment ago.

    Where the index is elsewhere, the worker does it: no search waits for two engines.
    """
    try:
        if is_in_database():
            settle(most=BATCH)
    except DatabaseError:
        logger.exception("The index of the search could not be renewed")


def _settle_batch() -> int:
    # Most of the time there is nothing to do, and no lock to ask for.
    if not due().exists():
        return 0
    with transaction_waiting_at_most(2):
        marks = list(due().select_for_update().order_by("pk")[:BATCH])
        keys: dict[str, set[int]] = defaultdict(set)
        for mark in marks:
            keys[mark.kind].add(mark.key)
        for kind, those in keys.items():
            _renew_what_can_be(kind, those)
        SearchMark.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    return len(marks)


def _renew_what_can_be(kind: str, keys: Collection[int], *, even_if_same: bool = False) -> None:
    """Make these entries again; a record of which none can be made is not found, and keeps no other from it."""
    try:
        with transaction.atomic():
            renew(kind, keys, even_if_same=even_if_same)
    except failures():
        raise
    except Exception:
        if len(keys) > 1:
            for key in keys:
                _renew_what_can_be(kind, [key], even_if_same=even_if_same)
        else:
            logger.exception("%s %s cannot be searched", kind, *keys)
            _drop(list(SearchEntry.objects.filter(kind=kind, key__in=keys)))


def rebuild() -> int:
    """Make every entry again from its record, and forget all else; how many there are.

    A batch is a transaction, so that searches and changes go on meanwhile. It leaves marks of its own: what it has read
    may be older than what a change has written to the index since, and only those who hold a mark follow each other.
    """
    for kind in searched.kinds().values():
        keys = list(kind.keys())
        for start in range(0, len(keys), BATCH):
            with transaction_waiting_at_most(10):
                _renew_what_can_be(kind.key, batch := keys[start : start + BATCH], even_if_same=True)
                touch(kind.key, batch)
    _touch_others()
    settle()
    vocabulary: set[str] = set()
    for entry in SearchEntry.objects.iterator(chunk_size=BATCH):
        vocabulary |= spelling.words_in(entry)
    spelling.forget(vocabulary)
    return SearchEntry.objects.count()


@transaction.atomic
def _touch_others() -> None:
    """Leave marks for the entries whose records are none that can be found."""
    kinds = searched.kinds()
    for kind in kinds.values():
        touch(
            kind.key,
            SearchEntry.objects.filter(kind=kind.key).exclude(key__in=kind.keys()).values_list("key", flat=True),
        )
    others: dict[str, list[int]] = defaultdict(list)
    for name, key in SearchEntry.objects.exclude(kind__in=kinds).values_list("kind", "key"):
        others[name].append(key)
    for name, keys in others.items():
        touch(name, keys)


def renew(kind: str, keys: Collection[int], *, even_if_same: bool = False) -> None:
    """Make the entries of these records again, in the open transaction; an entry that stays the same is left alone."""
    known = searched.kinds().get(kind)
    found = {words.key: words for words in known.load(keys)} if known else {}
    SearchMark.objects.filter(kind=kind, key__in=keys, due_at__gt=timezone.now()).delete()
    SearchMark.objects.bulk_create(
        SearchMark(kind=kind, key=key, due_at=words.changes_at) for key, words in found.items() if words.changes_at
    )
    earlier = {entry.key: entry for entry in SearchEntry.objects.filter(kind=kind, key__in=keys)}
    entries = [_entry(kind, words) for key, words in sorted(found.items()) if not words.is_hidden]
    _drop([entry for key, entry in earlier.items() if key not in {entry.key for entry in entries}])
    _save([entry for entry in entries if even_if_same or not _is_same(entry, earlier.get(entry.key))])


def _entry(kind: str, words: searched.Words) -> SearchEntry:
    values = {name: getattr(words, name) for name in ("key", "path", "heading", "names", "text")}
    return SearchEntry(id=f"{kind}:{words.key}", kind=kind, **values)


def _is_same(entry: SearchEntry, earlier: SearchEntry | None) -> bool:
    names = ("path", "heading", "names", "text")
    return earlier is not None and all(getattr(entry, name) == getattr(earlier, name) for name in names)


def _save(entries: list[SearchEntry]) -> None:
    if not entries:
        return
    SearchEntry.objects.bulk_create(
        entries,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["path", "heading", "names", "text"],
    )
    get_search_backend().add_bulk(SearchEntry, entries)
    spelling.learn(entries)


def _drop(entries: list[SearchEntry]) -> None:
    backend = get_search_backend()
    for entry in entries:
        backend.delete(entry)
    SearchEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
