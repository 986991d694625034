"""A mail server on loopback, the queue's worker, and a visitor who signs up."""

import email
import email.policy
import re
import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine
from aiosmtpd.controller import Controller
from django.test import TestCase, override_settings

from newsletter.models import Subscriber
from tests.queue import WithQueue

ADDRESS = "ada@example.com"


class Mailbox:
    """Keeps what arrives as the bytes of the wire; `refusal` is an SMTP answer to give in place of taking it."""

    def __init__(self):
        self.raw = []
        self.recipients = []
        self.refusal = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.raw.append(envelope.original_content)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    @property
    def letters(self):
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw]


@contextmanager
def mail_server():
    mailbox = Mailbox()
    # The controller greets its own server, so it must know the port beforehand.
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    options = {"host": "127.0.0.1", "port": port, "timeout": 5}
    mailers = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    try:
        with override_settings(MAILERS=mailers):
            yield mailbox
    finally:
        controller.stop()


def text_of(letter):
    return letter.get_body(("plain",)).get_content()


def html_of(letter):
    return letter.get_body(("html",)).get_content()


def link_in(letter, what):
    """The path of the link to `what` (confirm, unsubscribe) in the letter's text."""
    return re.search(rf"^http://127\.0\.0\.1:8000(/newsletter/{what}/\S+)\s*$", text_of(letter), re.MULTILINE)[1]


def stamp_in(page):
    return re.search(r'name="stamp" value="([^"]+)"', page.content.decode())[1]


class NewsletterTestCase(WithQueue, TestCase):
    def setUp(self):
        super().setUp()
        self.mailbox = self.enterContext(mail_server())

    def stamp(self, age=timedelta(minutes=1), path="/newsletter/"):
        """The hidden stamp of a page that was opened so long ago."""
        with time_machine.travel(datetime.now(UTC) - age):
            return stamp_in(self.client.get(path))

    def send_form(self, address=ADDRESS, *, headers=None, stamp=None, **fields):
        """Send the sign-up form without letting the worker see it."""
        fields = {"email": address, "message": "", "stamp": stamp or self.stamp(), **fields}
        headers = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post("/newsletter/", fields, headers=headers)

    def sign_up(self, address=ADDRESS, **kwargs):
        response = self.send_form(address, **kwargs)
        self.work()
        return response

    def post(self, path, data=None, **kwargs):
        """POST, then let the worker do what it caused."""
        with self.captureOnCommitCallbacks(execute=True):
            response = self.client.post(path, data, **kwargs)
        self.work()
        return response

    def subscribe(self, address=ADDRESS):
        """A confirmed subscriber, by way of the form and the mailed link."""
        self.sign_up(address)
        self.post(link_in(self.mailbox.letters[-1], "confirm"))
        return Subscriber.objects.with_address(address).get()
