"""Settings that are wrong stop the process and say why."""

import os
import subprocess
import sys
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase

ROOT = Path(__file__).resolve().parent.parent


class SettingsTests(SimpleTestCase):
    """A wrong environment stops the process with one clear line."""

    def run_check(self, **environment):
        clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "VAR_DIR", "LANG"}}
        return subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=ROOT,
            env={**clean, "DJANGO_SETTINGS_MODULE": "veltrix.settings", "DOTENV": os.devnull, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def assert_one_line(self, expected, **environment):
        done = self.run_check(**environment)

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(expected, done.stderr)

    def test_a_missing_secret(self):
        self.assert_one_line("SECRET_KEY is not set", SECRET_KEY="")

    def test_a_misspelt_switch(self):
        self.assert_one_line("DEBUG must be true or false, not 'ture'", SECRET_KEY="x", DEBUG="ture")

    def test_a_wrong_database_address(self):
        for address in ("mysql://a/b", "nonsense", "postgres://host", "postgres://h:port/x"):
            with self.subTest(address):
                self.assert_one_line("DATABASE_URL", SECRET_KEY="x", DATABASE_URL=address)

    def test_a_public_site_without_https(self):
        self.assert_one_line("SITE_URL must begin with https://", SECRET_KEY="x", SITE_URL="http://veltrix.example")

    def test_a_wrong_mail_address(self):
        self.assert_one_line("EMAIL_URL must have the form", SECRET_KEY="x", EMAIL_URL="mailhost")

    def test_a_public_site_without_a_mail_server(self):
        self.assert_one_line("EMAIL_URL is not set", SECRET_KEY="x", SITE_URL="https://veltrix.example")

    def test_a_wrong_time_zone_and_admin_path(self):
        self.assert_one_line("TIME_ZONE must be a name", SECRET_KEY="x", TIME_ZONE="Europe/Lundon")
        self.assert_one_line("ADMIN_PATH must name a path", SECRET_KEY="x", ADMIN_PATH="/")

    def test_what_machines_elsewhere_read_is_checked(self):
        wrong = {
            "WEBSUB_HUB": ["http://hub.example/", "hub.example", "https://", "https://[", "https://hub.example/<x>"],
            "INDEXNOW_KEY": ["short", "x" * 129, "with/slash"],
            "SECURITY_CONTACT": ["me@example.com", "mailto:me", "https://a b"],
        }
        for name, value in ((name, value) for name, values in wrong.items() for value in values):
            with self.subTest(name, value=value):
                self.assert_one_line(f"{name} must b", SECRET_KEY="x", **{name: value})

    def test_a_wrong_threshold_of_the_review(self):
        wrong = [
            *(("REVIEW_PAY_MONTHS", value) for value in ("0", "-3", "2.5", "²", "10001", "")),
            *((name, "many") for name in ("REVIEW_STATISTIC_MONTHS", "REVIEW_RANGE_RATIO", "REVIEW_MOVE_PERCENT")),
        ]
        for name, value in wrong:
            with self.subTest(name, value=value):
                message = f"{name} must be a whole number above 0, not {value!r}"
                self.assert_one_line(message, SECRET_KEY="x", **{name: value})

    def test_thresholds_of_the_review_are_read_from_the_environment(self):
        names = ["REVIEW_PAY_MONTHS", "REVIEW_STATISTIC_MONTHS", "REVIEW_RANGE_RATIO", "REVIEW_MOVE_PERCENT"]
        code = f"from veltrix import settings as s; print(*(getattr(s, name) for name in {names}))"
        for values, expected in [({}, "12 18 3 40"), (dict(zip(names, "6789", strict=True)), "6 7 8 9")]:
            environment = {**os.environ, "SECRET_KEY": "x", "DOTENV": os.devnull, **values}

            done = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )

            self.assertEqual(done.stdout.strip(), expected)

    def test_a_misspelt_second_factor(self):
        self.assert_one_line("SECOND_FACTOR must be required or optional", SECRET_KEY="x", SECOND_FACTOR="yes")
        self.assert_one_line(
            "not 'publish_article'", SECRET_KEY="x", SECOND_FACTOR_PERMISSIONS="articles.change_article,publish_article"
        )

    def test_a_second_factor_is_required_of_a_public_site_unless_it_says_otherwise(self):
        public = {"SITE_URL": "https://veltrix.example", "EMAIL_URL": "smtp://h:25"}
        cases = [({}, "optional"), (public, "required"), ({**public, "SECOND_FACTOR": "optional"}, "optional")]
        for values, expected in cases:
            environment = {**os.environ, "SECRET_KEY": "x", "DOTENV": os.devnull, **values}
            code = "from veltrix import settings as s; print(s.SECOND_FACTOR)"

            done = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )

            self.assertEqual(done.stdout.strip(), expected)

    def test_a_malformed_site_address(self):
        self.assert_one_line("SITE_URL is not an address", SECRET_KEY="x", SITE_URL="http://[::1")

    def test_options_of_the_database_address_are_kept(self):
        code = "from veltrix.settings import DATABASES; print(DATABASES['default']['OPTIONS']['sslmode'])"
        address = "postgres://u:p@db.example/veltrix?sslmode=verify-full"
        environment = {**os.environ, "SECRET_KEY": "x", "DATABASE_URL": address, "DOTENV": os.devnull}

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )

        self.assertEqual(done.stdout.strip(), "verify-full")

    def test_a_right_environment(self):
        done = self.run_check(SECRET_KEY="x" * 60)

        self.assertEqual(done.returncode, 0, done.stderr)

    def test_production_sends_hsts_and_safe_cookies(self):
        names = "s.SECURE_HSTS_SECONDS, s.SESSION_COOKIE_NAME, s.SECURE_SSL_REDIRECT"
        code = f"from veltrix import settings as s; print({names})"
        environment = {
            **os.environ,
            "SECRET_KEY": "x",
            "SITE_URL": "https://veltrix.example",
            "EMAIL_URL": "smtp://h:25",
            "DOTENV": os.devnull,
        }

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )

        self.assertEqual(done.stdout.strip(), "31536000 __Host-session True")

    def test_passwords_of_fewer_than_fifteen_characters_are_refused(self):
        with self.assertRaisesMessage(ValidationError, "at least 15 characters"):
            validate_password("only-14-chars!")
        validate_password("fifteen-chars-it-has")

    def test_passwords_of_hardly_more_than_words_of_the_house_are_refused(self):
        for password in ("Veltrix editor 2026", "the-AI-briefing-password", "veltrixveltrixveltrix"):
            with self.subTest(password), self.assertRaisesMessage(ValidationError, "beside such words"):
                validate_password(password)
        validate_password("veltrix under a paper moon")
