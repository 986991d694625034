from datetime import datetime, timedelta

from django.test import TestCase
from django.utils import timezone

from newsletter.models import Delivery, Edition, EditionPart
from tests.factories import make_article, make_draft, make_statistic, make_user
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
