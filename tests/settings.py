"""The site's settings with what tests need: a known key, quick password hashes, no files outside a temporary folder."""

import os
import tempfile

os.environ["DOTENV"] = os.devnull
os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="veltrix-tests-"))
os.environ.setdefault("SITE_URL", "http://127.0.0.1:8000")

from veltrix.settings import *
from veltrix.settings import DATABASES, STATIC_ROOT, STORAGES, VAR_DIR

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if str(DATABASES["default"]["ENGINE"]).endswith("sqlite3"):
    # In a file, as it is served: a database in memory has one connection.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
MEDIA_ROOT = VAR_DIR / "media"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
