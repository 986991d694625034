"""Web nodes, workers, PostgreSQL, Redis and nginx on loopback, each a process that can be killed.

Every node has an address and a folder of its own, as a machine has. Nginx runs with the configuration that docs/deploy
offers, but for names and ports.
"""

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from tests.browser.site import wait_for
from tests.newsletter.certificates import write_certificate
from tests.postgres import Server as Postgres
from tests.postgres import free_port
from tests.postgres import server as postgres
from tests.programs import Redis, find, redis

ROOT = Path(__file__).resolve().parents[2]
NAME = "veltrix.example"
METRICS_TOKEN = "of-those-who-may-count"

GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:veltrix.serving", "veltrix.wsgi"]
# Become the server, with a socket that is open already (sd_listen_fds(3)).
LISTEN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Node:
    """A web node: gunicorn with the site's settings."""

    address: str
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None
    listener: socket.socket | None = None
    # Words before every command of this machine, which say where it runs.
    inside: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "web.log"

    def begin(self) -> None:
        if self.listener is None:
            self.listener = socket.create_server((self.address, self.port), backlog=2048)
        number = self.listener.fileno()
        with self.log.open("a") as file:
            self.process = subprocess.Popen(
                [*self.inside, sys.executable, "-c", LISTEN, str(number), *GUNICORN],
                cwd=ROOT,
                env=self.environment | {"LISTEN_FDS": "1"},
                stdout=file,
                stderr=file,
                pass_fds=[number],
            )

    def start(self) -> None:
        self.begin()
        self.wait()

    def wait(self) -> None:
        assert self.process
        wait_for(self.process, self.port, self.log, self.address)
        # The address was there before the process.
        assert self.get("/healthz").status == 200

    def restart(self) -> None:
        """Let it end what it has begun, and start it again; its address is held meanwhile, as systemd does."""
        assert self.process
        self.process.terminate()
        if code := self.process.wait(40):
            raise RuntimeError(f"It ended with {code}.")
        self.start()

    def workers(self) -> list[int]:
        assert self.process
        return children_of(self.process.pid)

    def kill(self) -> None:
        """End the machine: its master and its workers, at once."""
        if self.process:
            for pid in [self.process.pid, *self.workers()]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self.process.wait()
            self.process = None
        if self.listener:
            self.listener.close()
            self.listener = None

    @property
    def headers(self) -> dict[str, str]:
        """What its proxy says of every request."""
        return {"Host": NAME, "X-Forwarded-Proto": "https"}

    def connect(self, source: str = "") -> HTTPConnection:
        return HTTPConnection(self.address, self.port, timeout=30, source_address=(source, 0) if source else None)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return ask(self.connect(), path, method, self.headers | named(headers))

    def run(self, *arguments: str) -> str:
        """Run Python as this machine does, and give what it prints."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


@dataclass
class Nginx:
    folder: Path
    port: int
    # Where it listens without TLS.
    plain_port: int
    process: subprocess.Popen

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": NAME}

    def connect(self, source: str = "") -> HTTPSConnection:
        """A connection, from this address where one is named: to the site that is the visitor's."""
        own = (source, 0) if source else None
        return HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trusting(), source_address=own)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return ask(self.connect(), path, method, self.headers | named(headers))


@dataclass
class Cluster:
    nodes: list[Node]
    database: Postgres | None
    redis: Redis | None
    nginx: Nginx | None = None

    @contextlib.contextmanager
    def workers(self) -> Iterator[list[subprocess.Popen]]:
        """A worker on each machine, each with its processes a group."""
        command = [sys.executable, "manage.py", "worker"]
        with ExitStack() as stack:
            running = []
            for node in self.nodes:
                log = stack.enter_context((node.folder / "worker.log").open("a"))
                running.append(
                    subprocess.Popen(
                        command, cwd=ROOT, env=node.environment, stdout=log, stderr=log, start_new_session=True
                    )
                )
            try:
                yield running
            finally:
                for worker in running:
                    worker.terminate()
                for worker in running:
                    worker.wait(30)


@cache
def trusting() -> ssl.SSLContext:
    """TLS with whoever answers. One for all, because making one takes longer than a page."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def ask(connection: HTTPConnection, path: str, method: str, headers: dict[str, str]) -> Answer:
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def environment_of(folder: Path, **values: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | {
        "DJANGO_SETTINGS_MODULE": "veltrix.settings",
        "DOTENV": os.devnull,
        "SECRET_KEY": "only-for-tests-" * 4,
        "SITE_URL": f"https://{NAME}",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "BEHIND_PROXY": "true",
        "VAR_DIR": str(folder),
        **values,
    }


@contextlib.contextmanager
def cluster(number: int = 2, *, stage: str = "", with_nginx: bool = False, **settings: str) -> Iterator[Cluster]:
    """So many machines with one PostgreSQL and one Redis between them; `stage` is Python that fills the database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="veltrix-nodes-")))
        database, pages = stack.enter_context(postgres()), stack.enter_context(redis())
        shared = {"DATABASE_URL": database.address, "CACHE_URL": pages.url, "WEB_WORKERS": "1", **settings}
        running = Cluster([], database, pages)
        for place in range(number):
            own = folder / f"node-{place}"
            own.mkdir()
            running.nodes.append(Node(f"127.0.0.{place + 2}", own, environment_of(own, **shared)))
        _start(running, stage, stack)
        if with_nginx:
            running.nginx = stack.enter_context(nginx(folder / "nginx", running.nodes))
        yield running


@contextlib.contextmanager
def machine(*, stage: str = "", **settings: str) -> Iterator[Cluster]:
    """One machine with SQLite, pages in files and two web processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="veltrix-nodes-")))
        environment = environment_of(folder, **{"WEB_WORKERS": "2", **settings})
        running = Cluster([Node("127.0.0.2", folder, environment)], None, None)
        _start(running, stage, stack)
        yield running


SET_UP = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
{stage}
"""


def _start(running: Cluster, stage: str, stack: ExitStack) -> None:
    first, *others = running.nodes
    first.run("-c", SET_UP.format(stage=stage))
    for node in others:
        shutil.copytree(first.folder / "static", node.folder / "static")
    for node in running.nodes:
        stack.callback(node.kill)
        node.begin()
    for node in running.nodes:
        node.wait()


@contextlib.contextmanager
def nginx(folder: Path, nodes: Sequence[Node], rate: str = "100000r/s", more: str = "") -> Iterator[Nginx]:
    """Nginx before these nodes, by the configuration of the deploy guide and more directives of `http`."""
    folder.mkdir()
    folder.chmod(0o755)
    # Its workers belong to somebody else, who must find their way.
    folder.parent.chmod(0o755)
    public, private = write_certificate(folder)
    port, plain_port = free_port(), free_port()
    text = (ROOT / "docs/deploy/nginx.conf").read_text()
    upstreams = "\n".join(f"server {node.address}:{node.port} max_fails=1 fail_timeout=2s;" for node in nodes)
    for pattern, value in {
        r"server 127\.0\.0\.1:8000 .*;": upstreams,
        r"/var/cache/nginx/veltrix": str(folder / "cache"),
        r"/etc/ssl/veltrix\.example/fullchain\.pem": str(public),
        r"/etc/ssl/veltrix\.example/privkey\.pem": str(private),
        r"listen \[::\]:.*\n": "",
        r"/var/www/acme": str(folder / "acme"),
        r"/var/log/nginx/access\.log": str(folder / "access.log"),
        r"listen 80;": f"listen 127.0.0.1:{plain_port};",
        r"listen 443": f"listen 127.0.0.1:{port}",
        r"rate=50r/s": f"rate={rate}",
    }.items():
        text, found = re.subn(pattern, value, text)
        assert found, pattern
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off;\n{temporary}\n{more}\n{text}\n}}\n"
    )
    program = find("nginx", package="nginx-light")
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"])
    try:
        wait_for(process, port, folder / "error.log")
        yield Nginx(folder, port, plain_port, process)
    finally:
        process.terminate()
        process.wait()


def until[T](condition: Callable[[], T], seconds: float = 20) -> T:
    """Wait for something to come true, and give it; an error if it does not in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("It did not come true in time.")
        time.sleep(0.05)
    return found
