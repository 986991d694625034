import threading

from newsletter.lanes import Outcome, Verdict
from newsletter.models import Delivery, MailReport, Subscriber
from newsletter.sending import Slice
from tests.committed import CommittedTestCase

from .lists import make_sending


class Refusing:
    """A lane on which some addresses are unknown, and some blocked."""

    def __init__(self, answers):
        self.answers = answers

    def send(self, mail, may_go):
        reply = self.answers.get(mail.recipient.delivery)
        return Outcome(Verdict.REFUSED, 550, reply) if reply else Outcome(Verdict.ACCEPTED, 250, "2.0.0 OK")

    def close(self):
        """Nothing is open."""


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
