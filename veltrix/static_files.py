"""How collectstatic stores files in production: the one step between the style sheets as written and as served."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLE_SHEETS = ["css/site.css", "css/admin.css", "embed/embed.css"]
IMPORT = re.compile(rb'@import url\("([\w./-]+\.css)"\);')

type Found = tuple[Any, str]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files; a style sheet holds what it imports, so that a page asks once."""

    def post_process(self, paths: Mapping[str, Found], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        for name in STYLE_SHEETS:
            if not dry_run and name in paths:
                # From the sources: what an earlier run collected holds its imports already.
                flat = _with_imports(paths, name)
                self.delete(name)
                self.save(name, ContentFile(flat))
                paths = {**paths, name: (self, name)}
        yield from super().post_process(paths, dry_run, **options)


def _with_imports(paths: Mapping[str, Found], name: str) -> bytes:
    folder = posixpath.dirname(name)

    def imported(match: re.Match[bytes]) -> bytes:
        return _read(paths, posixpath.normpath(posixpath.join(folder, match[1].decode())))

    return IMPORT.sub(imported, _read(paths, name))


def _read(paths: Mapping[str, Found], name: str) -> bytes:
    storage, path = paths[name]
    with storage.open(path) as file:
        return bytes(file.read())
