"""News is told to a hub and to search engines that are a real server, which listens on loopback."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qs

import time_machine
from django.db import connections
from django.test import TestCase, override_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from articles import announcing, outgoing, pings
from articles.models import Announcement, Series
from articles.publishing import publish
from articles.redirects import moved
from articles.schedule import schedule, withdraw
from newsletter import upkeep
from tests.articles.test_schedule import edit
from tests.committed import CommittedTestCase
from tests.factories import (
    add_role_table,
    make_article,
    make_category,
    make_draft,
    make_role,
    make_statistic,
    make_table,
    publish_as_is,
)
from tests.newsletter.lists import make_part, make_sent
from tests.queue import WithQueue

SITE = "http://127.0.0.1:8000"
KEY = "0123456789abcdef"
FEED, JSON = f"{SITE}/feeds/articles.atom", f"{SITE}/feeds/articles.json"
PAY = f"{SITE}/articles/pay/"


class Handler(BaseHTTPRequestHandler):
    """Takes what is posted, and answers as it is told to: once with each of `answers`, then that it was taken."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers["Content-Type"], body.decode()))
        answer = self.server.answers.pop(0) if self.server.answers else 202
        if answer == "silent":
            self.server.stop.wait(3)
        else:
            self.send_response(answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

    def log_message(self, *arguments):
        pass


class AnnouncingTestCase(WithQueue, TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.server.stop = threading.Event()
        cls.server.daemon_threads = True
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"
        thread = threading.Thread(target=cls.server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.shutdown)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.stop.set)

    def setUp(self):
        self.server.seen, self.server.answers = [], []

    def on(self, **settings):
        both = {"WEBSUB_HUB": f"{self.url}/hub?a=1", "INDEXNOW_KEY": KEY, "INDEXNOW_URL": f"{self.url}/indexnow"}
        return override_settings(**{**both, **settings})

    def told(self):
        """What has been told since it was last asked: feeds, and pages, each sorted."""
        feeds, pages = [], []
        for path, content_type, body in self.server.seen:
            if path == "/hub?a=1":
                self.assertEqual(content_type, "application/x-www-form-urlencoded")
                fields = parse_qs(body)
                self.assertEqual(fields.pop("hub.mode"), ["publish"])
                feeds += fields.pop("hub.url")
                self.assertEqual(fields, {})
            else:
                self.assertEqual((path, content_type), ("/indexnow", "application/json; charset=utf-8"))
                document = json.loads(body)
                pages += document.pop("urlList")
                expected = {"host": SITE[7:], "key": KEY, "keyLocation": f"{SITE}/{KEY}.txt"}
                self.assertEqual(document, expected)
        self.server.seen.clear()
        return sorted(feeds), sorted(pages)

    def do(self, act, *arguments, **values):
        """Act, and let the worker do what that caused."""
        with self.captureOnCommitCallbacks(execute=True):
            result = act(*arguments, **values)
        self.work()
        return result

    def look(self):
        """What every worker does now and then."""
        self.do(upkeep.announce)


class NewsTests(AnnouncingTestCase):
    def test_a_publication_is_told_once_to_the_hub_and_to_search_engines(self):
        draft = make_draft(slug="pay", category=make_category("Jobs", parent=make_category("Career")))
        with self.on():
            self.do(publish_as_is, draft)

            feeds, pages = self.told()
            self.assertEqual(pages, [PAY])
            names = ("articles", "topics/career", "topics/jobs")
            self.assertEqual(feeds, [f"{SITE}/feeds/{name}.{form}" for name in names for form in ("atom", "json")])
            self.look()
            self.assertEqual(self.told(), ([], []))

    def test_a_change_a_move_and_a_withdrawal_are_told(self):
        article = make_article(slug="pay", series=Series.objects.create(slug="s", name="S"))
        with self.on():
            self.look()
            self.told()

            edit(article, "<p>Other words</p>")
            self.do(publish, article, by=None)
            feeds, pages = self.told()
            self.assertEqual(pages, [PAY])
            self.assertIn(f"{SITE}/feeds/series/s.json", feeds)

            article.refresh_from_db()
            article.slug = "wages"
            article.save()
            self.do(moved, article, "pay")
            self.assertEqual(self.told(), ([], [PAY, f"{SITE}/articles/wages/"]))

            other = make_article()
            self.look()
            self.told()
            self.do(withdraw, article)
            feeds, pages = self.told()
            self.assertEqual(pages, [f"{SITE}/articles/wages/"])
            self.assertIn(FEED, feeds)
            # Of a feed that has become empty there is nothing to fetch.
            self.assertNotIn(f"{SITE}/feeds/series/s.atom", feeds)
            self.assertEqual(Announcement.objects.filter(path=other.get_absolute_url()).count(), 1)

    def test_what_is_scheduled_is_told_at_its_moment_and_not_before(self):
        now = timezone.now()
        changing = make_article(slug="pay")
        with self.on():
            self.look()
            self.told()
            coming = make_draft(slug="coming", published_at=now + timedelta(hours=1))
            self.do(publish_as_is, coming)
            edit(changing, "<p>Other words</p>")
            self.do(schedule, changing, at=now + timedelta(hours=2), by=None)
            self.look()
            self.assertEqual(self.told(), ([], []))

            for hours, page in ((1, f"{SITE}/articles/coming/"), (2, PAY)):
                with time_machine.travel(now + timedelta(hours=hours, minutes=1)):
                    self.look()
                    feeds, pages = self.told()
                    self.assertEqual(pages, [page])
                    self.assertIn(FEED, feeds)

    def test_corrections_and_editions_are_told(self):
        statistic = make_statistic("1%")
        with self.on():
            self.look()
            self.assertEqual(self.told(), ([], []))
            statistic.current.publish_successor(why="correction", why_note="x", display_text="2%", value=2)
            make_sent(make_part(), slug="week")

            self.look()

            feeds, pages = self.told()
            names = ("corrections", "editions")
            self.assertEqual(feeds, [f"{SITE}/feeds/{name}.{form}" for name in names for form in ("atom", "json")])
            self.assertEqual(pages, [f"{SITE}/newsletter/week/"])

    def test_a_new_figure_is_news_of_the_pages_and_feeds_that_show_it(self):
        role = make_role(pay={"GB": (50_000, 90_000)})
        add_role_table(listing := make_draft(slug="list"), make_table(role))
        publish_as_is(listing)
        statistic, other = make_statistic("1%"), make_statistic("1%")
        make_article(slug="pay", statistics=[statistic], series=Series.objects.create(slug="s", name="S"))
        with self.on():
            self.look()
            self.told()
            for why in ("update", "correction"):
                statistic.current.publish_successor(why=why, why_note="x", display_text="2%", value=2)
                self.look()

                feeds, pages = self.told()
                self.assertEqual(pages, [PAY])
                self.assertIn(FEED, feeds)
                self.assertIn(f"{SITE}/feeds/series/s.json", feeds)
            role.salary_ranges.get().publish_successor(why="update", high=95_000)
            other.current.publish_successor(why="update", display_text="3%", value=3)
            self.look()
            feeds, pages = self.told()
            self.assertEqual(pages, [f"{SITE}/articles/list/"])
            self.assertNotIn(f"{SITE}/feeds/series/s.json", feeds)

    def test_every_feed_and_page_that_is_told_of_is_there(self):
        make_article(series=Series.objects.create(slug="s", name="S"))
        make_statistic("1%").current.publish_successor(why="correction", why_note="x", display_text="2%", value=2)
        make_sent(make_part())
        with self.on():
            self.look()

            feeds, pages = self.told()
            self.assertEqual((len(feeds), len(pages)), (10, 2))
            for address in feeds + pages:
                self.assertEqual(self.client.get(address.removeprefix(SITE)).status_code, 200, address)

    def test_without_the_settings_nothing_is_asked_kept_or_queued(self):
        draft = make_draft(slug="pay")

        self.do(publish_as_is, draft)
        with self.assertNumQueries(0):
            upkeep.announce()

        self.assertFalse(DBTaskResult.objects.exists())
        self.assertFalse(Announcement.objects.exists())
        self.assertEqual(self.server.seen, [])

    def test_each_setting_alone_does_its_own(self):
        make_article(slug="pay")
        with self.on(INDEXNOW_KEY=""):
            self.look()
            feeds, pages = self.told()
            self.assertTrue(FEED in feeds and not pages)
        with self.on(WEBSUB_HUB=""):
            self.look()
            self.assertEqual(self.told(), ([], [PAY]))

    def test_many_addresses_are_told_in_several_tasks_and_looking_costs_the_same(self):
        with self.on(), mock.patch.multiple(announcing, FEEDS_AT_ONCE=3, PAGES_AT_ONCE=4):
            for _ in range(2):
                make_article()
            self.look()
            self.told()
            with self.assertNumQueries(15):
                upkeep.announce()
            for _ in range(6):
                make_article()

            announcing.look()

            sizes = [len(row.args_kwargs["args"][0]) for row in DBTaskResult.objects.ready()]
            self.assertEqual(sorted(sizes), [1, 2, 3, 4])
            self.work()
            self.assertEqual([len(told) for told in self.told()], [4, 6])
            with self.assertNumQueries(15):
                upkeep.announce()


class PingTests(AnnouncingTestCase):
    def waiting(self):
        now = timezone.now()
        soon = (now, now + timedelta(days=1))
        return list(DBTaskResult.objects.filter(run_after__range=soon, status="READY").order_by("pk"))

    def test_what_was_not_heard_is_told_again_later_and_what_was_heard_is_not(self):
        self.server.answers = [202, 503]
        with self.on():
            self.do(pings.ping_hub.enqueue, ["/feeds/articles.atom", "/feeds/articles.json"])
            self.assertEqual(self.told()[0], [FEED, JSON])
            (again,) = self.waiting()
            self.assertEqual(again.args_kwargs["args"], [["/feeds/articles.json"], 1])

            with time_machine.travel(timezone.now() + timedelta(minutes=2)):
                self.work()

            self.assertEqual(self.told()[0], [JSON])
            self.assertEqual(self.waiting(), [])

    def test_no_answer_and_no_server_are_tried_again(self):
        self.server.answers = ["silent"]
        with mock.patch.object(outgoing, "TIMEOUT", 0.2), self.on():
            self.do(pings.submit_pages.enqueue, ["/articles/pay/"])
            self.assertEqual(len(self.waiting()), 1)
            with override_settings(INDEXNOW_URL="http://127.0.0.1:1/"):
                self.do(pings.submit_pages.enqueue, ["/articles/pay/"])
            self.assertEqual(len(self.waiting()), 2)

    def test_a_refusal_is_final_and_a_redirect_is_not_followed(self):
        for status in (400, 403, 422, 301, 307):
            with self.subTest(status), self.on():
                self.server.answers = [status]

                with self.assertRaisesMessage(pings.UnheardPingError, f"127.0.0.1 answered {status}"):
                    pings.submit_pages.func(["/articles/pay/"])

                self.assertEqual(len(self.server.seen), 1)
                self.server.seen.clear()
        self.assertEqual(self.waiting(), [])

    def test_a_refusal_of_one_feed_keeps_no_other_from_being_told_now_or_later(self):
        self.server.answers = [503, 404]
        paths = [f"/feeds/{name}.atom" for name in ("busy", "refused", "taken", "last")]
        with self.on(), self.assertLogs("django.tasks", "ERROR") as logged:
            self.do(pings.ping_hub.enqueue, paths)

            self.assertIn("127.0.0.1 answered 404", "".join(logged.output))
            self.assertEqual(self.told()[0], sorted(SITE + path for path in paths))
            (again,) = self.waiting()
            self.assertEqual(again.args_kwargs["args"], [["/feeds/busy.atom"], 1])

    def test_it_is_given_up_in_the_end(self):
        self.server.answers = [429]
        with self.on(), self.assertRaises(pings.UnheardPingError):
            pings.ping_hub.func(["/feeds/articles.atom"], len(pings.RETRY_AFTER))
        self.assertEqual(self.waiting(), [])

    def test_a_server_of_another_protocol_is_tried_again_over_tls(self):
        with self.on(WEBSUB_HUB=self.url.replace("http://", "https://")):
            pings.ping_hub.func(["/feeds/articles.atom"])

        self.assertEqual((len(self.waiting()), self.server.seen), (1, []))

    def test_what_is_no_longer_set_is_no_longer_told(self):
        pings.ping_hub.func(["/feeds/articles.atom"])
        pings.submit_pages.func(["/articles/pay/"])

        self.assertEqual((self.server.seen, self.waiting()), ([], []))


class AtOnceTests(CommittedTestCase):
    def test_workers_that_look_at_the_same_moment_hand_on_everything_once(self):
        for _ in range(3):
            make_article()
        barrier = threading.Barrier(4)

        def look(_):
            try:
                barrier.wait()
                return announcing.look()
            finally:
                connections.close_all()

        with override_settings(WEBSUB_HUB="https://hub.example/", INDEXNOW_KEY=KEY), ThreadPoolExecutor(4) as pool:
            found = list(pool.map(look, range(4)))

        told = [path for task in DBTaskResult.objects.all() for path in task.args_kwargs["args"][0]]
        self.assertEqual((len(told), len(set(told))), (7, 7))
        self.assertEqual(sorted(found), [0, 0, 0, 7])
