import itertools
import threading
import time
from unittest import mock

from django.db import OperationalError

from newsletter import claims
from newsletter.api_lane import ApiLane
from newsletter.lanes import Outcome, Verdict
from newsletter.models import Delivery, MailReport, Subscriber
from newsletter.sending import Slice, make_commits_last
from tests.committed import CommittedTestCase
from veltrix import mail_urls

from .lists import make_sending
from .provider import provider_api


class Refusing:
    """A lane on which some addresses are unknown, and some blocked."""

    def __init__(self, answers):
        self.answers = answers

    def send(self, mail, may_go):
        reply = self.answers.get(mail.recipient.delivery)
        return Outcome(Verdict.REFUSED, 550, reply) if reply else Outcome(Verdict.ACCEPTED, 250, "2.0.0 OK")

    def close(self):
        """Nothing is open."""


class IllProviderTests(CommittedTestCase):
    def test_it_costs_few_uncertain_mails_and_pauses_the_edition(self):
        edition, _ = make_sending(40)
        mailer = mail_urls.mail_server_or_provider("X", "postmark://TOKEN", 5)
        self.enterContext(mock.patch.multiple("newsletter.sending", REST=0.01, REST_AT_MOST=0.01))

        with provider_api() as (provider, url):
            provider.answer = 503, {"Message": "Down"}
            options = {**mailer["OPTIONS"], "api_url": url}
            Slice(edition, lambda: ApiLane(mailer["BACKEND"], options), 2, threading.Event(), length=5).run()

        edition.refresh_from_db()
        assert edition.state == "paused"
        assert "Down" in edition.pause_reason
        assert len(provider.requests) == Delivery.objects.uncertain().count() == 2
        assert Delivery.objects.pending().count() == 38


class RefusalTests(CommittedTestCase):
    def test_what_a_server_refuses_while_sending_is_a_bounce(self):
        edition, (unknown, blocked, fine) = make_sending(3)
        answers = {unknown.pk: "5.1.1 No such user", blocked.pk: "5.7.1 You are on a list"}

        Slice(edition, lambda: Refusing(answers), 2, threading.Event(), length=1).run()

        states = Delivery.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["failed", "failed", "sent"]
        kinds = dict(MailReport.objects.values_list("delivery", "kind"))
        assert kinds == {unknown.pk: "hard", blocked.pk: "soft"}
        gone = Subscriber.objects.exclude(status="active")
        assert list(gone.values_list("pk", "status")) == [(unknown.subscriber_id, "bounced")]
        assert fine.subscriber.status == "active"

    def test_a_refusal_that_cannot_be_kept_loses_no_other_mail(self):
        edition, (unknown, *_) = make_sending(6)

        with (
            mock.patch("newsletter.reports.record_refusal", side_effect=ValueError("of no kind")),
            self.assertLogs("newsletter.sending", "ERROR"),
        ):
            lane = Refusing({unknown.pk: "5.1.1 No such user"})
            Slice(edition, lambda: lane, 2, threading.Event(), length=1).run()

        states = Delivery.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["failed", *["sent"] * 5]

    def test_a_reply_that_no_database_takes_is_kept_as_far_as_it_can_be(self):
        edition, (delivery,) = make_sending(1)
        answers = {delivery.pk: "5.7.1 No\x00 \x1b[31m \ud800 \x9f here"}

        Slice(edition, lambda: Refusing(answers), 1, threading.Event(), length=1).run()

        delivery.refresh_from_db()
        assert (delivery.state, delivery.reply) == ("failed", "5.7.1 No [31m here")
        assert MailReport.objects.get().diagnostic == "5.7.1 No [31m here"


class Closed:
    """A lane without a server, or one of those that a server with too many connections turns away."""

    def __init__(self, verdict=Verdict.UNREACHABLE):
        self.verdict = verdict

    def send(self, mail, may_go):
        # Not all at the same moment.
        time.sleep(0.01 * (1 + mail.recipient.delivery % 7))
        return Outcome(self.verdict, 250 if self.verdict == Verdict.ACCEPTED else 421, "")

    def close(self):
        """Nothing is open."""


class NoServerTests(CommittedTestCase):
    def test_what_fails_at_the_same_time_is_one_error(self):
        edition, _ = make_sending(20)

        Slice(edition, Closed, 8, threading.Event(), length=0.3).run()

        edition.refresh_from_db()
        assert (edition.state, edition.connection_errors) == ("sending", 1)

    def test_errors_between_which_mails_get_through_are_not_in_a_row(self):
        edition, _ = make_sending(40)
        self.enterContext(mock.patch.multiple("newsletter.sending", REST=0.1, ERRORS_UNTIL_PAUSE=3))
        verdicts = itertools.cycle([Verdict.ACCEPTED, Verdict.UNREACHABLE])

        Slice(edition, lambda: Closed(next(verdicts)), 4, threading.Event(), length=2).run()

        edition.refresh_from_db()
        assert edition.state != "paused", edition.pause_reason
        assert Delivery.objects.filter(state="sent").count() >= 10

    def test_neither_are_those_beside_which_they_get_through(self):
        edition, _ = make_sending(2)
        self.enterContext(mock.patch.multiple("newsletter.sending", REST=0, REST_AT_MOST=0, ERRORS_UNTIL_PAUSE=3))
        sending = Slice(edition, Closed, 2, threading.Event(), length=1)
        through, lost = Outcome(Verdict.ACCEPTED, 250, ""), Outcome(Verdict.UNREACHABLE, 421, "")

        for _ in range(4):
            sending._heed({1: through, 2: lost})
        edition.refresh_from_db()
        assert edition.state == "sending"

        for _ in range(2):
            sending._heed({1: lost, 2: lost})
        edition.refresh_from_db()
        assert edition.state == "paused"

    def test_another_connection_to_the_database_makes_its_commits_last_too(self):
        edition, _ = make_sending()
        forever = itertools.repeat(mock.DEFAULT)
        gone = OperationalError("The server closed the connection.")
        with (
            mock.patch("newsletter.claims.beat", wraps=claims.beat, side_effect=itertools.chain([gone], forever)),
            mock.patch("newsletter.sending.make_commits_last", wraps=make_commits_last) as made,
        ):
            Slice(edition, lambda: Closed(Verdict.ACCEPTED), 1, threading.Event(), length=0.1).run()

        assert made.call_count == 2
