"""The pictures of a backup, and what is in their places when it is restored."""

import os
import zipfile
from pathlib import Path
from unittest.mock import patch

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError

from tests.factories import make_article
from tests.test_backup import BackupTestCase
from veltrix.backups import restoring


class FilesTests(BackupTestCase):
    def test_pictures_come_back_and_those_that_are_whole_stay(self):
        kept, lost = (
            default_storage.save("a/kept.png", ContentFile(b"kept")),
            default_storage.save("a/lost.png", ContentFile(b"lost")),
        )
        original = storages["originals"].save("o.png", ContentFile(b"original"))
        self.addCleanup(storages["originals"].delete, original)
        for name in (kept, lost):
            self.addCleanup(default_storage.delete, name)
        Path(default_storage.path("a/.unfinished-x")).write_bytes(b"half")
        self.addCleanup(default_storage.delete, "a/.unfinished-x")
        said = self.run_command("backup", self.file)
        inode = os.stat(default_storage.path(kept)).st_ino
        default_storage.delete(lost)
        Path(storages["originals"].path(original)).write_bytes(b"damaged")

        self.replace()

        self.assertIn("files", said)
        self.assertEqual(Path(default_storage.path(lost)).read_bytes(), b"lost")
        self.assertEqual(Path(storages["originals"].path(original)).read_bytes(), b"original")
        self.assertEqual(os.stat(default_storage.path(kept)).st_ino, inode)
        with zipfile.ZipFile(self.file) as archive:
            self.assertFalse([name for name in archive.namelist() if "unfinished" in name])

    def test_pictures_that_were_put_in_place_go_again_when_rows_are_refused(self):
        name = default_storage.save("a/new.png", ContentFile(b"new"))
        make_article()
        self.run_command("backup", self.file)
        default_storage.delete(name)
        self.amend("articles.Article", b'"slug"', b'"snail"')

        self.assert_refused("The columns of articles.Article", replace=True, no_input=True)

        self.assertFalse(default_storage.exists(name))


class OtherFilesTests(BackupTestCase):
    """A file that is here under the name of one in the archive, and is another."""

    def setUp(self):
        super().setUp()
        self.name = default_storage.save("a/x.png", ContentFile(b"in the archive"))
        self.addCleanup(default_storage.delete, self.name)
        self.run_command("backup", self.file)
        self.path = Path(default_storage.path(self.name))
        self.path.write_bytes(b"here now")

    def assert_is(self, content):
        """The file has this content, and nothing is beside it."""
        self.assertEqual({path.name: path.read_bytes() for path in self.path.parent.iterdir()}, {"x.png": content})

    def test_it_takes_its_place_only_where_that_is_asked_for(self):
        self.assert_refused(f"The file {self.path} is another here. Move it away, or ask for --replace. Nothing was")
        self.assert_is(b"here now")

        # An earlier restore was killed.
        (self.path.parent / ".unfinished-x.png").write_bytes(b"in the")
        self.replace()

        self.assert_is(b"in the archive")

    def test_it_stays_when_rows_are_refused(self):
        with patch.object(restoring, "_check_keys", side_effect=restoring.DamagedError("Rows are missing.")):
            self.assert_refused("Nothing was changed", replace=True, no_input=True)

        self.assert_is(b"here now")

    def test_what_cannot_be_put_in_its_place_in_the_end_is_told(self):
        done = []
        restoring.afterwards(lambda: done.append(1))
        self.addCleanup(restoring._afterwards.pop)

        def bar_the_place():
            self.path.unlink()
            self.path.mkdir()

        barred = patch.object(restoring, "_check_keys", side_effect=bar_the_place)
        with barred, self.assertRaisesMessage(CommandError, "All rows are restored, but not all files: ") as told:
            self.replace()

        self.assertNotIn("Nothing was changed", str(told.exception))
        self.assertEqual(done, [1])
        self.path.rmdir()
        self.path.write_bytes(b"here now")
        self.replace()
        self.assert_is(b"in the archive")
