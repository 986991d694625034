import time_machine
from django.test import SimpleTestCase, override_settings

from veltrix.sign_in import totp

RFC_SECRET = b"12345678901234567890"


class CodeTests(SimpleTestCase):
    def test_codes_are_those_of_the_standard(self):
        # RFC 6238, appendix B, SHA-1.
        vectors = {
            59: "94287082",
            1111111109: "07081804",
            1111111111: "14050471",
            1234567890: "89005924",
            2000000000: "69279037",
            20000000000: "65353130",
        }
        for seconds, code in vectors.items():
            with self.subTest(seconds):
                self.assertEqual(totp.code_at(RFC_SECRET, seconds // 30, digits=8), code)

    def test_a_clock_may_be_one_step_off_and_no_more(self):
        with time_machine.travel(1_000_000_005, tick=False):
            now = 1_000_000_005 // 30
            for offset in (-2, -1, 0, 1, 2):
                with self.subTest(offset):
                    step = totp.step_of(RFC_SECRET, totp.code_at(RFC_SECRET, now + offset))

                    self.assertEqual(step, now + offset if abs(offset) < 2 else None)

    def test_what_is_no_code_is_none(self):
        for text in ("", "12345", "१२३४५६", "\x00", "é" * 6):
            self.assertIsNone(totp.step_of(RFC_SECRET, text))

    def test_secrets_are_unreadable_without_the_key_and_readable_with_an_earlier_one(self):
        kept = totp.encrypted(RFC_SECRET)

        self.assertNotIn(RFC_SECRET.decode(), kept)
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["only-for-tests-" * 4]):
            self.assertEqual(totp.decrypted(kept), RFC_SECRET)
        with override_settings(SECRET_KEY="another"), self.assertLogs("veltrix.sign_in", "ERROR"):
            self.assertIsNone(totp.decrypted(kept))
