import re
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import SimpleTestCase, override_settings

STORAGES = {"staticfiles": {"BACKEND": "veltrix.static_files.StaticFilesStorage"}}


class CollectStaticTests(SimpleTestCase):
    def collect(self, folder, name="css/site.css"):
        with override_settings(STATIC_ROOT=folder, STORAGES=STORAGES, DEBUG=False):
            call_command("collectstatic", interactive=False, verbosity=0, stdout=StringIO())
            return Path(folder) / staticfiles_storage.stored_name(name)

    def test_the_style_sheet_is_one_hashed_compressed_file_with_all_that_it_imports(self):
        with TemporaryDirectory() as folder:
            first = self.collect(folder)
            css = first.read_text("utf-8")
            compressed = first.with_name(first.name + ".br").stat().st_size
            second = self.collect(folder)

            self.assertEqual(first, second)
            self.assertEqual(css, second.read_text("utf-8"))

        self.assertNotIn("@import", css)
        self.assertLess(css.index("@layer reset, tokens"), css.index("@font-face"))
        self.assertRegex(css, r"newsreader\.[0-9a-f]{12}\.woff2")
        self.assertLess(compressed, 12_000)

    def test_the_style_sheet_of_embeds_is_one_small_file_too(self):
        with TemporaryDirectory() as folder:
            file = self.collect(folder, "embed/embed.css")
            css = file.read_text("utf-8")
            compressed = file.with_name(file.name + ".br").stat().st_size

        self.assertNotIn("@import", css)
        self.assertLess(css.index("@layer reset, tokens"), css.index(".embed__credit"))
        self.assertRegex(css, r"fonts/newsreader\.[0-9a-f]{12}\.woff2")
        self.assertLess(compressed, 6_000)

    def test_every_style_sheet_is_imported(self):
        folder = Path(__file__).resolve().parent.parent / "static" / "css"
        imported = re.findall(r'@import url\("([\w-]+\.css)"\);', (folder / "site.css").read_text("utf-8"))

        self.assertEqual(
            {"site.css", "admin.css", "admin-sign-in.css", *imported}, {file.name for file in folder.glob("*.css")}
        )
