import threading
import time
from unittest import mock

from django.http import HttpResponse
from django.test import RequestFactory, SimpleTestCase, override_settings

from veltrix import bulkhead


@override_settings(WEB_THREADS=4)
class BulkheadTests(SimpleTestCase):
    """Three may be in there at a time; the fourth thread is for pages that are kept."""

    def setUp(self):
        self.go_on = threading.Event()
        self.inside = threading.Semaphore(0)
        bulkhead.room.cache_clear()
        self.addCleanup(bulkhead.room.cache_clear)
        self.middleware = bulkhead.bulkhead(self.hang)
        self.threads = []
        self.addCleanup(self.end)

    def hang(self, request):
        self.inside.release()
        self.go_on.wait(10)
        return HttpResponse("made")

    def ask(self):
        return self.middleware(RequestFactory().get("/"))

    def fill(self, stuck=True):
        """Take all places; nobody has come or gone for long if they are stuck."""
        for _ in range(3):
            thread = threading.Thread(target=self.ask)
            thread.start()
            self.threads.append(thread)
            self.inside.acquire()
        if stuck:
            bulkhead.room().moved_at -= 2 * bulkhead.STUCK

    def end(self):
        self.go_on.set()
        for thread in self.threads:
            thread.join()

    def test_where_all_are_stuck_the_next_one_is_told_to_come_again(self):
        with self.hopeless_after(9):
            self.fill()
            began = time.monotonic()
            response = self.ask()

        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "10"))
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertContains(response, "Back in a moment", status_code=503)

    def test_while_others_come_and_go_one_waits(self):
        with self.hopeless_after(9):
            self.fill(stuck=False)
            threading.Timer(0.1, self.go_on.set).start()

            self.assertEqual(self.ask().content, b"made")

    def test_whoever_waits_in_vain_is_told_so(self):
        with self.hopeless_after(0.2):
            self.fill(stuck=False)

            self.assertEqual(self.ask().status_code, 503)

    def test_all_is_well_once_they_are_through(self):
        with self.hopeless_after(9):
            self.fill()
            self.assertEqual(self.ask().status_code, 503)
            self.end()

            self.assertEqual([self.ask().content for _ in range(8)], [b"made"] * 8)

    def test_where_pages_take_long_one_thread_is_left_even_while_they_move(self):
        with override_settings(WEB_THREADS=8), self.hopeless_after(9):
            bulkhead.room.cache_clear()
            room = bulkhead.room()
            room.average = 1.0
            entered = [room.enter() for _ in range(6)]
            waiting = threading.Thread(target=room.enter)
            waiting.start()
            while room.waiting._value:
                time.sleep(0.01)
            began = time.monotonic()

            self.assertIsNone(room.enter())
            self.assertLess(time.monotonic() - began, 4)
            room.leave(entered[0])
            waiting.join()

    def test_a_request_that_has_a_place_takes_no_other(self):
        self.fill()
        self.go_on.set()
        request = RequestFactory().get("/", **{bulkhead.HAS_PLACE: True})

        with self.hopeless_after(0):
            self.assertEqual(self.middleware(request).content, b"made")

    def test_a_view_that_fails_gives_its_place_back(self):
        def fail(request):
            raise ZeroDivisionError

        middleware = bulkhead.bulkhead(fail)
        for _ in range(8):
            with self.assertRaises(ZeroDivisionError):
                middleware(RequestFactory().get("/"))

    def hopeless_after(self, seconds):
        return mock.patch.object(bulkhead, "STUCK", seconds)
