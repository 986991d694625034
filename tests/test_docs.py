import re
from pathlib import Path

from django.test import SimpleTestCase

ROOT = Path(__file__).resolve().parent.parent


class DocsTests(SimpleTestCase):
    def test_every_page_and_picture_that_the_docs_name_is_there(self):
        for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
            for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
                if "://" not in target:
                    with self.subTest(page.name, target=target):
                        self.assertTrue((page.parent / target).exists())

    def test_the_guide_shows_every_picture_that_is_made_for_it(self):
        named = set(re.findall(r"\]\(editing/([^)]+)\)", (ROOT / "docs/editing.md").read_text()))

        self.assertEqual({path.name for path in ROOT.glob("docs/editing/*.png")}, named)
