from django.test import SimpleTestCase, TestCase, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import bounces, signing
from newsletter.bounces import What
from newsletter.models import Delivery, MailReport, Subscriber

from . import returned
from .lists import make_subscriber
from .test_reports import sent_to

NAME = "2a.abcdefghijklmnop"
EVERY = [
    returned.postfix,
    returned.exim,
    returned.exchange,
    returned.gmail,
    returned.sendmail,
    returned.qmail,
    returned.full,
    returned.delayed,
    returned.delivered,
    returned.out_of_office,
    returned.letter_of_a_person,
    returned.complaint,
]


class ReadTests(SimpleTestCase):
    def assert_read(self, mail, what, status=""):
        finding = bounces.read(mail(NAME))
        assert (finding.what, finding.status) == (what, status)
        return finding

    def test_manners_of_servers(self):
        self.assert_read(returned.postfix, What.BOUNCE, "5.1.1")
        self.assert_read(returned.exim, What.BOUNCE, "5.1.1")
        self.assert_read(returned.exchange, What.BOUNCE, "5.1.10")
        self.assert_read(returned.gmail, What.BOUNCE, "5.2.1")
        self.assert_read(returned.qmail, What.BOUNCE, "5.1.1")
        self.assert_read(returned.full, What.BOUNCE, "5.2.2")

    def test_the_remote_servers_words_outweigh_a_guess(self):
        self.assert_read(returned.sendmail, What.BOUNCE, "5.7.1")

    def test_the_words_are_those_about_the_status(self):
        assert "no such person here" in self.assert_read(returned.exim, What.BOUNCE, "5.1.1").diagnostic

    def test_neither_a_delay_nor_a_delivery_is_a_bounce(self):
        self.assert_read(returned.delayed, What.DELAY)
        self.assert_read(returned.delivered, What.DELIVERED)

    def test_neither_an_automatic_reply_nor_a_letter_is_one(self):
        self.assert_read(returned.out_of_office, What.AUTO_REPLY)
        self.assert_read(returned.letter_of_a_person, What.OTHER)

    def test_complaints(self):
        for kind in ("abuse", "fraud", "virus", "other"):
            self.assert_read(lambda name, kind=kind: returned.complaint(name, kind), What.COMPLAINT)

    def test_other_feedback_is_none(self):
        for kind in ("not-spam", "auth-failure", ""):
            self.assert_read(lambda name, kind=kind: returned.complaint(name, kind), What.OTHER)

    @settings(max_examples=150)
    @given(st.binary(max_size=2_000))
    def test_no_bytes_break_it(self, raw):
        assert bounces.read(raw).what in What

    @settings(max_examples=200)
    @given(st.sampled_from(EVERY), st.data())
    def test_no_change_to_a_report_breaks_it(self, mail, data):
        raw = mail(NAME)
        at = data.draw(st.integers(0, len(raw)))
        until = data.draw(st.integers(at, min(at + 60, len(raw))))
        noise = st.binary(max_size=20) | st.sampled_from(
            [b"\x00", b"\n\n", b"--=-cut-here", b"=?utf-8?b?/w==?=", b"\xed"]
        )

        assert bounces.read(raw[:at] + data.draw(noise) + raw[until:]).what in What

    def test_mails_that_nest_without_end(self):
        deep = b"Content-Type: message/rfc822\n\n" * 5_000
        multi = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3_000))

        for raw in (deep, multi, b"A" * 2_000_000, b"a: b\n" * 100_000, b"\n>" * 500_000):
            assert bounces.read(raw).what == What.OTHER


@override_settings(NEWSLETTER_BOUNCE_ADDRESS="bounces@mail.veltrix.example")
class DealTests(TestCase):
    def setUp(self):
        self.subscriber = make_subscriber(returned.READER)
        self.delivery = sent_to(self.subscriber)
        self.name = signing.sign_delivery(self.delivery.pk)

    def status(self):
        return Subscriber.objects.get(pk=self.subscriber.pk).status

    def test_a_bounce_to_the_envelopes_address(self):
        assert signing.bounce_address(self.delivery.pk) == returned.bounce_address(self.name)

        assert bounces.deal_with(returned.postfix(self.name)) == What.BOUNCE

        kept = MailReport.objects.get()
        assert (kept.kind, kept.source, kept.delivery, kept.status) == ("hard", "mailbox", self.delivery, "5.1.1")
        assert "unknown in virtual mailbox table" in kept.diagnostic
        assert "@" not in kept.diagnostic
        assert self.status() == "bounced"

    def test_every_server_finds_its_delivery(self):
        for mail in (
            returned.exim,
            returned.exchange,
            returned.gmail,
            returned.sendmail,
            returned.qmail,
            returned.full,
        ):
            assert bounces.deal_with(mail(self.name)) == What.BOUNCE, mail.__name__
            assert MailReport.objects.first().delivery == self.delivery

    def test_upper_case_comes_back_too(self):
        assert bounces.deal_with(returned.postfix(self.name).replace(self.name.encode(), self.name.upper().encode()))
        assert MailReport.objects.get().delivery == self.delivery

    def test_a_name_in_an_encoded_part_is_found(self):
        raw = returned.exchange(self.name).replace(b"\nTo: bounces@", b"\nTo: office@")
        head, _, tail = raw.partition(b"text/rfc822-headers\n\n")
        encoded = tail.replace(self.name.encode(), self.name[:6].encode() + b"=\n" + self.name[6:].encode())
        raw = head + b"text/rfc822-headers\nContent-Transfer-Encoding: quoted-printable\n\n" + encoded

        assert bounces.deal_with(raw) == What.BOUNCE

    def test_a_full_mailbox_ends_nothing_yet(self):
        assert bounces.deal_with(returned.full(self.name)) == What.BOUNCE

        assert MailReport.objects.get().kind == "soft"
        assert self.status() == "active"

    def test_a_complaint_ends_it(self):
        assert bounces.deal_with(returned.complaint(self.name)) == What.COMPLAINT

        assert self.status() == "complained"

    def test_the_same_mail_again_changes_nothing(self):
        bounces.deal_with(returned.full(self.name))

        assert bounces.deal_with(returned.full(self.name)) == What.REPEATED
        assert MailReport.objects.count() == 1

    def test_a_forged_name_does_nothing(self):
        number, mark = self.name.split(".")
        for name in (f"{number}.{mark[::-1]}", f"{self.delivery.pk + 1:x}.{mark}"):
            assert bounces.deal_with(returned.postfix(name)) == What.FORGED

        assert self.status() == "active"
        assert not MailReport.objects.exists()

    def test_without_a_name_an_address_alone_does_nothing(self):
        raw = returned.postfix(self.name).replace(self.name.encode(), b"x")

        assert bounces.deal_with(raw) == What.NAMELESS
        assert self.status() == "active"

    def test_the_name_of_a_delivery_that_is_gone(self):
        Delivery.objects.all().delete()

        assert bounces.deal_with(returned.postfix(self.name)) == What.NAMELESS

    def test_delays_replies_and_letters_do_nothing(self):
        for mail in (returned.delayed, returned.out_of_office, returned.letter_of_a_person):
            bounces.deal_with(mail(self.name))

        assert self.status() == "active"
        assert not MailReport.objects.exists()

    def test_a_delivered_report_settles_an_uncertain_delivery(self):
        uncertain = sent_to(make_subscriber(), state="uncertain")

        assert bounces.deal_with(returned.delivered(signing.sign_delivery(uncertain.pk))) == What.DELIVERED

        uncertain.refresh_from_db()
        assert uncertain.state == "sent"

    def test_bytes_that_no_database_takes(self):
        raw = returned.postfix(self.name, words="\x00 \x1b[31m é").replace(b"\xc3\xa9", b"\xff\xfe")

        assert bounces.deal_with(raw) == What.BOUNCE
        assert "\x00" not in MailReport.objects.get().diagnostic

    def test_an_end_that_is_cut_off_is_not_missed(self):
        assert bounces.deal_with(returned.postfix(self.name) + b"x" * 3_000_000) == What.BOUNCE
