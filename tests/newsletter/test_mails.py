import email
import email.policy
import re

from django.conf import settings
from django.test import SimpleTestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st

from newsletter import signing
from newsletter.mails import Mailing, Recipient
from newsletter.models import EditionContent

TOKEN = "abcdefghijklmnopqrst-_"
ADA = Recipient(42, TOKEN, "ada@example.com")
URL = f"http://127.0.0.1:8000/newsletter/unsubscribe/{TOKEN}/"
LINES = "First – line.\n.dot\n\n{fields}\nLast “line”, ünd so weiter.\n"
FIELDS = "[[address]] may leave: [[unsubscribe_url]]"


def mailing(**values):
    defaults = {
        "subject": "The AI Briefing",
        "sender": "The AI Briefing <briefing@veltrix.example>",
        "text": LINES.format(fields=FIELDS),
        "html": f"<p>{FIELDS}</p>\n",
        "document": {},
    }
    return Mailing(EditionContent(**{**defaults, **values}))


def raw_of(recipient=ADA, **values):
    return mailing(**values).mail_for(recipient).raw


def parsed(raw):
    """The mail as a program keeps it that ends lines with a line feed."""
    return email.message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=email.policy.default)


def header_lines(raw):
    return raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")


class HeaderTests(SimpleTestCase):
    def test_every_header_as_it_goes_over_the_wire(self):
        lines = header_lines(raw_of())

        boundary = re.search(rb'boundary="(=_[\w-]{22})"', raw_of())[0]
        fixed = {re.sub(rb'boundary="[^"]+"', boundary, line) for line in lines}
        assert b"Subject: The AI Briefing" in fixed
        assert b"From: The AI Briefing <briefing@veltrix.example>" in fixed
        assert b"To: ada@example.com" in fixed
        assert b"List-Id: The AI Briefing <briefing.127.0.0.1>" in fixed
        assert f"List-Unsubscribe: <{URL}>".encode() in fixed
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in fixed
        assert f"Message-ID: <{signing.sign_delivery(42)}@127.0.0.1>".encode() in fixed
        assert b"MIME-Version: 1.0" in fixed
        assert any(re.fullmatch(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]0000", line) for line in fixed)
        assert len([line for line in lines if not line.startswith((b" ", b"\t"))]) == 10

    @override_settings(SITE_URL=f"https://{'a-very-long-name-of-a-host.' * 3}example")
    def test_the_address_to_leave_by_is_one_unencoded_line_however_long(self):
        (line,) = [line for line in header_lines(raw_of()) if line.startswith(b"List-Unsubscribe:")]

        assert len(line) > 130
        assert re.fullmatch(rb"List-Unsubscribe: <https://[\w./-]+>", line)

    def test_a_subject_beyond_ascii_is_encoded_and_comes_back(self):
        subject = "Löhne – “97M” jobs, and what else is new in the world of work and of machines this week"

        raw = raw_of(subject=subject)

        assert parsed(raw)["Subject"] == subject
        assert max(len(line) for line in header_lines(raw)) <= 100

    def test_a_line_break_in_a_subject_or_sender_is_refused(self):
        for bad in ({"subject": "Hello\nBcc: eve@example.com"}, {"sender": "A <a@b.example>\r\nBcc: eve@example.com"}):
            with self.subTest(bad), self.assertRaises(ValueError):
                mailing(**bad)

    @override_settings(NEWSLETTER_BOUNCE_ADDRESS="bounces@mail.veltrix.example")
    def test_bounces_come_back_to_an_address_that_names_the_delivery_and_cannot_be_made_up(self):
        sender = mailing().mail_for(ADA).envelope_sender

        name = re.fullmatch(r"bounces\+(\S+)@mail\.veltrix\.example", sender)[1]
        assert signing.read_delivery(name) == signing.read_delivery(name.upper()) == 42
        assert len(sender.partition("@")[0]) <= 64
        for forged in ("2b" + name[2:], name[:-1], name + "a", "", "2a", "2a.", ".", "é.é", "2a." + "ü" * 16):
            assert signing.read_delivery(forged) is None, forged

    def test_mails_of_an_earlier_key_come_back_too(self):
        name = signing.sign_delivery(42)

        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert signing.read_delivery(name) == 42
        with override_settings(SECRET_KEY="another"):
            assert signing.read_delivery(name) is None

    def test_without_an_address_for_bounces_they_come_to_the_sender(self):
        assert mailing().mail_for(ADA).envelope_sender == "briefing@127.0.0.1"


class BodyTests(SimpleTestCase):
    def test_both_parts_hold_the_fields_of_this_subscriber(self):
        letter = parsed(raw_of())

        assert letter.get_content_type() == "multipart/alternative"
        text, html = (part.get_content() for part in letter.iter_parts())
        assert text == LINES.format(fields=f"ada@example.com may leave: {URL}")
        assert html == f"<p>ada@example.com may leave: {URL}</p>\n"

    def test_what_stands_in_html_is_escaped(self):
        raw = raw_of(Recipient(1, TOKEN, "a&b'c@example.com"))

        assert "<p>a&amp;b&#x27;c@example.com may leave" in parsed(raw).get_body(("html",)).get_content()

    def test_two_mails_differ_in_what_is_theirs_alone(self):
        both = mailing()
        first, second = (both.mail_for(Recipient(n, TOKEN[:-1] + str(n), f"{n}@example.com")).raw for n in (1, 2))

        differing = [
            pair for pair in zip(first.split(b"\r\n"), second.split(b"\r\n"), strict=True) if len(set(pair)) > 1
        ]
        names = {pair[0].split(b":")[0] for pair in differing if b": <" in pair[0] or b"To:" in pair[0]}
        assert {b"To", b"Message-ID", b"List-Unsubscribe"} <= names

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_any_text_comes_back_as_it_was_on_lines_that_fit(self, before, after):
        text = f"{before}\n{FIELDS}{after}\n"

        raw = raw_of(text=text)

        assert raw.isascii()
        assert b"\r" not in raw.replace(b"\r\n", b"")
        assert b"\n" not in raw.replace(b"\r\n", b"")
        assert max(len(line) for line in raw.split(b"\r\n")) <= 98
        expected = text.replace(FIELDS, f"ada@example.com may leave: {URL}")
        assert parsed(raw).get_body(("plain",)).get_content().split("\n") == [*expected.splitlines(), ""]
