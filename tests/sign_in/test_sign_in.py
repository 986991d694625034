from datetime import timedelta

import time_machine
from django.contrib.auth.models import Group
from django.test import TestCase, override_settings
from django.utils import timezone

from tests.factories import PASSWORD, make_user
from veltrix.models import Act, Attempt, AuditEntry, RecoveryCode, SessionRecord
from veltrix.sign_in import limits

from .support import LOGIN, SECOND, code_of, give_password, is_in, make_person, sign_in


class PasswordTests(TestCase):
    def test_a_password_opens_an_account_that_needs_nothing_else(self):
        user = make_user("Author")

        response = give_password(self.client, user, next="/admin/articles/article/")

        self.assertRedirects(response, "/admin/articles/article/")
        record = SessionRecord.objects.get()
        self.assertEqual((record.user, record.factor, record.address), (user, "", "127.0.0.1"))
        self.assertEqual(AuditEntry.objects.get().act, Act.SIGN_IN)

    def test_wrong_passwords_unknown_and_closed_accounts_get_the_same_answer(self):
        answers = set()
        for values in ({}, {"is_active": False}, {"is_staff": False}):
            user = make_user(**values)
            password = PASSWORD if values else "wrong"
            answers.add(_told(give_password(self.client, user, password)))
        answers.add(_told(self.client.post(LOGIN, {"username": "nobody", "password": "x"})))

        self.assertEqual(len(answers), 1)
        self.assertFalse(is_in(self.client))

    def test_what_was_typed_for_an_unknown_account_is_not_kept(self):
        self.client.post(LOGIN, {"username": "my-secret-password", "password": "x"})

        entry = AuditEntry.objects.get()
        self.assertEqual((entry.act, entry.user, entry.words), (Act.SIGN_IN_FAILED, None, "Unknown account."))
        self.assertNotIn("my-secret-password", str(list(Attempt.objects.values())))

    def test_nobody_is_sent_to_another_site(self):
        for address in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\x00"):
            with self.subTest(address):
                response = give_password(self.client, make_user(), next=address)

                self.assertRedirects(response, "/admin/")

    def test_odd_input_is_refused_and_never_a_server_error(self):
        for name in ("\x00", "\ufffd", "x" * 10_000, "'; --"):
            for path in (LOGIN, "/admin/login/passkey/"):
                response = self.client.post(path, {"username": name, "password": name, "credential": name})

                self.assertEqual(response.status_code, 200)


class SecondStepTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user, cls.secret, cls.codes = make_person()

    def test_a_code_finishes_the_sign_in(self):
        response = give_password(self.client, self.user, next="/admin/articles/article/")
        self.assertRedirects(response, SECOND)
        self.assertFalse(is_in(self.client))

        response = self.client.post(SECOND, {"code": code_of(self.secret)})

        self.assertRedirects(response, "/admin/articles/article/")
        self.assertEqual(SessionRecord.objects.get().factor, "code")

    def test_a_session_begins_anew_with_each_step(self):
        give_password(self.client, self.user)
        first = self.client.session.session_key
        self.client.post(SECOND, {"code": code_of(self.secret)})

        self.assertNotEqual(self.client.session.session_key, first)
        self.assertNotIn("pending", self.client.session)

    def test_a_code_works_once(self):
        sign_in(self.client, self.user, self.secret)
        code = code_of(self.secret)
        self.client.post("/admin/logout/")
        give_password(self.client, self.user)

        for again in (code, code_of(self.secret, -1)):
            self.assertEqual(self.client.post(SECOND, {"code": again}).status_code, 422)

        self.assertFalse(is_in(self.client))

    def test_wrong_codes_are_refused_and_written_down(self):
        give_password(self.client, self.user)

        for code in ("000000", "", "abc", "\x00", "١٢٣٤٥٦", "x" * 5000):
            with self.subTest(code):
                Attempt.objects.all().delete()
                self.assertEqual(self.client.post(SECOND, {"code": code}).status_code, 422)

        self.assertFalse(is_in(self.client))
        self.assertTrue(AuditEntry.objects.filter(act=Act.SECOND_STEP_FAILED, subject_key=self.user.pk).exists())

    def test_a_recovery_code_works_once_however_it_is_typed(self):
        give_password(self.client, self.user)
        response = self.client.post(SECOND, {"code": self.codes[0].upper().replace("-", " ")})
        self.assertRedirects(response, "/admin/sign-in/")
        self.client.post("/admin/logout/")

        give_password(self.client, self.user)
        self.assertEqual(self.client.post(SECOND, {"code": self.codes[0]}).status_code, 422)

        self.assertEqual(RecoveryCode.objects.unused().count(), 9)

    def test_somebody_elses_code_and_recovery_code_do_not_work(self):
        _, secret, codes = make_person()
        give_password(self.client, self.user)

        for code in (code_of(secret), codes[0]):
            self.assertEqual(self.client.post(SECOND, {"code": code}).status_code, 422)

    def test_nothing_is_asked_of_who_gave_no_password_or_waited_too_long(self):
        self.assertRedirects(self.client.get(SECOND), LOGIN)
        self.assertRedirects(self.client.post(SECOND, {"code": code_of(self.secret)}), LOGIN)
        give_password(self.client, self.user)

        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            self.assertRedirects(self.client.post(SECOND, {"code": code_of(self.secret)}), LOGIN)

    def test_a_changed_password_or_a_closed_account_ends_what_was_begun(self):
        give_password(self.client, self.user)
        self.user.set_password("quite another password")
        self.user.save()
        self.assertRedirects(self.client.post(SECOND, {"code": code_of(self.secret)}), LOGIN)

        give_password(self.client, self.user, "quite another password")
        self.user.is_active = False
        self.user.save()
        self.assertRedirects(self.client.post(SECOND, {"code": code_of(self.secret)}), LOGIN)

    def test_a_session_of_the_password_alone_is_over_once_a_factor_is_there(self):
        user = make_user("Author")
        give_password(self.client, user)
        self.assertTrue(is_in(self.client))

        make_factor_for(user)

        self.assertFalse(is_in(self.client))


@override_settings(SECOND_FACTOR="required")
class RequiredTests(TestCase):
    def test_who_may_publish_adds_a_factor_at_the_first_sign_in(self):
        response = give_password(self.client, make_user("Editor"), next="/admin/articles/article/")
        self.assertRedirects(response, "/admin/login/enrol/")
        self.assertFalse(is_in(self.client))
        self.client.post("/admin/sign-in/authenticator/begin/")
        page = self.client.get("/admin/sign-in/authenticator/")
        secret = _secret_on(page)

        response = self.client.post("/admin/sign-in/authenticator/", {"code": code_of(secret)})

        self.assertContains(response, "They are not shown again")
        self.assertContains(response, 'href="/admin/articles/article/"')
        self.assertEqual(len(response.context["codes"]), 10)
        self.assertTrue(is_in(self.client))

    def test_who_may_not_signs_in_as_before(self):
        give_password(self.client, make_user("Author"))

        self.assertTrue(is_in(self.client))

    def test_who_has_a_factor_cannot_add_another_with_the_password_alone(self):
        user, _, _ = make_person()
        give_password(self.client, user)

        for path, method in ENROLMENT:
            with self.subTest(path):
                self.assertRedirects(getattr(self.client, method)(path), LOGIN)

    def test_two_who_add_a_factor_at_once_with_one_password_do_not_both_come_in(self):
        user = make_user("Editor")
        give_password(self.client, user)
        self.client.post("/admin/sign-in/authenticator/begin/")
        secret = _secret_on(self.client.get("/admin/sign-in/authenticator/"))
        make_factor_for(user)

        response = self.client.post("/admin/sign-in/authenticator/", {"code": code_of(secret)})

        self.assertRedirects(response, LOGIN)
        self.assertFalse(is_in(self.client))

    def test_no_page_of_the_admin_opens_to_the_password_alone(self):
        from tests.test_site import AccessTests

        for name, user in {"has one": make_person()[0], "needs one": make_user("Chief editor")}.items():
            give_password(self.client, user)
            for path in [*AccessTests.admin_paths(None), *OWN_PAGES]:
                for address in (path, path.rstrip("/")):
                    for method in ("get", "post"):
                        with self.subTest(f"{name}: {method} {address}"):
                            response = getattr(self.client, method)(address)

                            self.assertIn(response.status_code, {301, 302, 403, 404, 405})
                            self.assertNotIn("_auth_user_id", self.client.session)
                            if response.status_code == 302:
                                self.assertIn("/admin/login/", response.headers["Location"])

    def test_whoever_gets_the_right_to_publish_signs_in_anew(self):
        user = make_user("Author")
        give_password(self.client, user)
        self.assertTrue(is_in(self.client))

        user.groups.add(Group.objects.get(name="Editor"))

        self.assertFalse(is_in(self.client))

    def test_a_flag_of_the_browsers_changes_nothing(self):
        user, _, _ = make_person()

        give_password(self.client, user, second_factor="0", skip="1", factor="code", remember="on")

        self.assertFalse(is_in(self.client))
        self.assertFalse(SessionRecord.objects.exists())


OWN_PAGES = [
    "/admin/sign-in/",
    "/admin/sign-in/confirm/",
    "/admin/sign-in/codes/",
    "/admin/sign-in/sessions/end-others/",
    "/admin/sign-in/sessions/1/end/",
    "/admin/sign-in/people/1/",
    "/admin/sign-in/authenticator/remove/",
    "/admin/sign-in/passkeys/1/remove/",
]
ENROLMENT = [
    ("/admin/login/enrol/", "get"),
    ("/admin/sign-in/authenticator/begin/", "post"),
    ("/admin/sign-in/authenticator/", "get"),
    ("/admin/sign-in/authenticator/", "post"),
    ("/admin/sign-in/authenticator/picture.svg", "get"),
    ("/admin/sign-in/passkeys/options/", "post"),
    ("/admin/sign-in/passkeys/", "post"),
]


class LimitTests(TestCase):
    def test_after_five_wrong_passwords_not_even_the_right_one_is_tried_for_a_while(self):
        user = make_user()
        for _ in range(5):
            self.assertEqual(give_password(self.client, user, "wrong").status_code, 200)

        response = give_password(self.client, user)

        self.assertContains(response, "Too many attempts", status_code=429)
        self.assertTrue(0 < int(response.headers["Retry-After"]) <= 15 * 60)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            self.assertEqual(give_password(self.client, user).status_code, 302)

    def test_a_refused_attempt_makes_the_wait_no_longer(self):
        user = make_user()
        for _ in range(20):
            give_password(self.client, user, "wrong")

        self.assertEqual(Attempt.objects.count(), 5)

    def test_unknown_accounts_have_the_same_limit(self):
        for status in [200] * 5 + [429]:
            response = self.client.post(LOGIN, {"username": "nobody", "password": "wrong"})

            self.assertEqual(response.status_code, status)

    def test_the_name_written_in_another_way_is_the_same_account(self):
        user = make_user(username="editor")
        for name in ("editor", " editor", "editor ", "\uff45ditor", "e\uff44itor"):
            self.client.post(LOGIN, {"username": name, "password": "wrong"})

        self.assertEqual(give_password(self.client, user).status_code, 429)

    def test_the_owner_comes_in_from_another_network(self):
        user = make_user()
        for _ in range(6):
            give_password(self.client, user, "wrong")

        response = self.client.post(LOGIN, {"username": user.username, "password": PASSWORD}, REMOTE_ADDR="192.0.2.9")

        self.assertEqual(response.status_code, 302)

    def test_one_network_cannot_try_one_account_after_the_other(self):
        for number in range(30):
            self.client.post(LOGIN, {"username": f"name-{number}", "password": "wrong"})

        self.assertEqual(give_password(self.client, make_user()).status_code, 429)

    def test_many_networks_cannot_try_one_account_but_its_owners_network_can(self):
        user = make_user()
        sign_out_from(self.client, user, "198.51.100.1")
        for number in range(100):
            Attempt.objects.create(
                kind="password",
                account_digest=limits._digest("account", user.username),
                network_digest=f"network-{number}",
            )

        stranger = self.client.post(LOGIN, {"username": user.username, "password": PASSWORD})
        owner = self.client.post(LOGIN, {"username": user.username, "password": PASSWORD}, REMOTE_ADDR="198.51.100.77")

        self.assertEqual((stranger.status_code, owner.status_code), (429, 302))

    def test_codes_have_their_limit_too(self):
        user, secret, _ = make_person()
        give_password(self.client, user)
        for _ in range(5):
            self.client.post(SECOND, {"code": "000000"})

        self.assertEqual(self.client.post(SECOND, {"code": code_of(secret)}).status_code, 429)
        give_password(self.client, user)
        self.assertEqual(self.client.post(SECOND, {"code": code_of(secret)}).status_code, 429)

    def test_the_right_password_makes_up_for_wrong_ones(self):
        user = make_user()
        for _ in range(4):
            give_password(self.client, user, "wrong")
        give_password(self.client, user)

        self.assertFalse(Attempt.objects.exists())


def sign_out_from(client, user, address):
    client.post(LOGIN, {"username": user.username, "password": PASSWORD}, REMOTE_ADDR=address)
    client.post("/admin/logout/", REMOTE_ADDR=address)


def make_factor_for(user):
    from veltrix.models import Passkey

    Passkey.objects.create(user=user, credential_id="x", public_key=b"x", name="Key")


def _secret_on(page):
    from base64 import b32decode

    return b32decode(page.context["secret"].replace(" ", ""))


def _told(response):
    return str(response.context["form"].non_field_errors())
