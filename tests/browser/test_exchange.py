"""Two installations, each with a database and a folder of its own: an article of the one, published on the other."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest

SETUP = "import django; django.setup()\n"
READ = f"""{SETUP}
import json, re
from django.test import Client
client = Client(headers={{"host": "127.0.0.1"}})
response = client.get("/articles/every-block/")
names = sorted(set(re.findall(r"/media/[^\\"\\s,]+", response.text)))
print(json.dumps([response.status_code, response.text, {{name: client.get(name).getvalue().hex() for name in names}}]))
"""
FORGET = f"""{SETUP}
from articles.models import Article, Image
article = Article.objects.filter(slug="every-block")
Image.objects.filter(parent__in=article).delete()
article.update(live_version=None, published_at=None, slug="another", number=900)
"""
PUBLISH = f"""{SETUP}
from articles.models import Article
from tests.factories import publish_as_is
publish_as_is(Article.objects.get(slug="every-block"))
"""


@pytest.fixture
def sites(site):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        yield [site.once_more(Path(folder)) for folder in (one, other)]


def read(site):
    """Status, page and pictures of the article."""
    status, page, pictures = json.loads(site.run("-c", READ))
    # Each has its own moment of publication.
    page = re.sub(r'modified_time" content="[^"]*"', "", page)
    return status, page, pictures


def forget(site):
    """Make it a site where neither the article nor its picture has ever been."""
    site.run("-c", FORGET)
    shutil.rmtree(site.folder / "originals")
    shutil.rmtree(site.folder / "media")


def test_an_article_of_one_installation_is_the_same_page_on_another(sites, tmp_path):
    here, there = sites
    forget(there)
    assert read(there)[0] == 404
    file, again = str(tmp_path / "article.zip"), str(tmp_path / "again.zip")

    here.run("manage.py", "export_article", "every-block", "--live", "-o", file)
    there.run("manage.py", "import_article", file)

    assert read(there)[0] == 404
    there.run("-c", PUBLISH)
    assert len(read(there)[2]) == 5
    assert read(there) == read(here)
    there.run("manage.py", "export_article", "every-block", "-o", again)
    assert Path(again).read_bytes() == Path(file).read_bytes()
