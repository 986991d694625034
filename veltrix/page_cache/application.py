"""The outermost layer that answers pages: from the store where they are kept, else by rendering them once."""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpResponse
from django.http.request import split_domain_port

from veltrix import metrics, observation
from veltrix.bulkhead import HAS_PLACE, room
from veltrix.observation import Application, Environ

from .encodings import accepted
from .memory import Memory
from .pages import DamagedPageError, Header, Page
from .release import fingerprint
from .stores import ASKED, Store, UnavailableError
from .views import MARK, UNTIL, Rule, rule_of

type StartResponse = Callable[..., Any]

# A page is known by its scheme, host, path and known parameters.
type Key = tuple[str, str, str, str]

# All that a view learns of a request whose answer is kept: what it cannot see cannot poison what others get.
PASSED_ON = {
    "PATH_INFO",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "HTTP_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "wsgi.errors",
    "wsgi.multiprocess",
    "wsgi.multithread",
    "wsgi.run_once",
    "wsgi.url_scheme",
    "wsgi.version",
    observation.KEY,
}
MOST_PARAMETERS = 50
# A larger answer is not worth its room, in bytes.
LARGEST = 3_000_000


@dataclass(slots=True)
class Rendered:
    """What Django answered, until it is passed on."""

    status: str
    headers: list[Header]
    body: Iterable[bytes]

    @property
    def until(self) -> float | None:
        """Until when the answer may be kept, in seconds since 1970; None where it may not."""
        response = self.body
        if not isinstance(response, HttpResponse) or response.status_code != 200 or response.cookies:
            return None
        until = getattr(response, UNTIL, None)
        return until.timestamp() if until and len(response.content) <= LARGEST else None

    def close(self) -> None:
        getattr(self.body, "close", lambda: None)()


class PageCache:
    """A WSGI application in front of Django’s. Public pages come by here only; all else passes as it came."""

    def __init__(self, application: Application, store: Store) -> None:
        self.application = application
        self.store = store
        self.memory = Memory(settings.PAGE_CACHE_MEMORY_MB * 1_000_000)
        self.release = fingerprint()
        self.session_cookie = settings.SESSION_COOKIE_NAME
        self.is_behind_proxy = settings.BEHIND_PROXY
        self.is_counted = metrics.is_on()
        self.never = (settings.STATIC_URL, settings.MEDIA_URL, f"/{settings.ADMIN_PATH}")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not self.is_public(environ):
            return self.application(environ, start_response)
        query, rule = environ.get("QUERY_STRING", ""), None
        if query:
            rule = rule_of(_path(environ))
            read = _read(query, rule) if rule else None
            if read is None:
                return self.application(environ, start_response)
            query = read
        key = self.key(environ, query)
        try:
            generation = self.store.generation()
            page = self.find(generation, key)
        except UnavailableError:
            metrics.count("page_cache", "away")
            return self.application(environ, start_response)
        if page:
            return self.hit(page, environ, start_response)
        if rule is None and rule_of(_path(environ)) is None:
            return self.application(environ, start_response)
        return self.render(environ, start_response, key)

    def hit(self, page: Page, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.is_counted:
            metrics.count("page_cache", "hit")
        if observed := environ.get(observation.KEY):
            observed.view = "kept"
        return give(page, environ, start_response)

    def is_public(self, environ: Environ) -> bool:
        """Whether a request is one for a page as everybody sees it."""
        return (
            environ["REQUEST_METHOD"] in ("GET", "HEAD")
            and ("HTTP_COOKIE" not in environ or self.session_cookie not in environ["HTTP_COOKIE"])
            and not environ.get("PATH_INFO", "").startswith(self.never)
            and not environ.get("SCRIPT_NAME")
            and environ.get("CONTENT_LENGTH") in (None, "", "0")
            and "HTTP_TRANSFER_ENCODING" not in environ
            and "HTTP_AUTHORIZATION" not in environ
        )

    def key(self, environ: Environ, query: str) -> Key:
        scheme = environ["wsgi.url_scheme"]
        if self.is_behind_proxy:
            # As Django reads it.
            is_secure = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip() == "https"
            scheme = "https" if is_secure else "http"
        return scheme, _host(environ.get("HTTP_HOST", "")), environ.get("PATH_INFO", ""), query

    def name(self, key: Key) -> str:
        """The name by which a store knows a page of this release."""
        text = "\0".join((self.release, *key)).encode("utf-8", "surrogateescape")
        return hashlib.blake2b(text, digest_size=20).hexdigest() + (ASKED if key[-1] else "")

    def find(self, generation: str, key: Key) -> Page | None:
        page = self.memory.get(generation, key)
        if page is None and (data := self.store.read(generation, self.name(key))):
            try:
                page = Page.read(data)
            except DamagedPageError:
                return None
            self.memory.put(generation, key, page)
        return page if page and page.until > time.time() else None

    def render(self, environ: Environ, start_response: StartResponse, key: Key) -> Iterable[bytes]:
        """Have the page made, by one request for all that want it at the same time."""
        entered_at = room().enter()
        if entered_at is None:
            # The bulkhead says so, in the site’s own words.
            return self.application(environ, start_response)
        try:
            with self.store.flight(self.name(key)) as leads:
                # Somebody may have made it since it was looked for, whether they were waited for or not.
                if page := self.found_now(key):
                    return self.hit(page, environ, start_response)
                if leads:
                    return self.make(environ, start_response, key)
            # It is not one to be kept, or takes long: nobody waits for the next one.
            return self.make(environ, start_response, key)
        finally:
            room().leave(entered_at)

    def found_now(self, key: Key) -> Page | None:
        try:
            return self.find(self.store.generation(), key)
        except UnavailableError:
            return None

    def make(self, environ: Environ, start_response: StartResponse, key: Key) -> Iterable[bytes]:
        try:
            # Named before the page is read: what is published meanwhile puts the page out of reach.
            generation = self.store.generation()
        except UnavailableError:
            return self.application(environ, start_response)
        rendered = self.ask(environ, key)
        until, now = rendered.until, time.time()
        if until is None or until <= now:
            if rendered.status.startswith("3") and not is_whole(environ, key):
                # A redirect takes along all that stands in the address.
                rendered.close()
                return self.application({**environ, HAS_PLACE: True}, start_response)
            return pass_on(rendered, environ, start_response)
        try:
            body = b"".join(rendered.body)
        finally:
            rendered.close()
        metrics.count("page_cache", "miss")
        page = Page.of(rendered.headers, body, until=until, now=now)
        try:
            # Another one may have begun meanwhile, whose pages are in memory.
            if self.store.generation() == generation:
                self.memory.put(generation, key, page)
            self.store.write(generation, self.name(key), page.written(), until - now)
        except UnavailableError:
            pass
        return give(page, environ, start_response)

    def ask(self, environ: Environ, key: Key) -> Rendered:
        """Django’s answer to a request that tells it nothing but what the page is known by."""
        asked = {name: environ[name] for name in PASSED_ON if name in environ}
        _, host, _, query = key
        asked |= {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "wsgi.input": BytesIO(), MARK: True, HAS_PLACE: True}
        if "HTTP_HOST" in environ:
            asked["HTTP_HOST"] = host
        started: list[Any] = []

        def start(status: str, headers: list[Header], exc_info: object = None) -> None:
            started[:] = [status, headers]

        body = self.application(asked, start)
        return Rendered(started[0], started[1], body)


@lru_cache(maxsize=256)
def _host(host: str) -> str:
    """The one spelling of a name: a port, capitals and a dot at its end make no other page (RFC 9110, section 4.2.3).

    What is no name stays as it is, for Django to refuse.
    """
    return split_domain_port(host)[0] or host


def is_whole(environ: Environ, key: Key) -> bool:
    """Whether Django was asked just as the client asked."""
    _, host, _, query = key
    return (environ.get("HTTP_HOST", ""), environ.get("QUERY_STRING", "")) == (host, query)


def _path(environ: Environ) -> str:
    """The path as Django will read it."""
    return environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/"


def _read(query: str, rule: Rule) -> str | None:
    """The parameters that a view reads, in one order and one spelling; None where the answer must not be kept."""
    try:
        text = query.encode("latin-1").decode()
        asked = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return None
    if rule.minds(asked):
        return None
    return urlencode(rule.read(asked))


def give(page: Page, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    answer = page.answer(accepted(environ.get("HTTP_ACCEPT_ENCODING", "")))
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match and answer.is_known(if_none_match):
        start_response("304 Not Modified", list(answer.headers_of_304))
        return []
    start_response("200 OK", list(answer.headers))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def pass_on(rendered: Rendered, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response(rendered.status, rendered.headers)
    if environ["REQUEST_METHOD"] != "HEAD":
        return rendered.body
    rendered.close()
    return []
