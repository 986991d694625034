"""Programs of the system that tests and benchmarks run on loopback; found, or installed where that is allowed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import free_port

FURTHER_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"]


def find(*names: str, package: str) -> str:
    """The first of these programs that is there; the Debian package is installed where none is and root asks."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *FURTHER_FOLDERS])
    for _ in range(2):
        for name in names:
            if found := shutil.which(name, path=path):
                return found
        if os.geteuid() or not shutil.which("apt-get"):
            break
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # Without starting the service: a test starts its own.
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
    raise RuntimeError(f"None of {', '.join(names)} was found. Install one (Debian: apt-get install {package}).")


class Redis:
    """A Redis or Valkey server of our own, which can be killed and started again with what it had saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.program = find("valkey-server", "redis-server", package="redis-server")
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [
            self.program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
        ]
        self.process = subprocess.Popen([*command, "--daemonize", "no"], stdout=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(b"PING\r\n")
                if client.recv(7) == b"+PONG\r\n":
                    return
            time.sleep(0.02)
        raise RuntimeError("The Redis server did not start.")

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="veltrix-redis-") as folder:
        server = Redis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
