"""The page cache in front of the site, asked as a server asks it."""

import io
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import override_settings

from veltrix.page_cache import stores
from veltrix.page_cache.application import PageCache
from veltrix.page_cache.disk import Disk
from veltrix.wsgi import read_as_utf8


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self):
        return self.body.decode()


class Front:
    """A page cache before Django, which it asks `renderings` times."""

    def __init__(self, store):
        self.store = store
        self.django = WSGIHandler()
        self.asked = []
        self.cache = PageCache(self._django, store)

    def _django(self, environ, start_response):
        self.asked.append(environ)
        return self.django(environ, start_response)

    @property
    def renderings(self):
        return len(self.asked)

    def get(self, path="/", query="", method="GET", **variables):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **variables,
        }
        started = []
        # The test's own connection must outlive the request.
        request_finished.disconnect(close_old_connections)
        try:
            chunks = self.cache(read_as_utf8(environ), lambda *given: started.append(given))
            body = b"".join(chunks)
            getattr(chunks, "close", lambda: None)()
        finally:
            request_finished.connect(close_old_connections)
        (status, headers, *_), *others = started
        assert not others
        assert len({name.lower() for name, _ in headers}) == len(headers), headers
        return Answer(int(status.split()[0]), dict(headers), body)


@contextmanager
def front(store=None):
    """A page cache with a store in a folder of its own, which is told of every commit meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        store = store or Disk(Path(folder) / "pages", most_bytes=10_000_000)
        original = stores.store
        stores.store = lambda: store
        from veltrix.page_cache import content

        content.store = stores.store
        try:
            yield Front(store)
        finally:
            stores.store = content.store = original


no_edges = override_settings(EDGE_SECONDS=0)
