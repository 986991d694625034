import hashlib
import hmac
import json
from base64 import b64encode
from unittest import mock

from anymail.signals import AnymailTrackingEvent
from django.db import OperationalError
from django.test import TestCase, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from newsletter import signing, webhooks
from newsletter.models import MailReport, Subscriber

from .lists import make_subscriber
from .test_reports import sent_to

PASSWORD = "postmark:a-long-password"
KEY = "key-of-the-signatures"
SECRETS = {name: PASSWORD for name in ("brevo", "mailjet", "postmark", "resend", "sparkpost")} | {"mailgun": KEY}
URL = "/newsletter/reports/postmark/"


def basic(password=PASSWORD):
    return {"Authorization": f"Basic {b64encode(password.encode()).decode()}"}


def bounce(delivery=None, address="ada@example.com", **values):
    return {
        "RecordType": "Bounce",
        "ID": 42,
        "Type": "HardBounce",
        "MessageID": "883953f4",
        "Metadata": {"delivery": signing.sign_delivery(delivery.pk)} if delivery else {},
        "Description": "The server was unable to deliver your message",
        "Details": f"smtp;550 5.1.1 <{address}> does not exist",
        "Email": address,
        "BouncedAt": "2026-05-04T09:00:00Z",
        **values,
    }


def delivered(delivery):
    return {
        "RecordType": "Delivery",
        "MessageID": "883953f4",
        "Recipient": "ada@example.com",
        "DeliveredAt": "2026-05-04T09:00:00Z",
        "Metadata": {"delivery": signing.sign_delivery(delivery.pk)},
    }


@override_settings(NEWSLETTER_WEBHOOKS=SECRETS)
class WebhookTestCase(TestCase):
    def setUp(self):
        self.subscriber = make_subscriber("ada@example.com")
        self.delivery = sent_to(self.subscriber)

    def send(self, event, headers=None, url=URL, **kwargs):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.client.post(url, body, "application/json", headers=headers or basic(), **kwargs)

    def status(self):
        return Subscriber.objects.get(pk=self.subscriber.pk).status


class ReportTests(WebhookTestCase):
    def test_a_bounce_ends_the_subscription(self):
        response = self.send(bounce(self.delivery))

        assert response.status_code == 200
        assert response.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
        kept = MailReport.objects.get()
        assert (kept.kind, kept.source, kept.delivery, kept.status) == ("hard", "postmark", self.delivery, "5.1.1")
        assert "@" not in kept.diagnostic
        assert self.status() == "bounced"

    def test_it_needs_no_cookie_and_no_token(self):
        self.client.handler.enforce_csrf_checks = True

        assert self.send(bounce(self.delivery)).status_code == 200

    def test_the_same_report_again_changes_nothing(self):
        for _ in range(3):
            assert self.send(bounce(self.delivery, Type="SoftBounce", Details="mailbox full 5.2.2")).status_code == 200

        assert MailReport.objects.count() == 1
        assert self.status() == "active"

    def test_a_complaint_ends_it(self):
        self.send(bounce(self.delivery, Type="SpamComplaint", RecordType="SpamComplaint"))

        assert self.status() == "complained"

    def test_a_block_does_not(self):
        self.send(bounce(self.delivery, Type="Blocked", Details="blocked"))

        assert (MailReport.objects.get().kind, MailReport.objects.get().status) == ("soft", "5.7.0")
        assert self.status() == "active"

    def test_an_address_that_the_provider_calls_invalid(self):
        self.send(bounce(self.delivery, Type="BadEmailAddress", Details=""))

        assert self.status() == "bounced"

    def test_having_left_at_the_provider_counts_here(self):
        self.send({"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": "ada@example.com"})

        assert self.status() == "unsubscribed"

    def test_a_delivered_report_settles_an_uncertain_delivery(self):
        uncertain = sent_to(make_subscriber(), state="uncertain")

        self.send(delivered(uncertain))
        self.send(delivered(self.delivery))

        uncertain.refresh_from_db()
        assert uncertain.state == "sent"
        assert MailReport.objects.get().delivery == uncertain

    def test_without_a_name_the_address_is_believed_to_a_provider(self):
        self.send(bounce(address="Ada@Example.com"))

        kept = MailReport.objects.get()
        assert (kept.subscriber, kept.delivery) == (self.subscriber, None)
        assert self.status() == "bounced"

    def test_a_forged_name_falls_back_to_the_address(self):
        self.send(bounce(Metadata={"delivery": "2a.aaaaaaaaaaaaaaaa"}, address="eve@example.com"))

        assert not MailReport.objects.exists()

    def test_what_is_no_address_is_nobodys(self):
        for recipient in (None, 5, "ada", f"ada@{'a' * 70}.com", "ada\0@example.com"):
            event = AnymailTrackingEvent(event_type="bounced", event_id="1", recipient=recipient)
            webhooks.receive(event=event, esp_name="Postmark")

        assert not MailReport.objects.exists()

    def test_what_says_nothing_of_a_mails_fate(self):
        for record in ("Open", "Click", "Odd"):
            assert self.send({"RecordType": record, "Recipient": "ada@example.com"}).status_code == 200
        assert self.send(bounce(self.delivery, Type="Transient")).status_code == 200

        assert not MailReport.objects.exists()
        assert self.status() == "active"


class RefusalTests(WebhookTestCase):
    def assert_untouched(self):
        assert self.status() == "active"
        assert not MailReport.objects.exists()

    def test_a_wrong_password(self):
        for headers in (
            {"Accept": "*/*"},
            basic("postmark:wrong"),
            basic(""),
            {"Authorization": "Basic !!!"},
            {"Authorization": "Basic"},
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic /w=="},
        ):
            with self.assertLogs("newsletter.views", "WARNING") as logged:
                assert self.send(bounce(self.delivery), headers).status_code in {400, 403}, headers
            assert "ada@" not in "".join(logged.output)
        self.assert_untouched()

    def test_a_provider_without_a_secret_is_not_found(self):
        with override_settings(NEWSLETTER_WEBHOOKS={}):
            assert self.send(bounce(self.delivery)).status_code == 404
        assert self.send(bounce(self.delivery), url="/newsletter/reports/sendgrid/").status_code == 404
        self.assert_untouched()

    def test_other_methods(self):
        for method in ("get", "head", "put", "delete"):
            assert getattr(self.client, method)(URL, headers=basic()).status_code == 405

    def test_too_much(self):
        assert self.send(b"x" * 2_000_001).status_code == 413
        self.assert_untouched()

    def test_a_large_report_is_read(self):
        assert self.send(bounce(self.delivery, Content="x" * 1_000_000)).status_code == 200
        assert self.status() == "bounced"

    def test_without_a_database_it_has_to_come_again(self):
        with mock.patch("newsletter.reports.record", side_effect=OperationalError):
            response = self.send(bounce(self.delivery))

        assert response.status_code == 503

    def test_over_http_it_is_sent_on_to_https_before_the_password_is_looked_at(self):
        with override_settings(SECURE_SSL_REDIRECT=True):
            assert self.send(bounce(self.delivery)).status_code == 301
            assert self.send(bounce(self.delivery), secure=True).status_code == 200


class SignatureTests(WebhookTestCase):
    URL = "/newsletter/reports/mailgun/"

    def event(self, key=KEY, delivery=None, **values):
        token, timestamp = "ab" * 25, "1777885200"
        signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
        return {
            "signature": {"token": token, "timestamp": timestamp, "signature": signature},
            "event-data": {
                "event": "failed",
                "severity": "permanent",
                "reason": "bounce",
                "id": "G9Bn5sl1TC6nu79C8C0bwg",
                "timestamp": 1777885200.0,
                "recipient": "ada@example.com",
                "delivery-status": {"code": 550, "message": "5.1.1 The account does not exist", "description": ""},
                "message": {"headers": {"message-id": "1@mail.example"}},
                "user-variables": {"delivery": signing.sign_delivery((delivery or self.delivery).pk)},
                **values,
            },
        }

    def test_a_signed_report(self):
        assert self.send(self.event(), {"Accept": "*/*"}, self.URL).status_code == 200
        assert MailReport.objects.get().delivery == self.delivery
        assert self.status() == "bounced"

    def test_the_same_report_again(self):
        for _ in range(2):
            assert self.send(self.event(), {"Accept": "*/*"}, self.URL).status_code == 200
        assert MailReport.objects.count() == 1

    def test_a_signature_with_another_key_or_none(self):
        unsigned = self.event()
        del unsigned["signature"]
        for event in (self.event(key="another"), unsigned, {**self.event(), "signature": "x"}):
            assert self.send(event, {"Accept": "*/*"}, self.URL).status_code in {400, 403}
        assert self.status() == "active"

    def test_a_complaint(self):
        self.send(self.event(event="complained"), {"Accept": "*/*"}, self.URL)

        assert self.status() == "complained"


class OddBodyTests(WebhookTestCase):
    BODIES = [
        b"",
        b"null",
        b"[]",
        b"[[]]",
        b"{}",
        b"7",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b'{"RecordType": []}',
        b'{"RecordType": {"a": 1}}',
        b'{"RecordType": "Bounce", "Type": []}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "a\\u0000@example.com"}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "\\ud800@example.com"}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": {"a": 1}}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "@"}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Metadata": []}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Metadata": {"delivery": "\\ud800.a"}}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Metadata": {"delivery": 7}}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "BouncedAt": 7}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "BouncedAt": "2026-99-99T00:00:00Z"}',
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.com", "Details": "\\u0000\\ud800"}',
        b'{"RecordType": "Inbound"}',
        b'{"FromFull": 1}',
        b'[{"event": "bounce", "email": "x"}]',
        b"event=failed&recipient=%00&timestamp=1e999",
        b"NaN",
        b'{"event-data": 1, "signature": {"token": 1, "timestamp": null, "signature": []}}',
        b'{"signature": {"token": "\\ud800", "timestamp": "", "signature": "\\ud800"}}',
    ]
    TYPES = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain; charset=x",
        "",
    ]

    def test_every_provider_answers_odd_bodies_with_a_refusal(self):
        for provider in SECRETS:
            for body in self.BODIES:
                for kind in self.TYPES:
                    response = self.client.generic(
                        "POST", f"/newsletter/reports/{provider}/", body, kind, headers=basic()
                    )
                    assert response.status_code in {200, 400, 403}, (provider, body[:60], kind)

    def test_the_log_holds_nothing_of_them(self):
        with self.assertLogs("newsletter.views", "WARNING") as logged:
            self.send(b'{"RecordType": ["ada@example.com"]}')

        assert logged.output == ["WARNING:newsletter.views:A report of postmark was not understood: TypeError"]


@override_settings(NEWSLETTER_WEBHOOKS=SECRETS)
class AnyBodyTests(HypothesisTestCase):
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )

    @settings(max_examples=100)
    @given(st.sampled_from(sorted(SECRETS)), st.dictionaries(st.sampled_from(sorted(bounce())), values))
    def test_no_json_ends_in_an_error_of_ours(self, provider, values):
        response = self.client.post(
            f"/newsletter/reports/{provider}/", {**bounce(), **values}, "application/json", headers=basic()
        )

        assert response.status_code in {200, 400, 403}
