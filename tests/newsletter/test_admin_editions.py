from datetime import date, datetime, timedelta

from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import claims, signing
from newsletter.lanes import Outcome, Verdict
from newsletter.models import Delivery, Edition, EditionPart, Subscriber
from tests.factories import make_article, make_category, make_draft, make_statistic, make_user
from tests.newsletter.lists import make_edition, make_sender, make_sending, make_subscriber
from tests.newsletter.support import html_of, mail_server, text_of
from veltrix.models import AuditEntry

PATH = "/admin/newsletter/edition/"


def form_data(**values):
    data = {
        "subject": "Jobs and pay",
        "slug": "jobs-and-pay",
        "preheader": "",
        "intro": "<p>Hello</p>",
        "closing": "",
        "topic": "",
        "source": "",
        "signed_up_from": "",
        "signed_up_until": "",
        "per_second": "",
        "per_hour": "",
        "parts-TOTAL_FORMS": "0",
        "parts-INITIAL_FORMS": "0",
    }
    return {**data, **values}


class EditionAdminTestCase(TestCase):
    group = "Chief editor"

    def setUp(self):
        self.user = make_user(self.group)
        self.client.force_login(self.user)

    def messages(self, response):
        return [str(message) for message in response.context["messages"]]


class FormTests(EditionAdminTestCase):
    def test_an_edition_of_an_article_and_words(self):
        article = make_article(headline=make_statistic())

        response = self.client.post(
            f"{PATH}add/",
            form_data(
                **{
                    "parts-TOTAL_FORMS": "2",
                    "parts-0-position": "1",
                    "parts-0-article": article.pk,
                    "parts-0-heading": "First",
                    "parts-0-text": "",
                    "parts-1-position": "2",
                    "parts-1-article": "",
                    "parts-1-heading": "",
                    "parts-1-text": '<p onclick="x()">In short<script>alert(1)</script></p>',
                }
            ),
        )

        self.assertRedirects(response, PATH)
        edition = Edition.objects.get()
        assert [(part.article, part.text) for part in edition.parts.all()] == [(article, ""), (None, "<p>In short</p>")]

    def test_a_part_of_nothing_and_an_article_twice_say_so(self):
        article = make_article()

        empty = self.client.post(
            f"{PATH}add/", form_data(**{"parts-TOTAL_FORMS": "1", "parts-0-position": "1", "parts-0-heading": "Why"})
        )
        twice = self.client.post(
            f"{PATH}add/",
            form_data(
                **{"parts-TOTAL_FORMS": "2", "parts-0-position": "1", "parts-1-position": "2"},
                **{"parts-0-article": article.pk, "parts-1-article": article.pk},
            ),
        )

        self.assertContains(empty, "Choose an article, or write something.")
        self.assertContains(twice, "duplicate")
        assert not Edition.objects.exists()

    def test_a_new_part_comes_last(self):
        edition = make_edition()
        EditionPart.objects.create(edition=edition, position=7, text="<p>Words</p>")

        page = self.client.get(f"{PATH}{edition.pk}/change/")

        self.assertContains(page, 'name="parts-__prefix__-position" value="8"')

    def test_an_address_of_another_page_is_refused(self):
        response = self.client.post(f"{PATH}add/", form_data(slug="archive"))

        self.assertContains(response, "/newsletter/archive/ is another page. Choose another address.")

    def test_only_what_readers_see_can_be_chosen(self):
        draft, live = make_draft(title="Nobody sees it"), make_article(title="Everybody sees it")

        page = self.client.get(f"{PATH}add/")
        refused = self.client.post(
            f"{PATH}add/",
            form_data(**{"parts-TOTAL_FORMS": "1", "parts-0-position": "1", "parts-0-article": draft.pk}),
        )

        self.assertContains(page, live.title)
        self.assertNotContains(page, draft.title)
        assert refused.status_code == 200
        assert not EditionPart.objects.exists()

    def test_once_its_preparation_has_begun_nothing_changes_it(self):
        edition, _ = make_sending()

        self.assertContains(self.client.get(f"{PATH}{edition.pk}/change/"), "can no longer be changed")
        assert self.client.post(f"{PATH}{edition.pk}/change/", form_data()).status_code == 403
        assert self.client.post(f"{PATH}{edition.pk}/delete/", {"post": "yes"}).status_code == 403
        edition.refresh_from_db()
        assert edition.subject != "Jobs and pay"

    def test_a_draft_can_be_deleted_and_a_scheduled_one_changed(self):
        draft, scheduled = make_edition(), make_edition()
        scheduled.schedule(timezone.now() + timedelta(days=1))

        self.client.post(f"{PATH}{draft.pk}/delete/", {"post": "yes"})
        self.client.post(f"{PATH}{scheduled.pk}/change/", form_data(subject="Another"))

        (left,) = Edition.objects.all()
        assert (left.subject, left.state) == ("Another", "scheduled")

    def test_a_save_of_the_form_does_not_turn_back_the_state(self):
        edition = make_edition()
        form_was_opened = Edition.objects.get(pk=edition.pk)
        edition.schedule(timezone.now() + timedelta(days=1))
        form_was_opened.subject = "Late"
        form_was_opened.save(update_fields=["subject", "changed_at"])

        edition.refresh_from_db()
        assert edition.state == "scheduled"

    def test_the_list_tells_the_time_by_the_24_hour_clock_as_pages_do(self):
        make_edition(scheduled_at=timezone.make_aware(datetime(2026, 7, 1, 16, 5)))

        self.assertContains(self.client.get(PATH), "1 Jul 2026, 16:05")

    def test_the_list_costs_as_many_queries_for_ten_as_for_one(self):
        make_sending(people=2)
        self.client.get(PATH)
        with self.assertNumQueries(10):
            self.client.get(PATH)
        for _ in range(9):
            make_sender(make_sending()[0], sent=1)

        with self.assertNumQueries(10):
            page = self.client.get(PATH)
        self.assertContains(page, "1 of 1")


class PermissionTests(TestCase):
    def test_who_may_do_what(self):
        edition, (delivery,) = make_sending()
        for group, see, test, act in (
            ("Author", 403, 403, 403),
            ("Editor", 200, 200, 403),
            ("Chief editor", 200, 200, 302),
            ("Administrator", 200, 200, 302),
        ):
            self.client.force_login(make_user(group))
            base = f"{PATH}{edition.pk}/"
            with self.subTest(group):
                assert self.client.get(f"{base}preview/").status_code == see
                assert self.client.get(f"{base}mail/").status_code == see
                assert self.client.get(f"{base}sending/").status_code == see
                assert self.client.post(f"{base}preview/", {"to": ""}).status_code == test
                assert self.client.post(f"{base}sending/", {"act": "pause"}).status_code == act
                settled = self.client.post(f"{base}sending/", {"settle": "sent", "delivery": delivery.pk})
                assert settled.status_code == act
                for page in ("preview", "mail", "sending"):
                    assert self.client.get(f"{base}{page}").status_code in {301, 403}
        self.client.logout()
        for page in ("preview", "mail", "sending"):
            self.assertRedirects(
                self.client.get(f"{PATH}{edition.pk}/{page}/"),
                f"/admin/login/?next={PATH}{edition.pk}/{page}/",
            )


class PreviewTests(EditionAdminTestCase):
    def setUp(self):
        super().setUp()
        self.mailbox = self.enterContext(mail_server())
        self.edition = make_edition(intro="<p>Hello</p>")
        self.path = f"{PATH}{self.edition.pk}/"

    def test_the_mail_stands_in_a_frame_without_rights(self):
        page = self.client.get(f"{self.path}preview/")
        mail = self.client.get(f"{self.path}mail/?scheme=dark")

        self.assertContains(page, "sandbox", count=4)
        assert "sandbox" in mail.headers["Content-Security-Policy"]
        assert "default-src &#x27;none&#x27;" in mail.headers["Content-Security-Policy"] or (
            "default-src 'none'" in mail.headers["Content-Security-Policy"]
        )
        assert mail.headers["X-Frame-Options"] == "SAMEORIGIN"
        self.assertContains(mail, "@media all")
        self.assertNotContains(self.client.get(f"{self.path}mail/"), "@media all")

    def test_a_subscribers_address_is_shown_and_their_token_never(self):
        reader = make_subscriber("ada@example.com")

        moved = self.client.post(f"{self.path}preview/", {"address": "Ada@example.com"})
        page = self.client.get(moved.url)
        mail = self.client.get(f"{self.path}mail/?as={reader.pk}")

        assert "ada" not in moved.url.lower()
        for shown in (page, mail):
            self.assertContains(shown, "ada@example.com")
            self.assertNotContains(shown, reader.token)

    def test_an_address_that_nobody_has_or_that_is_none_says_so(self):
        for address, words in (
            ("bob@example.com", "Nobody on the list has this address."),
            ("bob", "Enter an e-mail address"),
        ):
            self.assertContains(self.client.post(f"{self.path}preview/", {"address": address}), words)

    def test_odd_keys_show_somebody_made_up(self):
        for key in ("", "x", "9" * 30, "-1", "0"):
            self.assertContains(self.client.get(f"{self.path}preview/?as={key}"), "somebody made up")

    def test_a_test_arrives_and_its_links_are_nobodys(self):
        reader = make_subscriber("ada@example.com")

        response = self.client.post(f"{self.path}preview/", {"to": "ada@example.com\nbob@example.com"}, follow=True)

        assert self.messages(response) == ["Sent a test to ada@example.com, bob@example.com."]
        assert self.mailbox.recipients == [["ada@example.com"], ["bob@example.com"]]
        letter = self.mailbox.letters[0]
        assert letter["Subject"] == f"[Test] {self.edition.subject}"
        for part in (text_of(letter), html_of(letter)):
            assert reader.token not in part
            assert "/newsletter/unsubscribe/preview-preview-previe/" in part
        assert not Delivery.objects.exists()
        assert AuditEntry.objects.filter(words__contains="Sent a test to 2 addresses.").exists()

    def test_a_test_is_offered_to_oneself_and_leaves_the_reader_shown(self):
        self.user.email = "chief@example.com"
        self.user.save()
        here = f"{self.path}preview/?as={make_subscriber().pk}"

        self.assertContains(self.client.get(here), "chief@example.com</textarea>")
        self.assertRedirects(self.client.post(here, {"to": "chief@example.com"}), here)

    def test_a_refused_test_says_why(self):
        self.mailbox.refusal = "550 5.1.1 No such mailbox"

        response = self.client.post(f"{self.path}preview/", {"to": "ada@example.com"})

        assert self.messages(response) == ["No test for ada@example.com: 550 5.1.1 No such mailbox"]

    def test_what_cannot_be_an_address_or_is_too_much_says_so(self):
        for to, words in (
            ("", "Write an address to send the test to."),
            ("ada", "One of these is no address: Enter an e-mail address, such as name@example.com."),
            (" ".join(f"a{n}@example.com" for n in range(6)), "These are 6 addresses; a test goes to 5 at most."),
        ):
            self.assertContains(self.client.post(f"{self.path}preview/", {"to": to}), words)
        assert self.mailbox.raw == []

    def test_an_article_that_readers_cannot_see_is_named_and_nothing_breaks(self):
        EditionPart.objects.create(edition=self.edition, article=make_draft(title="Not yet"))

        self.assertContains(self.client.get(f"{self.path}preview/"), "Readers cannot see “Not yet”.")
        assert self.client.get(f"{self.path}mail/").status_code == 409
        self.assertContains(
            self.client.post(f"{self.path}preview/", {"to": "ada@example.com"}), "Readers cannot see “Not yet”."
        )


class SendingTests(EditionAdminTestCase):
    def act(self, edition, act, **data):
        return self.client.post(f"{PATH}{edition.pk}/sending/", {"act": act, **data}, follow=True)

    def state(self, edition):
        edition.refresh_from_db()
        return edition.state

    def test_from_draft_to_schedule_and_back(self):
        edition = make_edition(intro="<p>Hello</p>")
        moment = timezone.localtime() + timedelta(days=2)

        self.assertContains(self.client.get(f"{PATH}{edition.pk}/sending/"), "Nobody would get it")
        make_subscriber()
        self.assertContains(self.client.get(f"{PATH}{edition.pk}/sending/"), "1 person would get it")
        scheduled = self.act(edition, "schedule", at=f"{moment:%Y-%m-%dT%H:%M}")
        assert self.state(edition) == "scheduled"
        self.assertContains(scheduled, "It will be sent on")
        self.act(edition, "take-back")
        assert self.state(edition) == "draft"
        self.act(edition, "now")
        assert self.state(edition) == "scheduled"
        assert AuditEntry.objects.filter(words__contains="It is being sent").exists()

    def test_whom_it_would_reach_is_counted_before_it_is_sent(self):
        pay = make_category("Pay")
        edition = make_edition(intro="<p>Hello</p>", topic=pay, source="/newsletter/", signed_up_from=date(2026, 5, 1))
        for source in ("/newsletter/", "/newsletter/", "/newsletter/", "/articles/a/"):
            make_subscriber(source=source)
        declined, paused, _ = Subscriber.objects.filter(source="/newsletter/")
        declined.declined_topics.add(pay)
        Subscriber.objects.filter(pk=paused.pk).update(paused_until=timezone.now() + timedelta(days=9))

        page = self.client.get(f"{PATH}{edition.pk}/sending/")

        self.assertContains(page, "1 person would get it at this moment")
        self.assertContains(
            page,
            "Subscribers who have not declined Pay, who signed up at /newsletter/, who signed up from 1 May 2026 on",
        )
        self.assertContains(self.client.get(f"{PATH}{make_edition().pk}/sending/"), "All subscribers")

    def test_another_like_it_has_its_words_and_readers_and_none_of_its_articles(self):
        edition, _ = make_sending(intro="<p>Hello</p>", closing="<p>Bye</p>", source="/newsletter/")
        EditionPart.objects.create(edition=edition, article=make_article())
        EditionPart.objects.create(edition=edition, heading="In short", text="<p>Words</p>")

        response = self.client.post(f"{PATH}{edition.pk}/copy/")

        copy = Edition.objects.exclude(pk=edition.pk).get()
        self.assertRedirects(response, f"{PATH}{copy.pk}/change/")
        assert (copy.state, copy.intro, copy.closing, copy.source) == (
            "draft",
            "<p>Hello</p>",
            "<p>Bye</p>",
            "/newsletter/",
        )
        assert [(part.article, part.heading) for part in copy.parts.all()] == [(None, "In short")]
        assert copy.slug != edition.slug
        assert self.client.get(f"{PATH}{edition.pk}/copy/").status_code == 405
        self.client.force_login(make_user("Author"))
        assert self.client.post(f"{PATH}{edition.pk}/copy/").status_code == 403

    def test_a_moment_that_is_missing_or_past_says_so(self):
        edition = make_edition(intro="<p>Hello</p>")

        self.assertContains(self.act(edition, "schedule"), "Choose a moment.")
        self.assertContains(self.act(edition, "schedule", at="2020-01-01T10:00"), "Choose a moment to come.")
        assert self.state(edition) == "draft"

    def test_a_moment_half_typed_does_not_matter_to_other_acts(self):
        edition = make_edition(intro="<p>Hello</p>")

        self.act(edition, "now", at="2027-04")

        assert self.state(edition) == "scheduled"

    @override_settings(IS_HTTPS=True)
    def test_an_error_of_the_checklist_stands_in_the_way(self):
        edition = make_edition(intro="<p>Hello</p>")

        page = self.client.get(f"{PATH}{edition.pk}/sending/")
        refused = self.act(edition, "now")

        self.assertContains(page, "The settings have no postal address")
        self.assertNotContains(page, "Send it now")
        assert self.messages(refused) == ["The checklist names an error: mend it first."]
        assert self.state(edition) == "draft"

    def test_pause_with_a_reason_resume_and_cancel(self):
        edition, _ = make_sending()

        self.assertContains(self.act(edition, "pause", reason="A wrong figure"), "Paused: A wrong figure")
        assert self.state(edition) == "paused"
        self.act(edition, "resume")
        assert self.state(edition) == "sending"
        self.act(edition, "pause")
        assert self.state(edition) == "paused"
        assert edition.pause_reason == f"Paused by {self.user}."
        self.act(edition, "cancel")
        assert self.state(edition) == "cancelled"

    def test_an_edition_cancelled_before_its_preparation_says_so(self):
        edition = make_edition(intro="<p>Hello</p>")
        edition.schedule(timezone.now() + timedelta(days=2))

        self.assertContains(self.act(edition, "cancel"), ", before anything was sent.")
        page = self.client.get(f"{PATH}{edition.pk}/change/")
        self.assertContains(page, "Cancelled before anything was sent; this draft can no longer be changed.")

    def test_an_act_that_came_too_late_says_so(self):
        edition = make_edition(intro="<p>Hello</p>")

        assert self.messages(self.act(edition, "pause")) == [
            "The edition’s state is “Draft”: there is nothing to pause."
        ]
        assert self.act(edition, "launch").status_code == 400

    def test_the_page_moves_on_by_itself_unless_it_is_held(self):
        edition, _ = make_sending()

        assert self.client.get(f"{PATH}{edition.pk}/sending/").headers["Refresh"] == "4"
        assert "Refresh" not in self.client.get(f"{PATH}{edition.pk}/sending/?still").headers
        held = self.client.post(f"{PATH}{edition.pk}/sending/?still", {"act": "pause", "reason": "Why not"})
        assert held.headers["Location"] == f"{PATH}{edition.pk}/sending/?still"
        assert "Refresh" not in self.client.get(f"{PATH}{edition.pk}/sending/").headers

    def test_while_the_page_moves_there_is_nothing_to_write_on_it(self):
        edition, _ = make_sending()
        claims.claim(sender := make_sender(edition), edition, 1)
        claims.expire(sender)

        moving = self.client.get(f"{PATH}{edition.pk}/sending/")
        held = self.client.get(f"{PATH}{edition.pk}/sending/?still")

        self.assertContains(moving, 'value="pause"')
        for field in ('name="reason"', 'name="evidence"', 'value="cancel"'):
            self.assertNotContains(moving, field)
            self.assertContains(held, field)

    def test_the_report_adds_up(self):
        edition, deliveries = make_sending(people=5)
        edition.exclusions.create(reason="paused", number=2)
        sender = make_sender(edition)
        deliveries[4].subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        claims.claim(sender, edition, 10)
        outcomes = (
            Outcome(Verdict.ACCEPTED, 250),
            Outcome(Verdict.REFUSED, 550, "No such mailbox"),
            Outcome(Verdict.UNKNOWN),
            Outcome(Verdict.DEFERRED, 451),
        )
        claims.record(sender, {d.pk: outcome for d, outcome in zip(deliveries, outcomes, strict=False)})

        page = self.client.get(f"{PATH}{edition.pk}/sending/")

        lines = {line.label: line.number for line in page.context["lines"]}
        assert lines == {"Sent": 1, "Refused": 1, "Uncertain": 1, "No longer subscribed": 1, "Waiting": 1}
        self.assertContains(page, "No such mailbox")
        self.assertContains(page, "Have paused it")
        self.assertContains(page, f"Delivery {deliveries[2].pk}")
        self.assertContains(page, f"{signing.sign_delivery(deliveries[2].pk)}@")
        self.assertContains(page, "80% settled")

    def test_the_report_costs_as_many_queries_for_many(self):
        edition, _ = make_sending(people=2)
        self.client.get(f"{PATH}{edition.pk}/sending/")
        for people in (0, 30):
            for _ in range(people):
                Delivery.objects.create(
                    edition=edition,
                    subscriber=make_subscriber(),
                    state="uncertain",
                    sender=make_sender(edition),
                    claimed_at=timezone.now(),
                )
            with self.assertNumQueries(15):
                self.client.get(f"{PATH}{edition.pk}/sending/")


class SettlementTests(EditionAdminTestCase):
    def setUp(self):
        super().setUp()
        self.edition, self.deliveries = make_sending(people=2)
        self.sender = make_sender(self.edition)
        claims.claim(self.sender, self.edition, 10)
        claims.expire(self.sender)

    def settle(self, settle, evidence="Queued as 4F2 for ada@example.com", delivery=None):
        data = {"settle": settle, "evidence": evidence, "delivery": delivery or self.deliveries[0].pk}
        response = self.client.post(f"{PATH}{self.edition.pk}/sending/", data, follow=True)
        self.deliveries[0].refresh_from_db()
        return self.messages(response)

    def test_what_was_found_out_is_written_down_without_addresses(self):
        assert self.settle("sent") == ["Noted: it was sent."]

        assert (self.deliveries[0].state, self.deliveries[0].reply) == ("sent", "Queued as 4F2 for …")
        (entry,) = AuditEntry.objects.filter(words__contains="was uncertain")
        assert "ada@" not in entry.words
        assert self.edition.progress().sent == 1

    def test_sending_it_again_is_a_choice_of_a_person(self):
        assert self.settle("again") == ["Noted: send it again."]
        assert self.deliveries[0].state == "pending"

    def test_without_evidence_or_twice_or_elsewhere_nothing_changes(self):
        other, (elsewhere,) = make_sending()
        assert self.settle("lost")[0].startswith("Select a valid choice.")
        assert self.settle("sent", evidence="") == ["Say how you know: what the log of the mail server says, perhaps."]
        assert self.settle("sent", delivery=elsewhere.pk) == ["This delivery is not uncertain any more."]
        assert self.deliveries[0].state == "uncertain"
        self.settle("failed")
        assert self.settle("sent") == ["This delivery is not uncertain any more."]
        assert self.deliveries[0].state == "failed"
        assert other.state == "sending"
