from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Category
from newsletter.models import ConsentEvent, Edition, Subscriber, Suppression

from .support import ADDRESS
from .test_models import make_subscriber

SUBSCRIBERS = "/admin/newsletter/subscriber/"
EVENTS = "/admin/newsletter/consentevent/"
SUPPRESSIONS = "/admin/newsletter/suppression/"


class DeskTestCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.subscriber = make_subscriber(status="active", confirmed_at=timezone.now())
        cls.event = cls.subscriber.consent_events.create(kind="confirmed", form="/newsletter/", wording="Yes, send it")

    def sign_in(self, *permissions):
        user = User.objects.create_user("editor", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="newsletter", codename__in=permissions)
        )
        self.client.force_login(user)

    def act(self, action, **fields):
        return self.client.post(SUBSCRIBERS, {"action": action, "_selected_action": [self.subscriber.pk], **fields})


class SubscriberAdminTests(DeskTestCase):
    def test_the_list_shows_state_and_dates(self):
        self.sign_in("view_subscriber")

        page = self.client.get(SUBSCRIBERS)

        self.assertContains(page, ADDRESS)
        self.assertContains(page, "Subscribed")
        self.assertContains(page, self.subscriber.confirmed_at.strftime("%Y"))

    def test_the_list_costs_the_same_for_a_hundred(self):
        self.sign_in("view_subscriber")
        self.client.get(SUBSCRIBERS)
        for number in range(100):
            make_subscriber(f"a{number}@example.com")

        with self.assertNumQueries(8):
            self.client.get(SUBSCRIBERS)

    def test_it_is_searched_and_filtered(self):
        make_subscriber("grace@example.com")
        self.sign_in("view_subscriber")

        self.assertContains(self.client.get(SUBSCRIBERS + "?q=GRACE@"), "1 subscriber")
        self.assertContains(self.client.get(SUBSCRIBERS + "?status__exact=pending"), "1 subscriber")

    def test_a_search_takes_a_whole_address_or_how_it_begins(self):
        make_subscriber("grace@example.com")
        make_subscriber("grace.hopper@example.com")
        make_subscriber("{braces}@example.com")
        self.sign_in("view_subscriber")

        for words, found in [
            ("grace@example.com", 1),
            (" Grace@EXAMPLE.com ", 1),
            ("grace", 2),
            ("GRACE.", 1),
            ("g", 2),
            ("{", 1),
            ("grace@example.co", 1),
            ("example.com", 0),
            ("hopper", 0),
            ("gr_ce", 0),
            ("gr%", 0),
            ("grâce", 0),
            ("\u202e", 0),
        ]:
            with self.subTest(words):
                page = self.client.get(SUBSCRIBERS, {"q": words})

                self.assertContains(page, f"{found} subscriber{'' if found == 1 else 's'}\n")

    def test_no_other_order_and_no_counting_of_filters_can_be_asked_for(self):
        self.sign_in("view_subscriber")

        for query in ("?o=1", "?o=-2.1", "?o=x", "?_facets=True"):
            with self.subTest(query), CaptureQueriesContext(connection) as captured:
                self.assertContains(self.client.get(SUBSCRIBERS + query), ADDRESS)

                assert len(captured) == 8
                assert 'ORDER BY "newsletter_subscriber"."created_at" DESC' in captured[-1]["sql"]

    def test_at_most_a_thousand_are_chosen_at_a_time(self):
        for number in range(1_000):
            make_subscriber(f"a{number}@example.com")
        self.sign_in("view_subscriber", "change_subscriber")

        response = self.client.post(
            SUBSCRIBERS, {"action": "take_off", "select_across": "1", "_selected_action": [self.subscriber.pk]}
        )

        self.assertContains(self.client.get(response["Location"]), "at most 1,000 at a time")
        assert not Suppression.objects.exists()

    def test_a_page_shows_the_evidence_and_offers_no_change(self):
        self.sign_in("view_subscriber", "view_consentevent", "change_subscriber", "delete_subscriber")

        page = self.client.get(f"{SUBSCRIBERS}{self.subscriber.pk}/change/")

        self.assertContains(page, ADDRESS)
        self.assertContains(page, "Yes, send it")
        self.assertNotContains(page, 'name="_save"')
        self.assertNotContains(page, 'name="email"')
        response = self.client.post(f"{SUBSCRIBERS}{self.subscriber.pk}/change/", {"email": "eve@example.com"})
        assert response.status_code == 403

    def test_a_page_shows_the_history_to_those_who_may_see_it(self):
        self.subscriber.declined_topics.add(Category.objects.create(slug="pay", name="Pay"))
        edition = Edition.objects.create(slug="may", subject="May in figures")
        self.subscriber.deliveries.create(edition=edition, state="skipped", skip="paused")
        self.subscriber.mail_reports.create(kind="soft", source="mailbox", key="1", edition=edition, status="4.2.2")
        path = f"{SUBSCRIBERS}{self.subscriber.pk}/change/"
        self.sign_in("view_subscriber", "view_consentevent", "view_delivery", "view_mailreport")

        page = self.client.get(path)

        for words in ("Yes, send it", "May in figures", "Left out: Has paused it", "Came back for now", "4.2.2", "Pay"):
            with self.subTest(words):
                self.assertContains(page, words)

        User.objects.all().delete()
        self.sign_in("view_subscriber")
        page = self.client.get(path)
        for words in ("Yes, send it", "May in figures", "Came back for now"):
            with self.subTest(words):
                self.assertNotContains(page, words)

    def test_a_long_history_costs_as_much_as_a_short_one_and_shows_the_latest(self):
        path = f"{SUBSCRIBERS}{self.subscriber.pk}/change/"
        for number in range(60):
            edition = Edition.objects.create(slug=f"e{number}", subject=f"Edition-{number}.")
            self.subscriber.deliveries.create(edition=edition)
            self.subscriber.mail_reports.create(kind="soft", source="smtp", key=str(number), edition=edition)
            self.subscriber.consent_events.create(kind="chose", wording=f"Choice-{number}.")
        self.sign_in("view_subscriber", "view_consentevent", "view_delivery", "view_mailreport")

        with self.assertNumQueries(12):
            page = self.client.get(path)

        self.assertContains(page, "These are the latest 50.", count=3)
        self.assertContains(page, "Choice-59.")
        self.assertNotContains(page, "Choice-9.")

    def test_nobody_adds_or_deletes_by_hand(self):
        self.client.force_login(User.objects.create_superuser("root"))

        assert self.client.get(f"{SUBSCRIBERS}add/").status_code == 403
        assert self.client.post(f"{SUBSCRIBERS}{self.subscriber.pk}/delete/", {"post": "yes"}).status_code == 403
        assert self.act("delete_selected", post="yes").status_code in {200, 302}
        assert Subscriber.objects.exists()

    def test_without_permission_nothing_is_shown(self):
        self.sign_in()

        for path in (SUBSCRIBERS, f"{SUBSCRIBERS}{self.subscriber.pk}/change/", EVENTS, SUPPRESSIONS):
            assert self.client.get(path).status_code == 403

    def test_taking_off_needs_the_permission(self):
        self.sign_in("view_subscriber")
        self.act("take_off")
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "active"

        User.objects.all().delete()
        self.sign_in("view_subscriber", "change_subscriber")
        self.act("take_off")
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "unsubscribed"
        assert self.subscriber.consent_events.latest("pk").form == "desk"

    def test_erasing_asks_first(self):
        self.sign_in("view_subscriber", "erase_subscriber")

        page = self.act("erase")

        self.assertContains(page, "This cannot be undone")
        self.assertContains(page, ADDRESS)
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "active"

    def test_erasing_needs_the_permission_and_keeps_the_hash(self):
        self.sign_in("view_subscriber", "change_subscriber", "delete_subscriber")
        self.act("erase", confirmed="yes")
        self.subscriber.refresh_from_db()
        assert self.subscriber.email == ADDRESS

        User.objects.all().delete()
        self.sign_in("view_subscriber", "erase_subscriber")
        response = self.client.get(self.act("erase", confirmed="yes")["Location"])
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "erased"
        assert Suppression.objects.for_address(ADDRESS).exists()
        self.assertContains(response, "(erased)")
        self.assertNotContains(response, ADDRESS)

    def test_the_log_says_who_erased_and_names_no_address(self):
        self.sign_in("view_subscriber", "erase_subscriber")
        self.act("erase", confirmed="yes")

        entry = LogEntry.objects.get()
        assert (entry.user.username, entry.get_change_message()) == ("editor", "Erased.")
        assert ADDRESS not in entry.object_repr


class ConsentEventAdminTests(DeskTestCase):
    def test_it_is_listed_and_read(self):
        self.sign_in("view_consentevent")

        self.assertContains(self.client.get(EVENTS), "Confirmed")
        self.assertContains(self.client.get(EVENTS + "?q=" + ADDRESS), "1 consent event\n")
        self.assertContains(self.client.get(EVENTS + "?q=grace@example.com"), "0 consent events")
        self.assertContains(self.client.get(EVENTS + "?q=ada"), "0 consent events")
        self.assertContains(self.client.get(f"{EVENTS}{self.event.pk}/change/"), "Yes, send it")

    def test_nobody_adds_changes_or_deletes_it(self):
        self.client.force_login(User.objects.create_superuser("root"))

        assert self.client.get(f"{EVENTS}add/").status_code == 403
        assert self.client.post(f"{EVENTS}{self.event.pk}/change/", {"form": "x"}).status_code == 403
        assert self.client.post(f"{EVENTS}{self.event.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ConsentEvent.objects.get().form == "/newsletter/"


class SuppressionAdminTests(DeskTestCase):
    def add(self, address=ADDRESS, reason="request", note=""):
        return self.client.post(f"{SUPPRESSIONS}add/", {"address": address, "reason": reason, "note": note})

    def test_an_address_is_added_as_a_hash_and_its_subscription_ends(self):
        self.sign_in("view_suppression", "add_suppression")
        self.assertContains(self.client.get(f"{SUPPRESSIONS}add/"), "E-mail address")

        response = self.add("Ada@Example.com", note="Letter of 3 May")

        self.assertRedirects(response, SUPPRESSIONS)
        suppression = Suppression.objects.for_address(ADDRESS).get()
        assert (suppression.reason, suppression.note) == ("request", "Letter of 3 May")
        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "unsubscribed"
        assert ADDRESS not in LogEntry.objects.get().object_repr.lower()

    def test_a_complaint_ends_the_subscription_as_one(self):
        self.sign_in("view_suppression", "add_suppression")
        self.add(reason="complaint")

        self.subscriber.refresh_from_db()
        assert self.subscriber.status == "complained"

    def test_adding_needs_the_permission(self):
        self.sign_in("view_suppression")

        assert self.add().status_code == 403
        assert not Suppression.objects.exists()

    def test_an_address_twice_or_malformed_or_in_the_note_is_refused(self):
        self.sign_in("view_suppression", "add_suppression")
        self.add()

        self.assertContains(self.add(), "suppressed already")
        self.assertContains(self.add("nonsense"), "Enter an e-mail address")
        self.assertContains(self.add("grace@example.com", note="grace@example.com wrote"), "Leave the address out")
        assert Suppression.objects.count() == 1

    def test_somebody_who_left_can_be_suppressed_for_good(self):
        self.subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="link")
        self.sign_in("view_suppression", "add_suppression")

        self.add()

        assert Suppression.objects.get().reason == "request"

    def test_it_is_found_by_its_address_and_read(self):
        Suppression.objects.suppress(ADDRESS, Suppression.Reason.REQUEST, note="By telephone")
        Suppression.objects.suppress("grace@example.com", Suppression.Reason.BOUNCE)
        self.sign_in("view_suppression")

        self.assertContains(self.client.get(SUPPRESSIONS), "2 suppressions")
        self.assertContains(self.client.get(SUPPRESSIONS + "?q=ADA@example.com"), "1 suppression")
        self.assertContains(self.client.get(SUPPRESSIONS + "?q=telephone"), "1 suppression")
        pk = Suppression.objects.for_address(ADDRESS).get().pk
        self.assertContains(self.client.get(f"{SUPPRESSIONS}{pk}/change/"), "By telephone")

    def test_it_is_lifted_with_the_permission_only(self):
        suppression = Suppression.objects.suppress(ADDRESS, Suppression.Reason.REQUEST)
        path = f"{SUPPRESSIONS}{suppression.pk}/delete/"
        self.sign_in("view_suppression", "add_suppression", "change_suppression")
        assert self.client.post(path, {"post": "yes"}).status_code == 403

        User.objects.all().delete()
        self.sign_in("view_suppression", "delete_suppression")
        assert self.client.post(path, {"post": "yes"}).status_code == 302
        assert not Suppression.objects.exists()
