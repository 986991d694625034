from django.test import TestCase, override_settings

from newsletter import signing, transport
from newsletter.api_lane import ApiLane
from newsletter.lanes import Verdict
from newsletter.mails import Mailing, Recipient
from newsletter.smtp_lane import SmtpLane
from newsletter.transport import BackendLane
from tests.newsletter.certificates import certificate
from tests.postgres import free_port
from veltrix import mail_urls

from .lists import make_sending
from .provider import provider_api

TAKEN = 200, {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "ada@example.com"}
YES, NO = (lambda: True), (lambda: False)


class LaneTestCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.edition, (cls.delivery,) = make_sending()

    def setUp(self):
        self.mail = Mailing(self.edition.content).mail_for(
            Recipient(self.delivery.pk, self.delivery.subscriber.token, "ada@example.com")
        )

    def lane(self, address, timeout=1):
        mailer = mail_urls.mail_server_or_provider("X", address, timeout)
        lane = ApiLane(mailer["BACKEND"], mailer["OPTIONS"])
        self.addCleanup(lane.close)
        return lane


class VerdictTests(LaneTestCase):
    def setUp(self):
        super().setUp()
        self.provider, self.url = self.enterContext(provider_api())

    def send(self, answer, may_go=YES):
        self.provider.answer = answer
        return self.lane(f"postmark://TOKEN?api_url={self.url}").send(self.mail, may_go)

    def test_what_is_taken(self):
        outcome = self.send(TAKEN)

        assert (outcome.verdict, outcome.code) == (Verdict.ACCEPTED, 200)
        path, headers, fields = self.provider.requests[0]
        assert path == "/v1/email"
        assert headers["X-Postmark-Server-Token"] == "TOKEN"
        assert (fields["To"], fields["Subject"]) == ("ada@example.com", self.edition.subject)
        assert self.mail.text == fields["TextBody"]
        assert self.mail.html == fields["HtmlBody"]

    def test_the_mail_is_named_can_be_left_and_is_not_tracked(self):
        self.send(TAKEN)

        fields = self.provider.requests[0][2]
        own = {header["Name"]: header["Value"] for header in fields["Headers"]}
        assert own["List-Unsubscribe"] == f"<http://127.0.0.1:8000/newsletter/unsubscribe/{self.mail.recipient.token}/>"
        assert own["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert own["List-Id"] == "The AI Briefing <briefing.127.0.0.1>"
        assert fields["Metadata"] == {"delivery": signing.sign_delivery(self.delivery.pk)}
        assert (fields["TrackOpens"], fields["TrackLinks"]) == (False, "None")

    def test_only_refusals_are_certain(self):
        for status, verdict in {
            400: Verdict.REFUSED,
            401: Verdict.LOCKED_OUT,
            402: Verdict.LOCKED_OUT,
            403: Verdict.LOCKED_OUT,
            404: Verdict.LOCKED_OUT,
            408: Verdict.DEFERRED,
            413: Verdict.REFUSED,
            422: Verdict.REFUSED,
            429: Verdict.DEFERRED,
            302: Verdict.UNKNOWN,
            307: Verdict.UNKNOWN,
            500: Verdict.UNKNOWN,
            502: Verdict.UNKNOWN,
            503: Verdict.UNKNOWN,
            599: Verdict.UNKNOWN,
        }.items():
            outcome = self.send((status, {"Message": "Words"}))
            assert (outcome.verdict, outcome.code) == (verdict, status)
            assert "Words" in outcome.reply
        assert len(self.provider.requests) == 15, "none was sent twice, and no redirect was followed"

    def test_a_recipient_whom_the_provider_does_not_try(self):
        outcome = self.send((422, {"ErrorCode": 406, "Message": "Inactive recipients: ada@example.com"}))

        assert outcome.verdict == Verdict.REFUSED

    def test_a_success_in_other_words_may_be_one(self):
        for body in (b"", b"<html>", b"[]", b"null", b'{"ErrorCode": 0}', b'"OK"', b"\xff"):
            assert self.send((200, body)).verdict in {Verdict.UNKNOWN, Verdict.ACCEPTED}, body
        assert self.send((200, b"<html>")).verdict == Verdict.UNKNOWN

    def test_silence_after_the_request(self):
        for answer in ("hang up", "cut off", "silence"):
            assert self.send(answer).verdict == Verdict.UNKNOWN, answer
        assert len(self.provider.requests) == 3

    def test_a_provider_that_is_ill_is_left_alone_for_a_while(self):
        lane = self.lane(f"postmark://TOKEN?api_url={self.url}")
        self.provider.answer = 503, {"Message": "Down"}

        verdicts = [lane.send(self.mail, YES) for _ in range(5)]

        assert [outcome.verdict for outcome in verdicts] == [Verdict.UNKNOWN, *[Verdict.UNREACHABLE] * 4]
        assert verdicts[1].reply == 'Not tried: 503 {"Message": "Down"}'
        assert len(self.provider.requests) == 1
        self.provider.answer, lane.rests_until = TAKEN, 0.0
        assert lane.send(self.mail, YES).verdict == Verdict.ACCEPTED

    def test_a_connection_serves_many_mails(self):
        self.provider.answer = TAKEN
        lane = self.lane(f"postmark://TOKEN?api_url={self.url}")

        for _ in range(5):
            assert lane.send(self.mail, YES).verdict == Verdict.ACCEPTED

        assert self.provider.connections == 1

    def test_the_last_word_before_the_request(self):
        assert self.send(TAKEN, NO).verdict == Verdict.UNREACHABLE
        assert self.provider.requests == []

    def test_an_address_that_no_provider_could_be_told(self):
        self.mail = Mailing(self.edition.content).mail_for(Recipient(1, "token", "no address"))

        assert self.send(TAKEN).verdict == Verdict.REFUSED
        assert self.provider.requests == []


class ConnectionTests(LaneTestCase):
    def test_no_server(self):
        url = f"http://127.0.0.1:{free_port()}/"

        assert self.lane(f"postmark://T?api_url={url}").send(self.mail, YES).verdict == Verdict.UNREACHABLE

    def test_no_such_name(self):
        lane = self.lane("postmark://T?api_url=https://no-such-host.invalid/")

        assert lane.send(self.mail, YES).verdict == Verdict.UNREACHABLE

    def test_a_certificate_that_nobody_vouches_for_locks_out(self):
        with certificate(is_trusted=False) as context, provider_api(context) as (provider, url):
            outcome = self.lane(f"postmark://T?api_url={url}").send(self.mail, YES)

        assert outcome.verdict == Verdict.LOCKED_OUT
        assert "certificate verify failed" in outcome.reply
        assert provider.requests == []

    def test_one_that_is_trusted(self):
        with certificate(is_trusted=True) as context, provider_api(context) as (provider, url):
            provider.answer = TAKEN
            assert self.lane(f"postmark://T?api_url={url}").send(self.mail, YES).verdict == Verdict.ACCEPTED


class ProviderTests(LaneTestCase):
    """Each provider in its own words: what is asked, and what is understood as taken."""

    CASES = {
        "brevo://KEY": ("/v1/smtp/email", (201, {"messageId": "<x@y>"})),
        "mailgun://KEY@mail.example": ("/v1/mail.example/messages", (200, {"id": "<x@y>", "message": "Queued."})),
        "mailjet://KEY:SECRET": (
            "/v1/send",
            (200, {"Messages": [{"Status": "success", "To": [{"Email": "ada@example.com", "MessageID": 1}]}]}),
        ),
        "postmark://KEY": ("/v1/email", TAKEN),
        "resend://KEY": ("/v1/emails", (200, {"id": "x"})),
        "sparkpost://KEY": (
            "/v1/transmissions/",
            (200, {"results": {"total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": "1"}}),
        ),
    }

    def test_every_provider(self):
        assert {address.split(":")[0] for address in self.CASES} == set(mail_urls.PROVIDERS)
        for address, (path, answer) in self.CASES.items():
            with self.subTest(address), provider_api() as (provider, url):
                provider.answer = answer
                assert self.lane(f"{address}?api_url={url}").send(self.mail, YES).verdict == Verdict.ACCEPTED
                assert provider.requests[0][0] == path
                sent = repr(provider.requests[0][2])
                assert "List-Unsubscribe=One-Click" in sent
                assert signing.sign_delivery(self.delivery.pk) in sent

    def test_one_that_names_those_it_refuses(self):
        with provider_api() as (provider, url):
            provider.answer = 200, {"Messages": [{"Status": "error", "Errors": [{"ErrorMessage": "No"}]}]}
            lane = self.lane(f"mailjet://KEY:SECRET?api_url={url}")

            assert lane.send(self.mail, YES).verdict == Verdict.REFUSED


class TransportTests(LaneTestCase):
    def test_the_settings_choose_the_lane(self):
        smtp = mail_urls.mail_server("X", "smtp://127.0.0.1:25", 1)
        provider = mail_urls.mail_server_or_provider("X", "postmark://T", 1)
        for mailers, lane in (
            ({"default": smtp}, SmtpLane),
            ({"default": smtp, "newsletter": provider}, ApiLane),
            ({"default": provider, "newsletter": smtp}, SmtpLane),
            ({"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}, BackendLane),
        ):
            with override_settings(MAILERS=mailers):
                opened = transport.open_lane()
                assert isinstance(opened, lane)
                opened.close()
