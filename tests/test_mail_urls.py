import os
import subprocess
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase, override_settings

from newsletter import signing
from veltrix import mail_urls

ROOT = Path(__file__).resolve().parent.parent


class MailUrlsTestCase(SimpleTestCase):
    def assert_refused(self, read, address, message, *args):
        with self.assertRaises(ImproperlyConfigured) as caught:
            read("NAME", address, *args)
        assert str(caught.exception).startswith(f"NAME {message}"), (address, caught.exception)
        assert "tOkEn" not in str(caught.exception)


class MailServerTests(MailUrlsTestCase):
    def test_its_parts(self):
        options = mail_urls.mail_server("X", "smtp+tls://us%40er:p%2Fw@Mail.example:587", 30)["OPTIONS"]

        assert options == {
            "host": "mail.example",
            "port": 587,
            "username": "us@er",
            "password": "p/w",
            "use_tls": True,
            "use_ssl": False,
            "timeout": 30,
        }

    def test_wrong_ones(self):
        for address in ("mailhost", "smtp://host", "http://host:25", "smtp://:25", "smtp://host:port", "smtp://[::1"):
            self.assert_refused(mail_urls.mail_server, address, "must have the form smtp+tls://", 30)


class ProviderTests(MailUrlsTestCase):
    def options(self, address):
        mailer = mail_urls.mail_server_or_provider("X", address, 30)
        assert mailer["BACKEND"].startswith("anymail.backends.")
        options = mailer["OPTIONS"]
        assert options.pop("timeout") == 30
        assert options.pop("ignore_unsupported_features")
        return options

    def test_each_in_its_form(self):
        for address, options in {
            "postmark://tOkEn": {"server_token": "tOkEn"},
            "postmark://tOkEn?stream=broadcasts": {"server_token": "tOkEn", "message_stream": "broadcasts"},
            "mailgun://kEy@mail.example": {"api_key": "kEy", "sender_domain": "mail.example"},
            "mailjet://kEy:sEcret": {"api_key": "kEy", "secret_key": "sEcret"},
            "brevo://a%2Fb": {"api_key": "a/b"},
            "resend://re_1": {"api_key": "re_1"},
            "sparkpost://k?api_url=https://api.eu.sparkpost.com/api/v1": {
                "api_key": "k",
                "api_url": "https://api.eu.sparkpost.com/api/v1",
            },
        }.items():
            assert self.options(address) == options, address

    def test_a_mail_server_is_one_too(self):
        mailer = mail_urls.mail_server_or_provider("X", "smtp://h:25", 30)

        assert mailer["BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"

    def test_unknown_ones(self):
        for address in ("pigeon://tOkEn", "tOkEn", "sendgrid://tOkEn", "://", "https://[::1"):
            self.assert_refused(mail_urls.mail_server_or_provider, address, "must begin with smtp://", 30)

    def test_wrong_forms(self):
        for address in (
            "postmark://",
            "postmark://tOkEn@domain",
            "postmark://tOkEn:more",
            "postmark://tOkEn/path",
            "mailgun://tOkEn",
            "mailgun://@mail.example",
            "mailjet://tOkEn",
        ):
            self.assert_refused(mail_urls.mail_server_or_provider, address, "must have the form ", 30)

    def test_keys_travel_in_clear_nowhere(self):
        for query in ("api_url=http://api.example/", "api_url=ftp://h/", "api_url=https:///", "region=eu"):
            self.assert_refused(
                mail_urls.mail_server_or_provider, f"postmark://tOkEn?{query}", "has an unknown or wrong ", 30
            )


class MailboxTests(MailUrlsTestCase):
    def test_its_parts(self):
        assert mail_urls.mailbox("X", "imap+ssl://us%40er:p%2Fw@mail.example/Bounces%20in") == {
            "protocol": "imap",
            "security": "ssl",
            "host": "mail.example",
            "port": 993,
            "username": "us@er",
            "password": "p/w",
            "folder": "Bounces in",
        }
        assert mail_urls.mailbox("X", "pop3+tls://u:p@mail.example:1110")["port"] == 1110
        assert mail_urls.mailbox("X", "imap://u:p@127.0.0.1")["folder"] == "INBOX"

    def test_wrong_ones(self):
        for address in ("x", "http://u:p@h", "imap+ssl://host", "imap+ssl://u:p@", "imap+ssl://u:p@h:99999"):
            self.assert_refused(mail_urls.mailbox, address, "must have the form imap+ssl://")

    def test_passwords_travel_in_clear_nowhere(self):
        for protocol in ("imap", "pop3"):
            self.assert_refused(
                mail_urls.mailbox, f"{protocol}://u:tOkEn@mail.example", f"must begin with {protocol}+ssl://"
            )


class BounceAddressTests(MailUrlsTestCase):
    def test_an_address_or_none(self):
        for address in ("bounces@mail.example", "a_b.c-d@x-y.example", ""):
            assert mail_urls.bounce_address("X", address) == address

    def test_the_longest_leaves_room_for_every_delivery(self):
        address = mail_urls.bounce_address("X", "b" * 38 + "@mail.example")

        with override_settings(NEWSLETTER_BOUNCE_ADDRESS=address):
            local = signing.bounce_address(16**8 - 1).partition("@")[0]
        assert len(local) == 64

    def test_wrong_ones(self):
        for address in ("x", "a+b@mail.example", "b" * 39 + "@mail.example", "a@b", "a@b.example\n", "A <a@b.example>"):
            self.assert_refused(mail_urls.bounce_address, address, "must have the form bounces@mail.example")


class WebhookTests(MailUrlsTestCase):
    def test_secrets_by_provider(self):
        secrets = mail_urls.webhooks("X", ["postmark=user:a-long=password", " mailgun=0123456789abcdef"])

        assert secrets == {"postmark": "user:a-long=password", "mailgun": "0123456789abcdef"}
        assert mail_urls.webhooks("X", []) == {}

    def test_wrong_ones(self):
        self.assert_refused(mail_urls.webhooks, ["pigeon=user:a-long-password"], "names 'pigeon', which is none of")
        for entry in ("postmark", "postmark=", "postmark=u:short", "postmark=without-a-colon", "mailgun=short"):
            self.assert_refused(mail_urls.webhooks, [entry], "must have the form ")


class EnvironmentTests(SimpleTestCase):
    """Each variable reaches its setting, and a wrong one stops the process with one line."""

    def run_python(self, **environment):
        code = (
            "from veltrix import settings as s;"
            "print(sorted(s.MAILERS), s.BOUNCE_MAILBOX and s.BOUNCE_MAILBOX['host'], sorted(s.NEWSLETTER_WEBHOOKS),"
            "s.MAILERS['default']['OPTIONS'].get('timeout'), s.NEWSLETTER_BOUNCE_ADDRESS)"
        )
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "SECRET_KEY": "x", "DOTENV": os.devnull, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_without_any(self):
        assert self.run_python().stdout.strip() == "['default'] None [] None"

    def test_all_of_them(self):
        done = self.run_python(
            EMAIL_URL="smtp://h:25",
            EMAIL_TIMEOUT="7",
            NEWSLETTER_EMAIL_URL="postmark://token",
            NEWSLETTER_BOUNCE_ADDRESS="b@mail.example",
            BOUNCE_MAILBOX="imap+ssl://u:p@mail.example",
            NEWSLETTER_WEBHOOKS="postmark=user:a-long-password,mailgun=0123456789abcdef",
        )

        mailers, others = "['default', 'newsletter']", "mail.example ['mailgun', 'postmark'] 7 b@mail.example"
        assert done.stdout.strip() == f"{mailers} {others}"

    def test_wrong_ones(self):
        names = ["NEWSLETTER_EMAIL_URL", "NEWSLETTER_BOUNCE_ADDRESS", "BOUNCE_MAILBOX", "NEWSLETTER_WEBHOOKS"]
        for name in (*names, "EMAIL_TIMEOUT", "EMAIL_URL"):
            done = self.run_python(**{name: "nonsense"})

            assert done.returncode == 1
            assert f"ImproperlyConfigured: {name} " in done.stderr.splitlines()[-1]
