"""An answer comes whole or not at all, however its process ends."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys

import pytest

from tests.browser.site import ROOT, wait_for
from tests.postgres import free_port

BODY = [b"first ", b"x" * 100_000, b" last"]


def application(environ, start_response):
    """A page in three parts; its process dies before the last one where that is asked for."""
    start_response("200 OK", [("Content-Length", str(len(b"".join(BODY))))])
    *first, last = BODY
    yield from first
    if environ["PATH_INFO"] == "/dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if environ["PATH_INFO"] == "/fails":
        raise ValueError("It fails in the middle.")
    yield last


@pytest.fixture(scope="module")
def connect(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = ["-m", "gunicorn", "--config", "python:veltrix.serving", "--workers", "1"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "VAR_DIR": str(folder),
        "WEB_BIND": f"127.0.0.1:{port}",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, f"{__name__}:application"], cwd=ROOT, env=environment, stderr=log
        )
        wait_for(process, port, folder / "log")
        yield lambda: contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20))
        process.terminate()
        process.wait(40)


@pytest.mark.parametrize("path", ["/dies", "/fails"])
def test_nothing_comes_of_an_answer_that_does_not_end(connect, path):
    with connect() as connection:
        connection.request("GET", path)
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()


def test_answers_come_whole_one_after_the_other_on_a_connection(connect):
    with connect() as connection:
        for method, body in {"GET": b"".join(BODY), "HEAD": b"", "POST": b"".join(BODY)}.items():
            connection.request(method, "/")
            assert connection.getresponse().read() == body
