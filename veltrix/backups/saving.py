"""Writing a backup: the database as it is at one moment, then the pictures, which are never written again."""

import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import connection
from django.utils import timezone

from veltrix.kept_files import UNFINISHED

from . import tables
from .archive import CHUNK, TABLES, Writer

logger = logging.getLogger(__name__)


class NotSavedError(Exception):
    """A backup cannot be made. `args[0]` says why, in a sentence."""


@dataclass(frozen=True)
class Saved:
    """What a backup holds: its length in bytes, and how many rows and files."""

    size: int
    rows: int
    files: int


def folders() -> dict[str, Storage]:
    """The storages whose files a backup holds, by the folder in it. Cards are drawn again, static files collected."""
    return {"media": storages["default"], "originals": storages["originals"]}


def save(path: Path) -> Saved:
    """Write a backup to a new file that only its owner may read. Raises `NotSavedError`, and leaves nothing then."""
    if path.exists():
        raise NotSavedError(f"{path} is there already; a backup never takes the place of another.")
    if not path.parent.is_dir():
        raise NotSavedError(f"There is no folder {path.parent}.")
    began = time.monotonic()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
        unfinished, writer = Path(file.name), Writer(file)
        try:
            saved = _write(writer)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            writer.abandon()
            unfinished.unlink(missing_ok=True)
            raise
    _sync(path.parent)
    size = path.stat().st_size
    _remember(size, time.monotonic() - began)
    return Saved(size, *saved)


def _write(writer: Writer) -> tuple[int, int]:
    """How many rows and files."""
    with tables.snapshot():
        made_at, migrations = timezone.now(), tables.migrations()
        counts = _write_rows(writer)
    files = _write_files(writer)
    manifest = {
        "made_at": made_at.isoformat(),
        "site": settings.SITE_URL,
        "release": settings.RELEASE,
        "engine": connection.vendor,
        "migrations": migrations,
        "tables": counts,
    }
    writer.finish(manifest)
    return counts.total(), files


def _write_rows(writer: Writer) -> Counter[str]:
    counts: Counter[str] = Counter()
    for model in tables.kept():
        label = model._meta.label
        counts[label] = 0

        def count(label: str = label) -> None:
            counts[label] += 1

        writer.add(f"{TABLES}/{label}.jsonl", tables.rows(model, count))
    return counts


def _write_files(writer: Writer) -> int:
    files = 0
    for folder, storage in folders().items():
        for name in sorted(names(storage)):
            writer.add(f"{folder}/{name}", _chunks(storage, name), is_compressed=True)
            files += 1
    return files


def names(storage: Storage, folder: str = "") -> Iterator[str]:
    """Every finished file of a storage."""
    try:
        below, here = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in here:
        if not name.startswith(UNFINISHED):
            yield f"{folder}{name}"
    for name in below:
        yield from names(storage, f"{folder}{name}/")


def _chunks(storage: Storage, name: str) -> Iterator[bytes]:
    with storage.open(name) as file:
        yield from file.chunks(CHUNK)


def _sync(folder: Path) -> None:
    """Let the name of a file that was renamed outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _record() -> Path:
    return Path(settings.VAR_DIR) / "last-backup.json"


def _remember(size: int, seconds: float) -> None:
    record = {"at": timezone.now().isoformat(), "bytes": size, "seconds": round(seconds, 1)}
    try:
        _record().parent.mkdir(parents=True, exist_ok=True)
        _record().write_text(json.dumps(record))
    except OSError:
        # The backup is made all the same; who watches its age is told that there is none.
        logger.exception("When the last backup was made could not be written down")


def last() -> tuple[datetime, int] | None:
    """When this machine made its last backup, and its bytes; None where it has made none."""
    try:
        record = json.loads(_record().read_text())
        return datetime.fromisoformat(record["at"]), int(record["bytes"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
