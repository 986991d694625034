"""The site as it is served: its own processes, its own folder, the production settings, collected static files.

No test shares a process or a connection with it, so they can but do what visitors do.
"""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Self

from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
STAGE = "import django; django.setup(); from tests.browser import stage; stage.main()"


class Site:
    def __init__(self, folder: Path, url: str, email_url: str, **settings: str) -> None:
        self.folder = folder
        self.url = url
        self.environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | {
            "DJANGO_SETTINGS_MODULE": "veltrix.settings",
            "DOTENV": os.devnull,
            "SECRET_KEY": "only-for-tests-" * 4,
            "SITE_URL": url,
            "VAR_DIR": str(folder),
            "EMAIL_URL": email_url,
            **settings,
        }
        self.staged: dict[str, str] = json.loads(self.run("-c", STAGE))
        self.database = folder / "veltrix.sqlite3"
        self._copy(self.database, folder / "staged.sqlite3")

    def run(self, *arguments: str) -> str:
        """Run Python as the site does, and give what it prints."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{arguments} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def work(self) -> None:
        """Let the task worker do what is due, and end."""
        self.run("manage.py", "db_worker", "--batch", "--interval", "0", "--no-startup-delay")

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Let a worker run meanwhile, as it does beside a site that is served."""
        command = [sys.executable, "manage.py", "worker"]
        worker = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(30)

    def restore(self) -> None:
        """Go back to what was staged."""
        self._copy(self.folder / "staged.sqlite3", self.database)
        self._forget_pages()

    def once_more(self, folder: Path) -> Self:
        """The site as it was staged, in another folder, which is empty."""
        other = copy(self)
        other.folder, other.database = folder, folder / self.database.name
        other.environment = self.environment | {"VAR_DIR": str(folder)}
        for name in ("static", "media", "originals"):
            shutil.copytree(self.folder / name, folder / name)
        self._copy(self.folder / "staged.sqlite3", other.database)
        return other

    def _forget_pages(self) -> None:
        """What is done to the database behind the site’s back, the site cannot know."""
        (self.folder / "pages/current").unlink(missing_ok=True)

    @contextlib.contextmanager
    def after(self, statement: str) -> Iterator[None]:
        """The site after something has happened to its database."""
        if statement:
            self._execute(statement)
        try:
            yield
        finally:
            if statement:
                self.restore()

    def _execute(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.database)) as database, database:
            database.execute(statement)
        self._forget_pages()

    @staticmethod
    def _copy(origin: Path, target: Path) -> None:
        # Through SQLite, which respects the locks of the server's connections.
        with contextlib.closing(sqlite3.connect(origin)) as a, contextlib.closing(sqlite3.connect(target)) as b:
            a.backup(b)


@contextlib.contextmanager
def running_site(email_url: str = "", host: str = "127.0.0.1", **settings: str) -> Iterator[Site]:
    """Set the site up in a temporary folder and serve it on loopback, under this name, until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="veltrix-site-"))
    port = free_port()
    try:
        site = Site(folder, f"http://{host}:{port}", email_url, **settings)
        with (folder / "server.log").open("w") as log:
            command = ["-m", "gunicorn", "--config", "python:veltrix.serving", "veltrix.wsgi"]
            server = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=site.environment | {"WEB_BIND": f"127.0.0.1:{port}"},
                stdout=log,
                stderr=log,
            )
            try:
                wait_for(server, port, folder / "server.log")
                yield site
            finally:
                server.terminate()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(server: subprocess.Popen, port: int, log: Path, address: str = "127.0.0.1") -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The site did not start:\n{log.read_text()}")
