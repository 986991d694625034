from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import deliverability
from newsletter.deliverability import Level
from newsletter.mails import Mailing, Recipient
from veltrix import mail_urls

from .lists import make_sending

LIVE = {
    "SITE_URL": "https://veltrix.example",
    "DEFAULT_FROM_EMAIL": "The AI Briefing <briefing@veltrix.example>",
    "NEWSLETTER_BOUNCE_ADDRESS": "bounces@mail.veltrix.example",
    "NEWSLETTER_POSTAL_ADDRESS": "1 Some Street, Some Town",
    "NEWSLETTER_SUPPRESSION_KEY": "key",
    "NEWSLETTER_WEBHOOKS": {},
    "BOUNCE_MAILBOX": {"host": "mail.example"},
    "MAILERS": {"default": mail_urls.mail_server("X", "smtp+tls://u:p@mail.example:587", 60)},
}
SIGNED = "DKIM-Signature: v=1; a={a}; d={d}; s=x;\r\n\th={h}; bh=x; b=x\r\n"
HEADERS = "from:to:subject:\r\n\t list-unsubscribe:List-Unsubscribe-Post"


def provider(address):
    return {"default": LIVE["MAILERS"]["default"], "newsletter": mail_urls.mail_server_or_provider("X", address, 60)}


def told(findings, *levels):
    return {finding.subject: finding.message for finding in findings if finding.level in (levels or (Level.ERROR,))}


class SettingsTests(SimpleTestCase):
    def told(self, *levels, **changes):
        with override_settings(**{**LIVE, **changes}):
            return told(deliverability.of_settings(), *levels)

    def test_a_site_that_is_ready(self):
        assert self.told(Level.ERROR, Level.WARNING) == {}

    def test_what_is_wrong(self):
        for subject, changes in (
            ("site", {"SITE_URL": "http://127.0.0.1:8000", "DEFAULT_FROM_EMAIL": "a@127.0.0.1"}),
            ("sender", {"DEFAULT_FROM_EMAIL": "The AI Briefing <briefing@gmail.com>"}),
            ("sender", {"DEFAULT_FROM_EMAIL": "briefing@localhost"}),
            ("transport", {"MAILERS": {"default": {"BACKEND": "x.filebased.EmailBackend"}}}),
            ("bounces", {"NEWSLETTER_BOUNCE_ADDRESS": ""}),
            ("reports", {"MAILERS": provider("postmark://T")}),
            ("postal address", {"NEWSLETTER_POSTAL_ADDRESS": ""}),
        ):
            assert subject in self.told(**changes), (subject, changes)

    def test_what_is_doubtful(self):
        for subject, changes in (
            ("sender", {"DEFAULT_FROM_EMAIL": "briefing@other.example"}),
            ("transport", {"MAILERS": {"default": mail_urls.mail_server("X", "smtp://mail.example:25", 60)}}),
            ("transport", {"MAILERS": provider("brevo://K"), "NEWSLETTER_WEBHOOKS": {"brevo": "x"}}),
            ("bounces", {"NEWSLETTER_BOUNCE_ADDRESS": "bounces@other.example"}),
            ("bounces", {"BOUNCE_MAILBOX": None}),
            ("suppression", {"NEWSLETTER_SUPPRESSION_KEY": ""}),
        ):
            assert subject in self.told(Level.WARNING, **changes), (subject, changes)

    def test_a_provider_that_reports(self):
        changes = {
            "MAILERS": provider("postmark://T"),
            "NEWSLETTER_WEBHOOKS": {"postmark": "x"},
            "NEWSLETTER_BOUNCE_ADDRESS": "",
        }

        assert self.told(Level.ERROR, Level.WARNING, **changes) == {}
        reports = self.told(Level.OK, **changes)["reports"]
        assert reports == "postmark reports to https://veltrix.example/newsletter/reports/postmark/"


@override_settings(**LIVE)
class SampleTests(TestCase):
    def setUp(self):
        edition, (delivery,) = make_sending()
        recipient = Recipient(delivery.pk, delivery.subscriber.token, "ada@example.com")
        self.raw = Mailing(edition.content).mail_for(recipient).raw
        self.head, _, self.body = self.raw.partition(b"\r\n\r\n")

    def signed(self, a="rsa-sha256", d="veltrix.example", h=HEADERS):
        return SIGNED.format(a=a, d=d, h=h).encode() + self.raw

    def told(self, raw, *levels):
        return told(deliverability.of_sample(raw), *levels)

    def test_our_mail_has_nothing_but_its_signature_to_wish_for(self):
        assert list(self.told(self.raw, Level.ERROR, Level.WARNING)) == ["DKIM"]
        assert self.told(self.signed(), Level.ERROR, Level.WARNING) == {}

    def test_a_mail_in_the_lines_of_a_file(self):
        assert self.told(self.signed().replace(b"\r\n", b"\n"), Level.ERROR, Level.WARNING) == {}

    def test_a_signature_has_to_cover_the_list_headers(self):
        assert "list-unsubscribe-post" in self.told(self.signed(h="from:to:list-unsubscribe"))["DKIM"]
        assert "list-unsubscribe:" in self.told(self.signed(h="from:list-unsubscribe-post"))["DKIM"]
        assert "no signature is by" in self.told(self.signed(d="provider.example"))["DKIM"].lower()
        assert "SHA-1" in self.told(self.signed(a="rsa-sha1"))["DKIM"]

    def test_unsubscription_in_one_click(self):
        line = next(line for line in self.head.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
        for bad in (
            b"",
            line + b"\r\n" + line,
            line.replace(b"<", b"\r\n <"),
            b"List-Unsubscribe: =?utf-8?q?=3Chttps=3A//veltrix=2Eexample/x=3E?=",
            b"List-Unsubscribe: <mailto:leave@veltrix.example>",
            line.replace(b"https:", b"http:"),
        ):
            assert "List-Unsubscribe" in self.told(self.raw.replace(line, bad)), bad
        without = self.raw.replace(b"List-Unsubscribe=One-Click", b"one-click")
        assert "List-Unsubscribe-Post" in self.told(without)

    def test_headers(self):
        for bad in (b"Message-ID: none", b"X: y", b"Message-ID: <a@b.example>\r\nMessage-ID: <a@b.example>"):
            line = next(line for line in self.head.split(b"\r\n") if line.startswith(b"Message-ID:"))
            assert "Message-ID" in self.told(self.raw.replace(line, bad)), bad
        assert "From" in self.told(self.raw.replace(b"@veltrix.example>", b"@other.example>"), Level.WARNING)

    def test_what_the_server_found_that_took_it(self):
        results = b"Authentication-Results: mx.example; spf=pass x; dkim=pass y; dmarc=%s z\r\n"

        assert self.told(results % b"pass" + self.signed()) == {}
        assert "“fail”" in self.told(results % b"fail" + self.signed())["DMARC"]

    def test_parts_and_size(self):
        assert "parts" in self.told(b"Content-Type: text/html\r\n\r\n<p>Hello")
        text = self.raw.partition(b'text/plain; charset="utf-8"')[2]
        end = text.index(b"\r\n--")
        assert "parts" in self.told(self.raw.replace(text[:end], b"\r\n\r\n"))
        large = self.raw.replace(b"<p>Hello</p>", b"<p>Hello</p>\r\n" * 10_000)
        assert "size" in self.told(large, Level.WARNING)

    def test_tracking(self):
        pixel = self.raw.replace(b"<p>Hello</p>", b"<img src=3D'https://t.example/p.gif'>")
        assert "picture" in self.told(pixel)["tracking"]
        rewritten = self.body.replace(b"https://veltrix.example/", b"https://t.example/")
        assert "rewritten" in self.told(self.head + b"\r\n\r\n" + rewritten)["tracking"]

    def test_lines(self):
        assert "lines" in self.told(self.raw + b"x" * 999)
        assert "lines" in self.told(self.raw + b"\xe9", Level.WARNING)


class AnySampleTests(SimpleTestCase):
    @settings(max_examples=150)
    @given(
        st.binary(max_size=300),
        st.sampled_from([b"", b"From: a@b.example\r\n", b"Content-Type: multipart/alternative"]),
    )
    def test_no_bytes_break_it(self, raw, head):
        assert deliverability.of_sample(head + raw)


class CommandTests(SimpleTestCase):
    def run_it(self, *args):
        out = StringIO()
        call_command("check_deliverability", *args, stdout=out)
        return out.getvalue()

    def test_a_site_that_is_ready(self):
        with override_settings(**LIVE):
            said = self.run_it()

        assert "ok      site: Links in mails lead to https.\n" in said
        assert '  _dmarc.veltrix.example. TXT "v=DMARC1; p=none' in said
        assert "  mail.veltrix.example. MX 10" in said

    def test_errors_end_with_one(self):
        with self.assertRaisesMessage(CommandError, "To be put right: ") as caught:
            self.run_it()
        assert caught.exception.returncode == 1

    def test_a_sample(self):
        path = Path(self.enterContext(TemporaryDirectory())) / "mail.eml"
        path.write_bytes(b"From: a@b.example\r\n\r\nHello")

        with override_settings(**LIVE), self.assertRaisesMessage(CommandError, "To be put right: "):
            self.run_it("--sample", path)

    def test_a_sample_that_is_not_there(self):
        with self.assertRaisesMessage(CommandError, "cannot be read: No such file or directory."):
            self.run_it("--sample", "/no/such.eml")
