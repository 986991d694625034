import logging
import time


class LineFormatter(logging.Formatter):
    """One line an event, in UTC, with control characters escaped so that no input can forge a line (ASVS 16.4.1)."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in record.getMessage())
        clean = logging.makeLogRecord({**record.__dict__, "msg": escaped, "args": None})
        return super().format(clean)
