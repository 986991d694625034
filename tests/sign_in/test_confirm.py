from datetime import timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.test import Client, TestCase
from django.utils import timezone

from tests.factories import PASSWORD, make_user
from veltrix.models import Act, AuditEntry, SessionRecord

from .support import LOGIN, is_in

CONFIRM = "/admin/sign-in/confirm/"


class ConfirmTests(TestCase):
    def setUp(self):
        self.user = make_user("Administrator")
        self.client.force_login(self.user)
        self.person = make_user("Author")
        self.url = f"/admin/auth/user/{self.person.pk}/change/"

    def wait(self):
        SessionRecord.objects.update(confirmed_at=timezone.now() - timedelta(minutes=11))

    def test_people_and_groups_are_changed_without_asking_right_after_the_sign_in_only(self):
        root = make_user(is_superuser=True)
        self.client.force_login(root)
        group = Group.objects.get(name="Author")
        paths = {
            "get": [self.url, "/admin/auth/user/add/", f"/admin/auth/user/{self.person.pk}/password/",
                    f"/admin/auth/group/{group.pk}/change/", f"/admin/auth/group/{group.pk}/delete/"],
            "post": [self.url, "/admin/auth/user/", "/admin/auth/group/", f"/admin/auth/group/{group.pk}/delete/"],
        }  # fmt: skip
        for path in paths["get"]:
            self.assertEqual(self.client.get(path).status_code, 200)
        self.wait()

        for method, of_method in paths.items():
            for path in of_method:
                with self.subTest(f"{method} {path}"):
                    response = getattr(self.client, method)(path)

                    self.assertRedirects(response, f"{CONFIRM}?{urlencode({'next': path})}")
        self.assertTrue(Group.objects.filter(name="Author").exists())

    def test_the_password_leads_back_to_what_was_asked_for(self):
        self.wait()
        page = self.client.get(self.client.get(self.url).headers["Location"])
        self.assertContains(page, f'value="{self.url}"')

        response = self.client.post(CONFIRM, {"next": self.url, "password": PASSWORD})

        self.assertRedirects(response, self.url)
        self.assertTrue(AuditEntry.objects.filter(act=Act.CONFIRMED, user=self.user).exists())

    def test_a_wrong_password_changes_nothing_and_is_written_down(self):
        self.wait()
        for password in ("wrong", "", "\x00"):
            self.assertEqual(self.client.post(CONFIRM, {"next": self.url, "password": password}).status_code, 422)
        self.assertEqual(self.client.post(CONFIRM, {"credential": "{}"}).status_code, 422)

        self.assertEqual(self.client.get(self.url).status_code, 302)
        self.assertTrue(AuditEntry.objects.filter(act=Act.CONFIRM_FAILED, user=self.user).exists())

    def test_it_is_tried_five_times(self):
        for status in [422] * 5 + [429]:
            self.assertEqual(self.client.post(CONFIRM, {"password": "wrong"}).status_code, status)

    def test_it_leads_to_no_other_site(self):
        for address in ("https://evil.example/", "//evil.example/", "/\\evil.example", ""):
            response = self.client.post(CONFIRM, {"next": address, "password": PASSWORD})

            self.assertRedirects(response, "/admin/sign-in/")

    def test_strangers_are_sent_to_the_sign_in(self):
        self.assertRedirects(Client().get(CONFIRM), f"{LOGIN}?next={CONFIRM}")

    def test_a_password_set_for_somebody_ends_their_sessions(self):
        other = Client()
        other.force_login(self.person)
        self.assertTrue(is_in(other))
        new = {"usable_password": "true", "password1": "quite another one 9", "password2": "quite another one 9"}

        self.client.post(f"/admin/auth/user/{self.person.pk}/password/", new)

        self.assertFalse(is_in(other))
        self.assertFalse(SessionRecord.objects.filter(user=self.person, ended_at=None).exists())
        self.assertTrue(AuditEntry.objects.filter(act=Act.PASSWORD, subject_key=self.person.pk).exists())
        self.assertTrue(is_in(self.client))
