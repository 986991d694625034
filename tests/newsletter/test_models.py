from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from newsletter import addresses
from newsletter.models import AppendOnlyError, ConsentEvent, SignUp, Subscriber, Suppression

ADDRESS = "ada@example.com"


def make_subscriber(address=ADDRESS, **values):
    return Subscriber.objects.create(email=address, email_key=addresses.key(address), **values)


class ConstraintTestCase(TestCase):
    def assert_both_refuse(self, row, message):
        """The form's words, and the database's refusal of the same row."""
        with self.assertRaises(ValidationError) as caught:
            row.validate_constraints()
        assert message in " ".join(caught.exception.messages)
        with self.assertRaises(IntegrityError), transaction.atomic():
            row.save()


class SubscriberConstraintTests(ConstraintTestCase):
    def subscriber(self, **values):
        return Subscriber(**{"email": "grace@example.com", "email_key": "grace@example.com", **values})

    def test_a_usual_row_of_each_state_is_accepted(self):
        now = timezone.now()
        for number, values in enumerate(
            [
                {"status": "pending"},
                {"status": "active", "confirmed_at": now},
                {"status": "unsubscribed", "confirmed_at": now, "ended_at": now},
                {"status": "bounced", "ended_at": now},
                {"status": "complained", "ended_at": now},
                {"status": "erased", "email": "", "email_key": "", "ended_at": now},
                {"status": "erased", "email": "", "email_key": "", "ended_at": now},
            ]
        ):
            with self.subTest(values):
                row = self.subscriber(**{"email": "a@example.com", "email_key": f"a{number}@example.com", **values})
                row.validate_constraints()
                row.save()

    def test_one_subscriber_for_each_address(self):
        make_subscriber("Grace@Example.com")

        self.assert_both_refuse(self.subscriber(), "on the list already")

    def test_the_status_is_a_known_one(self):
        self.assert_both_refuse(self.subscriber(status="asleep", ended_at=timezone.now()), "one of the states")

    def test_only_an_erased_one_has_no_address(self):
        message = "Only an erased subscriber has no address"
        now = timezone.now()
        self.assert_both_refuse(self.subscriber(status="erased", ended_at=now), message)
        self.assert_both_refuse(self.subscriber(status="erased", email="", ended_at=now), message)
        self.assert_both_refuse(self.subscriber(email=""), message)
        self.assert_both_refuse(self.subscriber(email_key=""), message)

    def test_nobody_is_subscribed_without_confirmation(self):
        self.assert_both_refuse(self.subscriber(status="active"), "without having confirmed")

    def test_who_confirmed_is_not_pending(self):
        self.assert_both_refuse(self.subscriber(confirmed_at=timezone.now()), "is not pending")

    def test_an_end_has_a_moment(self):
        message = "the moment of its end"
        now = timezone.now()
        self.assert_both_refuse(self.subscriber(status="unsubscribed"), message)
        self.assert_both_refuse(self.subscriber(status="active", confirmed_at=now, ended_at=now), message)

    def test_a_token_belongs_to_one_subscriber(self):
        first = make_subscriber()

        with self.assertRaises(IntegrityError), transaction.atomic():
            self.subscriber(token=first.token).save()
        with self.assertRaises(ValidationError):
            self.subscriber(token=first.token).full_clean()

    def test_tokens_have_128_bits_and_are_short(self):
        tokens = {make_subscriber(f"a{number}@example.com").token for number in range(20)}

        assert len(tokens) == 20
        assert {len(token) for token in tokens} == {22}


class SubscriberTests(TestCase):
    def test_its_name_in_logs_holds_no_address(self):
        assert ADDRESS not in str(make_subscriber())

    def test_the_log_tells_each_end_by_number(self):
        subscriber = make_subscriber(status="active", confirmed_at=timezone.now())

        with (
            self.assertLogs("newsletter.models.subscribers", "INFO") as logs,
            self.captureOnCommitCallbacks(execute=True),
        ):
            subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
            subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
            subscriber.erase(form="link")

        told = [record.getMessage() for record in logs.records]
        assert told == [f"Subscriber {subscriber.pk}: left", f"Subscriber {subscriber.pk}: erased"]

    def test_each_end_is_recorded_and_suppresses(self):
        for status, kind, reason in [
            ("unsubscribed", "left", "left"),
            ("bounced", "bounced", "bounce"),
            ("complained", "complained", "complaint"),
        ]:
            with self.subTest(status):
                subscriber = make_subscriber(f"{status}@example.com", status="active", confirmed_at=timezone.now())

                assert subscriber.end(Subscriber.Status(status), form="provider")

                subscriber.refresh_from_db()
                assert subscriber.status == status
                assert subscriber.consent_events.get().kind == kind
                assert Suppression.objects.for_address(subscriber.email).get().reason == reason

    def test_a_complaint_after_leaving_counts_and_leaving_after_a_complaint_does_not(self):
        subscriber = make_subscriber()
        subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")

        assert subscriber.end(Subscriber.Status.COMPLAINED, form="provider")
        assert not subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")

        assert subscriber.status == "complained"
        assert Suppression.objects.get().reason == "complaint"

    def test_erasing_leaves_nothing_but_the_hash(self):
        subscriber = make_subscriber(status="active", confirmed_at=timezone.now())
        token = subscriber.token
        subscriber.consent_events.create(kind="confirmed", form="/", wording="Yes", network_digest="a" * 64)
        SignUp.objects.create(email="ADA@example.com", form="/", wording="Yes", network_digest="a" * 64)

        assert subscriber.erase(form="desk")
        assert not subscriber.erase(form="desk")

        subscriber.refresh_from_db()
        assert (subscriber.email, subscriber.email_key, subscriber.status) == ("", "", "erased")
        assert subscriber.token != token
        assert list(subscriber.consent_events.values_list("kind", "network_digest")) == [
            ("confirmed", ""),
            ("erased", ""),
        ]
        assert not SignUp.objects.exists()
        assert Suppression.objects.for_address(ADDRESS).get().reason == "left"

    def test_erasing_after_a_complaint_keeps_its_reason(self):
        subscriber = make_subscriber()
        subscriber.end(Subscriber.Status.COMPLAINED, form="provider")

        subscriber.erase(form="desk")

        assert Suppression.objects.for_address(ADDRESS).get().reason == "complaint"


class ConsentEventTests(ConstraintTestCase):
    def setUp(self):
        self.subscriber = make_subscriber()
        self.event = self.subscriber.consent_events.create(kind="asked", form="/newsletter/", wording="Yes")

    def test_it_is_never_changed(self):
        self.event.form = "elsewhere"

        with self.assertRaises(AppendOnlyError):
            self.event.save()
        with self.assertRaises(AppendOnlyError):
            ConsentEvent.objects.update(form="elsewhere")
        assert ConsentEvent.objects.get().form == "/newsletter/"

    def test_it_is_never_deleted_by_itself(self):
        with self.assertRaises(AppendOnlyError):
            self.event.delete()
        with self.assertRaises(AppendOnlyError):
            ConsentEvent.objects.all().delete()
        with self.assertRaises(AppendOnlyError):
            self.subscriber.consent_events.all().delete()
        assert ConsentEvent.objects.exists()

    def test_what_happened_is_a_known_thing(self):
        self.assert_both_refuse(ConsentEvent(subscriber=self.subscriber, kind="slept", form="/"), "what happened")

    def test_consent_is_kept_with_its_words(self):
        for kind in ("asked", "confirmed"):
            self.assert_both_refuse(ConsentEvent(subscriber=self.subscriber, kind=kind, form="/"), "with the words")
        ConsentEvent(subscriber=self.subscriber, kind="left", form="link").save()


class SignUpConstraintTests(ConstraintTestCase):
    def test_the_address_is_kept_until_it_is_dealt_with(self):
        kept = {"form": "/", "wording": "Yes", "network_digest": "a" * 64}
        SignUp.objects.create(email=ADDRESS, **kept)
        SignUp.objects.create(email="", handled_at=timezone.now(), **kept)

        self.assert_both_refuse(SignUp(email="", **kept), "no longer")
        self.assert_both_refuse(SignUp(email=ADDRESS, handled_at=timezone.now(), **kept), "no longer")


class AddressTests(TestCase):
    def test_spellings_of_one_address_share_a_key(self):
        spellings = ["Ada@Example.com", "ada@EXAMPLE.COM", " ada@example.com "]

        assert {addresses.key(spelling) for spelling in spellings} == {ADDRESS}
        assert addresses.key("ada@bücher.example") == addresses.key("ADA@xn--bcher-kva.EXAMPLE")

    def test_dots_and_tags_make_other_addresses(self):
        assert len({addresses.key(a) for a in ("ada@example.com", "a.da@example.com", "ada+news@example.com")}) == 3

    def test_letters_that_only_look_like_those_of_ascii_are_refused(self):
        for local in ("\N{KELVIN SIGN}elly", "ma\N{LATIN SMALL LETTER LONG S}k", "\N{LATIN SMALL LETTER DOTLESS I}da"):
            with self.assertRaises(ValidationError):
                addresses.canonical(f"{local}@example.com")

    def test_the_local_part_keeps_its_case_for_sending(self):
        assert addresses.canonical("Ada@EXAMPLE.com") == "Ada@example.com"
