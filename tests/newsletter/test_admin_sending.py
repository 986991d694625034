"""Editions at the desk once they are scheduled: sending, progress, and mails of which nobody knows."""

from datetime import date, timedelta

from django.test import override_settings
from django.utils import timezone

from newsletter import claims, signing
from newsletter.lanes import Outcome, Verdict
from newsletter.models import Delivery, Edition, EditionPart, Subscriber
from tests.factories import make_article, make_category, make_user
from tests.newsletter.lists import make_edition, make_sender, make_sending, make_subscriber
from veltrix.models import AuditEntry

from .test_admin_editions import PATH, EditionAdminTestCase


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
