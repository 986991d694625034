import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, override_settings

from newsletter import mailboxes, signing
from newsletter.models import MailReport, Subscriber
from tests.committed import CommittedTestCase
from tests.newsletter.certificates import certificate
from tests.postgres import free_port

from . import returned
from .lists import make_subscriber
from .post_office import Office
from .test_reports import sent_to

ROOT = Path(__file__).resolve().parent.parent.parent


def process(*paths):
    out = StringIO()
    call_command("process_bounces", *map(str, paths), stdout=out)
    return out.getvalue().splitlines()


class ProcessTestCase(TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        names = [signing.sign_delivery(sent_to(make_subscriber()).pk) for _ in range(2)]
        self.bounce, self.complaint = returned.postfix(names[0]), returned.complaint(names[1])
        self.letter = returned.letter_of_a_person(names[0])
        self.mails = [self.bounce, self.letter, self.complaint, returned.postfix(f"{names[0]}a"[1:])]

    def assert_dealt_with(self):
        assert sorted(Subscriber.objects.values_list("status", flat=True)) == ["bounced", "complained"]


class FileTests(ProcessTestCase):
    def test_a_file_is_read_and_kept(self):
        path = self.folder / "mail"
        path.write_bytes(self.bounce)

        assert process(path) == ["bounces: 1"]
        assert process(path, path) == ["known already: 2"]
        assert path.read_bytes() == self.bounce

    def test_a_maildir_is_emptied_but_for_what_is_not_understood(self):
        for name in ("new", "cur", "tmp"):
            (self.folder / name).mkdir()
        for number, mail in enumerate(self.mails):
            (self.folder / "new" / f"{number}.host").write_bytes(mail)

        assert process(self.folder) == [
            "bounces: 1",
            "complaints: 1",
            "of no delivery of ours: 1",
            "not understood: 1",
        ]
        assert not list((self.folder / "new").iterdir())
        assert [path.name for path in (self.folder / "cur").iterdir()] == ["1.host:2,S"]
        assert process(self.folder) == []
        self.assert_dealt_with()

    def test_what_is_neither(self):
        for path in (self.folder, self.folder / "nothing"):
            with self.assertRaisesMessage(CommandError, "is neither a file nor a Maildir folder"):
                process(path)

    def test_without_anything_to_read(self):
        with self.assertRaisesMessage(CommandError, "or set BOUNCE_MAILBOX"):
            process()


class MailboxTests(ProcessTestCase):
    def assert_emptied(self, office, seen):
        with office.open() as options, override_settings(BOUNCE_MAILBOX=options):
            lines = process()
            assert lines == ["bounces: 1", "complaints: 1", "of no delivery of ours: 1", "not understood: 1"]
            assert office.left == [(seen, self.letter)]
            again = process()
        self.assert_dealt_with()
        return again

    def test_imap(self):
        assert self.assert_emptied(Office(self.mails, "imap"), [r"\Seen"]) == []

    def test_pop3_meets_again_what_is_not_understood(self):
        assert self.assert_emptied(Office(self.mails, "pop3"), []) == ["not understood: 1"]

    def test_over_tls(self):
        context = self.enterContext(certificate(is_trusted=True))

        for protocol in ("imap", "pop3"):
            for security in ("ssl", "tls"):
                office = Office([self.bounce], protocol, security, context)
                with office.open() as options, override_settings(BOUNCE_MAILBOX=options):
                    process()
                assert office.left == [], (protocol, security)

    def test_a_certificate_that_nobody_vouches_for_is_refused(self):
        context = self.enterContext(certificate(is_trusted=False))

        for protocol in ("imap", "pop3"):
            for security in ("ssl", "tls"):
                office = Office([self.bounce], protocol, security, context)
                with office.open() as options:
                    self.assert_later("certificate verify failed", options)
                assert len(office.left) == 1

    def test_a_wrong_password_or_folder(self):
        for protocol, changes in (("imap", {"password": "x"}), ("pop3", {"password": "x"}), ("imap", {"folder": "No"})):
            with Office([self.bounce], protocol).open(**changes) as options:
                self.assert_later("The mailbox cannot be read now", options)

    def test_no_server(self):
        with Office([], "imap").open(port=free_port()) as options:
            self.assert_later("Connection refused", options)

    def test_a_long_line_and_a_large_mail(self):
        large = self.bounce.replace(b"Hello", b"x" * 5_000) + b"x" * mailboxes.LIMIT

        for protocol in ("imap", "pop3"):
            office = Office([self.bounce.replace(b"Hello", b"x" * 5_000), large[: mailboxes.LIMIT - 1000]], protocol)
            with office.open() as options, override_settings(BOUNCE_MAILBOX=options):
                process()
            assert office.left == []

    def assert_later(self, message, options):
        with override_settings(BOUNCE_MAILBOX=options), self.assertRaisesMessage(CommandError, message) as caught:
            process()
        assert caught.exception.returncode == os.EX_TEMPFAIL
        assert "pass" not in str(caught.exception).replace("password", "")
        assert not MailReport.objects.exists()


class PipeTests(CommittedTestCase):
    """As a mail server runs it: one mail on standard input, and an exit code that says what to do with it."""

    def pipe(self, mail, **environment):
        return subprocess.run(
            [sys.executable, "manage.py", "process_bounces", "-"],
            cwd=ROOT,
            input=mail,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": here(), **environment},
            capture_output=True,
            check=False,
        )

    def test_a_bounce(self):
        subscriber = make_subscriber()
        mail = returned.postfix(signing.sign_delivery(sent_to(subscriber).pk))

        done = self.pipe(mail + b"x" * 3 * mailboxes.LIMIT)

        assert (done.returncode, done.stdout) == (0, b"bounces: 1\n"), done.stderr
        subscriber.refresh_from_db()
        assert subscriber.status == "bounced"

    def test_what_is_not_understood_must_not_come_back_to_its_sender(self):
        for mail in (b"", b"\xff\x00", returned.letter_of_a_person("x")):
            assert self.pipe(mail).returncode == 0

    def test_without_a_database_the_mail_server_tries_again_later(self):
        done = self.pipe(
            returned.postfix(signing.sign_delivery(1)), DATABASE_URL=f"postgres://x:y@127.0.0.1:{free_port()}/none"
        )

        assert done.returncode == 75
        assert done.stderr == b"CommandError: The database cannot be used now: OperationalError\n"


def here():
    """The address of the database that this test writes to."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
