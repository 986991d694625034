import contextlib
import hashlib
import io
import json
import stat
import sys
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from articles.models import Article, Statistic
from newsletter.models import Delivery, Edition, Subscriber, Suppression
from tests import installations
from tests.browser import stage
from tests.committed import CommittedTestCase
from tests.factories import make_article, make_statistic, make_user
from tests.newsletter.lists import make_edition, make_sender, make_sending, make_subscriber
from veltrix.backups import restoring, saving
from veltrix.models import AuditEntry, Passkey

# What the other installation does: it is migrated, restored, looked at and saved in its turn.
OTHER = """
import json, sys
from pathlib import Path
from django.core.management import call_command
from tests import installations
call_command("migrate", verbosity=0)
call_command("restore", "{archive}", stdout=sys.stderr)
call_command("backup", "{again}", stdout=sys.stderr)
print(json.dumps([installations.pages(), installations.rows()]))
"""


class BackupTestCase(CommittedTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="veltrix-backup-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "backup.zip"

    def run_command(self, *arguments, **options):
        out = io.StringIO()
        call_command(*arguments, stdout=out, **options)
        return out.getvalue()

    def replace(self, file=None):
        return self.run_command("restore", file or self.file, replace=True, no_input=True)

    def rewrite(self, change):
        """Write the archive once more, after `change` was made to its parts (a dictionary of bytes)."""
        with zipfile.ZipFile(self.file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts)
        with zipfile.ZipFile(self.file, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    def amend(self, label, old, new):
        """Change the rows of a table in the archive, and the sums with them."""

        def change(parts):
            name, manifest = f"tables/{label}.jsonl", json.loads(parts["manifest.json"])
            parts[name] = parts[name].replace(old, new)
            manifest["parts"][name] = {"size": len(parts[name]), "sha256": hashlib.sha256(parts[name]).hexdigest()}
            parts["manifest.json"] = json.dumps(manifest).encode()

        self.rewrite(change)

    def change_manifest(self, **values):
        def change(parts):
            parts["manifest.json"] = json.dumps({**json.loads(parts["manifest.json"]), **values}).encode()

        self.rewrite(change)

    def assert_frozen(self):
        """Figures are as they were published, whoever writes."""
        with self.assertRaises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("UPDATE articles_statisticvalue SET display_text = '1%'")

    def assert_refused(self, message, *arguments, **options):
        before = [list(model.objects.values_list()) for model in (Article, Statistic, User, Group)]
        with self.assertRaisesMessage(CommandError, message):
            self.run_command("restore", self.file, *arguments, **options)
        self.assertEqual([list(model.objects.values_list()) for model in (Article, Statistic, User, Group)], before)


class RoundTripTests(BackupTestCase):
    """The launch content and more: from this engine to SQLite in another installation, and back."""

    def fill(self):
        call_command("load_launch_content", verbosity=0, stdout=io.StringIO())
        stage.make_article_of_every_block()
        stage.make_a_history()
        stage.make_past_editions()
        edition, deliveries = make_sending(3)
        Delivery.objects.filter(pk=deliveries[0].pk).update(
            state="sent", sender=make_sender(edition, sent=1, ended_at=timezone.now()), claimed_at=timezone.now()
        )
        Suppression.objects.create(digest="d" * 64, reason="complaint")
        user = make_user("Editor", username="ada", first_name="Ada \U0001f4a5 \u2028 “q”")
        Passkey.objects.create(user=user, name="Key", credential_id="YWJj", public_key=bytes(range(256)), sign_count=7)
        AuditEntry.objects.create(act="published", user=user, address="2001:db8::1")
        Group.objects.get(name="Author").permissions.clear()

    def test_every_page_and_every_row_comes_back_on_either_engine(self):
        self.fill()
        pages = installations.pages()
        self.run_command("backup", self.file)
        again = self.folder / "again.zip"

        code = OTHER.format(archive=self.file, again=again)
        # Editions that were on their way are paused by a restore: those of the archive are as they were.
        there_pages, there_rows = json.loads(installations.elsewhere(self.folder / "other", code))
        self.assertGreater(len(pages), 90)
        self.assertTrue(any(path.startswith("/media/") for path in pages))
        self.assert_same(there_pages, pages)

        self.replace(again)

        self.assert_same(installations.pages(), pages)
        self.assertEqual(installations.rows(), there_rows)
        self.assertEqual(bytes(Passkey.objects.get().public_key), bytes(range(256)))
        self.assertFalse(Group.objects.get(name="Author").permissions.exists())

    def assert_same(self, found, expected):
        self.assertEqual(set(found), set(expected))
        for path, said in expected.items():
            self.assertEqual(found[path], said, path)


class RestoreTests(BackupTestCase):
    def setUp(self):
        super().setUp()
        self.article = make_article(statistics=[make_statistic()])

    def test_all_is_as_it_was_and_goes_on_from_there(self):
        user = make_user("Editor")
        self.client.force_login(user)
        self.run_command("backup", self.file)
        before = installations.rows()
        make_article()
        User.objects.update(first_name="Changed")

        said = self.replace()

        self.assertEqual(installations.rows(), before)
        self.assertIn("Everybody signs in anew", said)
        self.assertFalse(Session.objects.exists())
        # Keys go on where they were, and what was frozen is frozen.
        self.assertGreater(make_user().pk, user.pk)
        self.assert_frozen()

    @pytest.mark.postgresql
    def test_postgresql_plans_by_what_is_there_now(self):
        self.run_command("backup", self.file)
        for _ in range(7):
            make_article()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE articles_article")
            self.replace()
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'articles_article'")
            self.assertEqual(cursor.fetchone(), (1,))

    def test_an_installation_in_use_is_not_touched_unless_that_is_asked_for(self):
        self.run_command("backup", self.file)
        make_article()

        self.assert_refused("This installation is not empty")
        with patch.object(sys, "stdin", io.StringIO("yes\n")), contextlib.redirect_stdout(io.StringIO()):
            self.assert_refused("Nothing was changed", replace=True)
        with patch.object(sys, "stdin", io.StringIO("replace\n")), contextlib.redirect_stdout(io.StringIO()):
            self.run_command("restore", self.file, replace=True)

        self.assertEqual(Article.objects.count(), 1)

    def test_what_is_damaged_is_noticed_before_anything_is_written(self):
        self.run_command("backup", self.file)
        whole = self.file.read_bytes()
        damages = {
            "cut": lambda: self.file.write_bytes(whole[:-30]),
            "no archive": lambda: self.file.write_bytes(b"hello"),
            "a byte": lambda: self.file.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]),
            "a part is missing": lambda: self.rewrite(lambda parts: parts.pop("tables/articles.Article.jsonl")),
            "a part too many": lambda: self.rewrite(lambda parts: parts.update({"tables/x.Y.jsonl": b""})),
            "another part": lambda: self.rewrite(lambda parts: parts.update({"tables/auth.User.jsonl": b"[]\n"})),
            "no manifest": lambda: self.rewrite(lambda parts: parts.pop("manifest.json")),
            "another manifest": lambda: self.rewrite(lambda parts: parts.update({"manifest.json": b"[]"})),
            "another format": lambda: self.change_manifest(format=2),
        }
        for name, damage in damages.items():
            with self.subTest(name):
                self.file.write_bytes(whole)
                damage()

                self.assert_refused("Nothing was changed", replace=True, no_input=True)
                with self.assertRaises(CommandError):
                    self.run_command("backup", self.file, verify=True)

    def test_names_that_lead_out_of_the_folders_are_refused(self):
        self.run_command("backup", self.file)
        whole = self.file.read_bytes()
        names = [
            "media/../../x.png",
            "/etc/passwd",
            "media//x",
            "media/./x",
            "cards/x.png",
            "media/a\\..\\b",
            "manage.py",
        ]
        for name in names:
            with self.subTest(name):
                self.file.write_bytes(whole)

                def add(parts, name=name):
                    manifest = json.loads(parts["manifest.json"])
                    manifest["parts"][name] = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
                    parts |= {name: b"x", "manifest.json": json.dumps(manifest).encode()}

                self.rewrite(add)
                self.assert_refused("of a name that no backup has", replace=True, no_input=True)

    def test_rows_that_cannot_be_are_refused_with_all_the_others(self):
        self.run_command("backup", self.file)
        whole = self.file.read_bytes()
        slug = self.article.slug.encode()
        for label, old, new in [
            ("articles.Article", slug, b"x" * 5000 if connection.vendor == "postgresql" else b'",{"'),
            ("articles.Article", b'"slug"', b'"snail"'),
            ("articles.Category", b"\n[1,", b"\n[999999,"),
            ("articles.Category", b"\n[", b"\n[1]\n["),
        ]:
            with self.subTest(label, old=old):
                self.file.write_bytes(whole)
                if old == b"\n[1,":
                    key = self.article.category_id
                    old = b"\n[%d," % key
                self.amend(label, old, new)

                with contextlib.suppress(DatabaseError):
                    self.assert_refused("Nothing was changed", replace=True, no_input=True)
                self.assertTrue(Article.objects.filter(slug=self.article.slug).exists())
        self.assert_frozen()

    def test_other_migrations_are_named_and_refused(self):
        self.run_command("backup", self.file)
        with zipfile.ZipFile(self.file) as archive:
            migrations = json.loads(archive.read("manifest.json"))["migrations"]
        self.change_manifest(migrations=[*migrations[1:], "articles.0999_later"], release="9.9")

        differences = f"(not here: articles.0999_later; not in the archive: {migrations[0]})"
        message = f"made by release 9.9 and has other migrations {differences}"
        self.assert_refused(message, replace=True, no_input=True)

    def test_what_was_made_of_the_rows_before_can_be_thrown_away(self):
        self.run_command("backup", self.file)
        done = []
        restoring.afterwards(lambda: done.append(connection.in_atomic_block))
        self.addCleanup(restoring._afterwards.pop)

        self.replace()

        self.assertEqual(done, [False])


class NewsletterTests(BackupTestCase):
    """A restore must not let anybody get an edition twice."""

    def test_editions_that_may_have_gone_on_wait_for_a_person(self):
        now = timezone.now()
        sending, deliveries = make_sending(2)
        sender = make_sender(sending)
        Delivery.objects.filter(pk=deliveries[0].pk).update(state="sending", sender=sender, claimed_at=now)
        due = make_edition(state="scheduled", scheduled_at=now + timedelta(minutes=5))
        later = make_edition(state="scheduled", scheduled_at=now + timedelta(days=5))
        draft = make_edition()
        preparing = make_edition(state="preparing", scheduled_at=now, audience_at=now)
        paused = make_edition(state="paused", pause_reason="By hand", scheduled_at=now)
        self.run_command("backup", self.file)

        with time_machine.travel(now + timedelta(hours=1)):
            said = self.replace()

        self.assertIn("4 editions are paused", said)
        for edition in (sending, due, preparing, paused):
            edition.refresh_from_db()
            self.assertEqual(edition.state, "paused")
            self.assertIn("restored from a backup", edition.pause_reason)
        for edition, state in ((later, "scheduled"), (draft, "draft")):
            edition.refresh_from_db()
            self.assertEqual(edition.state, state)
        states = Delivery.objects.order_by("pk").values_list("state", flat=True)
        self.assertEqual(list(states), ["uncertain", "pending"])
        sender.refresh_from_db()
        self.assertTrue(sender.is_lost)
        self.assertEqual(sender.uncertain, 1)
        # And a person may let it go on.
        preparing.resume()
        self.assertEqual(Edition.objects.get(pk=preparing.pk).state, "preparing")

    def test_who_must_not_be_written_to_comes_along(self):
        Suppression.objects.create(digest="d" * 64, reason="complaint")
        make_subscriber("ada@example.com", status="unsubscribed", ended_at=timezone.now())
        self.run_command("backup", self.file)

        said = self.replace()

        self.assertTrue(Suppression.objects.filter(digest="d" * 64).exists())
        self.assertEqual(Subscriber.objects.get().status, "unsubscribed")
        self.assertIn("is subscribed again", said)


class BackupTests(BackupTestCase):
    def test_it_is_one_file_for_its_owner_alone_and_says_what_is_in_it(self):
        make_user(username="ada")

        said = self.run_command("backup", self.file)

        self.assertRegex(said, r"backup\.zip: [\d.]+.KB, \d+ rows, \d+ files")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [self.file])
        self.assertIn("is whole", self.run_command("backup", self.file, verify=True))
        with zipfile.ZipFile(self.file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        self.assertEqual(manifest["tables"]["auth.User"], 1)
        self.assertEqual((manifest["engine"], manifest["release"]), (connection.vendor, "0.1.0"))

    def test_it_takes_the_place_of_no_file_and_makes_no_folder(self):
        self.file.write_bytes(b"an earlier one")

        with self.assertRaisesMessage(CommandError, "is there already"):
            self.run_command("backup", self.file)
        with self.assertRaisesMessage(CommandError, "There is no folder"):
            self.run_command("backup", self.folder / "none" / "x.zip")

        self.assertEqual(self.file.read_bytes(), b"an earlier one")

    def test_nothing_is_left_of_one_that_fails(self):
        full = patch.object(saving, "names", side_effect=OSError("No space left on device"))
        with full, self.assertRaisesMessage(CommandError, "No space left"):
            self.run_command("backup", self.file)

        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_others_write_meanwhile_is_not_in_it_and_they_do_not_wait(self):
        written = []

        def write(*_):
            # As another process does, while the rows are read.
            if not written:
                written.append(installations.write_elsewhere("meanwhile"))
            return iter(())

        with patch.object(saving.tables, "kept", side_effect=_then(write, saving.tables.kept)):
            self.run_command("backup", self.file)

        self.assertTrue(Statistic.objects.filter(slug="meanwhile").exists())
        with zipfile.ZipFile(self.file) as archive:
            self.assertNotIn(b"meanwhile", archive.read("tables/articles.Statistic.jsonl"))

    def test_the_moment_of_the_last_one_is_known(self):
        with time_machine.travel(datetime(2026, 5, 4, tzinfo=UTC), tick=False):
            self.run_command("backup", self.file)

        self.assertEqual(saving.last(), (datetime(2026, 5, 4, tzinfo=UTC), self.file.stat().st_size))
        saving._record().write_text("{")
        self.assertIsNone(saving.last())


def _then(first, second):
    def both():
        first()
        return second()

    return both
