"""What readers can search: the register in which every app enters its own kinds of pages.

A kind says what is searched of its records and how its results are labelled, and which saved rows touch which of its
records. The index itself, and the page, belong to the site.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal

# Sent with `kind` and `keys` where records of a kind may have changed.
touched = Signal()


@dataclass(frozen=True)
class Words:
    """What is searched of a record: its heading and other names before its text.

    Figures stand in the text as references between `OPENING` and `CLOSING`, so that none is ever out of date.
    """

    key: int
    path: str
    heading: str
    text: str
    names: str = ""
    # Readers do not see the record, and cannot find it.
    is_hidden: bool = False
    # When its words, or whether readers see it, will change by themselves.
    changes_at: datetime | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of page that can be found.

    `load` gives the words of those of these records that exist, in a number of queries that does not grow. `label`
    gives a line about each of them that readers see now, such as “Article 61”, and leaves the others out: what is left
    out is not shown. `keys` gives the keys of all records, in the order in which they are to be entered.
    """

    key: str
    plural: str
    # Its place among the kinds.
    order: int
    keys: Callable[[], Iterable[int]]
    load: Callable[[Collection[int]], Iterable[Words]]
    label: Callable[[Collection[int]], Mapping[int, str]]
    # For a model: the keys of the records that a saved or deleted row of it touches.
    touched_by: Mapping[type[models.Model], Callable[[Any], Iterable[int | None]]] = field(default_factory=dict)


_kinds: dict[str, Kind] = {}


def enter(kind: Kind) -> None:
    _kinds[kind.key] = kind
    # Of these models alone: a listener for all would make Django read every row that it deletes, of any model.
    for model in kind.touched_by:
        for signal in (post_save, post_delete):
            signal.connect(_on_saved_or_deleted, sender=model, dispatch_uid="articles.searched")


def _on_saved_or_deleted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    for kind in _kinds.values():
        if touches := kind.touched_by.get(sender):
            touch(kind.key, (key for key in touches(instance) if key))


def kinds() -> dict[str, Kind]:
    """All kinds by their keys, in their order."""
    return dict(sorted(_kinds.items(), key=lambda entry: (entry[1].order, entry[0])))


def touch(kind: str, keys: Iterable[int]) -> None:
    """Say that these records of a kind have changed; needed only where a statement did it that saves no rows."""
    touched.send(sender=None, kind=kind, keys=list(keys))
