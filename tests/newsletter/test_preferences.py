import json
import re
from datetime import UTC, datetime, timedelta

import time_machine
from django.db import transaction
from django.test import Client, TestCase
from django.utils import timezone

from articles.models import Category
from newsletter import claims
from newsletter.models import ConsentEvent, Delivery, Edition, Sender, Subscriber, Suppression
from tests.factories import make_article
from veltrix.logs import LineFormatter

from .support import ADDRESS
from .test_models import make_subscriber

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
BEING_SENT = {"state": "sending", "scheduled_at": NOW, "audience_at": NOW, "prepared_at": NOW, "started_at": NOW}


class PreferencesTestCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.pay = Category.objects.create(slug="pay", name="Pay")
        cls.skills = Category.objects.create(slug="skills", name="Skills")
        cls.empty = Category.objects.create(slug="empty", name="Nothing published")
        for topic in (cls.pay, cls.skills):
            make_article(category=topic)
        cls.subscriber = make_subscriber(
            status="active", source="/newsletter/", confirmed_at=timezone.now(), created_at=timezone.now()
        )
        cls.path = f"/newsletter/preferences/{cls.subscriber.token}/"

    def setUp(self):
        # No test may need a cookie or a token of a form.
        self.client = Client(enforce_csrf_checks=True)

    def choose(self, act, **fields):
        return self.client.post(self.path, {"act": act, **fields})

    def choose_topics(self, *topics, offered=("pay", "skills")):
        return self.choose("topics", topic=topics, offered=offered)

    def declined(self):
        return {topic.slug for topic in self.subscriber.declined_topics.all()}

    def chosen(self):
        """The words of what was chosen, as it was written down."""
        return list(self.subscriber.consent_events.filter(kind="chose").values_list("form", "wording"))


class PageTests(PreferencesTestCase):
    def test_topics_with_articles_are_offered_and_ticked_unless_declined(self):
        self.subscriber.declined_topics.add(self.pay)

        page = self.client.get(self.path)

        self.assertContains(page, '<input type="checkbox" name="topic" value="skills" checked>', html=True)
        self.assertContains(page, '<input type="checkbox" name="topic" value="pay">', html=True)
        self.assertNotContains(page, "Nothing published")

    def test_a_topic_stands_before_those_below_it(self):
        below = Category.objects.create(slug="bonus", name="Bonus", parent=self.pay)
        make_article(category=below)

        page = self.client.get(self.path).content.decode()

        assert re.findall(r'name="offered" value="(\w+)"', page) == ["pay", "bonus", "skills"]

    def test_it_costs_the_same_for_thirty_topics(self):
        for number in range(30):
            topic = Category.objects.create(slug=f"topic-{number}", name=f"Topic {number}", parent=self.empty)
            make_article(category=topic)

        with self.assertNumQueries(5):
            self.client.get(self.path)

    def test_looking_changes_nothing(self):
        self.client.get(f"{self.path}?act=leave")
        self.client.head(self.path)
        self.client.get(f"{self.path}erase/")

        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "active"
        assert not ConsentEvent.objects.exists()

    def test_the_address_of_the_page_goes_nowhere(self):
        for response in (
            self.client.get(self.path),
            self.choose_topics("pay"),
            self.client.get(f"{self.path}erase/"),
            self.client.post(f"{self.path}data/"),
            self.client.post(f"{self.path}erase/"),
            self.client.get(self.path),
        ):
            assert "no-store" in response["Cache-Control"]
            assert response["Referrer-Policy"] == "no-referrer"
            assert response["X-Robots-Tag"] == "noindex"
            assert not response.cookies

    def test_an_unknown_or_erased_token_is_explained(self):
        token_in_letters = self.subscriber.token
        self.subscriber.erase(form="desk")

        for token in (token_in_letters, "x", "A" * 22, "a" * 3000, "%F0%9F%92%A9", "%ff"):
            for path in ("", "data/", "erase/"):
                with self.subTest(token, path=path):
                    response = self.client.post(f"/newsletter/preferences/{token}/{path}", {"act": "leave"})
                    self.assertContains(response, "belongs to no subscription", status_code=404)

    def test_other_methods_and_choices_are_refused(self):
        assert self.client.delete(self.path).status_code == 405
        assert self.client.get(f"{self.path}data/").status_code == 405
        assert self.client.put(f"{self.path}erase/").status_code == 405
        assert self.choose("everything").status_code == 400
        assert self.client.post(self.path).status_code == 400
        assert self.client.generic("POST", self.path, b"--", "multipart/form-data; boundary=").status_code == 400

    def test_the_line_that_tells_of_a_refusal_leaves_out_the_token(self):
        with self.assertLogs("django.request", "WARNING") as logs:
            self.client.delete(self.path)
            self.choose("everything")

        lines = [LineFormatter().format(record) for record in logs.records]
        assert len(lines) == 2
        for line in lines:
            assert self.subscriber.token not in line, line
            assert "/newsletter/preferences/…/" in line, line
        assert not ConsentEvent.objects.exists()

    def test_leaving_offers_it_instead(self):
        page = self.client.get(f"/newsletter/unsubscribe/{self.subscriber.token}/")

        self.assertContains(page, self.path)


class TopicTests(PreferencesTestCase):
    def test_what_is_not_ticked_is_declined(self):
        response = self.choose_topics("skills")

        self.assertContains(self.client.get(response["Location"]), "Your topics are saved.")
        assert self.declined() == {"pay"}
        assert self.chosen() == [("preferences", "All topics but: Pay.")]

        self.choose_topics("skills", "pay")

        assert self.declined() == set()
        assert self.chosen()[1:] == [("preferences", "All topics.")]

    def test_choosing_the_same_again_is_choosing_once(self):
        self.choose_topics("skills")
        self.choose_topics("skills")

        assert len(self.chosen()) == 1

    def test_a_topic_that_the_form_did_not_offer_stays_as_it_was(self):
        self.subscriber.declined_topics.add(self.empty)

        self.choose_topics("pay", offered=["pay"])

        assert self.declined() == {"empty"}

    def test_odd_topics_are_passed_over(self):
        response = self.choose_topics("no-such", "\x00", offered=["no-such", "\x00", "x" * 9000])

        assert response.status_code == 302
        assert self.declined() == set()

    def test_more_changes_than_anybody_needs_are_refused_but_leaving_is_not(self):
        for number in range(50):
            self.choose_topics(*(["pay"] if number % 2 else []))
        before = self.declined()

        response = self.choose_topics("skills", "pay")

        self.assertContains(response, "Too many changes today", status_code=429)
        assert self.declined() == before
        assert len(self.chosen()) == 50
        self.choose("leave")
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "unsubscribed"


class PauseTests(PreferencesTestCase):
    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOW, tick=False))

    def test_a_pause_lasts_thirty_days(self):
        page = self.client.get(self.choose("pause")["Location"])

        self.assertContains(page, "until 3 June 2026")
        self.subscriber.refresh_from_db()
        assert self.subscriber.paused_until == NOW + timedelta(days=30)
        assert self.chosen() == [("preferences", "Nothing until 03 June 2026.")]

        self.clock.shift(timedelta(days=30, seconds=1))
        self.assertContains(self.client.get(self.path), "once a week")

    def test_pausing_again_does_not_make_it_longer(self):
        self.choose("pause")
        self.clock.shift(timedelta(days=3))
        self.choose("pause")

        self.subscriber.refresh_from_db()
        assert self.subscriber.paused_until == NOW + timedelta(days=30)
        assert len(self.chosen()) == 1

    def test_it_can_be_ended_before_its_time(self):
        self.choose("pause")

        response = self.choose("resume")

        self.assertContains(self.client.get(response["Location"]), "The letters go on.")
        self.subscriber.refresh_from_db()
        assert self.subscriber.paused_until is None
        assert self.chosen()[1:] == [("preferences", "Go on after a pause.")]
        self.choose("resume")
        assert len(self.chosen()) == 2


class LeavingTests(PreferencesTestCase):
    def test_it_says_what_that_means_and_how_to_come_back(self):
        response = self.choose("leave")

        page = self.client.get(response["Location"])
        self.assertContains(page, "You have left")
        self.assertContains(page, "sign up again")
        self.assertNotContains(page, "Save topics")
        assert self.subscriber.consent_events.get().form == "preferences"
        assert Suppression.objects.for_address(ADDRESS).get().reason == "left"

    def test_whoever_is_not_subscribed_chooses_nothing(self):
        self.choose("leave")

        for response in (self.choose("pause"), self.choose("resume"), self.choose_topics(), self.choose("leave")):
            assert response.status_code == 302
        self.subscriber.refresh_from_db()
        assert self.subscriber.paused_until is None
        assert self.declined() == set()
        assert ConsentEvent.objects.count() == 1

    def test_other_states_are_explained(self):
        for number, (status, words) in enumerate(
            [("pending", "follow the link"), ("bounced", "came back"), ("complained", "reported as spam")]
        ):
            with self.subTest(status):
                ended_at = None if status == "pending" else timezone.now()
                subscriber = make_subscriber(f"a{number}@example.com", status=status, ended_at=ended_at)

                page = self.client.get(f"/newsletter/preferences/{subscriber.token}/")

                self.assertContains(page, words)


class DataTests(PreferencesTestCase):
    def test_all_that_is_held_is_a_file(self):
        self.choose_topics("skills")
        edition = Edition.objects.create(slug="may", subject="May in figures")
        delivery = Delivery.objects.create(edition=edition, subscriber=self.subscriber)
        self.subscriber.mail_reports.create(kind="soft", source="smtp", key="1", delivery=delivery, status="4.2.2")
        Suppression.objects.suppress(ADDRESS, Suppression.Reason.REQUEST, note="By telephone")

        response = self.client.post(f"{self.path}data/")

        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"] == 'attachment; filename="what-is-held-about-me.json"'
        held = json.loads(response.content)
        assert held["subscriber"]["address"] == ADDRESS
        assert held["subscriber"]["declined_topics"] == ["Pay"]
        assert [event["words"] for event in held["consent"]] == ["All topics but: Pay."]
        assert [edition["edition"] for edition in held["editions"]] == ["May in figures"]
        assert [report["status"] for report in held["reports_of_mail_servers"]] == ["4.2.2"]
        assert held["suppressed_as"][0]["note"] == "By telephone"

    def test_a_hundred_editions_cost_as_many_queries_as_none(self):
        for number in range(100):
            edition = Edition.objects.create(slug=f"e{number}", subject=f"Edition {number}")
            Delivery.objects.create(edition=edition, subscriber=self.subscriber)

        with self.assertNumQueries(8):
            self.client.post(f"{self.path}data/")


class ErasingTests(PreferencesTestCase):
    def test_erasing_asks_first_and_then_does(self):
        self.assertContains(self.client.get(f"{self.path}erase/"), "This cannot be undone")

        response = self.client.post(f"{self.path}erase/")

        self.assertContains(response, "It is erased")
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "erased"
        assert self.subscriber.consent_events.latest("pk").form == "preferences"
        assert self.client.post(f"{self.path}erase/").status_code == 404


class SendingTests(PreferencesTestCase):
    """A choice counts from the next claim on, whenever the edition was prepared."""

    def claim_after(self, *choices):
        edition = Edition.objects.create(slug="pay", subject="Pay", topic=self.pay, **BEING_SENT)
        Delivery.objects.create(edition=edition, subscriber=self.subscriber, due_at=NOW)
        sender = Sender.objects.create(edition=edition, host="here", process=1, lanes=1)
        for choice in choices:
            choice()
        with transaction.atomic():
            claimed = claims.claim(sender, edition, room=10)
        return len(claimed.recipients), Delivery.objects.get().skip

    def test_without_a_choice_it_is_sent(self):
        assert self.claim_after() == (1, "")

    def test_a_declined_topic_is_left_out(self):
        assert self.claim_after(lambda: self.choose_topics("skills")) == (0, "declined")

    def test_a_pause_leaves_out(self):
        assert self.claim_after(lambda: self.choose("pause")) == (0, "paused")

    def test_going_on_counts_at_once(self):
        assert self.claim_after(lambda: self.choose("pause"), lambda: self.choose("resume")) == (1, "")

    def test_who_left_is_left_out(self):
        assert self.claim_after(lambda: self.choose("leave")) == (0, "left")

    def test_who_was_erased_is_left_out(self):
        assert self.claim_after(lambda: self.client.post(f"{self.path}erase/")) == (0, "left")
        assert Subscriber.objects.get().email == ""
