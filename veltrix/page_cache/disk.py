"""Pages in files that the processes of one machine share.

`current` is a symbolic link to the folder of the generation. A new one begins when the link is renamed over, which is
one step for all who read it. Files appear whole or not at all.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from .stores import ASKED, LOOKS, PATIENCE, Complaints, UnavailableError

# A process looks how much there is after it has written this share of what may be kept.
SHARE = 16
# A generation that its process did not take away goes with the next one, if it is older than this many seconds.
LEFT_OVER = 30.0


class Disk:
    """See `stores.Store`. Keeps about `most_bytes` at most; first go those with parameters, and of these the oldest."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.current = str(folder / "current")
        self.locks = folder / "locks"
        self.most_bytes = most_bytes
        self.written = 0
        self.complaints = Complaints()

    def generation(self) -> str:
        try:
            return os.readlink(self.current)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            self._begin()
            return os.readlink(self.current)
        except OSError as error:
            raise self._unavailable(error) from error

    def _begin(self) -> None:
        """Make the first generation, unless another process has just made it."""
        folder = self.folder / _new_name()
        folder.mkdir(parents=True)
        try:
            os.symlink(folder.name, self.current)
        except FileExistsError:
            folder.rmdir()

    def read(self, generation: str, key: str) -> bytes | None:
        try:
            return (self.folder / generation / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable(error) from error

    def write(self, generation: str, key: str, data: bytes, seconds: float) -> None:
        folder = self.folder / generation
        unfinished = folder / f".{secrets.token_hex(8)}"
        try:
            unfinished.write_bytes(data)
            unfinished.replace(folder / key)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            self._missed(folder, error)
            return
        self.written += len(data)
        if self.written > self.most_bytes / SHARE:
            self.written = 0
            self.make_room(folder)

    def _missed(self, folder: Path, error: OSError) -> None:
        """A generation that is over has no folder any more; any other reason is told."""
        if not isinstance(error, FileNotFoundError):
            raise self._unavailable(error) from error
        if os.path.lexists(self.current) and not Path(self.current).exists():
            # Somebody has emptied the folder, and nothing can be kept until there is another generation.
            self.renew()

    def make_room(self, folder: Path) -> None:
        """Take away pages until a quarter of the room is free."""
        found = []
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    order = not entry.name.endswith(ASKED), entry.stat().st_mtime_ns
                    found.append((order, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in found)
        if total <= self.most_bytes:
            return
        for _, size, path in sorted(found):
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= self.most_bytes * 3 / 4:
                return

    def renew(self) -> None:
        name = _new_name()
        link = self.folder / f".{name}"
        try:
            (self.folder / name).mkdir(parents=True)
            link.symlink_to(name)
            last = os.readlink(self.current) if os.path.lexists(self.current) else ""
            link.replace(self.current)
        except OSError as error:
            self._end(error)
            return
        threading.Thread(target=self._clear, args=(last,), daemon=True).start()

    def _end(self, error: OSError) -> None:
        """Without room for another generation the last one ends all the same, which takes no room."""
        try:
            os.unlink(self.current)
        except FileNotFoundError:
            pass
        except OSError as second:
            raise self._unavailable(second) from second
        self.complaints.tell(error)

    def _clear(self, last: str) -> None:
        if last:
            shutil.rmtree(self.folder / last, ignore_errors=True)
        with contextlib.suppress(OSError):
            for path in self.folder.glob("g-*"):
                is_current = os.path.lexists(self.current) and path.name == os.readlink(self.current)
                if not is_current and path.stat().st_mtime < time.time() - LEFT_OVER:
                    shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def flight(self, key: str) -> Iterator[bool]:
        try:
            self.locks.mkdir(parents=True, exist_ok=True)
            file = os.open(self.locks / key[:3], os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            # Better twice than not at all.
            yield True
            return
        try:
            yield _locked(file)
        finally:
            os.close(file)

    def _unavailable(self, error: object) -> UnavailableError:
        self.complaints.tell(error)
        return UnavailableError(str(error))


def _new_name() -> str:
    return f"g-{secrets.token_hex(12)}"


def _locked(file: int) -> bool:
    """Take the lock that the kernel gives back when its holder dies; whether nobody else had it before."""
    waited = False
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            time.sleep(LOOKS)
        else:
            return not waited
    return False
