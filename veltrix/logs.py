"""How the log is written: one event a line or a JSON object a line, in UTC, with the request that it belongs to."""

import json
import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from .outages import is_outage

# Of the request or task that is being worked on; empty elsewhere.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Whoever has the rest of such a path may act for a subscriber, or read a draft; Django names the path of each request
# it refuses.
_SECRET_PATH = re.compile(r"(/newsletter/(?:confirm|preferences|unsubscribe)/|/drafts/)[^/\s]+")


# Loggers of what every page does: while the database is away a traceback of each would hide all else.
FAIL_WITH_THE_DATABASE = {"django.request", "articles.schedule"}


class LineFormatter(logging.Formatter):
    """One line an event, in UTC, with control characters escaped so that no input can forge a line (ASVS 16.4.1).

    The lines of a traceback follow indented, so that none of them can pass for an event.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        belongs_to = f"[{id}] " if (id := request_id.get()) else ""
        outage = _outage(record)
        message = escaped(belongs_to + masked(record.getMessage()) + outage)
        clean = logging.makeLogRecord({**record.__dict__, "msg": message, "args": None, "exc_text": None})
        if outage:
            clean.exc_info = None
        return super().format(clean)

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"    {escaped(line)}" for line in masked(super().formatException(ei)).splitlines())


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id and traceback where there is one, and `fields`.

    `fields` are what an event says beside its message: `logger.info(…, extra={"fields": {"status": 200}})`.
    """

    def format(self, record: logging.LogRecord) -> str:
        outage = _outage(record)
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()) + outage,
        }
        if id := request_id.get():
            event["request_id"] = id
        for name, value in getattr(record, "fields", {}).items():
            event[name] = masked(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[0] and not outage:
            event["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(event, default=str)


def _outage(record: logging.LogRecord) -> str:
    """What the database said, where that is all: while it is away every request fails in the same way."""
    error = record.exc_info[1] if record.exc_info else None
    if record.name in FAIL_WITH_THE_DATABASE and is_outage(error):
        return f" ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
    return ""


def masked(text: str) -> str:
    """Leave out what would let a reader of the log act for somebody else."""
    return _SECRET_PATH.sub(r"\1…", text)


def escaped(text: str) -> str:
    """Write what is not printable as an escape sequence: a line feed as “\\n”."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
