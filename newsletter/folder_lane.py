"""A way into a folder, for trying the site out: each mail becomes a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .lanes import Outcome, Verdict
from .mails import Mail


class FolderLane:
    """Options: file_path, the folder."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.folder = Path(options["file_path"])

    def send(self, mail: Mail, may_go: Callable[[], bool]) -> Outcome:
        if not may_go():
            return Outcome(Verdict.UNREACHABLE, None, "This process had been stopped for too long.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"delivery-{mail.recipient.delivery}.eml").write_bytes(mail.raw)
        except OSError as error:
            return Outcome(Verdict.UNREACHABLE, None, f"{type(error).__name__}: {error.strerror}")
        return Outcome(Verdict.ACCEPTED)

    def close(self) -> None:
        """Nothing is held open."""
