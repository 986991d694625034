"""Which engine searches: the database itself, or OpenSearch by its address."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

SCHEMES = {"opensearch+https", "opensearch+http"}
# How many seconds a search may take of it.
TIMEOUT = 5
FORM = "opensearch+https://user:password@host:9200/prefix is the form"


def read(name: str, address: str) -> dict[str, Any]:
    """The `MODELSEARCH_BACKENDS` of an address; without one, the database's own full-text search.

    Raises `ImproperlyConfigured` with one line that names the setting and no password.
    """
    if not address:
        # The words that it gets are stems already.
        return {"default": {"BACKEND": "modelsearch.backends.database", "SEARCH_CONFIG": "simple"}}
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not an address: {FORM}.") from error
    if parts.scheme not in SCHEMES or not host:
        raise ImproperlyConfigured(f"{name} must begin with opensearch+https:// and name a host: {FORM}.")
    if find_spec("opensearchpy") is None:
        raise ImproperlyConfigured(f"{name} needs OpenSearch's client: pip install -r requirements/opensearch.txt.")
    return {
        "default": {
            "BACKEND": "modelsearch.backends.opensearch3",
            "HOSTS": [_host(parts, host, port)],
            "INDEX_PREFIX": (parts.path.strip("/") or "veltrix") + "_",
            "TIMEOUT": TIMEOUT,
        }
    }


def _host(parts: SplitResult, host: str, port: int | None) -> dict[str, Any]:
    is_https = parts.scheme == "opensearch+https"
    return {
        "host": host,
        "port": port or (443 if is_https else 80),
        "use_ssl": is_https,
        "verify_certs": is_https,
        "http_auth": (unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
    }


def is_in_database() -> bool:
    """Whether the index is in the database, and so is written in the transaction of a change."""
    return str(settings.MODELSEARCH_BACKENDS["default"]["BACKEND"]) == "modelsearch.backends.database"


def failures() -> tuple[type[Exception], ...]:
    """What is raised where an engine is away, or was in somebody's way: it is asked again later."""
    if is_in_database():
        return OperationalError, InterfaceError
    from opensearchpy.exceptions import OpenSearchException

    return OperationalError, InterfaceError, OpenSearchException
