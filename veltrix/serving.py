"""How gunicorn serves the site: `gunicorn --config python:veltrix.serving veltrix.wsgi`."""

import os
import shutil
from pathlib import Path

from veltrix.environment import env, whole_number
from veltrix.settings import LOGGING, METRICS_DIR, WEB_THREADS

bind = env.str("WEB_BIND", default="127.0.0.1:8000")

# A worker for each core; threads, because a page that waits for the database leaves its core to others.
workers = whole_number("WEB_WORKERS", default=os.cpu_count() or 1, least=1, most=256)
worker_class = "veltrix.one_piece.Worker"
threads = WEB_THREADS
# A proxy keeps its connections; a browser that comes without one gives its place away soon.
keepalive = whole_number("WEB_KEEPALIVE", default=15, most=3600)
backlog = 2048
# Each worker loads the site by itself. Settings and what they import stay as the master has read them: a HUP gives new
# processes, a new release needs a restart (docs/deploy.md), which a second node or a socket of systemd bridges.
preload_app = False

# A worker that gives no sign of life for so long is killed; one that is asked to end may finish what it has begun.
timeout = 30
graceful_timeout = 30
# What a process may have lost or gathered ends with it.
max_requests, max_requests_jitter = 100_000, 10_000
if Path("/dev/shm").is_dir():  # noqa: S108
    # Signs of life are written to a file: in memory, since a slow disk must not look like a dead worker.
    worker_tmp_dir = "/dev/shm"  # noqa: S108

# The longest addresses are those of skill checks. Nginx in front allows 8 kB of headers in all.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
# No header says what scheme or path a request has, whoever sends it: Django believes its one proxy by itself
# (BEHIND_PROXY). So gunicorn need not look who it is.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
forwarded_allow_ips = "*"
control_socket_disable = True
# Requests are logged by the site itself (ACCESS_LOG), in the form of all its lines (LOG_FORMAT).
accesslog = None
logconfig_dict = LOGGING


def on_starting(server: object) -> None:
    """Forget what processes counted that are gone."""
    shutil.rmtree(METRICS_DIR, ignore_errors=True)
