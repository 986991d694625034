"""Several requests at the same moment, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections
from django.test import Client

from tests.committed import CommittedTestCase
from tests.factories import make_user
from veltrix.models import Attempt, Authenticator, SessionRecord

from .support import SECOND, code_of, give_password, is_in, make_person


class AtOnceTests(CommittedTestCase):
    def at_once(self, act, clients):
        barrier = Barrier(len(clients))

        def run(client):
            try:
                barrier.wait()
                return act(client)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(clients)) as pool:
            return list(pool.map(run, clients))

    def test_a_code_lets_one_in_however_many_give_it_at_once(self):
        user, secret, recovery_codes = make_person()
        for code in (code_of(secret), recovery_codes[0]):
            clients = [Client() for _ in range(4)]
            for client in clients:
                give_password(client, user)
            SessionRecord.objects.all().delete()

            self.at_once(lambda client, code=code: client.post(SECOND, {"code": code}).status_code, clients)

            self.assertEqual([is_in(client) for client in clients].count(True), 1)
            self.assertEqual(SessionRecord.objects.count(), 1)

    def test_no_more_passwords_are_tried_at_once_than_one_after_the_other(self):
        user = make_user()

        statuses = self.at_once(
            lambda client: give_password(client, user, "wrong").status_code, [Client() for _ in range(12)]
        )

        self.assertLessEqual(statuses.count(200), 5)
        self.assertEqual(statuses.count(200) + statuses.count(429), 12)
        self.assertEqual(Attempt.objects.count(), statuses.count(200))

    def test_an_app_that_is_begun_twice_at_once_is_begun_once(self):
        user = make_user("Author")
        clients = [Client() for _ in range(4)]
        for client in clients:
            give_password(client, user)

        statuses = self.at_once(lambda client: client.post("/admin/sign-in/authenticator/begin/").status_code, clients)

        self.assertEqual(statuses, [302] * 4)
        self.assertEqual(Authenticator.objects.begun().count(), 1)
