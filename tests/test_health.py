import threading
import time

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, SimpleTestCase, TestCase, override_settings

from tests.committed import CommittedTestCase
from veltrix import health


class HealthzTests(SimpleTestCase):
    """No test of this class may ask the database."""

    def test_the_process_says_that_it_is_alive(self):
        response = self.client.get("/healthz")

        self.assertEqual((response.status_code, response.content), (200, b"ok\n"))
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertIn("frame-ancestors 'none'", response.headers["Content-Security-Policy"])
        self.assertFalse(response.cookies)

    def test_it_answers_by_any_name_and_without_tls(self):
        with override_settings(SECURE_SSL_REDIRECT=True):
            self.assertEqual(Client(headers={"host": "10.0.0.7:8000"}).get("/healthz").status_code, 200)
            self.assertEqual(self.client.get("/careers/").status_code, 301)

    def test_it_is_read_only_and_has_no_other_address(self):
        self.assertEqual(self.client.head("/healthz").status_code, 200)
        self.assertEqual(self.client.post("/healthz").status_code, 405)
        self.assertEqual(self.client.post("/readyz").status_code, 405)


class ReadyzTests(CommittedTestCase):
    well = {"database": "ok", "queue": "ok", "page cache": "ok"}

    def setUp(self):
        self.ask_anew()
        self.addCleanup(self.ask_anew)

    def ask_anew(self):
        for part in health.parts.values():
            part.thread = None

    def add(self, probe, **options):
        health.check("test", probe, **options)
        self.addCleanup(health.parts.pop, "test")

    def test_it_names_the_parts_that_are_well(self):
        response = self.client.get("/readyz", headers={"host": "10.0.0.7"})

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"status": "ready", "parts": self.well})
        self.assertIn("no-store", response.headers["Cache-Control"])

    def test_a_part_that_pages_do_without_is_told_and_takes_no_machine_away(self):
        self.add(lambda: 1 / 0, is_needed=False)

        with self.assertLogs("veltrix.health", "WARNING"):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"status": "ready", "parts": self.well | {"test": "failed"}})

    def test_a_part_that_fails_makes_it_503_and_tells_nothing_of_why(self):
        self.add(lambda: 1 / 0)

        with self.assertLogs("veltrix.health", "WARNING") as logs:
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json(), {"status": "not ready", "parts": self.well | {"test": "failed"}})
        self.assertIn("ZeroDivisionError", logs.output[0])

    def test_migrations_to_come_are_not_ready(self):
        applied = MigrationRecorder(connection).migration_qs.filter(app="newsletter").last()
        applied.delete()
        self.addCleanup(MigrationRecorder(connection).record_applied, applied.app, applied.name)

        with self.assertLogs("veltrix.health", "WARNING"):
            response = self.client.get("/readyz")

        self.assertEqual(response.json()["parts"]["database"], "failed")

    def test_a_part_that_hangs_is_waited_for_once_by_one_thread(self):
        released, asked = threading.Event(), []
        self.addCleanup(released.set)
        self.add(lambda: asked.append(1) or released.wait(30))

        begun = time.monotonic()
        answers = [self.client.get("/readyz") for _ in range(10)]

        self.assertEqual({answer.status_code for answer in answers}, {503})
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual(asked, [1])

    def test_an_answer_is_good_for_a_second_whoever_asks(self):
        asked = []
        self.add(lambda: asked.append(1))

        for _ in range(5):
            self.client.get("/readyz")

        self.assertEqual(asked, [1])
        health.parts["test"].asked_at -= health.GOOD_FOR
        self.client.get("/readyz")
        self.assertEqual(asked, [1, 1])


class OddAddressTests(TestCase):
    def test_what_only_begins_alike_is_no_page(self):
        for path in ("/healthz/", "/readyz/", "/healthz/x", "/readyz.json"):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 404)
