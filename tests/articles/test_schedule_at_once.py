"""Scheduled changes while several are at work."""

import time_machine
from django.db import transaction
from django.utils import timezone

from articles import schedule
from articles.models import Article
from articles.schedule import NotScheduledError
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_user

from .test_schedule import HOUR, edit


class AtOnceTests(CommittedTestCase):
    def test_of_many_readers_at_the_moment_one_makes_the_change_and_all_see_it(self):
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier

        from django.db import connections
        from django.test import Client

        article = make_article(slug="piece", html="<p>Before</p>")
        edit(article)
        version = schedule.schedule(article, at=timezone.now() + HOUR, by=None)
        barrier = Barrier(4)

        def read(_):
            try:
                barrier.wait()
                return Client().get("/articles/piece/").text
            finally:
                connections.close_all()

        with time_machine.travel(timezone.now() + 2 * HOUR), ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(read, range(4)))

        self.assertTrue(all("<p>After</p>" in page for page in pages))
        article.refresh_from_db()
        self.assertEqual((article.live_version, article.next_at), (version, None))

    def test_nobody_waits_long_for_an_article_that_somebody_has_locked(self):
        from concurrent.futures import ThreadPoolExecutor
        from time import monotonic

        from django.db import connections

        article, other = make_article(slug="piece", html="<p>Before</p>"), make_article(slug="other")
        edit(article)
        schedule.schedule(article, at=timezone.now() + HOUR, by=None)

        def read(path):
            try:
                return self.client.get(path)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool, time_machine.travel(timezone.now() + 2 * HOUR):
            with transaction.atomic(), self.assertLogs("articles.schedule", "ERROR"):
                Article.objects.select_for_update().get(pk=article.pk)
                began = monotonic()
                for page in (other, article):
                    self.assertEqual(pool.submit(read, page.get_absolute_url()).result().status_code, 200)
                self.assertLess(monotonic() - began, 6)
            self.assertContains(pool.submit(read, "/articles/piece/").result(), "<p>After</p>")

    def test_of_two_editors_who_schedule_at_once_one_is_told(self):
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier

        from django.db import connections

        article, by = make_article(), make_user("Editor")
        edit(article)
        barrier = Barrier(2)

        def act(number):
            try:
                barrier.wait()
                schedule.schedule(article, at=timezone.now() + number * HOUR, by=by)
                return True
            except NotScheduledError:
                return False
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(act, (1, 2)))

        self.assertEqual(sorted(done), [False, True])
        self.assertEqual(article.versions.count(), 2)
