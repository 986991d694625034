"""Putting a backup back: checked first, all or nothing, and never over what is there unless that is asked for."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import IntegrityError, connection, transaction

from articles import frozen
from newsletter import restored
from veltrix.kept_files import UNFINISHED

from . import saving, tables
from .archive import Archive, DamagedError

# How many differences are named in a message.
NAMED = 5

_afterwards: list[Callable[[], object]] = []


class NotRestoredError(Exception):
    """A backup cannot be restored, and nothing was changed. `args[0]` says why and what to do."""


class NotFinishedError(Exception):
    """The rows of a backup are restored, and some of its files are not. `args[0]` says why and what to do."""


@dataclass(frozen=True)
class Restored:
    """What came back, and how many editions of the newsletter wait for a person's decision."""

    made_at: datetime
    rows: int
    files: int
    paused: int


@dataclass(frozen=True)
class _Written:
    """A file of the archive: where it was written, and the name that it is to have."""

    storage: Storage
    place: str
    name: str


def afterwards(act: Callable[[], object]) -> None:
    """Do this after every restore, once it is committed: empty what was made from what was there before."""
    _afterwards.append(act)


def restore(archive: Archive, *, is_replacing: bool = False) -> Restored:
    """Restore into an empty installation, or in place of what is there.

    Raises `DamagedError`, `NotRestoredError` and `OSError`, and nothing is changed then; or `NotFinishedError`.
    """
    archive.verify()
    _check_migrations(archive)
    _check_tables(archive, is_replacing=is_replacing)
    made_at = datetime.fromisoformat(archive.manifest["made_at"])
    with _files(archive, is_replacing=is_replacing) as written, transaction.atomic():
        number, paused = _put_rows(archive, made_at, is_replacing=is_replacing)
    try:
        _put_in_place(written)
    finally:
        ContentType.objects.clear_cache()
        for act in _afterwards:
            act()
    files = sum(len(archive.names(folder)) for folder in saving.folders())
    return Restored(made_at, number, files, paused)


def _check_tables(archive: Archive, *, is_replacing: bool) -> None:
    labels = {model._meta.label for model in tables.kept()}
    if set(archive.tables) != labels:
        raise NotRestoredError(f"The archive has other tables: {_some(labels ^ set(archive.tables))}.")
    if not is_replacing and (used := in_use()):
        raise NotRestoredError(
            f"This installation is not empty ({_some(used)}). Restore into a new database, or ask for --replace."
        )


def _put_rows(archive: Archive, made_at: datetime, *, is_replacing: bool) -> tuple[int, int]:
    """How many rows, and how many editions of them are paused."""
    _take_all_the_time_that_it_needs()
    _make_room(is_replacing)
    number = sum(_load(archive, label) for label in archive.tables)
    paused = restored.settle(made_at)
    _check_keys()
    if is_replacing:
        for model in frozen.guarded_models():
            frozen.guard(connection, model)
    tables.reset_sequences()
    tables.renew_statistics()
    return number, paused


def in_use() -> list[str]:
    """The tables that hold what no migration has written."""
    used = [model for model in tables.kept() if model._meta.label not in tables.MADE_BY_MIGRATIONS]
    return [model._meta.label for model in used if model._base_manager.exists()]


def _check_migrations(archive: Archive) -> None:
    here, there = set(tables.migrations()), set(archive.manifest["migrations"])
    if here != there:
        told = [f"not here: {_some(there - here)}"] if there - here else []
        told += [f"not in the archive: {_some(here - there)}"] if here - there else []
        raise NotRestoredError(
            f"The archive was made by release {archive.manifest['release']} and has other migrations "
            f"({'; '.join(told)}). Install that release, run manage.py migrate on an empty database, restore, "
            "and upgrade then."
        )


def _some(names: set[str] | list[str]) -> str:
    first = ", ".join(sorted(names)[:NAMED])
    return first if len(names) <= NAMED else f"{first} and {len(names) - NAMED} more"


def _take_all_the_time_that_it_needs() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")


def _make_room(is_replacing: bool) -> None:
    if is_replacing:
        for model in frozen.guarded_models():
            frozen.unguard(connection, model)
    for model in [*tables.left_out(), *tables.kept()]:
        label = model._meta.label
        if is_replacing or label in tables.LEFT_OUT or label in tables.MADE_BY_MIGRATIONS:
            tables.empty(model)


def _load(archive: Archive, label: str) -> int:
    model = next(model for model in tables.kept() if model._meta.label == label)
    try:
        number = tables.load(model, archive.lines(label))
    except (ValidationError, ValueError, TypeError, IntegrityError) as error:
        raise DamagedError(f"The rows of {label} are none that this installation takes.") from error
    if number != archive.tables[label]:
        raise DamagedError(f"{label} has {number} rows, not {archive.tables[label]}.")
    return number


def _check_keys() -> None:
    """Look at every foreign key; on PostgreSQL no trigger could be made while one is still to be looked at."""
    try:
        connection.check_constraints()
    except IntegrityError as error:
        raise DamagedError(f"Rows of the archive name others that it does not hold: {error}") from error


@contextmanager
def _files(archive: Archive, *, is_replacing: bool) -> Iterator[list[_Written]]:
    """Write the files, and take them away again if what follows fails; those that were not there as they should be."""
    written: list[_Written] = []
    try:
        for folder, storage in saving.folders().items():
            for part in archive.names(folder):
                name = part.removeprefix(f"{folder}/")
                if place := _put(archive, part, storage, name, is_replacing=is_replacing):
                    written.append(_Written(storage, place, name))
        yield written
    except BaseException:
        for file in written:
            file.storage.delete(file.place)
        raise


def _put_in_place(written: Iterable[_Written]) -> None:
    try:
        for file in written:
            Path(file.storage.path(file.place)).replace(file.storage.path(file.name))
    except OSError as error:
        raise NotFinishedError(f"All rows are restored, but not all files: {error}. Restore once more.") from error


def _put(archive: Archive, part: str, storage: Storage, name: str, *, is_replacing: bool) -> str:
    """Write a file, beside one of other content; under which name, "" where it is there as it should be."""
    place = name
    if storage.exists(name):
        if _sum(storage, name) == archive.manifest["parts"][part]["sha256"]:
            return ""
        if not is_replacing:
            raise NotRestoredError(
                f"The file {storage.path(name)} is another here. Move it away, or ask for --replace."
            )
        folder, _, last = name.rpartition("/")
        place = f"{folder}/{UNFINISHED}{last}".removeprefix("/")
        # What an earlier restore has left that was killed.
        storage.delete(place)
    storage.save(place, ContentFile(b"".join(archive.read(part))))
    return place


def _sum(storage: Storage, name: str) -> str:
    with storage.open(name) as file:
        return hashlib.sha256(file.read()).hexdigest()
