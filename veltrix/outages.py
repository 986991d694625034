"""What is answered while the database cannot be reached: 503, and none of the site's own pages is needed for it."""

import sqlite3
import sys
from pathlib import PurePosixPath

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.defaults import server_error as broken

# When to come again, in seconds: a restart of PostgreSQL takes less.
RETRY_AFTER = 10
# Endings of addresses that are data.
PAGES = {"", ".html"}
# What SQLite says (https://sqlite.org/rescode.html) of its file or its neighbours, not of a statement.
SQLITE_IS_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def is_outage(error: BaseException | None) -> bool:
    """Whether an error says that the database is away, too busy or too slow, not that a statement was wrong."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    if isinstance(error.__cause__, sqlite3.Error):
        # The lowest byte is the code, the others say more of it.
        return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF in SQLITE_IS_AWAY
    return True


@never_cache
def server_error(request: HttpRequest) -> HttpResponse:
    """The handler of errors that no view has caught: 503 where the database is away, else 500."""
    if is_outage(sys.exception()):
        # Imported here: metrics need the apps, and the log's settings need this module before there are any.
        from . import metrics

        metrics.count("unavailable", "database")
        return unavailable(request)
    return broken(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 as a page, or as a line of text to what asked for data. Nothing here touches the database."""
    headers = {"Retry-After": str(RETRY_AFTER)}
    if PurePosixPath(request.path).suffix in PAGES and request.accepts("text/html"):
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    text = "The site is out of reach for a moment. Please try again.\n"
    return HttpResponse(text, "text/plain; charset=utf-8", status=503, headers=headers)
