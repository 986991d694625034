import logging
from datetime import timedelta

import time_machine
from django.core.signing import TimestampSigner
from django.test import Client, override_settings
from django_tasks_db.models import DBTaskResult

from newsletter.models import ConsentEvent, SignUp, Subscriber, Suppression

from .support import ADDRESS, NewsletterTestCase, link_in, stamp_in

NOW = "2026-05-04T09:00:00Z"


class SignUpTests(NewsletterTestCase):
    def test_an_address_is_pending_and_gets_one_confirmation(self):
        response = self.sign_up()

        self.assertRedirects(response, "/newsletter/check-your-inbox/")
        subscriber = Subscriber.objects.get()
        assert (subscriber.email, subscriber.status) == (ADDRESS, "pending")
        assert self.mailbox.recipients == [[ADDRESS]]

    def test_no_mail_is_sent_while_the_visitor_waits(self):
        self.send_form()

        assert self.mailbox.raw == []
        self.work()
        assert len(self.mailbox.raw) == 1

    def test_evidence_names_the_page_the_words_and_the_network(self):
        self.sign_up()

        event = ConsentEvent.objects.get()
        assert (event.kind, event.form) == ("asked", "/newsletter/")
        assert "No open or click tracking." in event.wording
        page = self.client.get("/newsletter/").content.decode()
        assert "I agree that Veltrix Collective may send me The AI Briefing by e-mail." in page
        assert "I agree that Veltrix Collective may send me The AI Briefing by e-mail." in event.wording
        assert len(event.network_digest) == 64
        assert "127.0.0" not in event.network_digest

    def test_the_address_is_kept_in_the_subscriber_only(self):
        self.sign_up()

        assert SignUp.objects.get().email == ""
        assert not DBTaskResult.objects.filter(args_kwargs__icontains=ADDRESS).exists()

    def test_domain_is_stored_in_ascii_and_spellings_are_one_address(self):
        with time_machine.travel(NOW) as clock:
            self.sign_up("Ada@Bücher.example")
            clock.shift(timedelta(minutes=11))
            self.sign_up("ada@XN--BCHER-KVA.example")

        assert Subscriber.objects.get().email == "Ada@xn--bcher-kva.example"
        assert len(self.mailbox.raw) == 2

    def test_pages_set_no_cookie(self):
        pages = [
            self.client.get("/newsletter/"),
            self.client.get("/newsletter/check-your-inbox/"),
            self.sign_up(),
            self.sign_up("nonsense"),
        ]

        for page in pages:
            assert not page.cookies
            assert "Cookie" not in page.headers.get("Vary", "")

    def test_form_needs_no_csrf_cookie(self):
        self.client = Client(enforce_csrf_checks=True)

        assert self.sign_up().status_code == 302

    def test_other_methods_are_refused(self):
        assert self.client.put("/newsletter/").status_code == 405
        assert self.client.post("/newsletter/check-your-inbox/").status_code == 405


class InvalidSignUpTests(NewsletterTestCase):
    def assert_refused(self, response, message):
        self.assertContains(response, message)
        assert not SignUp.objects.exists()
        assert self.mailbox.raw == []

    def test_an_invalid_address_is_kept_in_the_form_and_explained(self):
        for address in ["ada", "ada@", "@example.com", "ada@localhost", "ada@[127.0.0.1]", '"a b"@example.com']:
            with self.subTest(address):
                response = self.sign_up(address)

                self.assert_refused(response, 'aria-invalid="true"')
                assert response.context["form"]["email"].value() == address

    def test_the_message_is_tied_to_the_field(self):
        page = self.sign_up("ada@").content.decode()

        form = page[page.index("<form") :]
        field_id = form.split('type="email"')[1].split(' id="')[1].split('"')[0]
        assert f'aria-describedby="{field_id}_error"' in form
        assert f'id="{field_id}_error"' in form
        assert "Enter an e-mail address" in form

    def test_nothing_typed_is_explained(self):
        self.assert_refused(self.sign_up(""), "Enter an e-mail address")

    def test_an_address_longer_than_can_be_is_refused(self):
        longest = "a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".com"
        assert len(longest) == 254

        self.assert_refused(self.sign_up("a" * 65 + "@example.com"), "longer than an e-mail address can be")
        self.assert_refused(self.sign_up("b" + longest), "254")
        self.assert_refused(self.sign_up(f"ada@{'é' * 60}.example"), "Enter an e-mail address")
        self.sign_up(longest)
        assert self.mailbox.recipients == [[longest]]

    def test_line_breaks_and_nul_reach_no_header(self):
        for address in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com\nX: y", "ada@exa\x00mple.com"]:
            with self.subTest(address):
                response = self.sign_up(address)

                assert response.status_code == 200
                assert not SignUp.objects.exists()
        assert self.mailbox.raw == []

    def test_throw_away_addresses_and_their_subdomains_are_refused(self):
        self.assert_refused(self.sign_up("ada@mailinator.com"), "throw-away address")
        self.assert_refused(self.sign_up("ada@inbox.YOPMAIL.com"), "throw-away address")
        self.sign_up("ada@notmailinator.com")
        assert len(self.mailbox.raw) == 1

    @override_settings(NEWSLETTER_REFUSED_DOMAINS=["refused.example"])
    def test_further_domains_can_be_refused(self):
        self.assert_refused(self.sign_up("ada@refused.example"), "throw-away address")


class ProgramTests(NewsletterTestCase):
    def test_a_filled_trap_gets_the_neutral_answer_and_nothing_else(self):
        response = self.sign_up(message="Buy now")

        self.assertRedirects(response, "/newsletter/check-your-inbox/")
        assert not SignUp.objects.exists()
        assert self.mailbox.raw == []

    def test_a_form_that_was_made_for_one_visitor_is_not_taken_at_once(self):
        with time_machine.travel(NOW, tick=False) as clock:
            stamp = stamp_in(self.client.post("/newsletter/", {"email": ADDRESS}))
            clock.shift(timedelta(seconds=1))
            hasty = self.send_form(stamp=stamp)
            assert not SignUp.objects.exists()
            clock.shift(timedelta(seconds=2))
            again = self.send_form(stamp=stamp_in(hasty))

        self.assertContains(hasty, "press the button once more")
        assert again.status_code == 302

    def test_the_form_of_a_kept_page_is_taken_at_any_moment_of_thirty_days(self):
        """On the first and on the last day of a week."""
        for moment in ("2026-05-04T00:00:00+01:00", "2026-05-10T23:59:59+01:00"):
            with self.subTest(moment), time_machine.travel(moment, tick=False) as clock:
                stamp = stamp_in(self.client.get("/newsletter/"))
                for later in (timedelta(seconds=3), timedelta(days=30, seconds=-3)):
                    clock.shift(later)
                    assert self.send_form(stamp=stamp).status_code == 302

    def test_an_older_form_is_asked_for_again_and_then_taken(self):
        with time_machine.travel(NOW, tick=False) as clock:
            stale = self.send_form(stamp=self.stamp(age=timedelta(days=38)))
            clock.shift(timedelta(seconds=5))
            again = self.send_form(stamp=stamp_in(stale))

        self.assertContains(stale, "press the button once more")
        self.assertContains(stale, ADDRESS)
        assert again.status_code == 302

    def test_a_missing_or_forged_stamp_is_refused(self):
        forged = TimestampSigner(key="another key", salt="newsletter.stamp").sign("/newsletter/")
        for stamp in ["nonsense", "::", forged, "\N{SNOWMAN}"]:
            with self.subTest(stamp):
                self.assertContains(self.send_form(stamp=stamp), "press the button once more")

        self.client.post("/newsletter/", {"email": ADDRESS})
        assert not SignUp.objects.exists()


class OriginTests(NewsletterTestCase):
    """The check that stands in for a CSRF cookie."""

    def answer(self, **headers):
        data = {"email": ADDRESS, "stamp": self.stamp()}
        return self.client.post("/newsletter/", data, headers=headers).status_code

    def test_this_site_is_taken_and_others_are_refused(self):
        assert self.answer(sec_fetch_site="same-origin") == 302
        assert self.answer(sec_fetch_site="none") == 302
        assert self.answer(sec_fetch_site="same-site") == 403
        assert self.answer(sec_fetch_site="cross-site") == 403

    def test_older_browsers_are_judged_by_origin(self):
        assert self.answer(origin="http://testserver") == 302
        assert self.answer(origin="http://127.0.0.1:8000") == 302
        assert self.answer(origin="https://testserver") == 403
        assert self.answer(origin="http://evil.example") == 403
        assert self.answer(origin="null") == 403
        assert self.answer(origin="http://[") == 403

    def test_the_fetch_header_outranks_origin(self):
        assert self.answer(sec_fetch_site="cross-site", origin="http://testserver") == 403

    def test_neither_header_passes(self):
        assert self.answer() == 302

    def test_a_refusal_keeps_nothing_and_shows_the_way(self):
        response = self.client.post("/newsletter/", {"email": ADDRESS}, headers={"Sec-Fetch-Site": "cross-site"})

        self.assertContains(response, 'href="/newsletter/"', status_code=403)
        assert not SignUp.objects.exists()


class NeutralAnswerTests(NewsletterTestCase):
    def test_all_addresses_get_the_same_answer_for_the_same_queries(self):
        self.subscribe("active@example.com")
        left = self.subscribe("left@example.com")
        left.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        self.sign_up("pending@example.com")
        Suppression.objects.suppress("suppressed@example.com", Suppression.Reason.COMPLAINT)
        SignUp.objects.all().delete()
        addresses = [f"{who}@example.com" for who in ("new", "pending", "active", "left", "suppressed")]
        pages = set()

        for address in addresses:
            stamp = self.stamp()
            with self.subTest(address), self.assertNumQueries(8), self.captureOnCommitCallbacks(execute=True):
                response = self.client.post("/newsletter/", {"email": address, "stamp": stamp})
            pages.add((response.status_code, response["Location"], response.content))

        assert len(pages) == 1

    def test_an_active_subscriber_is_told_so_by_mail(self):
        with time_machine.travel(NOW) as clock:
            subscriber = self.subscribe()
            clock.shift(timedelta(minutes=11))
            self.sign_up()

        letter = self.mailbox.letters[-1]
        assert letter["Subject"] == "You are already subscribed to The AI Briefing"
        assert link_in(letter, "unsubscribe") == f"/newsletter/unsubscribe/{subscriber.token}/"
        assert Subscriber.objects.get().status == "active"

    def test_a_suppressed_address_gets_no_mail(self):
        for reason in ("bounce", "request", "complaint"):
            with self.subTest(reason):
                Suppression.objects.suppress(f"{reason}@example.com", Suppression.Reason(reason))
                self.sign_up(f"{reason.title()}@Example.com")

        assert self.mailbox.raw == []
        assert not Subscriber.objects.exists()

    def test_somebody_who_left_gets_a_confirmation_and_stays_away_without_it(self):
        with time_machine.travel(NOW) as clock:
            subscriber = self.subscribe()
            subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
            clock.shift(timedelta(minutes=11))
            self.sign_up()

        assert self.mailbox.letters[-1]["Subject"] == "Confirm your subscription to The AI Briefing"
        assert Subscriber.objects.get().status == "unsubscribed"


class LettersForAnAddressTests(NewsletterTestCase):
    def test_three_confirmations_in_thirty_days_ten_minutes_apart(self):
        with time_machine.travel(NOW) as clock:
            self.sign_up()
            clock.shift(timedelta(minutes=9))
            self.sign_up()
            assert len(self.mailbox.raw) == 1

            for expected in (2, 3, 3):
                clock.shift(timedelta(minutes=11))
                self.sign_up()
                assert len(self.mailbox.raw) == expected

            clock.shift(timedelta(days=30))
            self.sign_up()
            assert len(self.mailbox.raw) == 4

    def test_one_address_does_not_use_up_the_letters_of_another(self):
        self.sign_up("ada@example.com")
        self.sign_up("grace@example.com")

        assert self.mailbox.recipients == [["ada@example.com"], ["grace@example.com"]]

    def test_a_sign_up_is_handled_once(self):
        self.sign_up()
        sign_up = SignUp.objects.get()

        assert sign_up.handle() is None
        assert ConsentEvent.objects.count() == 1


class LimitTests(NewsletterTestCase):
    def fill(self, count, **meta):
        stamp = self.stamp()
        for number in range(count):
            response = self.client.post("/newsletter/", {"email": f"a{number}@example.com", "stamp": stamp}, **meta)
        return response

    def test_the_sixth_in_ten_minutes_is_told_when_to_come_back(self):
        with time_machine.travel(NOW, tick=False) as clock:
            assert self.fill(5).status_code == 302
            clock.shift(timedelta(minutes=4))

            refused = self.fill(1)

            self.assertContains(refused, "try again in 6 minutes", status_code=429)
            assert refused["Retry-After"] == "360"
            assert SignUp.objects.count() == 5
            clock.shift(timedelta(minutes=6))
            assert self.fill(1).status_code == 302

    def test_the_twenty_first_in_a_day_is_refused(self):
        with time_machine.travel(NOW, tick=False) as clock:
            for _ in range(4):
                assert self.fill(5).status_code == 302
                clock.shift(timedelta(minutes=11))

            refused = self.fill(1)

            assert refused.status_code == 429
            assert int(refused["Retry-After"]) == (24 * 60 - 44) * 60

    def test_a_network_is_a_slash_24_or_a_slash_64(self):
        for first, same, other in [
            ("192.0.2.1", "192.0.2.254", "192.0.3.1"),
            ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"),
            ("::ffff:198.51.100.1", "198.51.100.9", "::ffff:198.51.101.1"),
        ]:
            with self.subTest(first):
                assert self.fill(5, REMOTE_ADDR=first).status_code == 302
                assert self.fill(1, REMOTE_ADDR=same).status_code == 429
                assert self.fill(1, REMOTE_ADDR=other).status_code == 302

    @override_settings(BEHIND_PROXY=True)
    def test_behind_a_proxy_the_address_that_it_saw_counts(self):
        forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.{}, 192.0.2.1"}
        for number in range(5):
            self.fill(1, HTTP_X_FORWARDED_FOR=f"203.0.{number}.1, 192.0.2.1")

        assert self.fill(1, HTTP_X_FORWARDED_FOR=forwarded["HTTP_X_FORWARDED_FOR"]).status_code == 429
        assert self.fill(1, HTTP_X_FORWARDED_FOR="192.0.2.1, 203.0.113.1").status_code == 302

    def test_without_a_proxy_the_header_is_not_believed(self):
        for number in range(5):
            self.fill(1, HTTP_X_FORWARDED_FOR=f"203.0.{number}.1")

        assert self.fill(1, HTTP_X_FORWARDED_FOR="203.0.99.1").status_code == 429

    def test_a_sender_without_an_address_is_taken(self):
        assert self.fill(1, REMOTE_ADDR="").status_code == 302

    def test_all_networks_together_have_a_limit(self):
        SignUp.objects.bulk_create(
            SignUp(email=f"a{n}@example.com", form="/", wording="x", network_digest=f"{n:064x}") for n in range(600)
        )

        assert self.fill(1).status_code == 429

    def test_a_refusal_is_logged_without_the_address(self):
        self.fill(5)

        with self.assertLogs("newsletter", logging.WARNING) as logs:
            self.fill(1)

        assert "too many from network" in logs.output[0]
        assert "example.com" not in logs.output[0]
        assert "127.0.0" not in logs.output[0]
