import tempfile
from pathlib import Path

import pytest

from tests.faults import sink
from tests.nodes.cluster import METRICS_TOKEN, cluster
from tests.nodes.load import told


@pytest.fixture(scope="package")
def mails():
    """A mail server; each mail that it has taken is a line of this file."""
    with tempfile.TemporaryDirectory(prefix="veltrix-mails-") as folder:
        path = Path(folder) / "mails"
        with sink.running(path) as server:
            yield server, path


@pytest.fixture(scope="package")
def running(mails):
    """Two machines behind nginx; every test leaves them as it found them."""
    server, _ = mails
    stage = "from tests.nodes import desk; desk.stage()"
    settings = {
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "DATABASE_TIMEOUT": "3",
        "METRICS_TOKEN": METRICS_TOKEN,
    }
    with cluster(stage=stage, with_nginx=True, **settings) as machines:
        yield machines


def pytest_terminal_summary(terminalreporter):
    if told:
        terminalreporter.section("what was answered while parts failed; 0 is no answer")
    for line in told:
        terminalreporter.write_line(line)
