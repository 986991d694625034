from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.utils import timezone

from newsletter import claims, reports, upkeep
from newsletter.models import Delivery, MailReport, Subscriber, Suppression
from tests.committed import CommittedTestCase

from .lists import make_edition, make_sender, make_sending, make_subscriber

Kind = MailReport.Kind
Status = Subscriber.Status


def sent_to(subscriber, *, state="sent", edition=None, **values):
    """A delivery of one more edition that has been handed over to the mail server."""
    edition = edition or make_edition()
    values = {"sender": make_sender(edition, **{state: 1}), "claimed_at": timezone.now(), **values}
    return Delivery.objects.create(edition=edition, subscriber=subscriber, state=state, **values)


def report(kind, delivery, key="1", **values):
    return reports.record(kind, "mailbox", key, delivery=delivery, **values)


class KindTests(TestCase):
    def test_only_a_wrong_address_is_hard(self):
        for status in ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"):
            assert reports.kind_of(status) == Kind.HARD, status
        for status in ("", "5.0.0", "5.1.7", "5.1.8", "5.2.1", "5.2.2", "5.4.1", "5.7.1", "5.7.26", "4.1.1", "5.11.1"):
            assert reports.kind_of(status) == Kind.SOFT, status

    def test_the_telling_status_is_found(self):
        assert reports.status_in("550-5.1.1 The email account does not exist") == "5.1.1"
        assert reports.status_in("Sorry, no mailbox here by that name. (#5.1.1)") == "5.1.1"
        assert reports.status_in("5.0.0 (550 5.1.10 not found)") == "5.1.10"
        assert reports.status_in("5.0.0 something") == "5.0.0"
        assert reports.status_in("at 15.1.1 or 192.5.1.1 or 5.1.1.9") == ""
        assert reports.status_in("٥.١.١") == ""


class RecordTests(TestCase):
    def setUp(self):
        self.subscriber = make_subscriber("ada@example.com")
        self.delivery = sent_to(self.subscriber)

    def status(self):
        return Subscriber.objects.get(pk=self.subscriber.pk).status

    def test_a_hard_bounce_ends_the_subscription_for_good(self):
        kept = report(Kind.HARD, self.delivery, status="5.1.1", diagnostic="550 <ada@example.com> is unknown here")

        assert self.status() == Status.BOUNCED
        assert Suppression.objects.for_address("ada@example.com").get().reason == Suppression.Reason.BOUNCE
        assert (kept.delivery, kept.edition, kept.status) == (self.delivery, self.delivery.edition, "5.1.1")
        assert kept.diagnostic == "550 <…> is unknown here"
        assert self.subscriber.consent_events.get().form == "mailbox"

    def test_a_complaint_ends_it_at_once(self):
        report(Kind.COMPLAINT, self.delivery)

        assert self.status() == Status.COMPLAINED
        assert Suppression.objects.for_address("ada@example.com").get().reason == Suppression.Reason.COMPLAINT

    def test_a_complaint_outweighs_having_left(self):
        self.subscriber.end(Status.UNSUBSCRIBED, form="link")

        report(Kind.COMPLAINT, self.delivery)

        assert self.status() == Status.COMPLAINED

    def test_a_report_is_kept_once(self):
        assert report(Kind.SOFT, self.delivery) is not None
        assert report(Kind.SOFT, self.delivery) is None
        assert report(Kind.HARD, self.delivery) is None

        assert MailReport.objects.count() == 1
        assert self.status() == Status.ACTIVE

    def test_the_database_keeps_it_once_too(self):
        report(Kind.SOFT, self.delivery)

        with self.assertRaises(IntegrityError), transaction.atomic():
            MailReport.objects.create(kind=Kind.SOFT, source="mailbox", key="1")
        with self.assertRaises(IntegrityError), transaction.atomic():
            MailReport.objects.create(kind="odd", source="mailbox", key="2")

    def test_one_without_delivery_or_subscriber_tells_nothing(self):
        assert reports.record(Kind.HARD, "mailbox", "1") is None
        assert not MailReport.objects.exists()

    def test_a_subscriber_alone_is_enough(self):
        reports.record(Kind.HARD, "postmark", "1", subscriber=self.subscriber)

        assert self.status() == Status.BOUNCED

    def test_what_is_older_than_the_confirmation_ends_nothing(self):
        Delivery.objects.update(claimed_at=timezone.now() - timedelta(days=1))
        self.delivery.refresh_from_db()

        assert report(Kind.HARD, self.delivery) is not None
        assert self.status() == Status.ACTIVE

    def test_an_erased_subscriber_stays_erased(self):
        self.subscriber.erase(form="desk")

        report(Kind.COMPLAINT, self.delivery)

        assert self.status() == Status.ERASED

    def test_a_hard_bounce_costs_few_queries(self):
        delivery = Delivery.objects.select_related("subscriber").get()

        with self.assertNumQueries(19):
            reports.record_refusal(delivery, 550, "5.1.1 unknown")

    def test_another_refusal_costs_fewer(self):
        delivery = Delivery.objects.select_related("subscriber").get()

        with self.assertNumQueries(8):
            reports.record_refusal(delivery, 550, "no")


class RowTests(TestCase):
    def setUp(self):
        self.subscriber = make_subscriber()

    def come_back(self, delivery, status="5.2.2", **values):
        report(Kind.SOFT, delivery, key=f"{delivery.pk}.{status}", status=status, **values)
        self.subscriber.refresh_from_db()
        return self.subscriber.status

    def test_three_editions_in_a_row_end_it(self):
        assert self.come_back(sent_to(self.subscriber)) == Status.ACTIVE
        assert self.come_back(sent_to(self.subscriber, state="failed")) == Status.ACTIVE
        assert self.come_back(sent_to(self.subscriber)) == Status.BOUNCED

    def test_one_edition_counts_once(self):
        delivery = sent_to(self.subscriber)

        for status in ("5.2.2", "5.2.1", "5.4.4", ""):
            assert self.come_back(delivery, status) == Status.ACTIVE

    def test_a_mail_that_got_through_starts_the_row_anew(self):
        self.come_back(sent_to(self.subscriber))
        self.come_back(sent_to(self.subscriber))
        sent_to(self.subscriber)

        assert self.come_back(sent_to(self.subscriber)) == Status.ACTIVE
        assert self.come_back(sent_to(self.subscriber)) == Status.ACTIVE
        assert self.come_back(sent_to(self.subscriber)) == Status.BOUNCED

    def test_an_edition_that_is_on_its_way_already_changes_nothing(self):
        deliveries = [sent_to(self.subscriber) for _ in range(4)]

        assert [self.come_back(delivery) for delivery in deliveries[:3]] == ["active", "active", "bounced"]

    def test_faults_of_ours_never_count(self):
        for status in ("5.7.1", "5.7.26", "5.6.0", "5.5.2", "5.7.606"):
            assert self.come_back(sent_to(self.subscriber, state="failed"), status) == Status.ACTIVE

        self.come_back(sent_to(self.subscriber))
        self.come_back(sent_to(self.subscriber, state="failed"), "5.7.1")
        self.come_back(sent_to(self.subscriber))
        assert self.come_back(sent_to(self.subscriber)) == Status.BOUNCED

    def test_sixty_days_are_long_enough(self):
        self.come_back(sent_to(self.subscriber))
        self.come_back(sent_to(self.subscriber))
        MailReport.objects.update(received_at=timezone.now() - timedelta(days=61))

        assert self.come_back(sent_to(self.subscriber)) == Status.ACTIVE


class EvidenceTests(TestCase):
    def setUp(self):
        self.edition, _ = make_sending()
        self.subscriber = make_subscriber()
        self.delivery = sent_to(self.subscriber, state="uncertain", edition=self.edition)

    def assert_became(self, state):
        delivery = Delivery.objects.get(pk=self.delivery.pk)
        assert delivery.state == state
        assert delivery.settled_at is not None
        sender = delivery.sender
        assert (sender.uncertain, sender.sent, sender.failed) == (0, state == "sent", state == "failed")

    def test_a_delivered_report_settles_an_uncertain_delivery(self):
        report(Kind.DELIVERED, self.delivery)

        self.assert_became("sent")
        assert MailReport.objects.get().kind == Kind.DELIVERED

    def test_so_does_a_complaint(self):
        report(Kind.COMPLAINT, self.delivery)

        self.assert_became("sent")

    def test_and_a_bounce(self):
        report(Kind.SOFT, self.delivery, diagnostic="Mailbox of <ada@example.com> is full")

        self.assert_became("failed")
        reply = Delivery.objects.get(pk=self.delivery.pk).reply
        assert reply == "Reported by mailbox: came back for now. Mailbox of <…> is full"

    def test_a_second_report_changes_no_books(self):
        report(Kind.DELIVERED, self.delivery)
        self.delivery.refresh_from_db()
        report(Kind.SOFT, self.delivery, key="2")

        self.assert_became("sent")

    def test_delivered_is_not_kept_of_a_mail_whose_fate_is_known(self):
        delivery = sent_to(make_subscriber())

        with self.assertNumQueries(0):
            assert report(Kind.DELIVERED, delivery) is None

    def test_but_of_one_that_is_being_sent(self):
        delivery = sent_to(make_subscriber(), state="uncertain")
        Delivery.objects.filter(pk=delivery.pk).update(state="sending")
        delivery.refresh_from_db()

        assert report(Kind.DELIVERED, delivery) is not None


class EarlyEvidenceTests(TestCase):
    """What is reported of a mail before its sender has died."""

    def setUp(self):
        self.edition, _ = make_sending()
        self.delivery = sent_to(make_subscriber(), state="uncertain", edition=self.edition)
        Delivery.objects.filter(pk=self.delivery.pk).update(state="sending")
        self.delivery.refresh_from_db()
        self.sender = self.delivery.sender
        type(self.sender).objects.update(uncertain=0)

    def die(self):
        claims.expire(self.sender)
        upkeep.settle()
        self.delivery.refresh_from_db()
        self.sender.refresh_from_db()
        return self.delivery.state, self.sender.uncertain, self.sender.sent, self.sender.failed

    def test_a_delivered_report(self):
        report(Kind.DELIVERED, self.delivery)
        assert Delivery.objects.get(pk=self.delivery.pk).state == "sending"

        assert self.die() == ("sent", 0, 1, 0)

    def test_a_bounce(self):
        report(Kind.SOFT, self.delivery)

        assert self.die() == ("failed", 0, 0, 1)

    def test_a_refusal_of_an_earlier_attempt_is_no_evidence(self):
        reports.record(Kind.SOFT, "smtp", "1", delivery=self.delivery)

        assert self.die() == ("uncertain", 1, 0, 0)

    def test_without_any_it_costs_one_query(self):
        assert self.die() == ("uncertain", 1, 0, 0)

        with self.assertNumQueries(1):
            upkeep.settle()


class RefusalTests(TestCase):
    def setUp(self):
        self.subscriber = make_subscriber()
        self.delivery = sent_to(self.subscriber, state="failed")

    def refuse(self, code, reply):
        return reports.record_refusal(self.delivery, code, reply)

    def test_an_unknown_address_ends_the_subscription(self):
        kept = self.refuse(550, "5.1.1 <ada@example.com>: Recipient address rejected: User unknown")

        assert (kept.kind, kept.source, kept.key) == (Kind.HARD, "smtp", f"{self.delivery.pk}.0")
        assert "@" not in kept.diagnostic
        assert Subscriber.objects.get(pk=self.subscriber.pk).status == Status.BOUNCED

    def test_a_block_does_not(self):
        assert self.refuse(554, "5.7.1 Service unavailable; client host blocked").kind == Kind.SOFT
        assert Subscriber.objects.get(pk=self.subscriber.pk).status == Status.ACTIVE

    def test_a_bare_reply_does_not(self):
        assert self.refuse(550, "No").kind == Kind.SOFT
        assert Subscriber.objects.get(pk=self.subscriber.pk).status == Status.ACTIVE

    def test_the_same_attempt_is_kept_once_and_another_beside_it(self):
        assert self.refuse(550, "No") is not None
        assert self.refuse(550, "No") is None
        self.delivery.attempts = 1
        assert self.refuse(550, "No") is not None

    def test_answers_of_an_api_and_refusals_for_now_are_no_bounces(self):
        for code in (None, 250, 421, 452, 400, 422, 600):
            assert self.refuse(code, "5.1.1 unknown") is None


class RaceTests(CommittedTestCase):
    def test_many_at_a_time_keep_one_and_end_it_once(self):
        subscriber = make_subscriber()
        deliveries = [sent_to(subscriber) for _ in range(4)]

        def come(number):
            try:
                return report(Kind.HARD, Delivery.objects.get(pk=deliveries[number % 4].pk), key=str(number % 8))
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            kept = list(pool.map(come, range(32)))

        assert sum(found is not None for found in kept) == MailReport.objects.count() == 8
        assert subscriber.consent_events.count() == 1
