"""How collectstatic stores files in production: the one step between the style sheets as written and as served."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLE_SHEET = "css/site.css"
IMPORT = re.compile(rb'@import url\("([\w-]+\.css)"\);')

type Found = tuple[Any, str]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files; the style sheet holds what it imports, so that a page asks once."""

    def post_process(self, paths: Mapping[str, Found], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if not dry_run and STYLE_SHEET in paths:
            # From the sources: what an earlier run collected holds its imports already.
            flat = IMPORT.sub(lambda match: _read(paths, f"css/{match[1].decode()}"), _read(paths, STYLE_SHEET))
            self.delete(STYLE_SHEET)
            self.save(STYLE_SHEET, ContentFile(flat))
            paths = {**paths, STYLE_SHEET: (self, STYLE_SHEET)}
        yield from super().post_process(paths, dry_run, **options)


def _read(paths: Mapping[str, Found], name: str) -> bytes:
    storage, path = paths[name]
    with storage.open(path) as file:
        return bytes(file.read())
