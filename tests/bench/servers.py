"""The servers that are measured: one process each, all on one core; the load comes from another."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

from tests.browser.site import wait_for
from tests.postgres import free_port
from tests.programs import find

ROOT = Path(__file__).resolve().parents[2]
SERVER_CORE, LOAD_CORE = "0", str(max(0, (os.cpu_count() or 1) - 1))
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; default_type text/html; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=pages:10m;
  upstream site {{ server 127.0.0.1:{upstream}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port}; root {folder}/files;
    location /kept/ {{
      proxy_pass http://site/; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host 127.0.0.1;
      proxy_cache pages; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control X-Accel-Expires;
    }}
  }}
}}
"""


@dataclass
class Server:
    name: str
    port: int
    process: subprocess.Popen
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, headers: Mapping[str, str] = {}) -> tuple[HTTPMessage, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.headers, answer.read()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def memory(self) -> float:
        """Megabytes that the first worker has for itself, and its share of what it shares (PSS)."""
        text = Path(f"/proc/{self.workers()[0]}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024


@dataclass(frozen=True)
class Load:
    """What is asked of a server, again and again, by 16 connections."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    status: int = 200

    def run(self, server: Server, seconds: float, folder: Path) -> tuple[float, float]:
        """Answers a second, and the milliseconds within which 99 of 100 came. Another status than expected ends it."""
        script = folder / "load.lua"
        script.write_text(f"{self.script}\n{DONE.format(status=self.status)}")
        headers = [word for name, value in self.headers.items() for word in ("-H", f"{name}: {value}")]
        command = ["taskset", "-c", LOAD_CORE, find("wrk", package="wrk"), "-t1", "-c16", f"-d{seconds}s", "--latency"]
        done = subprocess.run(
            [*command, *headers, "-s", script, server.url + self.path], capture_output=True, text=True, check=True
        )
        rate, slow, others = re.search(r"RESULT (\S+) (\S+) (\d+)", done.stdout).groups()
        if int(others):
            raise SystemExit(f"{server.name}: {self.path} was not always answered with {self.status}:\n{done.stdout}")
        return float(rate), float(slow)


# Each thread of wrk has its own Lua, so the answers of another status are counted there and added up at the end.
DONE = """
local threads = {{}}
function setup(thread) table.insert(threads, thread) end
others = 0
function response(status, headers, body) if status ~= {status} then others = others + 1 end end
function done(summary, latency, requests)
  local errors, seconds = summary.errors, summary.duration / 1e6
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do failed = failed + thread:get("others") end
  local slow = latency:percentile(99) / 1000
  io.write(string.format("RESULT %f %f %d\\n", summary.requests / seconds, slow, failed))
end
"""


@contextlib.contextmanager
def gunicorn(
    name: str, application: str, folder: Path, environment: Mapping[str, str], *options: str
) -> Iterator[Server]:
    """An application under the site's own settings of gunicorn, with one worker; options go before the settings."""
    port, log = free_port(), folder / f"{name.replace(' ', '-')}.log"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:veltrix.serving", *options, application]
    with log.open("w") as file:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],
            cwd=ROOT,
            env={"WEB_WORKERS": "1", **environment, "WEB_BIND": f"127.0.0.1:{port}"},
            stdout=file,
            stderr=file,
        )
        try:
            wait_for(process, port, log)
            yield Server(name, port, process, folder)
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def nginx(folder: Path, body: bytes, upstream: Server) -> Iterator[Server]:
    """Nginx with the page as a file, and with a cache in front of the site that asks nothing for an hour."""
    port, files = free_port(), folder / "files"
    files.mkdir(exist_ok=True)
    # Its workers belong to somebody else.
    folder.chmod(0o755)
    (files / "page.html").write_bytes(body)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream.port))
    program = find("nginx", package="nginx-light")
    process = subprocess.Popen(["taskset", "-c", SERVER_CORE, program, "-c", config, "-p", folder, "-e", "stderr"])
    try:
        wait_for(process, port, folder / "error.log")
        yield Server("nginx", port, process, folder)
    finally:
        process.terminate()
        process.wait()


def start_up(environment: Mapping[str, str], path: str, folder: Path) -> float:
    """Seconds from the start of gunicorn to the first answer."""
    began = time.perf_counter()
    with gunicorn("start", "veltrix.wsgi", folder, environment) as server:
        server.get(path)
        return time.perf_counter() - began


def environment_of(folder: Path, database: str, **values: str) -> dict[str, str]:
    """Production settings of a site in a folder."""
    kept: Sequence[str] = ("PATH", "HOME", "LANG")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "veltrix.settings",
        "DOTENV": os.devnull,
        "SECRET_KEY": "only-for-tests-" * 4,
        "SITE_URL": "http://127.0.0.1:8000",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "BEHIND_PROXY": "true",
        **values,
    }
