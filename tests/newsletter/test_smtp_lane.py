import json
import re
import socket
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.test import SimpleTestCase

from newsletter.lanes import Verdict
from newsletter.mails import Mailing, Recipient
from newsletter.models import EditionContent
from newsletter.smtp_lane import SmtpLane
from tests.faults.sink import running
from tests.newsletter.certificates import certificate
from tests.newsletter.support import Mailbox
from tests.postgres import free_port

DOTS = ".\n..\n.leading\n"


def content(**values):
    values = {"subject": "Hello", "sender": "The AI Briefing <briefing@veltrix.example>", "text": DOTS, **values}
    return EditionContent(html="<p>Hello</p>\n", document={}, **values)


def mail_to(address, **values):
    return Mailing(content(**values)).mail_for(Recipient(7, "A" * 22, address))


def lane_to(port, **options):
    defaults = {"host": "127.0.0.1", "port": port, "username": "", "password": "", "use_tls": False, "use_ssl": False}
    return SmtpLane({**defaults, "timeout": 0.3, **options})


class SinkTestCase(SimpleTestCase):
    """A lane to the misbehaving server of the fault tests."""

    def setUp(self):
        self.log = Path(self.enterContext(TemporaryDirectory()), "log")
        self.sink = self.enterContext(running(self.log))
        self.lane = lane_to(self.sink.port)
        self.addCleanup(self.lane.close)

    def send(self, act, may_go=lambda: True, **values):
        return self.lane.send(mail_to(f"{act}-1@example.com", **values), may_go)

    @property
    def taken(self):
        entries = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [entry["to"] for entry in entries if entry["event"] == "taken"]


class OutcomeTests(SinkTestCase):
    def test_what_the_lane_makes_of_what_the_server_does(self):
        for act, verdict, code in (
            ("ok", Verdict.ACCEPTED, 250),
            ("r451", Verdict.DEFERRED, 451),
            ("r550", Verdict.REFUSED, 550),
            ("d451", Verdict.DEFERRED, 451),
            ("d554", Verdict.REFUSED, 554),
            ("hangs", Verdict.UNKNOWN, None),
            ("hangstaken", Verdict.UNKNOWN, None),
            ("dropsafter", Verdict.UNKNOWN, None),
            ("aborts", Verdict.UNREACHABLE, None),
        ):
            with self.subTest(act):
                outcome = self.send(act)
                assert (outcome.verdict, outcome.code) == (verdict, code), outcome
                # The next mail gets through, over the same connection or another.
                assert self.send(f"ok-after-{act}").verdict == Verdict.ACCEPTED

    def test_a_line_that_drops_amid_a_mail_too_long_for_its_buffers_leaves_no_doubt(self):
        outcome = self.send("dropsbefore", text=f"{'x' * 70}\n" * 80_000)

        assert outcome.verdict == Verdict.UNREACHABLE
        assert self.taken == []

    def test_a_process_that_was_stopped_for_too_long_keeps_the_final_dot(self):
        asked = []

        outcome = self.send("ok", may_go=lambda: asked.append(self.taken) or False)

        assert outcome.verdict == Verdict.UNREACHABLE
        assert asked == [[]]
        assert self.send("ok-next").verdict == Verdict.ACCEPTED
        assert self.taken == ["ok-next-1@example.com"]

    def test_a_server_that_has_gone_in_between_is_met_again_without_a_fault(self):
        self.send("ok")
        self.sink.hang_up()

        assert self.send("ok-later").verdict == Verdict.ACCEPTED

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]

        outcome = lane_to(port).send(mail_to("ok@example.com"), lambda: True)

        assert outcome.verdict == Verdict.UNREACHABLE
        assert outcome.reply.startswith("ConnectionRefusedError")

    def test_somebody_there_who_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            outcome = lane_to(silent.getsockname()[1]).send(mail_to("ok@example.com"), lambda: True)

        assert outcome.verdict == Verdict.UNREACHABLE


def undated(raw):
    return re.sub(rb"Date: [^\r]+", b"Date:", raw)


class Door:
    """Lets in one name with one password."""

    def __call__(self, server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"briefing", b"sesame"), handled=False)


@contextmanager
def real_server(mailbox, **options):
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class SignInTests(SimpleTestCase):
    def setUp(self):
        self.mailbox = Mailbox()

    def send(self, port, **options):
        options = {"use_tls": True, "timeout": 5, **options}
        lane = lane_to(port, **options)
        outcome = lane.send(mail_to("ada@example.com"), lambda: True)
        lane.close()
        return outcome

    def test_starttls_and_a_password(self):
        with (
            certificate(is_trusted=True) as context,
            real_server(self.mailbox, tls_context=context, auth_required=True, authenticator=Door()) as port,
        ):
            let_in = self.send(port, username="briefing", password="sesame")
            kept_out = self.send(port, username="briefing", password="open")
            nobody = self.send(port)

        assert let_in.verdict == Verdict.ACCEPTED, let_in
        assert (kept_out.verdict, kept_out.code) == (Verdict.LOCKED_OUT, 535), kept_out
        assert (nobody.verdict, nobody.code) == (Verdict.LOCKED_OUT, 530), nobody
        assert len(self.mailbox.raw) == 1

    def test_a_certificate_that_nobody_vouches_for_is_refused(self):
        with (
            certificate(is_trusted=False) as context,
            real_server(self.mailbox, tls_context=context) as port,
        ):
            outcome = self.send(port)

        assert outcome.verdict == Verdict.LOCKED_OUT
        assert "certificate verify failed" in outcome.reply
        assert self.mailbox.raw == []

    def test_a_server_without_starttls_gets_nothing(self):
        with real_server(self.mailbox) as port:
            outcome = self.send(port)

        assert outcome.verdict == Verdict.LOCKED_OUT
        assert self.mailbox.raw == []


class WireTests(SimpleTestCase):
    def test_the_mail_arrives_byte_for_byte(self):
        mailbox, mail = Mailbox(), mail_to("ada@example.com")
        with real_server(mailbox) as port:
            lane = lane_to(port, timeout=5)
            outcome = lane.send(mail, lambda: True)
            lane.close()

        assert outcome.verdict == Verdict.ACCEPTED
        (letter,) = mailbox.letters
        assert letter.get_body(("plain",)).get_content().replace("\r\n", "\n") == DOTS
        assert undated(mailbox.raw[0]) == undated(mail.raw)
        assert mailbox.recipients == [["ada@example.com"]]
