import logging
import re
import time
from typing import Any

# Whoever has the rest of such a path may act for a subscriber; Django names the path of each request it refuses.
_SECRET_PATH = re.compile(r"(/newsletter/(?:confirm|preferences|unsubscribe)/)[^/\s]+")


class LineFormatter(logging.Formatter):
    """One line an event, in UTC, with control characters escaped so that no input can forge a line (ASVS 16.4.1).

    The lines of a traceback follow indented, so that none of them can pass for an event.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        message = escaped(_SECRET_PATH.sub(r"\1…", record.getMessage()))
        clean = logging.makeLogRecord({**record.__dict__, "msg": message, "args": None})
        return super().format(clean)

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"    {escaped(line)}" for line in super().formatException(ei).splitlines())


def escaped(text: str) -> str:
    """Write what is not printable as an escape sequence: a line feed as “\\n”."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
