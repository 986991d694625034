import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import quote

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone

from articles.models import Category
from newsletter import exporting
from newsletter.models import Subscriber
from veltrix.models import AuditEntry, SessionRecord

from .crowds import make_crowd
from .test_models import make_subscriber

EXPORT = "/admin/newsletter/subscriber/export/"
LIST = "/admin/newsletter/subscriber/"
DAY = datetime(2026, 5, 31, 12, tzinfo=UTC)


class ExportTestCase(TestCase):
    def sign_in(self, *permissions, username="keeper"):
        user = User.objects.create_user(username, is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="newsletter", codename__in=permissions)
        )
        self.client.force_login(user)

    def export(self, status="active"):
        response = self.client.post(EXPORT, {"status": status})
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


class ExportTests(ExportTestCase):
    def setUp(self):
        self.sign_in("view_subscriber", "export_subscriber", "import_subscriber")

    def test_a_subscriber_is_a_row(self):
        subscriber = make_subscriber(
            status="active",
            source="/newsletter/",
            created_at=DAY,
            confirmed_at=DAY,
            paused_until=DAY + timedelta(days=30),
        )
        for slug in ("skills", "pay"):
            subscriber.declined_topics.add(Category.objects.create(slug=slug, name=slug))

        assert self.export() == [
            {
                "address": "ada@example.com",
                "status": "active",
                "signed_up_on": "2026-05-31",
                "source": "/newsletter/",
                "confirmed_on": "2026-05-31",
                "paused_until": "2026-06-30",
                "declined_topics": "pay;skills",
                "ended_on": "",
            }
        ]

    def test_it_is_of_one_state_or_of_all_whose_address_is_held(self):
        make_crowd(100)

        for status in ("active", "pending", "unsubscribed", "bounced", "complained"):
            with self.subTest(status):
                assert len(self.export(status)) == Subscriber.objects.filter(status=status).count() > 0
        rows = self.export("")
        assert len(rows) == 98
        assert all(row["address"] for row in rows)

    def test_a_state_that_there_is_not_is_refused(self):
        for status in ("erased", "asleep"):
            with self.subTest(status):
                self.assertContains(self.client.post(EXPORT, {"status": status}), "Select a valid choice")

    def test_no_cell_begins_a_formula_and_the_file_can_be_brought_back(self):
        make_subscriber("=1+1@example.com", status="active", confirmed_at=DAY, source="@SUM(A1)")

        rows = self.export()

        assert (rows[0]["address"], rows[0]["source"]) == ("'=1+1@example.com", "'@SUM(A1)")
        text = f"address\r\n{rows[0]['address']}\r\n"
        file = {"file": SimpleUploadedFile("back.csv", text.encode()), "consent": "Here"}
        self.assertContains(self.client.post(f"{LIST}import/", file), "Is subscribed already")

    def test_its_name_says_what_and_when_and_nobody_keeps_it(self):
        response = self.client.post(EXPORT, {"status": "pending"})

        name = f"subscribers-pending-{timezone.localdate()}.csv"
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert "no-store" in response["Cache-Control"]

    def test_it_is_written_into_the_audit_log(self):
        self.client.get(EXPORT)
        assert not AuditEntry.objects.filter(act="exported").exists()

        self.export("pending")

        assert AuditEntry.objects.get(act="exported").words == "Subscribers: Not confirmed yet."

    def test_many_take_a_fixed_number_of_queries_and_no_more_memory(self):
        make_crowd(20_000)
        with self.assertNumQueries(2 * 10 + 1):
            assert sum(piece.count("\n") for piece in exporting.lines("")) == 20_000 * 98 // 100 + 1

        peaks = []
        for number in (2, 10):
            tracemalloc.start()
            for _ in islice(exporting.lines(""), number):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 2 * peaks[0]


class PermissionTests(ExportTestCase):
    def test_exporting_needs_its_permission(self):
        self.sign_in("view_subscriber", "export_subscriber")
        self.assertContains(self.client.get(LIST), EXPORT)
        self.assertContains(self.client.get(EXPORT), "Everybody whose address is held")

        self.sign_in("view_subscriber", "change_subscriber", "import_subscriber", username="without")

        self.assertNotContains(self.client.get(LIST), EXPORT)
        assert self.client.get(EXPORT).status_code == 403
        assert self.client.post(EXPORT, {"status": "active"}).status_code == 403
        assert not AuditEntry.objects.filter(act="exported").exists()

    def test_it_asks_again_who_it_is(self):
        self.sign_in("view_subscriber", "export_subscriber")
        SessionRecord.objects.update(confirmed_at=timezone.now() - timedelta(minutes=11))

        for answer in (self.client.get(EXPORT), self.client.post(EXPORT, {"status": "active"})):
            self.assertRedirects(
                answer, f"/admin/sign-in/confirm/?next={quote(EXPORT, safe='')}", fetch_redirect_response=False
            )
        assert not AuditEntry.objects.filter(act="exported").exists()
