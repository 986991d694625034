import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections, connection
from django.test import Client, SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from newsletter import tasks
from newsletter.models import Delivery
from tests.newsletter.lists import make_edition, make_sending
from tests.test_logs import Answer
from tests.test_settings import ROOT
from veltrix import metrics, observation
from veltrix.backups import saving
from veltrix.logs import request_id
from veltrix.wsgi import _answer

TOKEN = "a-token-for-the-tests"


def value(page, name, **labels):
    """The number of a metric with all these labels; 0 where it has not been counted yet."""
    for line in page.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? ([\d.e+-]+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


@contextmanager
def counting():
    """Another process, which has counted one page that was kept, and is killed at the end of the block."""
    code = """
import django; django.setup()
from veltrix import metrics
metrics.count("page_cache", "hit")
print("counted", flush=True)
input()
"""
    environment = {**os.environ, "METRICS_TOKEN": TOKEN, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


class OffTests(SimpleTestCase):
    def test_there_is_no_such_page_unless_a_token_is_set(self):
        self.assertEqual(self.client.get("/metrics").status_code, 404)
        self.assertEqual(self.client.get("/metrics", headers={"authorization": "Bearer "}).status_code, 404)

    def test_nothing_is_counted(self):
        with patch.object(metrics, "_instruments", side_effect=AssertionError):
            metrics.count("page_cache", "hit")


@override_settings(METRICS_TOKEN=TOKEN)
class MetricsTests(TestCase):
    def scrape(self, token=TOKEN):
        return self.client.get("/metrics", headers={"authorization": f"Bearer {token}"})

    def value(self, name, **labels):
        return value(self.scrape().content.decode(), name, **labels)

    def test_only_who_knows_the_token_is_answered(self):
        for headers in (
            {},
            {"authorization": TOKEN},
            {"authorization": f"Bearer {TOKEN}x"},
            {"authorization": "Bearer é"},
        ):
            with self.subTest(headers):
                self.assertEqual(self.client.get("/metrics", headers=headers).status_code, 404)

        response = self.scrape()

        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain; version="))
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(self.client.post("/metrics").status_code, 405)

    def test_requests_are_counted_by_view_and_by_nothing_that_visitors_choose(self):
        self.addCleanup(request_id.set, "")
        application = observation.observed(_answer, metrics.observe, behind_proxy=False)
        page = {"method": "GET", "view": "careers:index", "status": "2xx"}
        before = self.value("veltrix_request_seconds_count", **page)

        # Not before: the test client connects them again.
        for told in (request_started, request_finished):
            told.disconnect(close_old_connections)
            self.addCleanup(told.connect, close_old_connections)

        Answer(application, "/careers/", QUERY_STRING="sort=secret-word")
        Answer(application, "/no/such/secret-word/")
        Answer(application, "/careers/", REQUEST_METHOD="SECRET-WORD")

        self.assertEqual(self.value("veltrix_request_seconds_count", **page), before + 1)
        other = {"method": "other", "view": "careers:index", "status": "4xx"}
        self.assertEqual(self.value("veltrix_request_seconds_count", **other), 1)
        self.assertGreater(self.value("veltrix_request_seconds_count", method="GET", view="none", status="4xx"), 0)
        self.assertNotIn("secret-word", self.scrape().content.decode().lower())

    def test_processes_that_come_after_others_leave_no_more_files_and_lose_nothing(self):
        before = self.value("veltrix_page_cache_total", result="hit")
        files = set(settings.METRICS_DIR.glob("*.db"))
        with counting() as one:
            with counting() as other:
                added = set(settings.METRICS_DIR.glob("*.db")) - files
                self.assertEqual(len(added), 2)
            # It had no time to put anything in order.
            self.assertEqual(other.returncode, -signal.SIGKILL)
            for _ in range(2):
                with counting():
                    pass
        self.assertEqual(one.returncode, -signal.SIGKILL)

        self.assertEqual(set(settings.METRICS_DIR.glob("*.db")) - files, added)
        self.assertEqual(self.value("veltrix_page_cache_total", result="hit"), before + 4)

    def test_queues_and_editions_are_told(self):
        edition, deliveries = make_sending(3)
        make_edition(state="paused", pause_reason="x", scheduled_at=timezone.now())
        Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=2))
        tasks.handle_sign_up.enqueue(1)

        page = self.scrape().content.decode()

        self.assertEqual(value(page, "veltrix_editions", state="sending"), 1)
        self.assertEqual(value(page, "veltrix_editions", state="paused"), 1)
        self.assertEqual(value(page, "veltrix_deliveries_waiting"), len(deliveries))
        self.assertGreaterEqual(value(page, "veltrix_deliveries_oldest_seconds"), 120)
        self.assertEqual(value(page, "veltrix_tasks_waiting"), 1)
        self.assertEqual(value(page, "veltrix_database_up"), 1)
        self.assertEqual(edition.state, "sending")

    def test_a_database_that_is_away_is_told_and_counted(self):
        def execute(*_):
            raise OperationalError("away")

        before = self.value("veltrix_unavailable_total", result="database")
        with connection.execute_wrapper(execute):
            self.assertEqual(Client(raise_request_exception=False).get("/careers/").status_code, 503)
            page = self.scrape().content.decode()

        self.assertIn("veltrix_database_up 0.0", page)
        self.assertNotIn("veltrix_tasks_waiting", page)
        self.assertEqual(value(page, "veltrix_unavailable_total", result="database"), before + 1)

    def test_the_last_backup_is_told(self):
        saving._remember(4_096, 1.0)
        self.addCleanup(saving._record().unlink)

        self.assertEqual(self.value("veltrix_last_backup_bytes"), 4_096)
        self.assertLess(abs(self.value("veltrix_last_backup_timestamp_seconds") - timezone.now().timestamp()), 60)


class ProcessTests(SimpleTestCase):
    def run_with_metrics(self, code):
        """What this prints in a process of its own."""
        environment = {**os.environ, "METRICS_TOKEN": TOKEN, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        environment.pop("VAR_DIR", None)
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    def test_a_server_that_starts_forgets_what_earlier_ones_counted(self):
        code = """
import django; django.setup()
import os
from django.conf import settings
from veltrix import metrics
metrics.count("page_cache", "hit")
print(sorted(path.name.split("_")[0] for path in settings.METRICS_DIR.glob("*.db")))
from veltrix import serving
serving.on_starting(None)
print(settings.METRICS_DIR.exists())
"""
        self.assertEqual(self.run_with_metrics(code), "['counter']\nFalse\n")

    def test_threads_that_count_first_at_the_same_time_share_the_counters(self):
        code = """
import veltrix.wsgi
from concurrent.futures import ThreadPoolExecutor
from django.conf import settings
from veltrix import metrics
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: metrics.count("page_cache", "hit"), range(8)))
print([path.name for path in settings.METRICS_DIR.glob("*.lock")])
"""
        self.assertEqual(self.run_with_metrics(code), "['1.lock']\n")

    def test_a_short_token_is_refused(self):
        environment = {**os.environ, "METRICS_TOKEN": "short", "DJANGO_SETTINGS_MODULE": "tests.settings"}

        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertIn("METRICS_TOKEN must have at least 16 characters", done.stderr)
