import gzip
import threading
import time
from datetime import timedelta

import brotli
import time_machine
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from articles import schedule
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_draft, make_role, publish_as_is
from tests.page_cache.support import front, no_edges
from veltrix.bulkhead import HAS_PLACE, room


def tomorrow(hour, minute=0, second=0):
    """A moment by the site's clock after all that these tests publish."""
    return (timezone.localtime() + timedelta(days=1)).replace(hour=hour, minute=minute, second=second, microsecond=0)


class KeptTests(CommittedTestCase):
    """What is answered from the store, and what is asked of Django."""

    def setUp(self):
        self.article = make_article(title="As it was")
        self.path = self.article.get_absolute_url()
        context = front()
        self.front = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def test_a_page_is_rendered_once(self):
        answers = [self.front.get(self.path) for _ in range(3)]

        self.assertEqual(self.front.renderings, 1)
        self.assertEqual(len({answer.body for answer in answers}), 1)
        self.assertEqual(answers[0].headers, answers[1].headers)
        self.assertIn("As it was", answers[0].text)

    def test_another_process_finds_it_in_the_store(self):
        first = self.front.get(self.path)
        with front(self.front.store) as other:
            second = other.get(self.path)

        self.assertEqual(other.renderings, 0)
        self.assertEqual((second.status, second.body, second.headers), (200, first.body, first.headers))

    def test_it_has_the_headers_that_django_gives_it(self):
        headers = [self.front.get(self.path).headers for _ in range(2)][1]

        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(headers["Vary"], "Accept-Encoding")
        self.assertEqual(headers["Cache-Control"], "public, max-age=0, must-revalidate, s-maxage=60")
        self.assertIn("stale-while-revalidate=60", headers["CDN-Cache-Control"])

    @no_edges
    def test_other_caches_may_keep_nothing_where_they_are_told_so(self):
        headers = self.front.get(self.path).headers

        self.assertEqual(headers["Cache-Control"], "public, max-age=0, must-revalidate")
        self.assertNotIn("CDN-Cache-Control", headers)

    def test_nginx_is_told_what_it_may_keep(self):
        """Pages, and in their place the word that one is gone; nothing of one reader."""
        self.assertNotIn("X-Accel-Expires", self.client.get(self.path).headers)
        with self.settings(BEHIND_PROXY=True):
            for path, is_told in {self.path: True, "/articles/none/": True, "/admin/login/": False}.items():
                self.assertEqual("X-Accel-Expires" in self.client.get(path).headers, is_told, path)
            self.client.cookies["session"] = "x"
            self.assertNotIn("X-Accel-Expires", self.client.get(self.path).headers)

    def test_each_client_gets_a_coding_that_it_takes(self):
        plain = self.front.get(self.path)
        for coding, decode in {"br": brotli.decompress, "gzip": gzip.decompress}.items():
            answer = self.front.get(self.path, HTTP_ACCEPT_ENCODING=coding)

            self.assertEqual(answer.headers["Content-Encoding"], coding)
            self.assertEqual(decode(answer.body), plain.body)
            self.assertEqual(int(answer.headers["Content-Length"]), len(answer.body))
        self.assertNotIn("Content-Encoding", plain.headers)
        self.assertEqual(self.front.renderings, 1)

    def test_who_has_the_page_is_told_so(self):
        etag = self.front.get(self.path, HTTP_ACCEPT_ENCODING="br").headers["ETag"]
        for known in [etag, f"W/{etag}", f'"other", {etag}', "*"]:
            answer = self.front.get(self.path, HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=known)

            self.assertEqual((answer.status, answer.body), (304, b""))
            self.assertEqual(answer.headers["ETag"], etag)
            self.assertEqual(answer.headers["Vary"], "Accept-Encoding")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertNotIn("Content-Type", answer.headers)

    def test_who_has_another_coding_or_another_page_gets_it_whole(self):
        etag = self.front.get(self.path, HTTP_ACCEPT_ENCODING="gzip").headers["ETag"]
        for known in [etag, '"other"', "", "nonsense", '"' * 50]:
            answer = self.front.get(self.path, HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=known)

            self.assertEqual(answer.status, 200)

    def test_a_date_alone_is_too_coarse_to_say_that_nothing_changed(self):
        date = self.front.get(self.path).headers["Last-Modified"]

        self.assertEqual(self.front.get(self.path, HTTP_IF_MODIFIED_SINCE=date).status, 200)

    def test_head_is_answered_with_the_headers_alone(self):
        for _ in range(2):
            head = self.front.get(self.path, method="HEAD")
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(int(head.headers["Content-Length"]), len(self.front.get(self.path).body))
        self.assertEqual(self.front.get("/articles/none/", method="HEAD").body, b"")

    def test_a_range_is_answered_with_the_whole(self):
        for _ in range(2):
            answer = self.front.get(self.path, HTTP_RANGE="bytes=0-9")
            self.assertEqual(answer.status, 200)
            self.assertGreater(len(answer.body), 1000)

    def test_only_what_was_found_is_kept(self):
        for path, status in {
            "/articles/none/": 404,
            "/articles/none": 301,
            "/no/such/": 404,
            "/sources.csv": 400,
        }.items():
            # That Django was not told of the second makes no difference but to a redirect.
            query = "x=1" if status == 400 else "" if status == 301 else "utm_source=x"
            before = self.front.renderings
            self.assertEqual([self.front.get(path, query).status for _ in range(2)], [status, status])
            self.assertEqual(self.front.renderings - before, 2)

    def test_pages_of_one_reader_are_never_kept(self):
        for path in ["/admin/login/", "/newsletter/confirm/x/", "/newsletter/preferences/x/", "/drafts/x/"]:
            answers = [self.front.get(path) for _ in range(2)]

            self.assertIn("no-store", answers[0].headers["Cache-Control"])
        self.assertEqual(self.front.renderings, 8)

    def test_who_is_signed_in_is_asked_for_by_itself_and_leaves_nothing(self):
        for _ in range(2):
            answer = self.front.get(self.path, HTTP_COOKIE="a=b; session=abc")
            self.assertEqual(answer.headers["Cache-Control"], "private, no-cache")
        self.assertEqual(self.front.renderings, 2)

        self.front.get(self.path)
        self.assertEqual(self.front.renderings, 3)

    def test_another_cookie_changes_nothing(self):
        self.front.get(self.path, HTTP_COOKIE="consent=yes")
        self.front.get(self.path)

        self.assertEqual(self.front.renderings, 1)

    def test_what_is_sent_is_for_django(self):
        for _ in range(2):
            answer = self.front.get("/newsletter/", method="POST", CONTENT_LENGTH="0")
            self.assertIn("Enter an e-mail address", answer.text)
            self.assertNotIn("Cache-Control", answer.headers)
        self.assertEqual(self.front.renderings, 2)

    def test_a_page_ends_with_its_day(self):
        with time_machine.travel(tomorrow(23, 59, 50), tick=False) as clock:
            self.front.get(self.path)
            clock.shift(timedelta(seconds=9))
            self.front.get(self.path)
            self.assertEqual(self.front.renderings, 1)

            clock.shift(timedelta(seconds=2))
            self.front.get(self.path)
            self.assertEqual(self.front.renderings, 2)

    def test_pages_whose_parameters_name_what_they_ignore_say_so_each_time(self):
        for _ in range(2):
            self.assertIn("nonsense=1", self.front.get("/careers/", "nonsense=1").text)
        self.assertEqual(self.front.renderings, 2)

    def test_parameters_nobody_reads_lead_to_the_same_page(self):
        pages = [
            self.front.get(self.path, query)
            for query in ("", "x=1", "utm_source=y&x=%00", "&&;", "fbclid=" + "z" * 900)
        ]

        self.assertEqual(self.front.renderings, 1)
        self.assertEqual({page.body for page in pages}, {pages[0].body})

    def test_a_redirect_takes_the_whole_query_along(self):
        for query in ("utm_source=a", "skills=python&know=sql&utm_source=b"):
            path = "/careers/fit/" if "skills" in query else "/articles/old"
            direct = self.client.get(f"{path}?{query}")

            self.assertEqual(self.front.get(path, query).headers.get("Location"), direct.headers.get("Location"))

    def test_a_view_that_writes_addresses_is_asked_in_its_own_order(self):
        make_role("Analyst", core=["Python"])
        for query in ("know=cobol&skills=python", "skills=python&know=cobol", "cut=1&know=cobol&skills=python"):
            answer = self.front.get("/careers/fit/", query)
            if answer.status == 302:
                answer = self.front.get(*answer.headers["Location"].split("?"))

            self.assertEqual(answer.status, 200)

    def test_a_page_that_was_made_between_a_look_and_the_right_to_make_it_is_not_made_again(self):
        original = self.front.store.flight

        def made_just_before(key):
            self.front.store.flight = original
            self.front.get(self.path)
            return original(key)

        self.front.store.flight = made_just_before
        self.front.get(self.path)

        self.assertEqual(self.front.renderings, 1)

    def test_whoever_waits_for_a_page_leaves_threads_to_others(self):
        self.front.get("/careers/")
        go_on, inside = threading.Event(), threading.Semaphore(0)
        original = self.front.cache.application

        def hang(environ, start_response):
            if HAS_PLACE in environ:
                inside.release()
                go_on.wait(20)
            return original(environ, start_response)

        self.front.cache.application = hang
        threads = [threading.Thread(target=self.visit) for _ in range(20)]
        for thread in threads:
            thread.start()
        inside.acquire()
        began = time.monotonic()
        while sum(thread.is_alive() for thread in threads) > settings.WEB_THREADS:
            time.sleep(0.02)
        took = time.monotonic() - began
        go_on.set()
        for thread in threads:
            thread.join()

        # All but those who have a place were told to come again, well before the others were through.
        self.assertLess(took, 4)

    def visit(self):
        self.front.get(self.path)
        connection.close()

    def test_tracking_is_dropped_where_others_are_named(self):
        self.front.get("/careers/", "utm_source=a")
        self.front.get("/careers/")

        self.assertEqual(self.front.renderings, 1)

    def test_the_order_and_spelling_of_parameters_does_not_matter(self):
        make_role("Analyst", pay={"GB": (1, 2)})
        queries = ["market=gb&min=1", "min=1&market=gb", "m%69n=1&market=g%62", "min=1&utm_id=3&market=gb"]
        pages = [self.front.get("/careers/", query) for query in queries]

        self.assertEqual(self.front.renderings, 1)
        self.assertIn("Analyst", pages[0].text)

    def test_repeated_parameters_are_as_django_reads_them(self):
        make_role("Analyst", pay={"GB": (1, 2)})
        direct = self.client.get("/careers/?sort=name&sort=-gb_high").content
        through = self.front.get("/careers/", "sort=name&sort=-gb_high")

        self.assertEqual(through.body, direct)
        self.assertNotEqual(self.front.get("/careers/", "sort=-gb_high&sort=name").body, b"")
        self.assertEqual(self.front.renderings, 2)

    def test_it_answers_while_the_database_is_away(self):
        self.front.get(self.path)

        def refuse(*args):
            raise AssertionError("A page that is kept asks nothing.")

        with connection.execute_wrapper(refuse):
            self.assertEqual(self.front.get(self.path).status, 200)

    @override_settings(WEB_THREADS=16)
    def test_many_that_come_at_once_wait_for_one(self):
        room.cache_clear()
        self.addCleanup(room.cache_clear)
        barrier = threading.Barrier(12)
        bodies = []

        def visit():
            barrier.wait()
            bodies.append(self.front.get(self.path).body)
            connection.close()

        threads = [threading.Thread(target=visit) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(self.front.renderings, 1)
        self.assertEqual((len(bodies), len(set(bodies))), (12, 1))


class FreshnessTests(CommittedTestCase):
    """From the commit on nobody is given an older page."""

    def setUp(self):
        context = front()
        self.front = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.article = make_article(title="As it was")
        self.path = self.article.get_absolute_url()

    def test_a_publication_is_seen_at_once(self):
        self.front.get(self.path)
        self.article.title = "As it is"
        self.article.save()
        publish_as_is(self.article)

        self.assertIn("As it is", self.front.get(self.path).text)
        self.assertIn("As it is", self.front.get("/articles/").text)

    def test_a_draft_is_never_seen(self):
        make_draft(title="A secret", slug="secret")

        self.assertEqual(self.front.get("/articles/secret/").status, 404)
        self.assertNotIn("A secret", self.front.get("/articles/").text)

    def test_a_scheduled_change_is_seen_at_its_moment(self):
        with time_machine.travel(tomorrow(12), tick=False) as clock:
            self.article.title = "As it will be"
            self.article.save()
            schedule.schedule(self.article, at=timezone.now() + timedelta(minutes=1), by=None)
            self.assertIn("As it was", self.front.get(self.path).text)
            clock.shift(timedelta(seconds=59))
            self.assertIn("As it was", self.front.get(self.path).text)
            clock.shift(timedelta(seconds=1))
            self.assertIn("As it will be", self.front.get(self.path).text)
            self.assertIn("As it will be", self.front.get(self.path).text)

    def test_a_first_publication_and_a_withdrawal_come_at_their_moments(self):
        coming = make_draft(slug="coming")
        with time_machine.travel(tomorrow(12), tick=False) as clock:
            schedule.schedule(coming, at=timezone.now() + timedelta(minutes=1), by=None)
            schedule.withdraw(self.article, at=timezone.now() + timedelta(minutes=2))
            seen = []
            for _ in range(3):
                seen.append((self.front.get("/articles/coming/").status, self.front.get(self.path).status))
                clock.shift(timedelta(minutes=1))
        self.assertEqual(seen, [(404, 200), (200, 200), (200, 410)])

    def test_what_is_scheduled_for_sooner_ends_a_page_sooner(self):
        with time_machine.travel(tomorrow(12), tick=False) as clock:
            self.front.get(self.path)
            schedule.withdraw(self.article, at=timezone.now() + timedelta(minutes=1))
            self.front.get(self.path)
            clock.shift(timedelta(minutes=1))

            self.assertEqual(self.front.get(self.path).status, 410)

    def test_a_page_that_was_read_before_a_publication_is_not_kept_after_it(self):
        """The page is asked for, the publication comes while it is being made, and the next one gets the new page."""
        original = self.front._django

        def publish_meanwhile(environ, start_response):
            answer = original(environ, start_response)
            self.front.cache.application = original
            self.article.title = "As it is"
            self.article.save()
            publish_as_is(self.article)
            return answer

        self.front.cache.application = publish_meanwhile

        self.assertIn("As it was", self.front.get(self.path).text)
        self.assertIn("As it is", self.front.get(self.path).text)
