"""Roles from a table, and who may bring tables in."""

from django.contrib.admin.models import ADDITION, LogEntry
from django.test import TestCase

from careers.models import Requirement, Role
from tests.articles.test_imports import ImportTestCase
from tests.factories import make_path, make_role, make_user

from .test_imports import ROLES_URL


class RoleTests(ImportTestCase):
    def test_roles_are_added_and_changed_and_logged(self):
        path = make_path("Data work")
        make_role("Analyst", summary="Old.")

        response = self.preview(
            ROLES_URL, "slug,name,summary,path\nanalyst,Analyst,New.,data-work\nbuilder,Builder,,\n"
        )
        self.assertContains(response, "1 new, 1 changed, 0 unchanged.")
        self.assertFalse(Role.objects.filter(slug="builder").exists())
        self.confirm(response, ROLES_URL)

        analyst, builder = Role.objects.get(slug="analyst"), Role.objects.get(slug="builder")
        self.assertEqual((analyst.summary, analyst.path, builder.name), ("New.", path, "Builder"))
        entries = {entry.object_id: entry for entry in LogEntry.objects.all()}
        self.assertEqual(entries[str(analyst.pk)].change_message, "Imported from “table.csv”, row 2: summary, path")
        self.assertEqual(entries[str(builder.pk)].action_flag, ADDITION)

    def test_columns_that_the_file_leaves_out_stay(self):
        make_role("Analyst", summary="Kept.", order=7)

        self.confirm(self.preview(ROLES_URL, "slug,name\nanalyst,Data analyst\n"), ROLES_URL)

        role = Role.objects.get()
        self.assertEqual((role.name, role.summary, role.order, role.slug), ("Data analyst", "Kept.", 7, "analyst"))

    def test_an_export_brought_back_changes_nothing(self):
        role = make_role("Analyst", path=make_path(), core=["Python"], summary='=1+1\n"x"')
        Requirement.objects.create(role=role, importance="must", label="@SQL; joins")
        make_role("Builder")

        response = self.preview(ROLES_URL, self.client.get("/careers/roles.csv").content)

        self.assert_refused(response, "0 new, 0 changed, 2 unchanged.")

    def test_lists_are_not_changed_by_an_import_and_it_says_so(self):
        make_role("Analyst", core=["Python"])

        response = self.preview(ROLES_URL, "slug,core_skills\nanalyst,Python;SQL\n")

        self.assert_refused(
            response, "Row 2, column core_skills: An import does not change this column. It says “Python”"
        )

    def test_what_is_wrong_is_named(self):
        make_role("Analyst")
        wrong = {
            "slug,name\n,x": "Row 2, column slug: A value is needed here.",
            "slug,name\nA b,x": "Row 2, column slug: Enter a valid",
            "slug,name\nnew,": "Row 2, column name: A value is needed here.",
            "slug,name\nnew,Analyst": "Row 2, column name: Role with this Name already exists.",
            "slug,name\ncompare,Compare": "Row 2: This address is taken by a page of the site.",
            "slug,name,path\nnew,New,none": "Row 2, column path: There is no path “none”.",
            "slug,name,order\nnew,New,-1": "Row 2, column order: ",
            "slug,name\nanalyst,A\nanalyst,B": "Row 3, column slug: Row 2 is about the same.",
            "slug\nunknown": "Row 2, column name: ",
        }
        for content, sentence in wrong.items():
            with self.subTest(sentence):
                self.assert_refused(self.preview(ROLES_URL, content), sentence)

    def test_a_role_edited_by_somebody_else_in_the_meantime_is_not_overwritten(self):
        role = make_role("Analyst", summary="Old.")
        response = self.preview(ROLES_URL, "slug,summary\nanalyst,Mine.\n")
        Role.objects.filter(pk=role.pk).update(summary="Theirs.")

        self.assertContains(self.confirm(response, ROLES_URL), "Row 2: Somebody changed this after the preview.")
        role.refresh_from_db()
        self.assertEqual(role.summary, "Theirs.")


class PermissionTests(TestCase):
    def test_those_who_may_not_add_and_change_may_not_import(self):
        for user, status in ((make_user("Author"), 403), (make_user(), 403), (None, 302)):
            if user:
                self.client.force_login(user)
            else:
                self.client.logout()
            for model in ("careers/salaryrange", "careers/role", "articles/source", "articles/statistic"):
                for path in ("import/", "import/confirm/"):
                    with self.subTest(f"{user} {model}/{path}"):
                        url = f"/admin/{model}/{path}"
                        self.assertEqual(self.client.get(url).status_code, status)
                        self.assertEqual(self.client.post(url, {"table": "x"}).status_code, status)

    def test_an_author_is_offered_no_import_and_an_editor_is(self):
        for group, count in (("Author", 0), ("Editor", 1)):
            self.client.force_login(make_user(group))
            for model in ("careers/salaryrange", "careers/role", "articles/source", "articles/statistic"):
                with self.subTest(f"{group} {model}"):
                    url = f"/admin/{model}/"
                    self.assertContains(self.client.get(url), f'href="{url}import/"', count=count)
                    self.assertEqual(self.client.get(f"{url}import/").status_code, 200 if count else 403)
                    self.assertEqual(self.client.get(f"{url}import/confirm/").status_code, 405 if count else 403)
