"""What can be seen of an installation, so that two can be compared: every page for readers, and every row."""

import json
import os
import re
import subprocess
import sys
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from django.db import connection
from django.test import Client

from veltrix.backups import tables

ROOT = Path(__file__).resolve().parent.parent
# Pages tell the time: all are looked at in the same moment.
MOMENT = datetime(2030, 1, 1, tzinfo=UTC)
LINK = re.compile(rb'(?:href|src)="(/[^"#]*)')
# Why editions are paused tells when the backup was made: one that is made after it is of another minute.
MADE_AT = re.compile(r"(?<=a backup of )[\d.]+, [\d:]+ UTC")
NOT_PAGES = ("/static/", "/admin/")


def pages(at_most: int = 400) -> dict[str, str]:
    """Every page that links lead to from the front page, and what it says; the same link is followed once."""
    client, found, waiting = Client(), {}, deque(["/"])
    with time_machine.travel(MOMENT, tick=False):
        while waiting and len(found) < at_most:
            path = waiting.popleft()
            if path in found or path.startswith(NOT_PAGES) or "?" in path:
                continue
            response = client.get(path)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            found[path] = f"{response.status_code} {body.decode('utf-8', 'backslashreplace')}"
            if response.headers["Content-Type"].startswith("text/html"):
                waiting.extend(link.decode() for link in LINK.findall(body))
    return found


def rows() -> dict[str, list[str]]:
    """Every row of the tables that a backup holds, as text in which no engine shows."""
    return {model._meta.label: [_canonical(line) for line in tables.rows(model, int)] for model in tables.kept()}


def _canonical(line: bytes) -> str:
    # PostgreSQL keeps the keys of JSON in an order of its own.
    return MADE_AT.sub("", json.dumps(json.loads(line), sort_keys=True))


def elsewhere(folder: Path, code: str) -> str:
    """Run Python as another installation does, on SQLite in this folder; what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "tests.settings", "VAR_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def write_elsewhere(slug: str) -> None:
    """Add a statistic by another connection, as another process does."""
    code = f"from articles.models import Statistic; Statistic.objects.create(slug={slug!r}, claim='c', unit='u')"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    name = connection.settings_dict["NAME"]
    use = f"from django.db import connection; connection.settings_dict['NAME'] = {str(name)!r}"
    subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{use}\n{code}"], cwd=ROOT, env=environment, check=True
    )
