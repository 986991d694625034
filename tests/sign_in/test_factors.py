import json
from base64 import b32decode
from datetime import timedelta
from unittest.mock import patch

from django.db import IntegrityError, transaction
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from tests.factories import make_user
from veltrix.models import Act, Attempt, AuditEntry, Authenticator, Passkey, RecoveryCode, SessionRecord

from .support import LOGIN, code_of, give_password, is_in, make_person

YOURS = "/admin/sign-in/"
APP = f"{YOURS}authenticator/"
OLD = timedelta(minutes=11)


class AppTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = make_user("Author")

    def setUp(self):
        give_password(self.client, self.user)

    def begin(self):
        self.client.post(f"{APP}begin/")
        return b32decode(self.client.get(APP).context["secret"].replace(" ", ""))

    def test_it_is_set_up_with_a_picture_and_a_first_code(self):
        secret = self.begin()
        picture = self.client.get(f"{APP}picture.svg")
        self.assertEqual(picture.headers["Content-Type"], "image/svg+xml")
        self.assertIn("no-store", picture.headers["Cache-Control"])
        self.assertEqual(self.client.post(APP, {"code": "000000"}).status_code, 422)
        self.assertFalse(Authenticator.objects.working().exists())

        response = self.client.post(APP, {"code": code_of(secret)})

        self.assertEqual(len(response.context["codes"]), 10)
        self.assertTrue(Authenticator.objects.working().filter(user=self.user).exists())
        self.assertEqual(SessionRecord.objects.get().factor, "code")
        self.assertTrue(is_in(self.client))
        self.assertEqual(self.client.get(f"{APP}picture.svg").status_code, 404)

    def test_another_takes_the_place_of_the_first_only_with_its_code(self):
        self.client.post(APP, {"code": code_of(self.begin())})
        first = Authenticator.objects.working().get()
        secret = self.begin()
        self.assertEqual(Authenticator.objects.working().get(), first)

        response = self.client.post(APP, {"code": code_of(secret)})

        self.assertRedirects(response, YOURS)
        self.assertNotEqual(Authenticator.objects.get(), first)
        self.assertEqual(RecoveryCode.objects.unused().count(), 10)

    def test_one_that_was_begun_anew_in_the_meantime_is_not_put_to_work(self):
        secret = self.begin()
        with patch("veltrix.sign_in.enrolling._enrolled") as enrolled:
            enrolled.side_effect = lambda request, user, factor, keep: (Authenticator.objects.all().delete(), keep())
            response = self.client.post(APP, {"code": code_of(secret)})

        self.assertEqual(response.status_code, 422)
        self.assertFalse(Authenticator.objects.exists())

    def test_there_is_nothing_to_see_before_it_is_begun(self):
        self.assertRedirects(self.client.get(APP), YOURS)
        self.assertEqual(self.client.get(f"{APP}picture.svg").status_code, 404)

    def test_strangers_and_other_methods_are_refused(self):
        for path in (APP, f"{APP}picture.svg"):
            self.assertRedirects(Client().get(path), LOGIN)
        for path in (f"{APP}begin/", f"{YOURS}passkeys/", f"{YOURS}passkeys/options/"):
            self.assertRedirects(Client().post(path), LOGIN)
            self.assertEqual(self.client.get(path).status_code, 405)
        for path in (f"{APP}remove/", f"{YOURS}codes/", f"{YOURS}passkeys/1/remove/"):
            self.assertIn(LOGIN, Client().post(path).headers["Location"])
            self.assertEqual(self.client.get(path).status_code, 405)

    def test_it_is_asked_again_who_it_is(self):
        SessionRecord.objects.update(confirmed_at=timezone.now() - OLD)
        for path in (
            f"{APP}begin/",
            f"{APP}remove/",
            f"{YOURS}codes/",
            f"{YOURS}passkeys/",
            f"{YOURS}passkeys/1/remove/",
        ):
            with self.subTest(path):
                response = self.client.post(path)

                self.assertIn(f"{YOURS}confirm/", response.headers["Location"])


class RemovalTests(TestCase):
    def setUp(self):
        self.user, self.secret, _ = make_person("Editor")
        give_password(self.client, self.user)
        self.client.post("/admin/login/second-step/", {"code": code_of(self.secret)})

    def test_the_last_one_goes_where_none_is_needed_and_its_codes_with_it(self):
        self.client.post(f"{APP}remove/")

        self.assertFalse(self.user.authenticators.exists() or self.user.recovery_codes.exists())
        self.assertTrue(AuditEntry.objects.filter(act=Act.FACTOR_REMOVED).exists())

    @override_settings(SECOND_FACTOR="required")
    def test_the_last_one_stays_where_one_is_needed(self):
        response = self.client.post(f"{APP}remove/", follow=True)

        self.assertContains(response, "add another before you remove the last one")
        self.assertTrue(self.user.authenticators.exists())

    @override_settings(SECOND_FACTOR="required")
    def test_one_of_two_goes_and_the_codes_stay(self):
        key = Passkey.objects.create(user=self.user, credential_id="a", public_key=b"a", name="Key")

        self.client.post(f"{YOURS}passkeys/{key.pk}/remove/")

        self.assertFalse(self.user.passkeys.exists())
        self.assertEqual(self.user.recovery_codes.count(), 10)

    def test_nobody_removes_the_passkey_of_somebody_else(self):
        key = Passkey.objects.create(user=make_user(), credential_id="a", public_key=b"a", name="Key")

        self.client.post(f"{YOURS}passkeys/{key.pk}/remove/")

        self.assertTrue(Passkey.objects.filter(pk=key.pk).exists())

    def test_new_codes_make_the_old_ones_worthless(self):
        before = set(RecoveryCode.objects.values_list("digest", flat=True))

        response = self.client.post(f"{YOURS}codes/")

        self.assertEqual(len(response.context["codes"]), 10)
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertFalse(before & set(RecoveryCode.objects.values_list("digest", flat=True)))

    def test_codes_without_a_factor_are_not_made(self):
        self.client.force_login(make_user("Author"))

        self.assertRedirects(self.client.post(f"{YOURS}codes/"), YOURS)


class PasskeyTests(TestCase):
    """What the server refuses. That it takes what a real browser sends is shown in tests/browser/test_sign_in.py."""

    def challenge(self, client=None):
        return (client or self.client).post("/admin/login/challenge/").json()["publicKey"]

    def test_a_challenge_asks_for_the_person_to_be_verified(self):
        options = self.challenge()

        self.assertEqual((options["rpId"], options["userVerification"]), ("localhost", "required"))
        self.assertGreaterEqual(len(options["challenge"]), 43)
        self.assertEqual(self.client.get("/admin/login/challenge/").status_code, 405)

    def test_what_is_no_proof_opens_nothing(self):
        for answer in (
            "",
            "null",
            "[]",
            "{}",
            '{"id": 1}',
            "[" * 100_000,
            '"\\ud800"',
            '{"rawId": "\\u0000", "response": {}}',
        ):
            with self.subTest(answer[:30]):
                self.challenge()
                response = self.client.post("/admin/login/passkey/", {"credential": answer})

                self.assertContains(response, "This passkey does not open the desk")
        self.assertFalse(is_in(self.client))

    def test_a_challenge_is_used_once(self):
        self.challenge()
        self.client.post("/admin/login/passkey/", {"credential": "{}"})

        self.client.post("/admin/login/passkey/", {"credential": "{}"})

        self.assertEqual(AuditEntry.objects.first().words, "Passkey: no challenge is open.")

    def test_a_challenge_of_another_session_is_none(self):
        other = Client()
        self.challenge(other)

        self.client.post("/admin/login/passkey/", {"credential": "{}"})

        self.assertEqual(AuditEntry.objects.first().words, "Passkey: no challenge is open.")

    def test_challenges_that_come_to_nothing_are_limited(self):
        for _ in range(60):
            self.challenge()

        self.assertEqual(self.client.post("/admin/login/challenge/").status_code, 429)

    def test_answers_to_no_challenge_are_limited(self):
        for _ in range(60):
            self.client.post("/admin/login/passkey/", {"credential": "{}"})

        self.assertEqual(self.client.post("/admin/login/passkey/", {"credential": "{}"}).status_code, 429)
        self.assertEqual(AuditEntry.objects.count(), 60)

    def test_a_copy_of_a_key_is_noticed(self):
        key = Passkey.objects.create(user=make_user(), credential_id="a", public_key=b"a", name="Key", sign_count=5)
        now = timezone.now()

        self.assertEqual([key.use(count, now) for count in (6, 6, 4, 0, 7)], [True, False, False, False, True])

    def test_a_key_that_does_not_count_may_be_used_again(self):
        key = Passkey.objects.create(user=make_user(), credential_id="a", public_key=b"a", name="Key")

        self.assertEqual([key.use(0, timezone.now()) for _ in range(2)], [True, True])

    def test_making_one_with_nonsense_is_refused(self):
        give_password(self.client, make_user("Author"))
        for answer in (
            "",
            "{}",
            json.dumps({"rawId": "AA", "response": {"clientDataJSON": "AA", "attestationObject": "AA"}}),
        ):
            self.client.post(f"{YOURS}passkeys/options/")
            response = self.client.post(f"{YOURS}passkeys/", {"credential": answer, "name": "\x00"}, follow=True)

            self.assertContains(response, "could not be added")
        self.assertFalse(Passkey.objects.exists())


class ConstraintTests(TestCase):
    def refused(self, make):
        with self.assertRaises(IntegrityError), transaction.atomic():
            make()

    def test_nobody_has_two_apps_that_work_or_two_that_are_begun(self):
        user = make_user()
        for moment in (None, timezone.now()):
            Authenticator.objects.create(user=user, secret="x", confirmed_at=moment)

            self.refused(lambda moment=moment: Authenticator.objects.create(user=user, secret="y", confirmed_at=moment))

    def test_a_passkey_and_a_recovery_code_are_of_one_person(self):
        Passkey.objects.create(user=make_user(), credential_id="a", public_key=b"a", name="Key")
        RecoveryCode.objects.create(user=make_user(), digest="a")

        self.refused(lambda: Passkey.objects.create(user=make_user(), credential_id="a", public_key=b"b", name="Key"))
        self.refused(lambda: RecoveryCode.objects.create(user=make_user(), digest="a"))

    def test_words_are_those_that_are_known(self):
        self.refused(lambda: SessionRecord.objects.create(user=make_user(), factor="flag"))
        self.refused(lambda: Attempt.objects.create(kind="guess", network_digest="x"))
        self.refused(lambda: AuditEntry.objects.create(act="thought"))

    def test_a_code_of_an_app_moves_its_step_forward_only(self):
        app = Authenticator.objects.create(user=make_user(), secret="x", last_step=10)

        self.assertEqual([app.use(step) for step in (10, 9, 11, 11)], [False, False, True, False])
