from datetime import timedelta

import time_machine
from django.test import Client, TestCase
from django.utils import timezone

from tests.factories import PASSWORD, make_article, make_user
from veltrix.models import Act, AuditEntry, SessionRecord

from .support import LOGIN, give_password, is_in, make_person

YOURS = "/admin/sign-in/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


def make_another(user):
    other = Client(headers={"user-agent": FIREFOX})
    give_password(other, user)
    return other


class GuardTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = make_user("Author")

    def setUp(self):
        give_password(self.client, self.user)

    def travel(self, **span):
        return time_machine.travel(timezone.now() + timedelta(**span))

    def test_a_session_ends_after_an_hour_without_anything_done(self):
        with self.travel(minutes=59):
            self.assertTrue(is_in(self.client))
        with self.travel(minutes=110):
            self.assertTrue(is_in(self.client))
        with self.travel(minutes=171):
            self.assertFalse(is_in(self.client))
        self.assertFalse(is_in(self.client))

    def test_a_session_ends_after_twelve_hours_in_any_case(self):
        for hours in range(1, 24):
            with self.travel(minutes=hours * 50):
                self.assertEqual(is_in(self.client), hours * 50 < 12 * 60)

    def test_a_page_in_the_background_is_no_activity(self):
        with self.travel(minutes=50):
            self.assertEqual(self.client.get("/admin/", headers={"X-Background": "1"}).status_code, 200)
        with self.travel(minutes=61):
            self.assertFalse(is_in(self.client))

    def test_a_session_without_a_record_is_nobodys(self):
        SessionRecord.objects.all().delete()

        self.assertFalse(is_in(self.client))
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_a_session_with_somebody_elses_record_is_nobodys(self):
        other = make_another(make_user())
        session = self.client.session
        session["record"] = other.session["record"]
        session.save()

        self.assertFalse(is_in(self.client))
        self.assertTrue(is_in(other))

    def test_a_session_that_is_over_opens_no_draft_on_a_page_for_readers_either(self):
        SessionRecord.objects.all().end()

        response = self.client.get("/admin/articles/article/")

        self.assertRedirects(response, f"{LOGIN}?next=/admin/articles/article/")

    def test_pages_for_readers_never_ask_for_the_session(self):
        url = make_article().get_absolute_url()
        before = Client().get(url)

        response = self.client.get(url)

        self.assertEqual(response.headers.get("Vary"), before.headers.get("Vary"))
        self.assertFalse(response.cookies)

    def test_closing_an_account_ends_its_sessions_at_once(self):
        self.user.is_active = False
        self.user.save()

        self.assertFalse(is_in(self.client))

    def test_signing_in_anew_ends_the_session_before(self):
        give_password(self.client, self.user)

        self.assertEqual(SessionRecord.objects.filter(ended_at=None).count(), 1)

    def test_signing_out_is_written_down(self):
        self.assertEqual(self.client.get("/admin/logout/").status_code, 405)
        self.client.post("/admin/logout/")

        self.assertFalse(SessionRecord.objects.filter(ended_at=None).exists())
        self.assertTrue(AuditEntry.objects.filter(act=Act.SIGN_OUT, user=self.user).exists())


class YourSessionsTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = make_user("Author")

    def setUp(self):
        give_password(self.client, self.user)
        self.other = make_another(self.user)

    def test_they_are_listed_with_browser_and_place(self):
        page = self.client.get(YOURS)

        self.assertContains(page, "Firefox 145 on Windows")
        self.assertContains(page, "127.0.0.1")
        self.assertContains(page, "(this one)", count=1)

    def test_the_page_costs_the_same_for_many(self):
        self.client.get(YOURS)
        for number in (1, 30):
            for _ in range(number):
                SessionRecord.objects.create(user=self.user)
            with self.subTest(number), self.assertNumQueries(10):
                self.client.get(YOURS)

    def test_one_is_ended_at_once(self):
        record = SessionRecord.objects.get(pk=self.other.session["record"])

        self.assertEqual(self.client.get(f"{YOURS}sessions/{record.pk}/end/").status_code, 405)
        self.assertRedirects(self.client.post(f"{YOURS}sessions/{record.pk}/end/"), YOURS)

        self.assertFalse(is_in(self.other))
        self.assertTrue(is_in(self.client))
        self.assertTrue(AuditEntry.objects.filter(act=Act.SESSION_ENDED, user=self.user).exists())

    def test_nobody_ends_the_session_of_somebody_else(self):
        stranger = make_another(make_user())

        self.client.post(f"{YOURS}sessions/{stranger.session['record']}/end/")
        self.client.post(f"{YOURS}sessions/99999999/end/")

        self.assertTrue(is_in(stranger))

    def test_all_others_are_ended(self):
        self.client.post(f"{YOURS}sessions/end-others/")

        self.assertFalse(is_in(self.other))
        self.assertTrue(is_in(self.client))

    def test_a_new_password_ends_all_others(self):
        change = {
            "old_password": PASSWORD,
            "new_password1": "quite another one 9",
            "new_password2": "quite another one 9",
        }

        self.assertRedirects(self.client.post("/admin/password_change/", change), "/admin/password_change/done/")

        self.assertFalse(is_in(self.other))
        self.assertTrue(is_in(self.client))
        self.assertEqual(SessionRecord.objects.filter(ended_at=None).count(), 1)

    def test_the_old_password_is_tried_five_times(self):
        change = {
            "old_password": "wrong",
            "new_password1": "quite another one 9",
            "new_password2": "quite another one 9",
        }
        for status in [200] * 5 + [429]:
            self.assertEqual(self.client.post("/admin/password_change/", change).status_code, status)

    def test_a_strangers_visit_is_sent_to_the_sign_in(self):
        self.assertRedirects(Client().get(YOURS), f"{LOGIN}?next={YOURS}")


class OthersSessionsTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.administrator = make_user("Administrator")
        cls.user = make_user("Editor")
        cls.url = f"{YOURS}people/{cls.user.pk}/"

    def setUp(self):
        self.client.force_login(self.administrator)
        self.other = make_another(self.user)

    def test_an_administrator_ends_them(self):
        self.assertContains(self.client.get(self.url), "Firefox 145 on Windows")
        self.assertRedirects(self.client.post(self.url, {"act": "end"}), self.url)

        self.assertFalse(is_in(self.other))
        entry = AuditEntry.objects.get(act=Act.SESSION_ENDED)
        self.assertEqual((entry.user, entry.subject_key), (self.administrator, str(self.user.pk)))

    def test_an_administrator_takes_the_second_step_of_somebody_away(self):
        user, _, _ = make_person()

        self.client.post(f"{YOURS}people/{user.pk}/", {"act": "reset"})

        self.assertFalse(user.authenticators.exists() or user.recovery_codes.exists())
        self.assertTrue(AuditEntry.objects.filter(act=Act.FACTOR_REMOVED, subject_key=user.pk).exists())

    def test_it_is_asked_again_first(self):
        SessionRecord.objects.filter(user=self.administrator).update(
            confirmed_at=timezone.now() - timedelta(minutes=11)
        )

        response = self.client.post(self.url, {"act": "end"})

        self.assertIn("/sign-in/confirm/", response.headers["Location"])
        self.assertTrue(is_in(self.other))

    def test_nobody_else_may_and_nobody_touches_a_superuser(self):
        root = make_user(is_superuser=True)
        self.assertEqual(self.client.get(f"{YOURS}people/{root.pk}/").status_code, 403)
        self.assertEqual(self.client.post(f"{YOURS}people/{root.pk}/", {"act": "reset"}).status_code, 403)
        self.assertEqual(self.client.get(f"{YOURS}people/99999999/").status_code, 404)
        for group in ("Author", "Editor", "Chief editor"):
            self.client.force_login(make_user(group))
            for method in ("get", "post"):
                with self.subTest(f"{group} {method}"):
                    self.assertEqual(getattr(self.client, method)(self.url).status_code, 403)
        self.assertTrue(is_in(self.other))
