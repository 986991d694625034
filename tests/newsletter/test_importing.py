"""Subscribers brought along in a table: from the file by way of the preview to the list."""

import re
from datetime import date, timedelta
from urllib.parse import quote

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import importing
from newsletter.models import ConsentEvent, Subscriber, Suppression
from tests.articles.test_spreadsheets import workbook
from veltrix.models import AuditEntry, SessionRecord

from .test_models import make_subscriber

IMPORT = "/admin/newsletter/subscriber/import/"
CONFIRM = f"{IMPORT}confirm/"
LIST = "/admin/newsletter/subscriber/"
CONFIRM_WHO = "/admin/sign-in/confirm/?next="
FAIR = "Signed list at Data Days, Leeds"


class ImportTestCase(TestCase):
    def setUp(self):
        self.sign_in("view_subscriber", "import_subscriber")

    def sign_in(self, *permissions, username="keeper"):
        user = User.objects.create_user(username, is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="newsletter", codename__in=permissions)
        )
        self.client.force_login(user)

    def preview(self, content, name="fair.csv", consent=FAIR):
        content = content.encode() if isinstance(content, str) else content
        return self.client.post(IMPORT, {"file": SimpleUploadedFile(name, content), "consent": consent})

    def token(self, page):
        found = re.search(r'name="people" value="([^"]+)"', page.content.decode())
        return found and found[1]

    def confirm(self, page):
        return self.client.post(CONFIRM, {"people": self.token(page)}, follow=True)

    def rows(self, page):
        """Number, address and verdict of each row, as the page shows them."""
        cells = re.findall(r'<tr><th scope="row">(\d+)</th><td>(.*?)</td><td>(.*?)</td></tr>', page.content.decode())
        return [(int(number), address, words) for number, address, words in cells]

    def assert_stays_out(self, page, words):
        assert [row[2] for row in self.rows(page)] == [words]
        assert self.token(page) is None


class PreviewTests(ImportTestCase):
    def test_every_kind_of_row_is_told_with_its_number(self):
        make_subscriber("active@example.com", status="active", confirmed_at=timezone.now())
        make_subscriber("waiting@example.com")
        for status in ("unsubscribed", "bounced", "complained"):
            subscriber = make_subscriber(f"{status}@example.com", status="active", confirmed_at=timezone.now())
            subscriber.end(Subscriber.Status(status), form="link")
        make_subscriber("erased@example.com").erase(form="desk")
        Suppression.objects.suppress("never@example.com", Suppression.Reason.REQUEST)
        before = ConsentEvent.objects.count()
        content = """address
new@example.com
ACTIVE@example.com

waiting@example.com
unsubscribed@example.com
bounced@example.com
complained@example.com
erased@example.com
never@example.com
New@Example.com
x@mailinator.com
nobody
=cmd|' /C calc'!A0
"""

        page = self.preview(content)

        self.assertContains(page, "2 would be subscribed. Nothing has been written yet.")
        assert self.rows(page) == [
            (3, "ACTIVE@example.com", "Is subscribed already"),
            (6, "unsubscribed@example.com", "Stays out: has left, or was erased"),
            (7, "bounced@example.com", "Stays out: must not be written to"),
            (8, "complained@example.com", "Stays out: must not be written to"),
            (9, "erased@example.com", "Stays out: has left, or was erased"),
            (10, "never@example.com", "Stays out: must not be written to"),
            (11, "New@Example.com", "Stands further up in the file. Row 2 has it."),
            (12, "x@mailinator.com", "Stays out: a throw-away address"),
            (13, "nobody", "Cannot be read. Enter an e-mail address, such as name@example.com."),
            (
                14,
                "=cmd|&#x27; /C calc&#x27;!A0",
                "Cannot be read. Enter an e-mail address, such as name@example.com.",
            ),
            (2, "new@example.com", "New: will be subscribed"),
            (5, "waiting@example.com", "Had asked here and not confirmed: will be subscribed"),
        ]
        assert not Subscriber.objects.filter(email="new@example.com").exists()
        assert ConsentEvent.objects.count() == before

    def test_days_and_consents_of_rows_are_looked_at(self):
        tomorrow = timezone.localdate() + timedelta(days=1)
        for row, words in [
            ("a@example.com,31/05/2024,", "Cannot be read. “31/05/2024” is no day such as 2024-05-31."),
            (f"a@example.com,{tomorrow},", f"Cannot be read. {tomorrow} is yet to come."),
            ("a@example.com,0001-01-01,", "Cannot be read. 0001-01-01 is too long ago."),
            ("a@example.com,,by a@example.com", f"Cannot be read. {importing.ADDRESS_IN_CONSENT}"),
            (f"a@example.com,,{'x' * 501}", f"Cannot be read. {importing.LONG_CONSENT}"),
        ]:
            with self.subTest(row):
                self.assert_stays_out(self.preview(f"address,confirmed_on,consent\n{row}\n"), words)
        page = self.preview("address,consent\na@example.com,\n", consent="")
        self.assert_stays_out(page, f"Cannot be read. {importing.NO_CONSENT}")

    def test_the_consent_is_asked_for_where_the_file_does_not_tell(self):
        page = self.preview("address\na@example.com\n", consent="")
        self.assertContains(page, "the file has no column consent")
        self.assertContains(self.preview("address\na@example.com\n", consent="a@b"), "Leave addresses out")
        assert self.token(page) is None

    def test_files_that_cannot_be_read_are_refused_in_words(self):
        for content, words in [
            ("", "The submitted file is empty"),
            ("name\nAda\n", "No column is called address"),
            ("email,address\na@example.com,b@example.com\n", "Which column holds the address: address or email?"),
            ("address\nadé@example.com\n".encode("latin-1"), "not in UTF-8"),
            ("address\na@example.com\n".encode("utf-16"), "not in UTF-8"),
            (b"\xd0\xcf\x11\xe0" + b"x" * 100, "old Excel format"),
            (b"PK\x03\x04nonsense", "cannot be read"),
            ('address\n"a@example.com\n', "cannot be read as CSV"),
            (b"address\n" + b"x" * 5_000_000, "larger than 5 MB"),
            ("address\n" + "a@b.de\n" * 25_001, "more than 25,000 rows"),
        ]:
            with self.subTest(words):
                page = self.preview(content)

                self.assertContains(page, words)
                assert self.token(page) is None

    def test_tables_of_many_makes_are_read(self):
        for name, content in {
            "comma": "email,name\nada@example.com,Ada\n",
            "semicolon and mark": "\ufeffE-Mail;confirmed on\r\nada@example.com;2024-05-31\r\n",
            "quotes and space": '"Address"\n" ada@example.com "\n',
            "old line ends": "address\rada@example.com\r",
            "guarded": "address\n'+ada@example.com\n",
            "workbook": workbook(["Address", "Confirmed on"], ["ada@example.com", date(2024, 5, 31)]),
        }.items():
            with self.subTest(name):
                page = self.preview(content)

                self.assertContains(page, "1 would be subscribed")
        self.assertContains(self.preview("address\n'+ada@example.com\n"), "<td>+ada@example.com</td>")

    def test_a_long_preview_shows_the_first_and_counts_all(self):
        content = "address\n" + "".join(f"a{n}@example.com\nnobody{n}\n" for n in range(1_000))

        page = self.preview(content)

        self.assertContains(page, "1000 would be subscribed")
        self.assertContains(page, "Not every row is shown: the first 500 of those who stay out, and the first 100")
        assert len(self.rows(page)) == 600
        assert len(page.content) < 200_000

    def test_twenty_thousand_rows_cost_two_queries_a_thousand(self):
        content = "address\n" + "".join(f"reader{n:05}@mail{n % 97}.example\n" for n in range(20_000))
        self.preview("address\n")

        with self.assertNumQueries(6 + 2 * 20):
            page = self.preview(content)

        with self.assertNumQueries(25 + 5 * 20):
            self.confirm(page)
        assert Subscriber.objects.count() == ConsentEvent.objects.count() == 20_000


class ConfirmTests(ImportTestCase):
    def test_who_was_shown_is_subscribed_with_the_evidence(self):
        content = "address,confirmed_on,consent\nAda@Example.com,2024-05-31,Form on our old site\ngrace@example.com,,\n"

        page = self.confirm(self.preview(content, name="old <site>.csv"))

        source = f"import of {timezone.localdate()}: old &lt;site&gt;.csv"
        self.assertContains(page, f"Subscribed: 2. They are those who signed up at “{source}”.")
        ada, grace = Subscriber.objects.order_by("email_key")
        assert (ada.email, ada.email_key, ada.status) == ("Ada@example.com", "ada@example.com", "active")
        assert timezone.localtime(ada.confirmed_at).isoformat()[:16] == "2024-05-31T00:00"
        assert ada.created_at == ada.confirmed_at
        assert timezone.now() - grace.confirmed_at < timedelta(minutes=1)
        events = [
            (event.kind, event.form, event.wording) for event in ConsentEvent.objects.order_by("subscriber__email")
        ]
        form = f"import of {timezone.localdate()}: old <site>.csv"
        assert events == [
            ("imported", form, "Form on our old site (confirmed there on 2024-05-31)"),
            ("imported", form, FAIR),
        ]
        assert {ada.source, grace.source} == {form}

    def test_who_had_asked_and_not_confirmed_is_subscribed(self):
        waiting = make_subscriber()

        self.confirm(self.preview("address\nada@example.com\n"))

        waiting.refresh_from_db()
        assert waiting.status == "active"
        assert waiting.consent_events.get().kind == "imported"

    def test_confirming_again_takes_nobody_again(self):
        page = self.preview("address\nada@example.com\n")
        self.confirm(page)

        self.assertContains(self.confirm(page), "Subscribed: 0")

        assert ConsentEvent.objects.count() == 1

    def test_who_leaves_between_preview_and_confirmation_stays_out(self):
        page = self.preview("address\nada@example.com\ngrace@example.com\n")
        make_subscriber().end(Subscriber.Status.UNSUBSCRIBED, form="link")

        self.assertContains(self.confirm(page), "Since the preview 1 more had signed up or must stay out.")

        assert Subscriber.objects.get(email_key="ada@example.com").status == "unsubscribed"
        assert Subscriber.objects.get(email_key="grace@example.com").status == "active"

    @override_settings(SECRET_KEY_FALLBACKS=["an-earlier-key"])
    def test_a_suppression_under_an_earlier_key_counts(self):
        with override_settings(SECRET_KEY="an-earlier-key", SECRET_KEY_FALLBACKS=[]):
            Suppression.objects.suppress("ada@example.com", Suppression.Reason.LEFT)

        self.assert_stays_out(self.preview("address\nada@example.com\n"), "Stays out: has left, or was erased")

    def test_it_is_written_into_the_audit_log_without_an_address(self):
        self.confirm(self.preview("address\nada@example.com\n", name="from bob@example.com.csv"))

        entry = AuditEntry.objects.filter(act="added").get()
        assert entry.words.startswith("Imported subscribers: 1 (import of ")
        assert "@" not in entry.words
        assert "@" not in Subscriber.objects.get().source

    def test_forged_foreign_and_old_previews_are_refused(self):
        page = self.preview("address\nada@example.com\n")
        token = self.token(page)
        for forged in ("", "x", token[:-1], token + "x"):
            with self.subTest(forged[-5:]):
                answer = self.client.post(CONFIRM, {"people": forged}, follow=True)
                self.assertContains(answer, "This preview is too old, or is not of this site.")
        self.sign_in("view_subscriber", "import_subscriber", username="other")
        self.assertContains(self.confirm(page), "This preview is too old")

        assert not Subscriber.objects.exists()
        assert self.client.get(CONFIRM).status_code == 405


class PermissionTests(ImportTestCase):
    def test_importing_needs_its_permission(self):
        self.assertContains(self.client.get(LIST), IMPORT)
        page = self.preview("address\nada@example.com\n")
        token = self.token(page)
        self.sign_in("view_subscriber", "change_subscriber", "add_subscriber", "export_subscriber", username="without")

        self.assertNotContains(self.client.get(LIST), IMPORT)
        for answer in (
            self.client.get(IMPORT),
            self.preview("address\nada@example.com\n"),
            self.client.post(CONFIRM, {"people": token}),
        ):
            assert answer.status_code == 403
        assert not Subscriber.objects.exists()

    def test_it_asks_again_who_it_is(self):
        page = self.preview("address\nada@example.com\n")
        SessionRecord.objects.update(confirmed_at=timezone.now() - timedelta(minutes=11))

        for answer in (
            self.client.get(IMPORT),
            self.preview("address\nada@example.com\n"),
            self.client.post(CONFIRM, {"people": self.token(page)}),
        ):
            self.assertRedirects(answer, CONFIRM_WHO + quote(IMPORT, safe=""), fetch_redirect_response=False)
        assert not Subscriber.objects.exists()

    def test_nobody_gets_in_without_signing_in(self):
        self.client.logout()

        for path in (IMPORT, CONFIRM, IMPORT.rstrip("/")):
            assert self.client.get(path).status_code in {301, 302}
