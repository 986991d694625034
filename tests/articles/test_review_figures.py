import json
import os
import subprocess
import sys
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import time_machine
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from articles.models import ReviewMark
from articles.schedule import schedule
from tests.articles.test_schedule import edit
from tests.factories import make_article, make_role, make_source, make_statistic, make_user

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    """What the command prints, and its exit code."""
    out = StringIO()
    try:
        call_command("review_figures", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


@time_machine.travel("2026-11-24T12:00:00Z", tick=False)
class CommandTests(TestCase):
    def make_unsourced(self, text="97M", claim="new jobs", **values):
        return make_statistic(text, claim=claim, as_of="2026", check_status="confirmed", **values).current

    def snooze(self, value, until="2026-12-01"):
        subject = f"articles.statisticvalue:{value.pk}"
        ReviewMark.objects.create(
            rule="no-source", subject=subject, snoozed_until=until, snooze_reason="Soon.", assigned_to=self.editor
        )

    def setUp(self):
        self.editor = make_user("Editor", username="editor")

    def test_an_orderly_site_is_reported_as_such(self):
        self.assertEqual(run(), ("No errors, no warnings, none snoozed.\n", 0))
        self.assertEqual(run("--format=json"), ("[]\n", 0))

    def test_the_text_groups_findings_by_rule_errors_first(self):
        self.make_unsourced()
        make_role("Analyst")
        self.make_unsourced("12%", "old shares")

        lines = [
            "ERROR no-source: No source (2)",
            "  97M: new jobs",
            "    It names no source.",
            "  12%: old shares",
            "    It names no source.",
            "",
            "WARNING no-requirements: No list of must and nice skills (1)",
            "  Analyst",
            "    It stands on no path and has no list of must and nice skills.",
            "",
            "2 errors, 1 warning, none snoozed.",
        ]
        self.assertEqual(run(), ("\n".join([*lines, ""]), 1))

    def test_a_change_whose_moment_has_come_is_what_is_reviewed(self):
        article = make_article(title="The year")
        edit(article, "<p>It pays 97,000 dollars.</p>")
        schedule(article, at=timezone.now() + timedelta(hours=1), by=None)

        self.assertNotIn("bare-figure", run()[0])
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            self.assertIn("bare-figure", run()[0])

    def test_what_is_snoozed_is_left_out_and_no_reason_to_fail_until_its_day(self):
        self.snooze(self.make_unsourced())

        self.assertEqual(run(), ("No errors, no warnings, 1 snoozed.\n", 0))
        text, code = run("--include-snoozed")
        self.assertIn("    Assigned to editor.\n    Snoozed until 2026-12-01: Soon.\n", text)
        self.assertEqual(code, 0)
        with time_machine.travel("2026-12-01T12:00:00Z"):
            self.assertEqual(run()[1], 1)

    def test_warnings_alone_are_no_failure(self):
        make_role("Analyst")

        self.assertEqual(run()[1], 0)

    @override_settings(SITE_URL="https://veltrix.example")
    def test_json_has_lasting_keys(self):
        make_role("Analyst")
        value = self.make_unsourced()
        self.snooze(value)

        found = json.loads(run("--format=json", "--include-snoozed")[0])

        self.assertEqual(
            found[1],
            {
                "rule": "no-requirements",
                "title": "No list of must and nice skills",
                "severity": "warning",
                "subject": {"model": "careers.Role", "name": "Analyst"},
                "message": "It stands on no path and has no list of must and nice skills.",
                "assigned_to": None,
                "snoozed_until": None,
                "url": "https://veltrix.example/careers/analyst/",
            },
        )
        self.assertEqual(
            {name: found[0][name] for name in ("rule", "severity", "subject", "assigned_to", "snoozed_until")},
            {
                "rule": "no-source",
                "severity": "error",
                "subject": {"model": "articles.StatisticValue", "name": "97M: new jobs"},
                "assigned_to": "editor",
                "snoozed_until": "2026-12-01",
            },
        )
        self.assertEqual(json.loads(run("--format=json")[0]), [found[1]])

    def test_the_order_is_that_of_the_names_and_not_of_the_rows(self):
        for claim in ("c", "a", "b"):
            self.make_unsourced(claim=claim)
        make_statistic(source=make_source(projection_horizon=2030, url="https://x.test/"), as_of="2026")

        names = [found["subject"]["name"] for found in json.loads(run("--format=json")[0])]

        self.assertEqual(names[:3], ["97M: a", "97M: b", "97M: c"])
        self.assertEqual(run(), run())

    def test_an_expired_snooze_is_no_longer_told(self):
        self.snooze(self.make_unsourced(), until=date(2026, 11, 24))

        (found,) = json.loads(run("--format=json")[0])

        self.assertIsNone(found["snoozed_until"])

    def test_other_formats_are_refused(self):
        with self.assertRaisesMessage(CommandError, "invalid choice: 'xml'"):
            call_command("review_figures", "--format=xml")


class ExitCodeTests(SimpleTestCase):
    def test_wrong_arguments_end_with_2(self):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        for arguments in (["--format", "xml"], ["--no-such"], ["more"]):
            with self.subTest(arguments):
                done = subprocess.run(
                    [sys.executable, "manage.py", "review_figures", *arguments],
                    cwd=ROOT,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )

                self.assertEqual(done.returncode, 2, done.stderr)
