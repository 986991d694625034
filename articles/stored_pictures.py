"""Which pictures are kept, which of them anything names, and what may therefore go."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from django.core.files.storage import default_storage

from .models import ArticleVersion, DraftSave, Image, WorkingCopy
from .pictures import NAME, age_of, names_in, originals
from .renditions import Renditions, folder_of

# One that was taken in a moment ago may stand in a form that nothing is kept of yet.
UNUSED_FOR = 24 * 60 * 60


def all_names() -> list[str]:
    """The pictures that are kept."""
    if not originals().exists(""):
        return []
    return sorted(name for name in originals().listdir("")[1] if NAME.fullmatch(name))


def used_names() -> set[str]:
    """The pictures that any draft, save, version or unsaved form names: what was once published stays readable."""
    return {name for text in _texts() for name in names_in(text)}


def _texts() -> Iterator[str]:
    yield from Image.objects.values_list("file", flat=True).iterator()
    documents: Iterable[Iterable[object]] = (
        ArticleVersion.objects.values_list("document", flat=True).iterator(),
        DraftSave.objects.values_list("document", flat=True).iterator(),
        WorkingCopy.objects.unsaved().values_list("fields", flat=True).iterator(),
    )
    for rows in documents:
        for document in rows:
            yield json.dumps(document)


def unused_names() -> list[str]:
    """The pictures that nothing names, and that were last taken in more than a day ago."""
    old = [name for name in all_names() if age_of(name) > UNUSED_FOR]
    used = used_names() if old else set()
    return [name for name in old if name not in used]


def delete(name: str) -> None:
    """Delete a picture with all that readers are served of it, unless it was taken in again meanwhile."""
    if age_of(name) < UNUSED_FOR:
        return
    originals().delete(name)
    for file in Renditions.of(name).names:
        default_storage.delete(file)
    # A file that somebody is writing there at this moment keeps the folder.
    with suppress(OSError):
        default_storage.delete(folder_of(name))
