import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "veltrix.settings")

_django = get_wsgi_application()

# Only now: they need the apps.
from veltrix import metrics, observation  # noqa: E402
from veltrix.page_cache.application import PageCache  # noqa: E402
from veltrix.page_cache.stores import store  # noqa: E402
from veltrix.postgresql.base import limit_waiting  # noqa: E402

limit_waiting(settings.DATABASE_TIMEOUT)


def _answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    response: Iterable[bytes] = _django(read_as_utf8(environ), start_response)
    return response


def read_as_utf8(environ: dict[str, Any]) -> dict[str, Any]:
    """Drop the charset that a request claims: forms here are UTF-8, and some charsets decode to no valid text."""
    media_type, *parameters = environ.get("CONTENT_TYPE", "").split(";")
    kept = [p for p in parameters if not p.strip().lower().startswith("charset")]
    return {**environ, "CONTENT_TYPE": ";".join([media_type, *kept])}


_observers = [observation.log] if settings.ACCESS_LOG else []
if metrics.is_on():
    metrics.prepare()
    _observers.append(metrics.observe)
_pages = PageCache(_answer, store())
application = observation.observed(_pages, *_observers, behind_proxy=settings.BEHIND_PROXY)
