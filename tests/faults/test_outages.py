"""The site, as gunicorn serves it, while its PostgreSQL is stopped, started and silent."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browser.site import ROOT, wait_for
from tests.postgres import free_port, server

TIMEOUT = 3
PAGES = ["/", "/articles/", "/careers/", "/admin/", "/careers/roles.json", "/newsletter/archive/"]
# Whom the desk does not know is sent to sign in.
WELL = [302 if path == "/admin/" else 200 for path in PAGES]


@pytest.fixture(scope="module")
def postgres():
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": postgres.address,
        "DATABASE_TIMEOUT": str(TIMEOUT),
    }
    run = {"cwd": ROOT, "env": environment, "stderr": (folder / "log").open("w")}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True, **run)
    command = ["-m", "gunicorn", "veltrix.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    process = subprocess.Popen([sys.executable, *command], **run)
    try:
        wait_for(process, port, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        run["stderr"].close()


def get(site, path):
    """Status, headers, body and seconds; whatever takes longer than a reader would wait is an error."""
    begun = time.monotonic()
    # As somebody who has signed in: readers' pages do not look at it, the desk asks the database.
    headers = {"Cookie": "session=somebody-unknown"}
    connection = http.client.HTTPConnection(site, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read(), time.monotonic() - begun


def statuses(site, paths):
    with ThreadPoolExecutor(len(paths)) as pool:
        return [answer[0] for answer in pool.map(lambda path: get(site, path), paths)]


def recovers_within(site, seconds):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if get(site, "/readyz")[0] == 200 and statuses(site, PAGES) == WELL:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_stopped_database_is_a_503_that_ends_by_itself(site, postgres, mode):
    assert statuses(site, PAGES) == WELL

    postgres.stop(mode)
    try:
        answers = {path: get(site, path) for path in PAGES}
        # An answer on readiness is good for a second.
        time.sleep(1)
        health, ready = get(site, "/healthz"), get(site, "/readyz")
    finally:
        postgres.start()

    for path, (status, headers, body, seconds) in answers.items():
        assert (path, status) == (path, 503)
        assert headers["Retry-After"] == "10"
        assert "no-store" in headers["Cache-Control"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert not headers["Set-Cookie"]
        assert b"psycopg" not in body
        assert seconds < 2
    assert b"Back in a moment" in answers["/"][2]
    assert answers["/careers/roles.json"][1]["Content-Type"] == "text/plain; charset=utf-8"
    assert health[0] == 200
    assert ready[0] == 503
    assert json.loads(ready[2])["parts"]["database"] == "failed"
    assert recovers_within(site, 10)


def test_a_silent_database_holds_nobody_for_longer_than_the_limit(site, postgres):
    assert statuses(site, PAGES * 2) == WELL * 2

    postgres.freeze()
    try:
        first = get(site, "/careers/")
        # More at once than the server has threads: were they to wait for their turn one by one, it would take minutes.
        begun = time.monotonic()
        answers = statuses(site, PAGES * 4)
        took = time.monotonic() - begun
        asked = [get(site, "/readyz") for _ in range(20)]
        health = get(site, "/healthz")
    finally:
        postgres.thaw()

    assert first[0] == 503
    assert first[3] < 2 * TIMEOUT + 2
    assert set(answers) == {503}
    assert took < 20
    assert {answer[0] for answer in asked} == {503}
    assert sum(answer[3] for answer in asked) < 20
    assert health[0] == 200
    assert recovers_within(site, 10)
