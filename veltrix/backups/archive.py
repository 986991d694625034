"""The file of a backup: a ZIP archive whose manifest names every part with its length and SHA-256."""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

MANIFEST = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20
# Of the manifest: a list of a million pictures is shorter.
MANIFEST_AT_MOST = 500_000_000
TABLES, FOLDERS = "tables", ("media", "originals")
PART = re.compile(rf"{TABLES}/\w+\.\w+\.jsonl|({'|'.join(FOLDERS)})(/[^/\\\x00]+)+")

type Manifest = dict[str, Any]


class DamagedError(Exception):
    """An archive is not as it was written. `args[0]` says where, in a sentence."""


class Writer:
    """An archive that is being written: parts one after the other, then the manifest."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)
        self.parts: dict[str, dict[str, Any]] = {}

    def abandon(self) -> None:
        """Let go of the file of an archive that is not to be finished."""
        with suppress(OSError, ValueError):
            self.zip.close()

    def add(self, name: str, chunks: Iterable[bytes], *, is_compressed: bool = False) -> None:
        """Write a part as it comes; `is_compressed`: it gets no smaller."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
        size, digest = 0, hashlib.sha256()
        with self.zip.open(info, "w", force_zip64=True) as part:
            for chunk in chunks:
                part.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.parts[name] = {"size": size, "sha256": digest.hexdigest()}

    def finish(self, manifest: Manifest) -> None:
        manifest = {"format": FORMAT, **manifest, "parts": self.parts}
        self.zip.writestr(MANIFEST, json.dumps(manifest, indent=1))
        self.zip.close()


class Archive:
    """An archive that is read. Raises `DamagedError` wherever it is not what its manifest says."""

    def __init__(self, path: Path) -> None:
        with _damage(f"{path} is no archive of a backup, or its end is missing."):
            self.zip = zipfile.ZipFile(path)
            self.manifest = self._manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.zip.close()

    def _manifest(self) -> Manifest:
        info = self.zip.getinfo(MANIFEST)
        if info.file_size > MANIFEST_AT_MOST:
            raise DamagedError("The manifest is too long to be one.")
        manifest: Manifest = json.loads(self.zip.read(info))
        if manifest["format"] != FORMAT:
            raise DamagedError(f"The archive has format {manifest['format']}; this release reads {FORMAT}.")
        return manifest

    @property
    def tables(self) -> dict[str, int]:
        """Labels of models, each with the number of its rows."""
        return dict(self.manifest["tables"])

    def names(self, folder: str) -> list[str]:
        return [name for name in self.manifest["parts"] if name.startswith(f"{folder}/")]

    def verify(self) -> None:
        """Read it all, and compare; nothing is kept."""
        with _damage("The manifest is not one of a backup."):
            expected = {*self.manifest["parts"], MANIFEST}
            tables = {f"{TABLES}/{label}.jsonl" for label in self.tables}
        found = self.zip.namelist()
        if len(found) != len(set(found)) or set(found) != expected or tables != set(self.names(TABLES)):
            raise DamagedError("The archive does not hold the parts that its manifest names.")
        for name in self.manifest["parts"]:
            if not _is_safe(name):
                raise DamagedError(f"The archive holds a part of a name that no backup has: {name!r}.")
            for _ in self.read(name):
                pass

    def read(self, name: str) -> Iterator[bytes]:
        """A part in chunks; the error comes after the last one where its sum is another."""
        with _damage(f"{name} is damaged."):
            expected = self.manifest["parts"][name]
            size, digest = 0, hashlib.sha256()
            with self.zip.open(name) as part:
                while size <= expected["size"] and (chunk := part.read(CHUNK)):
                    size += len(chunk)
                    digest.update(chunk)
                    yield chunk
            if (size, digest.hexdigest()) != (expected["size"], expected["sha256"]):
                raise DamagedError(f"{name} is damaged.")

    def lines(self, label: str) -> Iterator[bytes]:
        """The lines of a table's part."""
        rest = b""
        for chunk in self.read(f"{TABLES}/{label}.jsonl"):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
        if rest:
            raise DamagedError(f"The rows of {label} end in the middle.")


def _is_safe(name: str) -> bool:
    return bool(PART.fullmatch(name)) and not {".", ".."} & set(name.split("/"))


@contextmanager
def _damage(message: str) -> Iterator[None]:
    """Whatever a file makes zipfile, zlib or json say, it is damaged."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise DamagedError(message) from error
    except (NotImplementedError, RuntimeError) as error:
        # Another compression, or a password.
        raise DamagedError(message) from error
