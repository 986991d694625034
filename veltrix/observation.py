"""What is observed of every request, from outside of all that can answer it: a name for it, and how it went."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse
from django.tasks import TaskResult

from .logs import request_id

logger = logging.getLogger("veltrix.access")

type GetResponse = Callable[[HttpRequest], HttpResponse]
type Environ = dict[str, Any]

KEY = "veltrix.observed"
# What a proxy may call a request: nothing that needs escaping, and short.
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Application(Protocol):
    def __call__(self, environ: Environ, start_response: Callable[..., Any], /) -> Iterable[bytes]: ...


class Observed:
    """One request, as far as it has come. `view` is set by whoever answers it; `seconds` and `length` at its end."""

    __slots__ = ("began", "id", "length", "method", "path", "seconds", "status", "view")

    def __init__(self, id: str, environ: Environ) -> None:
        self.began = time.perf_counter()
        self.id, self.view = id, ""
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO", "")
        self.status, self.length, self.seconds = 0, 0, 0.0


type Observer = Callable[[Observed], object]


class Body:
    """A response's body on its way, whose end is told to observers."""

    def __init__(self, parts: Iterable[bytes], request: Observed, observers: Iterable[Observer]) -> None:
        self.parts, self.request, self.observers = parts, request, observers

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.request.length += len(part)
            yield part

    def close(self) -> None:
        try:
            if hasattr(self.parts, "close"):
                self.parts.close()
        finally:
            _end(self.request, self.observers)


def observed(application: Application, *observers: Observer, behind_proxy: bool) -> Application:
    """Name each request (`X-Request-ID`), and tell observers how it went once its last byte is on its way."""

    def observe(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "") if behind_proxy else ""
        id = given if given and WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
        request_id.set(id)
        if not observers:
            return application(
                environ, lambda status, headers, *rest: _start(start_response, id, status, headers, rest)
            )
        request = environ[KEY] = Observed(id, environ)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            request.status = int(status[:3])
            return _start(start_response, id, status, headers, rest)

        parts = application(environ, start)
        if isinstance(parts, environ.get("wsgi.file_wrapper", ())):
            # The server sends such a file by itself, and only if it is not wrapped.
            _end(request, observers)
            return parts
        return Body(parts, request, observers)

    return observe


def _start(
    start_response: Callable[..., Any], id: str, status: str, headers: list[tuple[str, str]], rest: Iterable[Any]
) -> Any:
    return start_response(status, [*headers, ("X-Request-ID", id)], *rest)


def _end(request: Observed, observers: Iterable[Observer]) -> None:
    request.seconds = time.perf_counter() - request.began
    for observer in observers:
        try:
            observer(request)
        except Exception:
            # Whoever asked gets the answer, which is complete, all the same.
            logger.exception("A request could not be observed")


def log(request: Observed) -> None:
    """Write an access line: no query, no address of a reader."""
    path = request.path.encode("latin-1", "replace").decode("utf-8", "replace")
    fields = {
        "method": request.method,
        "path": path,
        "status": request.status,
        "milliseconds": round(request.seconds * 1000, 1),
        "bytes": request.length,
    }
    logger.info("%s %s %s %s ms %s B", *fields.values(), extra={"fields": fields})


def name_view(get_response: GetResponse) -> GetResponse:
    """Tell the observers which view has answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if observed := request.META.get(KEY):
            observed.view = request.resolver_match.view_name if request.resolver_match else ""
        return response

    return middleware


def name_task(sender: type, task_result: TaskResult, **kwargs: Any) -> None:
    """Let the log's lines of a task bear its id: a receiver of `task_started`."""
    request_id.set(f"task-{task_result.id}")


def name_task_no_longer(sender: type, **kwargs: Any) -> None:
    request_id.set("")
