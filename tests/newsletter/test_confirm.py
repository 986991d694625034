from datetime import timedelta

import time_machine
from django.conf import settings
from django.core.signing import TimestampSigner
from django.test import Client, override_settings

from newsletter import signing
from newsletter.models import ConsentEvent, Subscriber, Suppression

from .support import ADDRESS, NewsletterTestCase, link_in

NOW = "2026-05-04T09:00:00Z"


class ConfirmTests(NewsletterTestCase):
    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOW))
        self.sign_up()
        self.link = link_in(self.mailbox.letters[0], "confirm")

    def status(self):
        return Subscriber.objects.get().status

    def test_following_the_link_shows_a_button_and_changes_nothing(self):
        page = self.client.get(self.link)

        self.assertContains(page, "Yes, send me The AI Briefing")
        self.assertContains(page, ADDRESS)
        self.client.head(self.link)
        assert self.status() == "pending"
        assert ConsentEvent.objects.count() == 1

    def test_pressing_the_button_subscribes(self):
        response = self.post(self.link)

        self.assertRedirects(response, "/newsletter/confirmed/")
        subscriber = Subscriber.objects.get()
        assert subscriber.status == "active"
        assert subscriber.confirmed_at.isoformat().startswith("2026-05-04T09:00")
        event = ConsentEvent.objects.latest("pk")
        assert (event.kind, event.form, event.wording) == ("confirmed", "/newsletter/", "Yes, send me The AI Briefing")

    def test_the_welcome_follows_once(self):
        self.post(self.link)
        self.post(self.link)

        subjects = [letter["Subject"] for letter in self.mailbox.letters[1:]]
        assert subjects == ["Welcome to The AI Briefing"]

    def test_pressing_twice_is_pressing_once(self):
        self.post(self.link)
        confirmed_at = Subscriber.objects.get().confirmed_at
        self.clock.shift(timedelta(hours=1))

        response = self.post(self.link)

        self.assertRedirects(response, "/newsletter/confirmed/")
        assert Subscriber.objects.get().confirmed_at == confirmed_at
        assert ConsentEvent.objects.filter(kind="confirmed").count() == 1

    def test_no_cookie_is_needed_and_none_is_set(self):
        client = Client(enforce_csrf_checks=True)

        answers = [client.get(self.link), client.post(self.link), client.get("/newsletter/confirmed/")]

        assert [answer.status_code for answer in answers] == [200, 302, 200]
        assert not any(answer.cookies for answer in answers)

    def test_the_address_of_the_page_goes_nowhere(self):
        for response in (
            self.client.get(self.link),
            self.client.post(self.link),
            self.client.get("/newsletter/confirm/x/"),
        ):
            assert "no-store" in response["Cache-Control"]
            assert response["Referrer-Policy"] == "no-referrer"
            assert response["X-Robots-Tag"] == "noindex"

    def test_other_methods_are_refused(self):
        assert self.client.put(self.link).status_code == 405
        assert self.client.post("/newsletter/confirmed/").status_code == 405

    def test_the_link_works_for_seven_days(self):
        self.clock.shift(timedelta(days=6, hours=23))
        assert self.client.get(self.link).status_code == 200

        self.clock.shift(timedelta(hours=2))
        for response in (self.client.get(self.link), self.post(self.link)):
            self.assertContains(response, 'href="/newsletter/"', status_code=410)
        assert self.status() == "pending"

    def test_forged_and_odd_links_are_unknown(self):
        event = ConsentEvent.objects.get()
        other_key = TimestampSigner(key="another key", salt="newsletter.confirm", sep=".").sign(str(event.pk))
        other_purpose = TimestampSigner(salt="newsletter.stamp", sep=".").sign(str(event.pk))
        odd = ["x", "..", "1.2.3", "%F0%9F%92%A9", "%ff", "a" * 3000, "%0d%0aX:y", "%5C", "1.%31"]
        for token in [other_key, other_purpose, *odd]:
            for method in (self.client.get, self.client.post):
                with self.subTest(token=token, method=method.__name__):
                    response = method(f"/newsletter/confirm/{token}/")
                    self.assertContains(response, 'href="/newsletter/"', status_code=404)
        assert self.client.get("/newsletter/confirm/%00/").status_code == 400
        assert self.status() == "pending"

    def test_the_link_of_a_deleted_subscriber_is_gone(self):
        Subscriber.objects.get().erase(form="desk")

        assert self.client.get(self.link).status_code == 410
        assert self.post(self.link).status_code == 410

        Subscriber.objects.all().delete()
        assert self.client.get(self.link).status_code == 410

    def test_the_token_of_another_event_confirms_nothing(self):
        self.post(self.link)
        subscriber = Subscriber.objects.get()
        subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        left = subscriber.consent_events.get(kind="left")

        assert self.post(f"/newsletter/confirm/{signing.sign_confirmation(left.pk)}/").status_code == 410
        assert self.status() == "unsubscribed"

    def test_links_survive_a_new_secret_key_through_its_fallbacks(self):
        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert self.client.get(self.link).status_code == 200
        with override_settings(SECRET_KEY="new"):
            assert self.client.get(self.link).status_code == 404


class ReturnTests(NewsletterTestCase):
    """Somebody who left, and comes back or must not."""

    def setUp(self):
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOW))
        self.subscriber = self.subscribe()
        self.old_link = link_in(self.mailbox.letters[0], "confirm")
        self.clock.shift(timedelta(hours=1))

    def test_a_link_from_before_leaving_does_not_bring_back(self):
        self.subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")

        assert self.client.get(self.old_link).status_code == 410
        assert self.post(self.old_link).status_code == 410
        assert Subscriber.objects.get().status == "unsubscribed"

    def test_a_new_sign_up_brings_back_and_lifts_the_suppression(self):
        self.subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        self.clock.shift(timedelta(hours=1))
        self.sign_up()

        self.post(link_in(self.mailbox.letters[-1], "confirm"))

        subscriber = Subscriber.objects.get()
        assert (subscriber.status, subscriber.ended_at) == ("active", None)
        assert not Suppression.objects.exists()
        kinds = list(subscriber.consent_events.values_list("kind", flat=True))
        assert kinds == ["asked", "confirmed", "left", "asked", "confirmed"]

    def test_a_complaint_stays(self):
        self.subscriber.end(Subscriber.Status.COMPLAINED, form="provider")
        letters = len(self.mailbox.raw)

        self.sign_up()

        assert len(self.mailbox.raw) == letters
        assert Subscriber.objects.get().status == "complained"

    def test_a_suppression_between_sign_up_and_confirmation_wins(self):
        self.sign_up("grace@example.com")
        link = link_in(self.mailbox.letters[-1], "confirm")
        Suppression.objects.suppress("grace@example.com", Suppression.Reason.COMPLAINT)

        assert self.post(link).status_code == 410
        assert Subscriber.objects.with_address("grace@example.com").get().status == "pending"

    def test_an_erased_person_can_begin_anew(self):
        self.subscriber.erase(form="desk")
        self.sign_up()

        self.post(link_in(self.mailbox.letters[-1], "confirm"))

        assert sorted(Subscriber.objects.values_list("status", flat=True)) == ["active", "erased"]
