from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from django.db import IntegrityError, OperationalError, transaction
from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import eligibility, preparation, upkeep
from newsletter.models import Delivery, Edition, EditionContent, Exclusion, NotPossibleError, Subscriber, Suppression
from tests.factories import make_category
from tests.newsletter.lists import make_edition, make_subscriber


class PreparationTests(TestCase):
    def prepared(self, **values):
        edition = make_edition(**values)
        edition.schedule(timezone.now())
        while upkeep.tick():
            pass
        edition.refresh_from_db()
        return edition

    def exclusions(self, edition):
        return dict(edition.exclusions.values_list("reason", "number"))

    def addresses(self, edition):
        return set(edition.deliveries.values_list("subscriber__email", flat=True))

    def assert_adds_up(self, edition):
        assert edition.candidates == edition.deliveries_made + sum(self.exclusions(edition).values())
        assert edition.deliveries_made == edition.deliveries.count()

    def test_everybody_who_is_subscribed_gets_one_delivery(self):
        ada, bob = make_subscriber(), make_subscriber()
        make_subscriber(status="pending", confirmed_at=None)
        make_subscriber(status="unsubscribed", ended_at=timezone.now())

        edition = self.prepared()

        assert self.addresses(edition) == {ada.email, bob.email}
        assert edition.candidates == 2
        assert edition.state == "sending"
        self.assert_adds_up(edition)

    def test_batches_neither_lose_nor_repeat_anybody(self):
        for _ in range(7):
            make_subscriber()

        for batch in (1, 3, 7, 8):
            with self.subTest(batch), patch.object(preparation, "BATCH", batch):
                edition = self.prepared()
                assert edition.deliveries_made == 7
                self.assert_adds_up(edition)

    def test_a_crash_between_batches_goes_on_where_it_was(self):
        for _ in range(5):
            make_subscriber()
        edition = make_edition()
        edition.schedule(timezone.now())
        preparation.begin(edition)

        with patch.object(preparation, "BATCH", 2):
            preparation.prepare_batch(edition)
            with (
                patch.object(preparation, "_count", side_effect=KeyboardInterrupt),
                self.assertRaises(KeyboardInterrupt),
                transaction.atomic(),
            ):
                preparation.prepare_batch(edition)
            edition.refresh_from_db()
            while preparation.prepare_batch(edition):
                pass

        assert edition.deliveries_made == 5
        self.assert_adds_up(edition)

    def test_who_confirms_after_the_audience_was_frozen_waits_for_the_next(self):
        make_subscriber()
        edition = make_edition()
        edition.schedule(timezone.now())
        preparation.begin(edition)
        make_subscriber(confirmed_at=timezone.now() + timedelta(seconds=5))

        preparation.prepare_batch(edition)

        assert edition.candidates == edition.deliveries_made == 1

    def test_the_suppressed_are_counted_and_get_none(self):
        kept, suppressed = make_subscriber(), make_subscriber()
        Suppression.objects.suppress(suppressed.email, Suppression.Reason.REQUEST)

        edition = self.prepared()

        assert self.addresses(edition) == {kept.email}
        assert self.exclusions(edition) == {"suppressed": 1}
        self.assert_adds_up(edition)

    def test_those_who_have_paused_it_are_counted_until_their_pause_is_over(self):
        back = make_subscriber(paused_until=timezone.now() - timedelta(minutes=1))
        make_subscriber(paused_until=timezone.now() + timedelta(days=3))

        edition = self.prepared()

        assert self.addresses(edition) == {back.email}
        assert self.exclusions(edition) == {"paused": 1}

    def test_a_topic_leaves_out_those_who_have_declined_it(self):
        pay, skills = make_category("Pay"), make_category("Skills")
        keen, tired = make_subscriber(), make_subscriber()
        tired.declined_topics.add(pay)
        keen.declined_topics.add(skills)

        assert self.addresses(self.prepared(topic=pay)) == {keen.email}
        assert self.exclusions(self.prepared(topic=pay)) == {"declined": 1}
        assert self.addresses(self.prepared()) == {keen.email, tired.email}

    def test_a_segment_by_source_and_by_days(self):
        early = make_subscriber(source="/newsletter/", created_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
        late = make_subscriber(source="/newsletter/", created_at=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
        make_subscriber(source="/articles/a/", created_at=datetime(2026, 3, 2, 12, 0, tzinfo=UTC))

        by_source = self.prepared(source="/newsletter/")
        by_day = self.prepared(signed_up_from=date(2026, 3, 1), signed_up_until=date(2026, 3, 1))

        assert self.addresses(by_source) == {early.email, late.email}
        assert self.exclusions(by_source) == {"source": 1}
        assert self.addresses(by_day) == {early.email}
        assert self.exclusions(by_day) == {"date": 2}
        self.assert_adds_up(by_day)

    def test_days_at_the_ends_of_the_calendar_are_as_good_as_none(self):
        ada = make_subscriber()

        assert self.addresses(self.prepared(signed_up_from=date.min, signed_up_until=date.max)) == {ada.email}
        assert self.addresses(self.prepared(signed_up_from=date.max, signed_up_until=date.max)) == set()

    def test_a_batch_costs_as_many_queries_for_a_hundred_as_for_one(self):
        numbers = []
        for people in (1, 100):
            for _ in range(people):
                make_subscriber()
            edition = make_edition()
            edition.schedule(timezone.now())
            preparation.begin(edition)
            with self.assertNumQueries(8):
                preparation.prepare_batch(edition)
            numbers.append(edition.deliveries_made)

        assert numbers == [1, 101]

    def test_an_edition_that_is_not_due_waits(self):
        edition = make_edition()
        edition.schedule(timezone.now() + timedelta(hours=1))

        upkeep.tick()

        edition.refresh_from_db()
        assert edition.state == "scheduled"
        assert not EditionContent.objects.exists()

    def test_what_was_frozen_stays_as_it_is(self):
        edition = self.prepared()
        edition.subject = "Another subject"
        edition.save()

        content = EditionContent.objects.get()
        assert content.subject != "Another subject"
        with self.assertRaises(IntegrityError), transaction.atomic():
            EditionContent.objects.update(subject="Another subject")
        with self.assertRaises(IntegrityError), transaction.atomic():
            content.delete()

    def test_an_edition_that_cannot_be_composed_is_paused_with_the_reason_and_can_be_resumed(self):
        edition = make_edition()
        edition.schedule(timezone.now())
        with (
            patch("newsletter.composing.freeze", side_effect=ValueError("no such figure")),
            self.assertLogs("newsletter.preparation", "ERROR"),
        ):
            upkeep.tick()

        edition.refresh_from_db()
        assert edition.state == "paused"
        assert edition.pause_reason == "It could not be composed: ValueError: no such figure"

        edition.resume()
        assert edition.state == "scheduled"
        upkeep.tick()
        edition.refresh_from_db()
        assert edition.state == "sent"

    @override_settings(DEFAULT_FROM_EMAIL="The AI\u2028Briefing <briefing@veltrix.example>")
    def test_an_edition_that_is_no_mail_is_paused_before_a_sender_takes_it_up(self):
        edition = make_edition()
        edition.schedule(timezone.now())

        with self.assertLogs("newsletter.preparation", "ERROR"):
            upkeep.tick()

        edition.refresh_from_db()
        assert (edition.state, edition.audience_at) == ("paused", None)
        assert "Header values" in edition.pause_reason

    def test_a_database_that_is_away_for_a_moment_pauses_nothing(self):
        edition = make_edition()
        edition.schedule(timezone.now())
        locked = patch("newsletter.composing.freeze", side_effect=OperationalError("database is locked"))
        with locked, self.assertRaises(OperationalError):
            upkeep.tick()

        edition.refresh_from_db()
        assert edition.state == "scheduled"
        upkeep.tick()
        edition.refresh_from_db()
        assert edition.state == "sent"

    def test_an_edition_that_cannot_be_prepared_is_paused_and_keeps_no_other_waiting(self):
        make_subscriber()
        broken, sound = make_edition(), make_edition()
        for edition in (broken, sound):
            edition.schedule(timezone.now())
            preparation.begin(edition)
        exclusion = eligibility.exclusion

        def fail(candidate, suppressed):
            # Once, for the edition that comes first.
            eligibility.exclusion = exclusion
            raise ValueError("no such segment")

        eligibility.exclusion = fail
        self.addCleanup(setattr, eligibility, "exclusion", exclusion)
        with self.assertLogs("newsletter.preparation", "ERROR"):
            upkeep.tick()

        reasons = sorted(edition.pause_reason for edition in Edition.objects.all())
        assert reasons == ["", "It could not be prepared: ValueError: no such segment"]
        assert Delivery.objects.count() == 1

    def test_a_paused_preparation_goes_on(self):
        make_subscriber()
        edition = make_edition()
        edition.schedule(timezone.now())
        preparation.begin(edition)
        edition.pause("A look at it.")

        assert not preparation.prepare_batch(edition)
        assert not Delivery.objects.exists()

        edition.resume()
        preparation.prepare_batch(edition)
        assert Delivery.objects.count() == 1


class StateTests(TestCase):
    def test_an_act_that_the_state_does_not_allow_says_so_and_changes_nothing(self):
        edition = make_edition()

        for act, words in (
            (lambda: edition.pause("Why?"), "The edition’s state is “Draft”: there is nothing to pause."),
            (edition.resume, "The edition’s state is “Draft”: there is nothing to resume."),
            (edition.unschedule, "The edition’s state is “Draft”: there is nothing to take back."),
            (edition.cancel, "The edition’s state is “Draft”: there is nothing to cancel."),
        ):
            with self.subTest(words), self.assertRaisesMessage(NotPossibleError, words):
                act()
            edition.refresh_from_db()
            assert edition.state == "draft"

    def test_a_scheduled_edition_can_be_taken_back(self):
        edition = make_edition()
        edition.schedule(timezone.now())

        edition.unschedule()

        assert (edition.state, edition.scheduled_at) == ("draft", None)

    def test_the_database_refuses_what_no_method_does(self):
        for wrong in (
            {"state": "sending"},
            {"state": "scheduled"},
            {"state": "paused", "scheduled_at": timezone.now()},
            {"pause_reason": "Because"},
            {"state": "lost"},
            {"signed_up_from": date(2026, 2, 2), "signed_up_until": date(2026, 2, 1)},
        ):
            with self.subTest(wrong), self.assertRaises(IntegrityError), transaction.atomic():
                make_edition(**wrong)

    def test_there_is_one_delivery_for_each_subscriber_and_one_count_for_each_reason(self):
        edition, person = make_edition(), make_subscriber()
        Delivery.objects.create(edition=edition, subscriber=person)
        Exclusion.objects.create(edition=edition, reason="paused")

        with self.assertRaises(IntegrityError), transaction.atomic():
            Delivery.objects.create(edition=edition, subscriber=person)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Exclusion.objects.create(edition=edition, reason="paused")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Delivery.objects.update(state="sent")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Delivery.objects.update(state="skipped")
        assert Subscriber.objects.count() == 1
