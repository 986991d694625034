"""The letters' mailer against a real mail server: over TLS, and with a password."""

import smtplib
import socket
import ssl
from contextlib import contextmanager
from unittest import mock

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.core.mail import EmailMessage
from django.test import SimpleTestCase, override_settings

from tests.postgres import free_port
from veltrix import mail_urls

from .certificates import certificate
from .support import Mailbox

USER, PASSWORD = "letters@veltrix.example", "p/w with:odd@signs"
QUOTED = "letters%40veltrix.example:p%2Fw%20with%3Aodd%40signs"


def authenticator(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


# Django's mailer leaves a connection that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class MailerTests(SimpleTestCase):
    @contextmanager
    def server(self, address, **options):
        """A mail server, and the mailer of this address, in which PORT is the server's."""
        mailbox, port = Mailbox(), free_port()
        controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
        controller.start()
        mailer = mail_urls.mail_server("EMAIL_URL", address.replace("PORT", str(port)), 5)
        try:
            with override_settings(MAILERS={"default": mailer}):
                yield mailbox
        finally:
            controller.stop()

    def send(self):
        return EmailMessage("Hello", "Words", to=["ada@example.com"]).send()

    def tls(self, *, is_trusted=True):
        return self.enterContext(certificate(is_trusted=is_trusted))

    def starttls(self, *, is_trusted=True):
        return {"tls_context": self.tls(is_trusted=is_trusted), "require_starttls": True}

    def auth(self, *, is_trusted=True):
        return {**self.starttls(is_trusted=is_trusted), "authenticator": authenticator, "auth_required": True}

    def test_over_starttls_with_a_password(self):
        with self.server(f"smtp+tls://{QUOTED}@127.0.0.1:PORT", **self.auth()) as mailbox:
            assert self.send() == 1

        assert mailbox.letters[0]["Subject"] == "Hello"

    def assert_refused(self, error, message, address, **options):
        """Nothing is sent, for this reason."""
        with self.server(address, **options) as mailbox, self.assertRaisesMessage(error, message):
            self.send()
        assert mailbox.raw == []

    def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_password(self):
        address = f"smtp+tls://{QUOTED}@127.0.0.1:PORT"

        options = self.auth(is_trusted=False)
        self.assert_refused(ssl.SSLCertVerificationError, "self-signed certificate", address, **options)

    def test_a_certificate_of_another_name_is_refused(self):
        self.enterContext(mock.patch("socket.create_connection", self.elsewhere))

        address = "smtp+tls://127.0.0.2:PORT"
        self.assert_refused(ssl.SSLCertVerificationError, "IP address mismatch", address, **self.starttls())

    connect = staticmethod(socket.create_connection)

    def elsewhere(self, address, *args, **kwargs):
        """As if every name led to this machine."""
        return self.connect(("127.0.0.1", address[1]), *args, **kwargs)

    def test_a_server_that_offers_no_starttls_gets_nothing(self):
        self.assert_refused(smtplib.SMTPNotSupportedError, "STARTTLS", f"smtp+tls://{QUOTED}@127.0.0.1:PORT")

    def test_without_tls_where_the_server_wants_it(self):
        message = "Must issue a STARTTLS command first"
        self.assert_refused(smtplib.SMTPSenderRefused, message, "smtp://127.0.0.1:PORT", **self.starttls())

    def test_a_wrong_password(self):
        address = "smtp+tls://someone:wrong@127.0.0.1:PORT"
        self.assert_refused(smtplib.SMTPAuthenticationError, "535", address, **self.auth())

    def test_no_password_where_one_is_wanted(self):
        address = "smtp+tls://127.0.0.1:PORT"
        self.assert_refused(smtplib.SMTPSenderRefused, "Authentication required", address, **self.auth())

    def test_tls_from_the_first_byte(self):
        with self.server("smtp+ssl://127.0.0.1:PORT", ssl_context=self.tls()) as mailbox:
            assert self.send() == 1

        assert len(mailbox.raw) == 1
