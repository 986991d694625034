"""What a page is made of beside its records: code, templates, files and settings."""

import hashlib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from django.conf import settings

from veltrix.environment import BASE_DIR

MADE_OF = {".py", ".html", ".txt", ".md", ".xml", ".json"}
# Settings that say how a machine works, and that nobody should learn from a name, however hashed.
OF_A_MACHINE = ("SECRET", "DATABASE", "MAIL", "LOG", "_DIR", "_ROOT", "STORAGES", "CACHE", "SEARCH", "TIMEOUT", "WEB_")
OF_NOBODY_ELSE = ("WEBHOOK", "_KEY", "_DSN", "TOKEN")


@cache
def fingerprint() -> str:
    """The same for all processes that would render the same page, and another one after a deployment."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path.relative_to(BASE_DIR)}".encode() + path.read_bytes())
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    digest.update(manifest.read_bytes() if manifest.exists() else b"")
    for name in sorted(dir(settings)):
        if name.isupper() and not any(part in name for part in OF_A_MACHINE + OF_NOBODY_ELSE):
            digest.update(f"{name}={_plain(getattr(settings, name))}".encode())
    for release in sorted(f"{found.name}=={found.version}" for found in distributions()):
        digest.update(release.encode())
    return digest.hexdigest()[:20]


def _files() -> list[Path]:
    folders = [BASE_DIR / name for name in ("articles", "careers", "newsletter", "templates", "veltrix")]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in MADE_OF)


def _plain(value: Any) -> str:
    """A value that reads the same in every process: nothing that holds an address in memory or an order by chance."""
    if isinstance(value, str | int | float | bool | None):
        return repr(value)
    if isinstance(value, dict):
        return repr(sorted((str(key), _plain(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return repr([_plain(item) for item in value])
    if isinstance(value, set | frozenset):
        return repr(sorted(_plain(item) for item in value))
    return type(value).__name__
