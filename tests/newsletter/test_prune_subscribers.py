from datetime import timedelta
from io import StringIO

import time_machine
from django.core.management import call_command

from newsletter.models import ConsentEvent, SignUp, Subscriber, Suppression

from .support import ADDRESS, NewsletterTestCase

NOW = "2026-05-04T09:00:00Z"


class PruneTests(NewsletterTestCase):
    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOW))

    def prune(self):
        out = StringIO()
        call_command("prune_subscribers", stdout=out)
        return out.getvalue()

    def test_unconfirmed_ones_are_deleted_after_thirty_days(self):
        self.sign_up()
        self.clock.shift(timedelta(days=29))
        self.prune()
        assert Subscriber.objects.exists()

        self.clock.shift(timedelta(days=2))
        assert "Unconfirmed subscribers deleted: 1" in self.prune()
        assert not Subscriber.objects.exists()
        assert not ConsentEvent.objects.exists()

    def test_thirty_days_count_from_the_last_request(self):
        self.sign_up()
        self.clock.shift(timedelta(days=29))
        self.sign_up()
        self.clock.shift(timedelta(days=2))

        self.prune()

        assert Subscriber.objects.exists()

    def test_confirmed_ones_stay_with_their_evidence_but_not_their_network(self):
        self.subscribe()
        self.clock.shift(timedelta(days=29))
        self.prune()
        assert ConsentEvent.objects.exclude(network_digest="").count() == 2

        self.clock.shift(timedelta(days=2))
        assert "Networks forgotten: 2" in self.prune()

        assert Subscriber.objects.get().status == "active"
        assert ConsentEvent.objects.filter(network_digest="").count() == 2

    def test_who_left_is_a_hash_after_thirty_days(self):
        self.subscribe().end(Subscriber.Status.UNSUBSCRIBED, form="link")
        self.clock.shift(timedelta(days=29))
        self.prune()
        assert Subscriber.objects.get().email == ADDRESS

        self.clock.shift(timedelta(days=2))
        assert "Former subscribers anonymised: 1" in self.prune()

        assert Subscriber.objects.get().email == ""
        assert Suppression.objects.for_address(ADDRESS).exists()

    def test_sign_ups_are_forgotten_once_no_limit_needs_them(self):
        self.sign_up()
        self.send_form("grace@example.com")
        self.clock.shift(timedelta(hours=23))
        self.prune()
        assert SignUp.objects.count() == 2

        self.clock.shift(timedelta(hours=2))
        self.prune()
        assert SignUp.objects.get().email == "grace@example.com"

        self.clock.shift(timedelta(days=7))
        self.prune()
        assert not SignUp.objects.exists()

    def test_a_second_run_finds_nothing(self):
        self.sign_up()
        self.clock.shift(timedelta(days=40))
        self.prune()

        assert {line.rsplit(": ", 1)[1] for line in self.prune().splitlines()} == {"0"}
