import io
import json
import logging
import os
import subprocess
import sys
from wsgiref.util import FileWrapper, setup_testing_defaults

from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections, connection
from django.test import Client, SimpleTestCase, TestCase

from newsletter import tasks
from tests.factories import make_article
from tests.newsletter.support import NewsletterTestCase
from tests.test_settings import ROOT
from veltrix import observation
from veltrix.logs import JsonFormatter, LineFormatter, request_id
from veltrix.wsgi import _answer


def record(message, *arguments, exc_info=None, name="test", **extra):
    made = logging.LogRecord(name, logging.INFO, "x.py", 1, message, arguments, exc_info)
    made.__dict__.update(extra)
    return made


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


class JsonFormatterTests(SimpleTestCase):
    def event(self, *arguments, **extra):
        line = JsonFormatter().format(record(*arguments, **extra))
        self.assertNotIn("\n", line)
        return json.loads(line)

    def test_an_event_is_one_object_with_its_moment_in_utc(self):
        event = self.event("%s of %s", 1, "two")

        self.assertRegex(event.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        self.assertEqual(event, {"level": "INFO", "logger": "test", "message": "1 of two"})

    def test_control_characters_forge_no_event(self):
        event = self.event("GET %s", '/a\n{"level":"ERROR"}\x1b[2J\u2028')

        self.assertEqual(event["message"], 'GET /a\n{"level":"ERROR"}\x1b[2J\u2028')
        self.assertNotIn("\x1b", JsonFormatter().format(record("\x1b")))

    def test_a_traceback_is_text_in_it(self):
        event = self.event("failed", exc_info=raised(ValueError("/newsletter/unsubscribe/secret/")))

        self.assertIn("Traceback", event["traceback"])
        self.assertIn("ValueError", event["traceback"])
        self.assertNotIn("secret", event["traceback"])

    def test_it_bears_the_request_and_its_own_fields(self):
        token = request_id.set("0123456789abcdef")
        self.addCleanup(request_id.reset, token)

        event = self.event("x", fields={"status": 200, "path": "/drafts/secret/"})

        self.assertEqual((event["request_id"], event["status"]), ("0123456789abcdef", 200))
        self.assertEqual(event["path"], "/drafts/…/")


class LineFormatterTests(SimpleTestCase):
    def test_lines_of_a_request_bear_its_name(self):
        token = request_id.set("0123456789abcdef")
        self.addCleanup(request_id.reset, token)

        self.assertRegex(LineFormatter().format(record("a\nb")), r"Z INFO test \[0123456789abcdef\] a\\nb$")

    def test_what_opens_a_draft_or_a_subscription_is_left_out(self):
        for path in (
            "/drafts/{}/",
            "/newsletter/confirm/{}/",
            "/newsletter/unsubscribe/{}",
            "/newsletter/preferences/{}/data/",
        ):
            for formatter in (LineFormatter(), JsonFormatter()):
                self.assertNotIn("s3cret", formatter.format(record("Not Found: %s", path.format("s3cret"))))

    def test_an_outage_is_told_without_a_traceback_and_another_error_with_one(self):
        for formatter in (LineFormatter(), JsonFormatter()):
            away = formatter.format(
                record("503", name="django.request", exc_info=raised(OperationalError("away\nDETAIL")))
            )
            wrong = formatter.format(record("500", name="django.request", exc_info=raised(ValueError("wrong"))))
            self.assertNotIn("Traceback", away)
            self.assertIn("503 (OperationalError: away)", away)
            self.assertIn("Traceback", wrong)


class Answer:
    """What a WSGI application answers to one request."""

    def __init__(self, application, path="/", **environ):
        environ = {"PATH_INFO": path, "HTTP_HOST": "testserver", **environ}
        setup_testing_defaults(environ)
        body = application(environ, self.start)
        self.parts, self.body = body, b"".join(body)
        if hasattr(body, "close"):
            body.close()

    def start(self, status, headers, exc_info=None):
        self.status, self.headers = status, dict(headers)


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hel", b"lo"]


class RequestIdTests(SimpleTestCase):
    def setUp(self):
        self.addCleanup(request_id.set, "")

    def test_each_request_has_one_and_is_told_it(self):
        application = observation.observed(hello, behind_proxy=False)

        first, second = Answer(application), Answer(application, HTTP_X_REQUEST_ID="chosen-by-a-visitor")

        self.assertRegex(first.headers["X-Request-ID"], r"^[0-9a-f]{16}$")
        self.assertRegex(second.headers["X-Request-ID"], r"^[0-9a-f]{16}$")
        self.assertEqual(second.headers["X-Request-ID"], request_id.get())
        self.assertEqual(first.body, b"hello")

    def test_a_proxy_may_name_it_if_the_name_is_well_formed(self):
        application = observation.observed(hello, behind_proxy=True)
        for given, is_taken in [
            ("abc-DEF_123.4", True),
            ("short", False),
            ("a" * 65, False),
            ("a b\r\nSet-Cookie: x", False),
        ]:
            with self.subTest(given):
                answered = Answer(application, HTTP_X_REQUEST_ID=given)

                self.assertEqual(answered.headers["X-Request-ID"] == given, is_taken)


class AccessLogTests(TestCase):
    def setUp(self):
        self.addCleanup(request_id.set, "")
        self.application = observation.observed(_answer, observation.log, behind_proxy=False)
        # Django's test client does the same: the connection holds the test's transaction.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
            self.addCleanup(signal.connect, close_old_connections)

    def test_a_request_is_one_event_without_query_and_address(self):
        path = make_article().get_absolute_url()

        with self.assertLogs("veltrix.access", "INFO") as logs:
            answered = Answer(self.application, path, QUERY_STRING="email=ada@example.com", REMOTE_ADDR="192.0.2.7")

        line = JsonFormatter().format(logs.records[0])
        event = json.loads(line)
        self.assertEqual((event["method"], event["path"], event["status"]), ("GET", path, 200))
        self.assertEqual(event["bytes"], len(answered.body))
        self.assertGreater(event["milliseconds"], 0)
        self.assertEqual(event["request_id"], answered.headers["X-Request-ID"])
        self.assertNotIn("ada", line)
        self.assertNotIn("192.0.2.7", line)

    def test_odd_paths_are_written_as_they_are_read(self):
        with self.assertLogs("veltrix.access", "INFO") as logs:
            Answer(self.application, "/é\n/".encode().decode("latin-1"))
            Answer(self.application, "/\xff/")

        self.assertEqual([entry.fields["path"] for entry in logs.records], ["/é\n/", "/\ufffd/"])
        self.assertNotIn("\n", LineFormatter().format(logs.records[0]))

    def test_the_view_that_answered_is_known_by_its_name(self):
        seen = []
        application = observation.observed(_answer, seen.append, behind_proxy=False)

        Answer(application, "/careers/")
        Answer(application, "/no/such/page/")

        self.assertEqual([request.view for request in seen], ["careers:index", ""])

    def test_an_observer_that_fails_costs_nobody_the_answer(self):
        seen = []

        def fail(request):
            raise OSError("No space left on device")

        with self.assertLogs("veltrix.access", "ERROR") as logs:
            answered = Answer(observation.observed(_answer, fail, seen.append, behind_proxy=False), "/careers/")

        self.assertEqual(answered.status, "200 OK")
        self.assertEqual([request.status for request in seen], [200])
        self.assertIn("No space left on device", logs.output[0])

    def test_a_file_is_left_to_the_server_and_told_of_all_the_same(self):
        seen = []

        def send(environ, start_response):
            start_response("200 OK", [])
            return environ["wsgi.file_wrapper"](io.BytesIO(b"picture"))

        answered = Answer(
            observation.observed(send, seen.append, behind_proxy=False), **{"wsgi.file_wrapper": FileWrapper}
        )

        self.assertIsInstance(answered.parts, FileWrapper)
        self.assertEqual([request.status for request in seen], [200])


class TaskTests(NewsletterTestCase):
    def test_lines_of_a_task_bear_its_name_and_later_ones_do_not(self):
        named = []
        handler = logging.Handler()
        handler.emit = lambda entry: named.append(request_id.get())
        logger = logging.getLogger("django.tasks")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

        result = tasks.handle_sign_up.enqueue(0)
        self.work()

        self.assertIn(f"task-{result.id}", named)
        self.assertEqual(request_id.get(), "")


class OutageTests(TestCase):
    def test_changes_that_are_due_need_no_traceback_while_the_database_is_away(self):
        def execute(*_):
            raise OperationalError("away")

        with self.assertLogs("", "ERROR") as logs, connection.execute_wrapper(execute):
            Client(raise_request_exception=False).get("/")

        self.assertEqual({entry.name for entry in logs.records}, {"articles.schedule", "django.request"})
        for entry in logs.records:
            self.assertNotIn("Traceback", LineFormatter().format(entry))


class SettingsTests(SimpleTestCase):
    def test_the_format_is_chosen_by_the_environment(self):
        code = "import django, logging; django.setup(); logging.getLogger('x').warning('a\\nb')"
        for name, expected in [("line", "WARNING x a\\nb\n"), ("json", '"message": "a\\nb"}\n')]:
            environment = {**os.environ, "LOG_FORMAT": name}

            done = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )

            self.assertTrue(done.stderr.endswith(expected), done.stderr)
