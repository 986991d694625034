from unittest import mock

from django.contrib.auth.models import Permission, User
from django.test import TestCase

from newsletter import reports
from newsletter.admin import reports as desk
from newsletter.models import MailReport

from .lists import make_subscriber
from .test_reports import sent_to

REPORTS = "/admin/newsletter/mailreport/"


class ReportAdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.delivery = sent_to(make_subscriber())
        words = {"status": "5.2.2", "diagnostic": "The mailbox is full"}
        cls.report = reports.record(MailReport.Kind.SOFT, "mailbox", "1", delivery=cls.delivery, **words)

    def sign_in(self, *permissions):
        user = User.objects.create_user("editor", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="newsletter", codename__in=permissions)
        )
        self.client.force_login(user)

    def test_the_list_tells_what_came_back_and_of_which_edition(self):
        self.sign_in("view_mailreport")

        page = self.client.get(REPORTS)

        for words in ("Came back for now", "5.2.2", "mailbox", self.delivery.edition.subject, "The mailbox is full"):
            self.assertContains(page, words)

    def test_it_is_found_by_kind_and_status(self):
        self.sign_in("view_mailreport")

        for query, number in (("?q=5.2", 1), ("?q=5.1", 0), ("?kind__exact=soft", 1), ("?kind__exact=hard", 0)):
            self.assertContains(self.client.get(REPORTS + query), f"{number} mail report", msg_prefix=query)

    def test_the_list_costs_the_same_for_a_hundred(self):
        self.sign_in("view_mailreport")
        self.client.get(REPORTS)
        for number in range(100):
            delivery = sent_to(make_subscriber())
            reports.record(MailReport.Kind.SOFT, "mailbox", f"a{number}", delivery=delivery)

        with self.assertNumQueries(8):
            self.client.get(REPORTS)

    def test_it_counts_no_further_than_it_goes(self):
        self.sign_in("view_mailreport")
        for number in range(5):
            reports.record(MailReport.Kind.SOFT, "mailbox", f"a{number}", delivery=self.delivery)

        with mock.patch.object(desk, "MOST_SHOWN", 3):
            self.assertContains(self.client.get(REPORTS), "3 mail reports")

    def test_a_report_is_shown_and_never_changed(self):
        self.sign_in("view_mailreport", "add_mailreport", "change_mailreport", "delete_mailreport")
        page = f"{REPORTS}{self.report.pk}/change/"

        self.assertContains(self.client.get(page), "The mailbox is full")
        for path in (page, f"{REPORTS}{self.report.pk}/delete/", f"{REPORTS}add/"):
            assert self.client.post(path, {"post": "yes"}).status_code == 403
        assert MailReport.objects.count() == 1

    def test_without_permission(self):
        self.sign_in("view_subscriber")

        assert self.client.get(REPORTS).status_code == 403
        assert self.client.get(f"{REPORTS}{self.report.pk}/change/").status_code == 403
