import re
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import SimpleTestCase, override_settings

STORAGES = {"staticfiles": {"BACKEND": "veltrix.static_files.StaticFilesStorage"}}


class CollectStaticTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(TemporaryDirectory())
        cls.collect()

    @classmethod
    def collect(cls):
        with override_settings(STATIC_ROOT=cls.folder, STORAGES=STORAGES, DEBUG=False):
            call_command("collectstatic", interactive=False, verbosity=0, stdout=StringIO())

    def collected(self, name):
        with override_settings(STATIC_ROOT=self.folder, STORAGES=STORAGES, DEBUG=False):
            return Path(self.folder) / staticfiles_storage.stored_name(name)

    def test_the_style_sheet_is_one_hashed_compressed_file_with_all_that_it_imports(self):
        file = self.collected("css/site.css")
        css = file.read_text("utf-8")

        self.assertNotIn("@import", css)
        self.assertLess(css.index("@layer reset, tokens"), css.index("@font-face"))
        self.assertRegex(css, r"newsreader\.[0-9a-f]{12}\.woff2")
        self.assertLess(file.with_name(file.name + ".br").stat().st_size, 12_000)

    def test_the_style_sheets_of_embeds_and_of_the_desk_are_one_file_each_too(self):
        file = self.collected("embed/embed.css")
        css = file.read_text("utf-8")
        desk = self.collected("css/admin.css").read_text("utf-8")

        self.assertNotIn("@import", css + desk)
        self.assertLess(css.index("@layer reset, tokens"), css.index(".embed__credit"))
        self.assertRegex(css, r"fonts/newsreader\.[0-9a-f]{12}\.woff2")
        self.assertLess(file.with_name(file.name + ".br").stat().st_size, 6_000)
        self.assertLess(desk.index("--ink: light-dark"), desk.index(".edition-page"))

    def test_to_collect_again_changes_nothing(self):
        first = self.collected("css/site.css")
        css = first.read_bytes()

        self.collect()

        self.assertEqual(self.collected("css/site.css"), first)
        self.assertEqual(first.read_bytes(), css)

    def test_every_style_sheet_is_imported(self):
        folder = Path(__file__).resolve().parent.parent / "static" / "css"
        files = [file.relative_to(folder).as_posix() for file in folder.rglob("*.css")]
        imported = [
            name
            for sheet in ("site.css", "admin.css")
            for name in re.findall(r'@import url\("([\w/-]+\.css)"\);', (folder / sheet).read_text("utf-8"))
        ]

        self.assertCountEqual(["site.css", "admin.css", "admin-sign-in.css", *imported], files)
