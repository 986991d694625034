"""What visitors get where the database fails; tests/faults/test_outages.py stops and silences a real one."""

import contextlib
import socket
import sqlite3
import threading
import time

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client, SimpleTestCase, TestCase

from tests.factories import make_user
from veltrix.outages import is_outage
from veltrix.postgresql import base


def failing(error):
    def execute(*_):
        raise error

    return connection.execute_wrapper(execute)


def sqlite_error(code):
    error = OperationalError("of SQLite")
    error.__cause__ = sqlite3.OperationalError()
    error.__cause__.sqlite_errorcode = code
    return error


class UnavailableTests(TestCase):
    def setUp(self):
        self.client = Client(raise_request_exception=False)

    def test_pages_say_so_in_the_sites_looks_and_when_to_come_again(self):
        for path in ("/", "/articles/", "/careers/compare/"):
            with self.subTest(path), failing(OperationalError("connection refused: 10.0.0.1")):
                response = self.client.get(path)

                self.assertContains(response, "Back in a moment", status_code=503)
                self.assertNotContains(response, "10.0.0.1", status_code=503)
                self.assertEqual(response.headers["Retry-After"], "10")
                self.assertIn("no-store", response.headers["Cache-Control"])
                self.assertEqual(response.headers["X-Frame-Options"], "DENY")

    def test_editors_see_it_too_and_stay_signed_in(self):
        self.client.force_login(make_user("Editor"))

        with failing(InterfaceError("connection already closed")):
            response = self.client.get("/admin/articles/article/")

        self.assertContains(response, "Back in a moment", status_code=503)
        self.assertFalse(response.cookies)
        self.assertEqual(self.client.get("/admin/articles/article/").status_code, 200)

    def test_what_asks_for_data_gets_a_line_of_text(self):
        for path, accept in [("/careers/salaries.csv", "*/*"), ("/careers/", "application/json")]:
            with self.subTest(path), failing(OperationalError("away")):
                response = self.client.get(path, headers={"accept": accept})

                self.assertEqual(response.status_code, 503)
                self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")
                self.assertEqual(response.content.count(b"\n"), 1)

    def test_a_wrong_statement_is_an_error_of_ours(self):
        for error in (ProgrammingError("no such column"), sqlite_error(sqlite3.SQLITE_ERROR)):
            with self.subTest(error), failing(error):
                self.assertContains(self.client.get("/articles/"), "Something broke here", status_code=500)


class IsOutageTests(SimpleTestCase):
    def test_what_sqlite_says_of_its_file_is_one(self):
        for code in (sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN):
            self.assertTrue(is_outage(sqlite_error(code)))
        self.assertFalse(is_outage(sqlite_error(sqlite3.SQLITE_ERROR)))

    def test_other_errors_are_none(self):
        self.assertFalse(is_outage(None))
        self.assertFalse(is_outage(ValueError()))


class SilentServerTests(SimpleTestCase):
    """A server that takes connections and never says a word."""

    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.addCleanup(base.limit_waiting, base._limit)
        self.parameters = {
            "host": "127.0.0.1",
            "port": self.listener.getsockname()[1],
            "user": "x",
            "sslmode": "disable",
        }

    def connect(self, **parameters):
        begun = time.monotonic()
        with contextlib.suppress(psycopg.OperationalError):
            base.Connection.connect(**self.parameters, **parameters)
            self.fail("It answered.")
        return time.monotonic() - begun

    def test_while_it_is_silent_one_thread_tries_and_the_others_do_not_wait(self):
        base.limit_waiting(20)

        first = self.connect(connect_timeout=2)
        at_once = self.connect(connect_timeout=30)
        base._next_trial_at = 0
        trial = threading.Thread(target=self.connect, kwargs={"connect_timeout": 30})
        trial.start()
        while trial.is_alive() and not base._trial.locked():
            time.sleep(0.01)
        beside_it = self.connect(connect_timeout=30)
        trial.join(5)

        self.assertLess(first, 4)
        self.assertLess(at_once + beside_it, base.LIMIT_IN_SILENCE / 2)
        # Not the thirty seconds that it may take elsewhere.
        self.assertFalse(trial.is_alive())


@pytest.mark.postgresql
class SilenceTests(TestCase):
    def setUp(self):
        self.addCleanup(base.limit_waiting, base._limit)
        base.limit_waiting(20)
        self.good = base.Connection.connect(**connection.get_connection_params())
        self.addCleanup(self.good.close)

    def test_an_answer_on_a_connection_that_is_good_ends_it(self):
        base._note_silence()
        self.assertEqual(base._current_limit(), base.LIMIT_IN_SILENCE)

        self.good.execute("SELECT 1")

        self.assertEqual(base._current_limit(), 20)

    def test_what_needs_no_answer_does_not(self):
        base._note_silence()

        self.good.rollback()
        self.good.autocommit = True

        self.assertEqual(base._current_limit(), base.LIMIT_IN_SILENCE)

    def test_an_answer_that_does_not_come_in_time_does_not(self):
        base._note_silence()

        with self.assertRaisesMessage(psycopg.OperationalError, "no answer for 0.2 seconds"), base.waiting_at_most(0.2):
            self.good.execute("SELECT pg_sleep(1)")

        self.assertEqual(base._current_limit(), base.LIMIT_IN_SILENCE)
