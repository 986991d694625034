from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import claims, replies, upkeep
from newsletter.lanes import Outcome, Verdict
from newsletter.models import Delivery, Edition, Subscriber, Suppression
from newsletter.sending import too_many_failures
from tests.factories import make_category
from tests.newsletter.lists import make_sender, make_sending, make_subscriber

ACCEPTED = Outcome(Verdict.ACCEPTED, 250, "2.0.0 OK")
REFUSED = Outcome(Verdict.REFUSED, 550, "5.1.1 <ada@example.com>: no such mailbox")
DEFERRED = Outcome(Verdict.DEFERRED, 451, "4.2.1 later")
UNREACHABLE = Outcome(Verdict.UNREACHABLE, None, "ConnectionRefusedError")
UNKNOWN = Outcome(Verdict.UNKNOWN, None, "TimeoutError")


class ClaimTestCase(TestCase):
    def setUp(self):
        self.edition, self.deliveries = make_sending(people=4)
        self.sender = make_sender(self.edition)

    def claim(self, room=10):
        return [recipient.delivery for recipient in claims.claim(self.sender, self.edition, room).recipients]

    def record(self, outcome, delivery=None, sender=None):
        claims.record(sender or self.sender, {(delivery or self.deliveries[0]).pk: outcome})
        return Delivery.objects.get(pk=(delivery or self.deliveries[0]).pk)

    def assert_books_agree(self):
        progress = self.edition.progress()
        states = Counter(self.edition.deliveries.values_list("state", flat=True))
        for name in ("sent", "failed", "uncertain", "skipped"):
            assert getattr(progress, name) == states[name], (name, progress, states)
        assert progress.waiting == states["pending"] + states["sending"]


class ClaimTests(ClaimTestCase):
    def test_as_many_as_there_is_room_for_the_oldest_first_and_each_once(self):
        assert self.claim(3) == [delivery.pk for delivery in self.deliveries[:3]]
        assert self.claim(3) == [self.deliveries[3].pk]
        assert self.claim(3) == []

        assert set(Delivery.objects.values_list("state", "sender")) == {("sending", self.sender.pk)}

    def test_whom_to_write_to_comes_along(self):
        person = self.deliveries[0].subscriber

        (recipient,) = claims.claim(self.sender, self.edition, 1).recipients

        assert (recipient.token, recipient.address) == (person.token, person.email)

    def test_what_was_put_off_waits(self):
        Delivery.objects.filter(pk=self.deliveries[0].pk).update(due_at=Now() + timedelta(minutes=1))

        assert self.deliveries[0].pk not in self.claim()

    def test_nothing_of_an_edition_that_is_not_being_sent(self):
        self.edition.pause("A look at it.")

        assert self.claim() == []
        assert Delivery.objects.pending().count() == 4

        self.edition.resume()
        assert len(self.claim()) == 4

    def test_whoever_has_left_is_left_out(self):
        self.deliveries[0].subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="one-click")
        self.deliveries[1].subscriber.erase(form="desk")

        claimed = self.claim()

        assert claimed == [delivery.pk for delivery in self.deliveries[2:]]
        left = Delivery.objects.filter(state="skipped")
        assert list(left.values_list("skip", flat=True)) == ["left", "left"]
        self.assert_books_agree()

    def test_whoever_was_suppressed_paused_or_declined_since_is_left_out(self):
        topic = make_category()
        Edition.objects.update(topic=topic)
        self.edition.refresh_from_db()
        suppressed, paused, declined, keen = (delivery.subscriber for delivery in self.deliveries)
        Suppression.objects.suppress(suppressed.email, Suppression.Reason.REQUEST)
        Subscriber.objects.filter(pk=paused.pk).update(paused_until=timezone.now() + timedelta(days=30))
        declined.declined_topics.add(topic)

        claimed = self.claim()

        assert claimed == [self.deliveries[3].pk]
        skips = dict(Delivery.objects.values_list("subscriber", "skip"))
        assert skips == {suppressed.pk: "suppressed", paused.pk: "paused", declined.pk: "declined", keen.pk: ""}
        self.assert_books_agree()

    def test_many_cost_as_many_queries_as_one(self):
        for room in (1, 3):
            with self.assertNumQueries(6):
                claims.claim(self.sender, self.edition, room)


class RecordTests(ClaimTestCase):
    def setUp(self):
        super().setUp()
        self.claim()

    def test_what_each_outcome_makes_of_a_delivery(self):
        for outcome, state in (
            (ACCEPTED, "sent"),
            (REFUSED, "failed"),
            (DEFERRED, "pending"),
            (UNREACHABLE, "pending"),
            (UNKNOWN, "uncertain"),
        ):
            with self.subTest(state):
                Delivery.objects.filter(pk=self.deliveries[0].pk).update(state="sending")
                assert self.record(outcome).state == state

    def test_the_reply_is_kept_without_addresses(self):
        delivery = self.record(REFUSED)

        assert (delivery.code, delivery.reply) == (550, "5.1.1 <…>: no such mailbox")

    def test_addresses_in_unusual_dress_are_left_out_too(self):
        for said, kept in (
            (f"550 <ada.{'x' * 70}@example.com> unknown", "550 <…> unknown"),
            ("bounces+ada=40example.com is full", "… is full"),
            ("rcpt=ada%40mail-1.example.com", "…"),
            ("to ada\uff20example.com", "to …"),
            ("421 4.7.0 try later, delay=40, 100%40", "421 4.7.0 try later, delay=40, 100%40"),
        ):
            assert replies.without_addresses(said) == kept

    def test_the_books_follow(self):
        for delivery, outcome in zip(self.deliveries, (ACCEPTED, REFUSED, UNKNOWN, DEFERRED), strict=True):
            self.record(outcome, delivery)

        progress = self.edition.progress()
        assert (progress.sent, progress.failed, progress.uncertain, progress.retried) == (1, 1, 1, 1)
        assert progress.percent == 75
        self.assert_books_agree()

    def test_recording_twice_changes_nothing(self):
        for outcome in (ACCEPTED, UNKNOWN):
            delivery = self.deliveries[0] if outcome is ACCEPTED else self.deliveries[1]
            self.record(outcome, delivery)
            self.record(outcome, delivery)

        self.assert_books_agree()

    def test_a_mail_that_is_put_off_again_and_again_fails_in_the_end(self):
        states = []
        for _ in range(len(claims.RETRY_AFTER) + 1):
            Delivery.objects.update(due_at=Now())
            self.claim()
            states.append(self.record(DEFERRED).state)

        assert states == ["pending"] * len(claims.RETRY_AFTER) + ["failed"]

    def test_being_put_off_waits_and_having_no_server_does_not_count_as_an_attempt(self):
        deferred = self.record(DEFERRED)
        unreachable = self.record(UNREACHABLE, self.deliveries[1])

        assert timedelta(seconds=50) < deferred.due_at - timezone.now() < timedelta(seconds=61)
        assert deferred.attempts == 1
        assert unreachable.attempts == 0
        assert self.claim() == [unreachable.pk]

    def test_another_sender_cannot_say_what_came_of_it(self):
        assert self.record(ACCEPTED, sender=make_sender(self.edition)).state == "sending"


class LostSenderTests(ClaimTestCase):
    def setUp(self):
        super().setUp()
        self.claim(2)

    def lose(self):
        self.sender.__class__.objects.update(heartbeat_at=F("heartbeat_at") - claims.LEASE * 2)
        upkeep.tick()
        self.sender.refresh_from_db()

    def test_what_it_was_sending_becomes_uncertain_and_is_not_sent_again(self):
        self.lose()

        assert self.sender.is_lost
        assert [d.state for d in Delivery.objects.order_by("pk")] == ["uncertain", "uncertain", "pending", "pending"]
        other = make_sender(self.edition)
        claimed = [r.delivery for r in claims.claim(other, self.edition, 10).recipients]
        assert claimed == [delivery.pk for delivery in self.deliveries[2:]]
        self.assert_books_agree()

    def test_one_that_gives_a_sign_of_life_is_left_alone(self):
        upkeep.tick()

        self.sender.refresh_from_db()
        assert self.sender.ended_at is None
        assert claims.beat(self.sender)

    def test_a_lost_one_gets_no_more_work_and_its_late_word_is_evidence(self):
        self.lose()

        assert not claims.beat(self.sender)
        assert self.record(ACCEPTED).state == "sent"
        assert self.record(UNREACHABLE, self.deliveries[1]).state == "pending"
        self.assert_books_agree()

    def test_what_a_lane_said_to_be_uncertain_was_begun(self):
        self.record(UNKNOWN)

        assert claims.begun_by_nobody(self.sender, []) == [self.deliveries[1].pk]
        self.lose()
        assert claims.begun_by_nobody(self.sender, []) == [self.deliveries[1].pk]
        assert claims.begun_by_nobody(self.sender, [self.deliveries[1].pk]) == []

    def test_one_that_ends_without_a_word_on_its_mails_is_lost(self):
        claims.end(self.sender)
        self.sender.refresh_from_db()
        assert self.sender.ended_at is None

        self.lose()
        assert Delivery.objects.uncertain().count() == 2
        self.assert_books_agree()

    def test_a_dead_process_is_known_to_its_parent_at_once(self):
        upkeep.expire_process("elsewhere", 1)
        assert Delivery.objects.uncertain().count() == 0

        upkeep.expire_process("here", 1)
        assert Delivery.objects.uncertain().count() == 2

    def test_an_operator_settles_it_once(self):
        self.lose()
        first, second = Delivery.objects.uncertain().order_by("pk")

        assert claims.settle(first, Delivery.State.SENT, "Found in the log of the mail server for ada@example.com.")
        assert not claims.settle(first, Delivery.State.PENDING, "")
        assert claims.settle(second, Delivery.State.PENDING, "Not in the log.")

        first.refresh_from_db()
        assert (first.state, first.reply) == ("sent", "Found in the log of the mail server for …")
        self.assert_books_agree()


class UpkeepTests(ClaimTestCase):
    def states(self):
        self.edition.refresh_from_db()
        return self.edition.state

    def test_an_edition_ends_when_nothing_waits_and_what_is_uncertain_does_not_hold_it_up(self):
        self.claim(3)
        for delivery in self.deliveries[:3]:
            self.record(UNKNOWN, delivery)
        upkeep.tick()
        assert self.states() == "sending"

        self.claim()
        upkeep.tick()
        assert self.states() == "sending"

        self.record(ACCEPTED, self.deliveries[3])
        upkeep.tick()
        assert self.states() == "sent"
        assert self.edition.finished_at

    def test_it_goes_on_when_it_turns_out_that_something_was_not_sent(self):
        self.claim()
        for delivery in self.deliveries:
            self.record(UNKNOWN, delivery)
        upkeep.tick()
        assert self.states() == "sent"

        claims.settle(self.deliveries[0], Delivery.State.PENDING, "Not in the log.")
        upkeep.tick()

        assert self.states() == "sending"
        assert self.claim() == [self.deliveries[0].pk]

    def test_a_cancelled_edition_is_emptied_and_what_has_left_has_left(self):
        self.claim(1)
        self.record(ACCEPTED)
        self.edition.cancel()

        with patch.object(upkeep, "BATCH", 2):
            while upkeep.tick():
                pass

        assert self.states() == "cancelled"
        assert Counter(Delivery.objects.values_list("state", "skip")) == {("sent", ""): 1, ("skipped", "cancelled"): 3}
        progress = self.edition.progress()
        assert (progress.withdrawn, progress.waiting, progress.percent) == (3, 0, 100)

    def test_rounds_without_anything_due_cost_few_queries(self):
        self.edition.pause("A look at it.")

        with self.assertNumQueries(8):
            upkeep.tick()


class FailureTests(TestCase):
    def setUp(self):
        self.edition, _ = make_sending()
        self.sender = make_sender(self.edition, sent=95, failed=5)

    @override_settings(NEWSLETTER_FAILURES_PERCENT=5)
    def test_too_many_refusals(self):
        assert too_many_failures(self.edition) == ""

        make_sender(self.edition, failed=1)
        assert too_many_failures(self.edition) == "6 of 101 mails were refused."

    @override_settings(NEWSLETTER_FAILURES_PERCENT=5)
    def test_a_few_mails_say_nothing_and_a_resumed_edition_starts_afresh(self):
        make_sender(self.edition, failed=50)
        assert too_many_failures(self.edition)

        self.edition.pause("Refused.")
        self.edition.resume()
        self.edition.__class__.objects.update(resumed_at=timezone.now() + timedelta(seconds=1))
        self.edition.refresh_from_db()
        assert too_many_failures(self.edition) == ""

    def test_complaints(self):
        for number in range(1, 3):
            reason = too_many_failures(self.edition)
            assert bool(reason) == (number > 1), reason
            self.edition.reports.create(kind="complaint", source="mailbox", key=str(number))
        assert too_many_failures(self.edition) == "2 of 100 readers reported the edition as spam."

    def test_late_complaints_of_mails_from_before_a_pause_do_not_count_against_those_after_it(self):
        resumed_at = timezone.now() - timedelta(minutes=1)
        Edition.objects.update(resumed_at=resumed_at)
        self.edition.refresh_from_db()
        for number, claimed_at in enumerate((resumed_at - timedelta(hours=1), resumed_at + timedelta(seconds=1)), 1):
            delivery = Delivery.objects.create(
                edition=self.edition,
                subscriber=make_subscriber(),
                state="sent",
                sender=self.sender,
                claimed_at=claimed_at,
            )
            for again in range(2):
                self.edition.reports.create(
                    kind="complaint", source="mailbox", key=f"{number}.{again}", delivery=delivery
                )
            assert bool(too_many_failures(self.edition)) == (number > 1), number


class QueueTests(TestCase):
    def test_the_queue_is_vacuumed_before_it_grows_a_tail(self):
        if connection.vendor != "postgresql":
            self.assertEqual(connection.vendor, "sqlite")
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'newsletter_delivery'")
            (options,) = cursor.fetchone()

        assert "autovacuum_vacuum_threshold=20000" in options
