"""What several do to the same subscribers at the same moment, each with a connection of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from newsletter import claims, importing, retention
from newsletter.importing import Entry
from newsletter.models import ConsentEvent, Subscriber
from tests.committed import CommittedTestCase

from .lists import make_sender, make_sending
from .test_models import make_subscriber

PEOPLE = [Entry(f"reader{number}@example.com", None, "Signed list at Data Days") for number in range(300)]


class AtOnceTests(CommittedTestCase):
    def at_once(self, *acts):
        barrier = Barrier(len(acts))

        def run(act):
            try:
                barrier.wait()
                return act()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(run, acts))

    def test_two_imports_of_the_same_people_subscribe_each_once(self):
        backwards = PEOPLE[::-1]

        taken = self.at_once(lambda: importing.take(PEOPLE, "one"), lambda: importing.take(backwards, "other"))

        assert sum(taken) == 300
        assert Subscriber.objects.count() == ConsentEvent.objects.count() == 300

    def test_an_import_and_sign_ups_of_the_same_people_are_both_right(self):
        def sign_up():
            for entry in PEOPLE[::-1]:
                Subscriber.objects.get_or_create(email_key=entry.key, defaults={"email": entry.address})

        taken, _ = self.at_once(lambda: importing.take(PEOPLE, "one"), sign_up)

        assert Subscriber.objects.count() == 300
        assert Subscriber.objects.filter(status="active").count() == taken
        assert ConsentEvent.objects.filter(kind="imported").count() == taken

    def test_who_is_subscribed_while_the_unconfirmed_are_deleted_stays(self):
        long_ago = timezone.now() - timedelta(days=60)
        for entry in PEOPLE[:100]:
            make_subscriber(entry.address, created_at=long_ago)

        taken, _ = self.at_once(
            lambda: importing.take(PEOPLE[:100], "one"),
            lambda: retention.delete_unconfirmed(timezone.now() - retention.UNCONFIRMED),
        )

        assert Subscriber.objects.filter(status="active").count() == taken
        assert ConsentEvent.objects.filter(kind="imported").count() == taken
        assert not Subscriber.objects.filter(status="pending").exists()

    def test_two_who_prune_at_once_do_it_once(self):
        long_ago = timezone.now() - timedelta(days=60)
        for number, entry in enumerate(PEOPLE[:60]):
            status, ended_at = ("unsubscribed", long_ago) if number % 2 else ("pending", None)
            make_subscriber(entry.address, status=status, created_at=long_ago, ended_at=ended_at)

        self.at_once(retention.prune, retention.prune)

        assert Subscriber.objects.filter(status="erased").count() == Subscriber.objects.count() == 30
        assert ConsentEvent.objects.filter(kind="erased").count() == 30

    def test_a_button_pressed_eight_times_at_once_is_pressed_once(self):
        subscriber = make_subscriber(status="active", confirmed_at=timezone.now())
        path = f"/newsletter/preferences/{subscriber.token}/"

        for act, kind in (("pause", "chose"), ("leave", "left")):
            with self.subTest(act):
                press = lambda act=act: Client().post(path, {"act": act}).status_code  # noqa: E731

                assert self.at_once(*[press] * 8) == [302] * 8
                assert subscriber.consent_events.filter(kind=kind).count() == 1

    def test_a_report_and_a_claim_of_the_same_delivery_wait_for_each_other_and_no_longer(self):
        edition, (delivery,) = make_sending()
        sender = make_sender(edition)

        def report():
            with transaction.atomic():
                delivery.subscriber.lock()
                time.sleep(0.3)
                delivery.reports.create(kind="soft", source="mailbox", key="1", subscriber=delivery.subscriber)

        def claim():
            time.sleep(0.1)
            with transaction.atomic():
                return claims.claim(sender, edition, 1).recipients

        _, claimed = self.at_once(report, claim)

        assert [recipient.delivery for recipient in claimed] == [delivery.pk]
        assert delivery.reports.count() == 1
