import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from veltrix.postgresql.base import limit_waiting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veltrix.settings")

_django = get_wsgi_application()
limit_waiting(settings.DATABASE_TIMEOUT)

# They read the settings, and models.
from veltrix.page_cache.application import PageCache  # noqa: E402
from veltrix.page_cache.stores import store  # noqa: E402


def read_as_utf8(environ: dict[str, Any]) -> dict[str, Any]:
    """Drop the charset that a request claims: forms here are UTF-8, and some charsets decode to no valid text."""
    media_type, *parameters = environ.get("CONTENT_TYPE", "").split(";")
    kept = [p for p in parameters if not p.strip().lower().startswith("charset")]
    return {**environ, "CONTENT_TYPE": ";".join([media_type, *kept])}


def site(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    response: Iterable[bytes] = _django(read_as_utf8(environ), start_response)
    return response


application = PageCache(site, store())
