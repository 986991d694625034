import gzip
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import brotli
from django.db import OperationalError
from django.test import SimpleTestCase

from tests.test_settings import ROOT
from veltrix.error_reports import scrub

# A form that somebody sends where no table is: an error that nobody foresaw, with all that must not be told around it.
FAIL = """
import io, logging, sentry_sdk
from veltrix.wsgi import application
from tests.test_logs import Answer
form = b"email=ada@s3cret.example"
answered = Answer(
    application,
    "/newsletter/unsubscribe/token-s3cret/",
    REQUEST_METHOD="POST",
    QUERY_STRING="query=query-s3cret",
    CONTENT_TYPE="application/x-www-form-urlencoded",
    CONTENT_LENGTH=str(len(form)),
    HTTP_COOKIE="session=cookie-s3cret",
    HTTP_USER_AGENT="agent-s3cret",
    HTTP_X_FORWARDED_FOR="192.0.2.77",
    REMOTE_ADDR="192.0.2.78",
    **{"wsgi.input": io.BytesIO(form)},
)
logging.getLogger("x").error("Key (email)=(ada@s3cret.example) already exists, /drafts/draft-s3cret/")
sentry_sdk.flush(5)
print(answered.status)
"""


class Collector(HTTPServer):
    """Takes reports as Sentry does, on loopback."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        encoding = self.headers.get("Content-Encoding")
        self.server.bodies.append(
            {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[encoding](body).decode()
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class ReportTests(SimpleTestCase):
    def run_python(self, code, **settings):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **settings}
        environment.pop("VAR_DIR", None)
        return subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout

    def test_an_error_is_told_without_anything_of_whom_it_befell(self):
        collector = Collector()
        self.addCleanup(collector.server_close)
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        self.addCleanup(collector.shutdown)

        dsn = f"http://public@127.0.0.1:{collector.server_port}/1"
        status = self.run_python(FAIL, SENTRY_DSN=dsn, SENTRY_ENVIRONMENT="staging", RELEASE="1.2.3")

        self.assertEqual(status, "500 Internal Server Error\n")
        events = [json.loads(line) for body in collector.bodies for line in body.splitlines() if '"exception"' in line]
        event = next(event for event in events if "request" in event)
        self.assertEqual((event["release"], event["environment"]), ("1.2.3", "staging"))
        self.assertEqual(event["request"]["url"], "http://127.0.0.1:8000/newsletter/unsubscribe/…/")
        self.assertIn("stacktrace", event["exception"]["values"][-1])
        told = "".join(collector.bodies)
        self.assertTrue(r"Key (email)=(\u2026) already exists" in told)
        for word in ("s3cret", "192.0.2"):
            self.assertFalse(word in told, word)

    def test_the_package_is_not_even_imported_without_an_address(self):
        self.assertEqual(
            self.run_python("import sys, django; django.setup(); print('sentry_sdk' in sys.modules)"), "False\n"
        )

    def test_a_long_text_takes_no_longer_than_its_length(self):
        begun = time.monotonic()

        sent = scrub({"logentry": {"message": "x" * 300_000 + " to ada@example.com"}}, {})

        self.assertTrue(sent["logentry"]["message"].endswith("x to …"))
        self.assertLess(time.monotonic() - begun, 5)

    def test_an_outage_is_told_elsewhere(self):
        error = OperationalError("away")

        self.assertIsNone(scrub({"level": "error"}, {"exc_info": (type(error), error, None)}))

    def test_a_wrong_address_stops_the_process(self):
        for address in ("nonsense", "https://host/1"):
            with self.subTest(address), self.assertRaises(subprocess.CalledProcessError) as raised:
                self.run_python("import django; django.setup()", SENTRY_DSN=address)
            self.assertIn("SENTRY_DSN must have the form", raised.exception.stderr)
