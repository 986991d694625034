import csv
from datetime import timedelta
from io import StringIO

from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory, TestCase
from django.utils import timezone

from tests.articles.article_forms import changed
from tests.factories import make_draft, make_source, make_user
from veltrix import audit
from veltrix.models import Act, Attempt, AuditEntry, Authenticator, SessionRecord

from .support import LOGIN, give_password

LOG = "/admin/veltrix/auditentry/"


def make_entry(**values):
    return AuditEntry.objects.create(**{"act": Act.SIGN_IN, "address": "192.0.2.1", **values})


class WrittenTests(TestCase):
    def test_what_is_added_changed_and_deleted_in_the_admin_is_written_down_with_where_from(self):
        editor = make_user("Editor")
        self.client.force_login(editor)
        source = make_source(slug="other")

        self.client.post(f"/admin/articles/source/{source.pk}/delete/", {"post": "yes"})

        entry = AuditEntry.objects.get(act=Act.DELETED)
        self.assertEqual((entry.user, entry.subject_type), (editor, "articles.source"))
        self.assertEqual((entry.subject_name, entry.address), (str(source), "127.0.0.1"))
        self.client.post("/admin/articles/category/add/", {"slug": "jobs", "name": "Jobs"})
        self.assertEqual(AuditEntry.objects.get(act=Act.ADDED).subject_name, "Jobs")

    def test_publishing_is_written_down(self):
        article = make_draft()
        self.client.force_login(make_user("Editor"))

        form = changed(article, "<p>A paragraph.</p>", _publish="1")
        self.client.post(f"/admin/articles/article/{article.pk}/change/", form)

        self.assertEqual(AuditEntry.objects.get(act=Act.PUBLISHED).subject_key, str(article.pk))

    def test_permissions_are_written_down_with_what_was_given_and_taken(self):
        self.client.force_login(make_user("Administrator"))
        person = make_user("Author")
        editors = Group.objects.get(name="Editor")
        form = {
            "username": person.username,
            "is_active": "on",
            "groups": [editors.pk],
            "date_joined_0": "2026-01-01",
            "date_joined_1": "10:00",
        }

        response = self.client.post(f"/admin/auth/user/{person.pk}/change/", form)

        self.assertEqual(response.status_code, 302)
        entry = AuditEntry.objects.get(act=Act.PERMISSIONS)
        self.assertEqual(entry.words, "groups: given Editor; taken Author. is_staff: False.")

    def test_the_permissions_of_a_group_too(self):
        self.client.force_login(make_user(is_superuser=True))
        group = Group.objects.create(name="Readers")
        permission = Permission.objects.get(codename="view_article")

        self.client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Readers", "permissions": [permission.pk]})

        self.assertIn(f"permissions: given {permission}", AuditEntry.objects.get(act=Act.PERMISSIONS).words)

    def test_a_line_of_the_sites_log_tells_the_same_without_the_whole_address(self):
        user = make_user("Author")
        with self.assertLogs("veltrix.audit") as logs, self.captureOnCommitCallbacks(execute=True):
            give_password(self.client, user)

        self.assertIn(f"sign-in who={user.pk} what=auth.user:{user.pk}", logs.output[0])
        self.assertIn("from=127.0.0.0/24", logs.output[0])

    def test_what_did_not_happen_is_not_written_down(self):
        request = RequestFactory().get("/")
        with self.assertNoLogs("veltrix.audit"), self.captureOnCommitCallbacks(execute=True):
            try:
                with transaction.atomic():
                    audit.note(request, Act.EXPORTED)
                    raise KeyError
            except KeyError:
                pass

        self.assertFalse(AuditEntry.objects.exists())


class KeptTests(TestCase):
    def test_no_entry_is_changed_or_deleted_but_its_address_is_forgotten(self):
        entry = make_entry()
        statements = [
            "UPDATE veltrix_auditentry SET words = 'x'",
            "UPDATE veltrix_auditentry SET address = '192.0.2.9'",
            "UPDATE veltrix_auditentry SET address = NULL, words = 'x'",
            "DELETE FROM veltrix_auditentry",
        ]
        if connection.vendor == "postgresql":
            statements.append("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE veltrix_auditentry")
        else:
            columns = ", ".join(field.column for field in AuditEntry._meta.concrete_fields)
            statements.append(f"INSERT OR REPLACE INTO veltrix_auditentry SELECT {columns} FROM veltrix_auditentry")  # noqa: S608
        for statement in statements:
            refused = self.assertRaises(IntegrityError)
            with self.subTest(statement), refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)

        AuditEntry.objects.filter(pk=entry.pk).update(address=None)
        self.assertIsNone(AuditEntry.objects.get().address)

    def test_addresses_and_what_is_over_are_forgotten_in_time(self):
        now, user = timezone.now(), make_user()
        for days in (89, 91):
            make_entry(at=now - timedelta(days=days))
        for days in (0, 2):
            Attempt.objects.create(kind="code", network_digest="x", at=now - timedelta(days=days))
        for days in (29, 31):
            SessionRecord.objects.create(user=user, started_at=now - timedelta(days=days))
        begun = Authenticator.objects.create(user=user, secret="x")
        Authenticator.objects.filter(pk=begun.pk).update(created_at=now - timedelta(days=2))

        call_command("prune_sign_ins", stdout=StringIO())

        self.assertEqual(AuditEntry.objects.filter(address=None).count(), 1)
        counts = [kind.objects.count() for kind in (AuditEntry, Attempt, SessionRecord, Authenticator)]
        self.assertEqual(counts, [2, 1, 1, 0])


class ListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.administrator = make_user("Administrator")
        cls.editor = make_user("Editor", username="edith")
        make_entry(user=cls.editor, words="=1+1")
        make_entry(act=Act.EXPORTED, user=cls.administrator)

    def setUp(self):
        self.client.force_login(self.administrator)

    def export(self, query=""):
        response = self.client.get(f"{LOG}export/{query}")
        return list(csv.DictReader(StringIO(response.getvalue().decode())))

    def test_it_is_filtered_searched_and_costs_the_same_for_many(self):
        self.assertContains(self.client.get(f"{LOG}?act__exact=exported"), "1 audit entry")
        self.assertContains(self.client.get(f"{LOG}?user__id__exact={self.editor.pk}"), "1 audit entry")
        self.assertContains(self.client.get(f"{LOG}?q=edith"), "1 audit entry")
        for number in (1, 40):
            for _ in range(number):
                make_entry(user=make_user())
            with self.subTest(number), self.assertNumQueries(9):
                self.client.get(LOG)

    def test_it_is_exported_as_it_is_listed_and_no_cell_is_a_formula(self):
        rows = self.export("?q=edith")

        self.assertEqual([(row["who"], row["words"]) for row in rows], [("edith", "'=1+1")])
        self.assertEqual(AuditEntry.objects.first().act, Act.EXPORTED)
        self.assertEqual(len(self.export()), 3)

    def test_a_filter_that_there_is_not_is_no_server_error(self):
        for query in ("?act__exact=x", "?user__password__startswith=a", "?at__gte=x", "?o=99.x", "?p=-1"):
            with self.subTest(query):
                for path in (LOG, f"{LOG}export/"):
                    self.assertLess(self.client.get(f"{path}{query}").status_code, 500)

    def test_the_export_asks_who_it_is(self):
        SessionRecord.objects.update(confirmed_at=timezone.now() - timedelta(minutes=11))

        response = self.client.get(f"{LOG}export/?q=edith")

        self.assertRedirects(
            response, "/admin/sign-in/confirm/?next=%2Fadmin%2Fveltrix%2Fauditentry%2Fexport%2F%3Fq%3Dedith"
        )

    def test_nobody_changes_it_here_and_few_see_it(self):
        entry = AuditEntry.objects.first()
        for path in (f"{LOG}add/", f"{LOG}{entry.pk}/delete/"):
            self.assertEqual(self.client.post(path, {"post": "yes"}).status_code, 403)
        self.assertEqual(self.client.post(f"{LOG}{entry.pk}/change/", {"words": "x"}).status_code, 403)
        self.assertEqual(self.client.post(f"{LOG}export/").status_code, 405)
        self.assertRedirects(Client().get(f"{LOG}export/"), f"{LOGIN}?next={LOG}export/")
        for group in ("Author", "Editor", "Chief editor"):
            self.client.force_login(make_user(group))
            for path in (LOG, f"{LOG}export/", f"{LOG}{entry.pk}/change/"):
                self.assertEqual(self.client.get(path).status_code, 403)
