import threading
import time
from unittest import TestCase

import redis as client
from django.core.exceptions import ImproperlyConfigured

from tests.page_cache.flights import FOLLOWERS, told_of
from tests.programs import redis
from veltrix.page_cache import redis as store
from veltrix.page_cache.redis import Redis
from veltrix.page_cache.stores import UnavailableError
from veltrix.web_urls import page_cache_server


class RedisTests(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(redis())

    def setUp(self):
        self.store, self.other = Redis(self.server.url), Redis(self.server.url)
        self.generation = self.store.generation()

    def revive(self):
        for each in (self.store, self.other):
            each.rests_until = 0

    def test_what_was_written_is_read_on_every_machine(self):
        self.store.write(self.generation, "key", b"data\n\x00", 60)

        self.assertEqual(self.other.generation(), self.generation)
        self.assertEqual(self.other.read(self.generation, "key"), b"data\n\x00")
        self.assertIsNone(self.other.read(self.generation, "none"))

    def test_a_new_generation_is_empty_for_everybody(self):
        self.store.write(self.generation, "key", b"data", 60)
        self.other.renew()

        self.assertNotEqual(self.store.generation(), self.generation)
        self.assertIsNone(self.store.read(self.store.generation(), "key"))

    def test_a_page_of_a_generation_that_is_over_is_not_read(self):
        self.other.renew()
        self.store.write(self.generation, "key", b"data", 60)

        self.assertIsNone(self.store.read(self.store.generation(), "key"))

    def test_generations_that_begin_and_are_asked_for_at_once_always_have_a_name(self):
        is_over, failed = threading.Event(), []

        def ask():
            mine = Redis(self.server.url)
            try:
                while not is_over.is_set():
                    mine.generation()
            except Exception as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2_000):
            self.store.renew()
        is_over.set()
        for thread in threads:
            thread.join()

        self.assertEqual(failed, [])

    def test_a_page_ends_by_itself(self):
        self.store.write(self.generation, "key", b"data", 0.05)
        time.sleep(0.1)

        self.assertIsNone(self.store.read(self.generation, "key"))

    def test_a_generation_that_the_server_forgot_is_another_one(self):
        client.Redis.from_url(self.server.url).flushall()

        self.assertNotEqual(self.store.generation(), self.generation)

    def test_a_server_that_was_killed_is_left_alone_and_told_once(self):
        self.server.kill()
        try:
            with self.assertLogs("veltrix.page_cache", "WARNING") as logs:
                started = time.monotonic()
                for _ in range(50):
                    with self.assertRaises(UnavailableError):
                        self.store.generation()
            self.assertLess(time.monotonic() - started, 5)
            self.assertEqual(len(logs.output), 1)
        finally:
            self.server.start()

    def test_what_a_server_read_back_from_its_disk_counts_for_nothing(self):
        self.store.write(self.generation, "key", b"old", 60)
        client.Redis.from_url(self.server.url).save()
        self.server.kill()
        with self.assertRaises(UnavailableError):
            self.other.renew()
        self.server.start()
        self.assertTrue(client.Redis.from_url(self.server.url).keys("*:page:key"))
        for each in (self.store, Redis(self.server.url)):
            each.rests_until = 0
            with self.subTest(each=each):
                generation = self.generation
                try:
                    generation = each.generation()
                except UnavailableError:
                    # The connection of before; the next one asks who the server is.
                    each.rests_until = 0
                    generation = each.generation()
                self.assertNotEqual(generation, self.generation)
                self.assertIsNone(each.read(generation, "key"))

    def test_a_generation_that_is_due_begins_before_anything_is_read(self):
        """The server did not hear of a publication; it is told before it is asked again."""
        self.store.write(self.generation, "key", b"old", 60)
        original, self.store._do = self.store._do, self._fail
        with self.assertRaises(UnavailableError):
            self.store.renew()
        self.store._do = original

        self.assertNotEqual(self.store.generation(), self.generation)

    def test_a_generation_that_another_thread_owes_is_not_forgotten(self):
        """One thread’s word has been taken; before it knows, another one’s is lost."""
        original = self.store._do

        def lose_the_next(act):
            self.store._do = self._fail
            with self.assertRaises(UnavailableError):
                self.store.renew()
            self.store._do = original
            return original(act)

        self.store._do = lose_the_next
        self.store.renew()
        between = self.other.generation()

        self.assertNotEqual(self.store.generation(), between)

    def test_a_server_that_refuses_writes_answers_nobody(self):
        """It could not be told of a publication either."""
        admin = client.Redis.from_url(self.server.url)
        admin.config_set("min-replicas-to-write", 1)
        self.addCleanup(admin.config_set, "min-replicas-to-write", 0)
        for act in (self.store.renew, self.other.generation):
            with self.assertRaises(UnavailableError):
                act()
        admin.config_set("min-replicas-to-write", 0)

        self.assertNotEqual(self.store.generation(), self.generation)

    def test_a_server_without_room_is_told_all_the_same_and_goes_on_answering(self):
        admin = client.Redis.from_url(self.server.url)
        self.store.write(self.generation, "key", b"old", 60)
        admin.config_set("maxmemory", 1)
        self.addCleanup(admin.config_set, "maxmemory", 0)
        with self.assertRaises(UnavailableError):
            self.store.write(self.generation, "other", b"x", 60)
        self.assertEqual(self.store.read(self.store.generation(), "key"), b"old")
        self.store.renew()

        for each in (self.store, self.other):
            with self.assertRaises(UnavailableError):
                each.generation()

    @staticmethod
    def _fail(act):
        raise UnavailableError

    def test_one_machine_renders_and_the_others_wait(self):
        self.assertEqual(told_of(self.store, self.other), [True] + [False] * FOLLOWERS)
        with self.store.flight("page") as is_first:
            self.assertTrue(is_first)

    def test_a_lock_is_taken_back_by_its_holder_only(self):
        with self.store.flight("lock"):
            name = next(iter(client.Redis.from_url(self.server.url).keys("*:lock:lock")))
            client.Redis.from_url(self.server.url).set(name, "of somebody else")

        self.assertEqual(client.Redis.from_url(self.server.url).get(name), b"of somebody else")

    def test_no_connection_waits_longer_than_a_moment(self):
        self.assertLessEqual(store.TIMEOUT, 1)


class AddressTests(TestCase):
    def test_addresses_of_servers(self):
        for address, read in {
            "redis://cache:6379/0": "redis://cache:6379/0",
            "valkey://cache:6379": "redis://cache:6379",
            "valkeys://:password@cache": "rediss://:password@cache",
            "unix:///run/redis.sock": "unix:///run/redis.sock",
        }.items():
            self.assertEqual(page_cache_server("CACHE_URL", address), read)

    def test_anything_else_is_refused_with_what_it_should_be(self):
        for address in ["cache", "memcached://cache", "redis://", "https://cache"]:
            with self.subTest(address), self.assertRaisesRegex(ImproperlyConfigured, "CACHE_URL must be redis://"):
                page_cache_server("CACHE_URL", address)
