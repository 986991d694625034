import re
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import time_machine
from django.test import SimpleTestCase, override_settings
from django_tasks_db.models import DBTaskResult

from newsletter import tasks
from newsletter.letters import Letter
from newsletter.models import ConsentEvent, Subscriber, Suppression

from .support import ADDRESS, NewsletterTestCase, html_of, link_in, text_of

NOW = "2026-05-04T09:00:00Z"


def header_lines(raw):
    return raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")


class ConfirmationTests(NewsletterTestCase):
    def setUp(self):
        super().setUp()
        self.sign_up()
        self.letter = self.mailbox.letters[0]

    def test_headers(self):
        assert self.letter["Subject"] == "Confirm your subscription to The AI Briefing"
        assert self.letter["To"] == ADDRESS
        assert self.letter["From"] == "The AI Briefing <briefing@127.0.0.1>"
        assert self.letter["Auto-Submitted"] == "auto-generated"
        assert self.letter["List-Unsubscribe"] is None
        assert self.letter["List-Id"] is None

    def test_text_and_html_hold_the_same_link(self):
        link = link_in(self.letter, "confirm")

        assert self.letter.get_content_type() == "multipart/alternative"
        assert html_of(self.letter).count(f'href="http://127.0.0.1:8000{link}"') == 2
        assert "unsubscribe" not in text_of(self.letter)

    def test_the_identity_is_carried_with_styles_in_place(self):
        html = html_of(self.letter)

        assert text_of(self.letter).startswith("Veltrix.")
        assert re.search(r'Veltrix<span class="wordmark__stop" style="[^"]+">\.</span>', html)
        assert re.search(r'<a class="button"[^>]* style="[^"]*background', html)
        assert "prefers-color-scheme: dark" in html

    def test_nothing_is_loaded_and_nobody_is_tracked(self):
        html = html_of(self.letter)

        assert not re.search(r"<img|<link|src=|url\(", html)
        for address in re.findall(r'href="([^"]+)"', html):
            assert address.startswith("http://127.0.0.1:8000")
            assert not urlsplit(address).query

    def test_no_markup_leaks_into_the_text(self):
        assert not re.search(r"<|&\w+;|\{", text_of(self.letter))

    def test_every_line_fits_and_is_plain_ascii_on_the_wire(self):
        raw = self.mailbox.raw[0]

        assert raw.isascii()
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998
        assert b"\n" not in raw.replace(b"\r\n", b"")

    def test_the_message_id_follows_from_the_request(self):
        event = ConsentEvent.objects.get()

        tasks.send_letter.call(event.pk)

        first, second = self.mailbox.letters
        assert first["Message-ID"] == second["Message-ID"]
        assert re.fullmatch(rf"<confirmation\.{event.pk}\.\d{{20}}@127\.0\.0\.1>", first["Message-ID"])


class WelcomeTests(NewsletterTestCase):
    def welcome(self):
        self.subscriber = self.subscribe()
        return self.mailbox.letters[-1]

    def test_headers_name_the_list_and_the_way_out(self):
        letter = self.welcome()

        assert letter["Subject"] == "Welcome to The AI Briefing"
        assert letter["List-Id"] == "The AI Briefing <briefing.127.0.0.1>"
        address = f"http://127.0.0.1:8000/newsletter/unsubscribe/{self.subscriber.token}/"
        assert letter["List-Unsubscribe"] == f"<{address}>"
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letter["Auto-Submitted"] is None
        assert address in text_of(letter)
        assert f'href="{address}"' in html_of(letter)

    def test_topics_and_a_break_can_be_chosen_before_the_first_edition(self):
        letter = self.welcome()

        address = f"http://127.0.0.1:8000/newsletter/preferences/{self.subscriber.token}/"
        assert address in text_of(letter)
        assert f'href="{address}"' in html_of(letter)

    def test_the_address_that_programs_call_is_one_unencoded_line(self):
        for site in ("https://veltrix.example", f"https://{'a-long-name.' * 8}example"):
            with self.subTest(site), override_settings(SITE_URL=site):
                self.mailbox.raw.clear()
                self.sign_up(f"{len(site)}@example.com")
                path = re.search(r"/newsletter/confirm/\S+", text_of(self.mailbox.letters[0]))[0]
                self.post(path)

                subscriber = Subscriber.objects.latest("pk")
                line = f"List-Unsubscribe: <{site}/newsletter/unsubscribe/{subscriber.token}/>"
                assert line.encode() in header_lines(self.mailbox.raw[-1])
                assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in header_lines(self.mailbox.raw[-1])

    def test_one_click_at_the_address_in_the_header_works(self):
        letter = self.welcome()

        self.post(urlsplit(letter["List-Unsubscribe"].strip("<>")).path, {"List-Unsubscribe": "One-Click"})

        assert Subscriber.objects.get().status == "unsubscribed"

    @override_settings(NEWSLETTER_POSTAL_ADDRESS="1 High Street, Anytown")
    def test_the_postal_address_is_shown_where_one_is_set(self):
        letter = self.welcome()

        assert "1 High Street, Anytown" in text_of(letter)
        assert "1 High Street, Anytown" in html_of(letter)

    def test_nobody_who_left_in_the_meantime_is_welcomed(self):
        self.welcome()
        confirmation = ConsentEvent.objects.get(kind="confirmed")
        self.subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        letters = len(self.mailbox.raw)

        tasks.send_letter.call(confirmation.pk)

        assert len(self.mailbox.raw) == letters

    def test_a_suppression_since_the_sign_up_stops_the_letter(self):
        self.welcome()
        Suppression.objects.suppress(ADDRESS, Suppression.Reason.REQUEST)
        letters = len(self.mailbox.raw)

        tasks.send_letter.call(ConsentEvent.objects.get(kind="confirmed").pk)

        assert len(self.mailbox.raw) == letters


class TroubleTests(NewsletterTestCase):
    def test_a_server_that_cannot_take_it_now_is_tried_again_later(self):
        with time_machine.travel(NOW) as clock:
            self.mailbox.refusal = "451 Try again later"
            self.sign_up()
            self.mailbox.refusal = None
            self.work()
            assert self.mailbox.raw == []

            clock.shift(timedelta(minutes=2))
            self.work()

        assert len(self.mailbox.raw) == 1
        assert not DBTaskResult.objects.failed().exists()

    def test_a_refusal_for_good_is_not_repeated_and_names_no_address(self):
        self.mailbox.refusal = "550 No such mailbox"
        self.sign_up()

        failed = DBTaskResult.objects.get(task_path="newsletter.tasks.send_letter")
        assert failed.status == "FAILED"
        assert "SMTPRecipientsRefused" in failed.traceback
        assert ADDRESS not in failed.traceback

    def test_it_gives_up_after_four_more_attempts(self):
        self.mailbox.refusal = "451 Try again later"
        with time_machine.travel(NOW) as clock:
            self.sign_up()
            for _ in range(6):
                clock.shift(timedelta(hours=3))
                self.work()

        attempts = DBTaskResult.objects.filter(task_path="newsletter.tasks.send_letter")
        assert attempts.successful().count() == 4
        assert attempts.failed().count() == 1
        assert not DBTaskResult.objects.ready().exists()

    def test_a_server_that_is_down_is_tried_again_later(self):
        nobody = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": 1},
            }
        }
        with override_settings(MAILERS=nobody):
            self.sign_up()

        assert DBTaskResult.objects.get(status="READY").args_kwargs["args"][1] == 1


class FolderTests(NewsletterTestCase):
    def test_letters_of_the_demo_are_whole_too(self):
        folder = self.enterContext(TemporaryDirectory())
        options = {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": folder}}
        subscriber = self.subscribe()

        with override_settings(MAILERS={"default": options}):
            tasks.send_letter.call(ConsentEvent.objects.get(kind="confirmed").pk)

        (file,) = Path(folder).iterdir()
        line = f"List-Unsubscribe: <http://127.0.0.1:8000/newsletter/unsubscribe/{subscriber.token}/>\n"
        assert line in file.read_text()


class HeaderInjectionTests(SimpleTestCase):
    def test_a_letter_is_also_had_as_text(self):
        address = f"<https://{'a' * 100}.example/>"
        letter = Letter(subject="Hello", to=[ADDRESS], headers={"List-Unsubscribe": address})

        assert f"List-Unsubscribe: {address}\n" in letter.message().as_string()

    def test_a_line_break_in_a_header_is_refused(self):
        good = {"subject": "Hello", "to": [ADDRESS], "headers": {"List-Unsubscribe": "<https://veltrix.example/>"}}
        Letter(**good).message()
        for bad in (
            {"subject": "Hello\nBcc: eve@example.com"},
            {"to": ["ada@example.com\nBcc: eve@example.com"]},
            {"headers": {"List-Unsubscribe": "<https://veltrix.example/>\r\nBcc: eve@example.com"}},
        ):
            with self.subTest(bad), self.assertRaises(ValueError):
                Letter(**{**good, **bad}).message()
