from datetime import timedelta
from io import StringIO

import time_machine
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from articles.models import Category
from newsletter import retention
from newsletter.models import ConsentEvent, Delivery, Edition, MailReport, SignUp, Subscriber, Suppression

from .crowds import START, make_crowd
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

    def test_many_are_pruned_batch_by_batch(self):
        make_crowd(3_000)
        Subscriber.objects.bulk_create(
            Subscriber(email=f"{number}@example.com", email_key=f"{number}@example.com", created_at=START)
            for number in range(1_000)
        )
        ConsentEvent.objects.bulk_create(
            ConsentEvent(subscriber_id=pk, kind="left", created_at=START, network_digest="x" * 64)
            for pk in Subscriber.objects.filter(status="active").values_list("pk", flat=True)
        )

        assert retention.prune() == {
            "Unconfirmed subscribers deleted": 1_150,
            "Former subscribers anonymised": 390,
            "Networks forgotten": 2_400,
            "Sign-ups deleted": 0,
        }

        assert not Subscriber.objects.filter(status__in=["pending", "unsubscribed", "bounced", "complained"]).exists()
        assert not ConsentEvent.objects.exclude(network_digest="").exists()

    def test_it_can_be_ended_after_a_while_and_go_on(self):
        make_crowd(100)

        assert set(retention.prune(within=timedelta(microseconds=1)).values()) == {0}
        assert Subscriber.objects.filter(status="pending").exists()

        assert retention.prune(within=timedelta(minutes=1))["Unconfirmed subscribers deleted"] == 5

    def test_a_second_run_finds_nothing(self):
        self.sign_up()
        self.clock.shift(timedelta(days=40))
        self.prune()

        assert {line.rsplit(": ", 1)[1] for line in self.prune().splitlines()} == {"0"}


class ErasureTests(NewsletterTestCase):
    """What stays of somebody in every table tells nobody who it was."""

    def test_no_table_keeps_the_address_or_the_choices(self):
        subscriber = self.subscribe()
        token = subscriber.token
        topic = Category.objects.create(slug="pay", name="Pay")
        subscriber.choose_topics([topic], [], form="preferences")
        subscriber.pause(timezone.now() + timedelta(days=30), form="preferences")
        edition = Edition.objects.create(slug="may", subject="May in figures")
        delivery = Delivery.objects.create(edition=edition, subscriber=subscriber)
        subscriber.mail_reports.create(kind="soft", source="mailbox", key="1", delivery=delivery, edition=edition)
        self.send_form()
        tables = [model for model in apps.get_models() if model._meta.app_label in {"newsletter", "veltrix", "admin"}]
        assert {"Subscriber", "SignUp"} == self.tables_with(ADDRESS, tables)

        subscriber.erase(form="preferences")

        assert self.tables_with(ADDRESS, tables) == self.tables_with(token, tables) == set()
        subscriber.refresh_from_db()
        assert (subscriber.paused_until, subscriber.source) == (None, "")
        assert not Subscriber.declined_topics.through.objects.exists()
        # The edition's figures stay right.
        assert Delivery.objects.get().subscriber == subscriber
        assert MailReport.objects.get().subscriber == subscriber
        assert not ConsentEvent.objects.exclude(network_digest="").exists()

    def tables_with(self, text, tables):
        """The models of which a row holds the text in any column."""
        return {
            model.__name__
            for model in tables
            if any(text in str(value).lower() for row in model._base_manager.values_list() for value in row)
            or any(text in str(value) for row in model._base_manager.values_list() for value in row)
        }
