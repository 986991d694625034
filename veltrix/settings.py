"""The settings of Veltrix, in the order in which Django documents them.

They vary by environment variable only; `.env` beside `manage.py` is read when it exists. A missing or misspelt value
stops the process with one line that says which. The README lists every variable.
"""

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.csp import CSP
from django_prose_editor.config import html_tags
from js_asset import static_lazy

from veltrix import mail_urls, web_urls
from veltrix.environment import BASE_DIR, boolean, database, env, whole_number
from veltrix.framing import open_to_frames
from veltrix.mail_urls import is_loopback
from veltrix.search import engines

# Core settings

# What backups and error reports call this version of the code.
RELEASE = (
    env.str("RELEASE", default="") or tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
)
DEBUG = boolean("DEBUG", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="").strip()
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Put a long random string into the environment or into .env.")
    SECRET_KEY = get_random_secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
try:
    _site = urlsplit(SITE_URL)
except ValueError as error:
    raise ImproperlyConfigured(f"SITE_URL is not an address: {error}") from error
if _site.scheme not in {"http", "https"} or not _site.hostname or _site.path:
    raise ImproperlyConfigured(
        f"SITE_URL must be a scheme and a host, for example https://veltrix.example, not {SITE_URL!r}."
    )
IS_HTTPS = _site.scheme == "https"
if not IS_HTTPS and not is_loopback(_site.hostname):
    raise ImproperlyConfigured("SITE_URL must begin with https:// unless it names this machine (127.0.0.1, localhost).")

LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK_HOSTS if is_loopback(_site.hostname) else [_site.hostname])

INSTALLED_APPS = [
    "newsletter",
    "careers",
    "articles",
    "content_editor",
    "django_prose_editor",
    "django_tasks_db",
    "modelsearch",
    "veltrix.admin_site.VeltrixAdminConfig",
    "django.contrib.auth",
    "veltrix",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "veltrix.observation.name_view",
    "veltrix.middleware.no_body_for_head",
    "veltrix.middleware.replaced_when_gone",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "veltrix.middleware.security_headers",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "veltrix.health.answer",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "veltrix.middleware.refuse_malformed_text",
    "veltrix.middleware.limit_body",
    "veltrix.bulkhead.bulkhead",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "articles.redirects.follow",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "veltrix.sign_in.sessions.guard",
    "articles.schedule.settled",
]

ROOT_URLCONF = "veltrix.urls"
WSGI_APPLICATION = "veltrix.wsgi.application"
ADMIN_PATH = env.str("ADMIN_PATH", default="admin/").strip("/") + "/"
if ADMIN_PATH == "/":
    raise ImproperlyConfigured("ADMIN_PATH must name a path of its own, for example admin/.")
CSRF_FAILURE_VIEW = "veltrix.views.csrf_failure"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csp",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "veltrix.publication.context",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# The article form posts about six fields for each block, so that 400 blocks stay below this.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
# The whole of a request's body, files included: what readers send, what providers of mail do, and what editors do.
MAX_BODY_SIZE = 64_000
MAX_REPORT_BODY_SIZE = 2_000_000
MAX_ADMIN_BODY_SIZE = 30_000_000

# Database

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
DATABASES = {"default": database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'veltrix.sqlite3'}")}
_database_options: Any = DATABASES["default"].get("OPTIONS", {})
if str(DATABASES["default"]["ENGINE"]).endswith("sqlite3"):
    try:
        Path(str(DATABASES["default"]["NAME"])).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The folder of the database cannot be made: {error}") from error
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
        # So that a row that REPLACE puts out of the way counts as deleted for the triggers of frozen figures.
        "PRAGMA recursive_triggers=ON;",
        **_database_options,
    }
else:
    DATABASES["default"]["ENGINE"] = "veltrix.postgresql"
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "options": "-c statement_timeout=15000",
        **_database_options,
    }
# To open SQLite's file anew costs 2 ms, a third of what a page does.
DATABASES["default"]["CONN_MAX_AGE"] = 60
# How many seconds a page waits for PostgreSQL's answer: longer than any statement may take there.
DATABASE_TIMEOUT = whole_number("DATABASE_TIMEOUT", default=20, least=1, most=3_600)

# The page cache: in files that one machine shares, in Redis or Valkey for several, or off. Sizes in megabytes.

CACHE_URL = env.str("CACHE_URL", default="").strip()
if CACHE_URL not in {"", "off"}:
    CACHE_URL = web_urls.page_cache_server("CACHE_URL", CACHE_URL)
PAGE_CACHE_MB = whole_number("PAGE_CACHE_MB", default=256, least=1, most=10**6)
PAGE_CACHE_MEMORY_MB = whole_number("PAGE_CACHE_MEMORY_MB", default=32, most=10**5)
# For how long caches between here and readers, which cannot be told of a publication, may keep a page, in seconds.
EDGE_SECONDS = whole_number("EDGE_SECONDS", default=60, most=86_400)

# How many requests a process serves at a time; some of its threads are left to pages that are kept.
WEB_THREADS = whole_number("WEB_THREADS", default=8, least=2, most=256)

# Tasks: the queue is a table, worked off by `manage.py worker`.

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Search: by the database itself, or by OpenSearch

MODELSEARCH_BACKENDS = engines.read("SEARCH_URL", env.str("SEARCH_URL", default=""))

# Passwords and sign-in (NIST SP 800-63B, ASVS 6.2: length, no composition rules)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "veltrix.sign_in.passwords.NoWordsOfTheHouse"},
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
# Who needs a second factor: whoever has one of these permissions, or nobody beside those who have added one.
SECOND_FACTOR = env.str("SECOND_FACTOR", default="required" if IS_HTTPS else "optional").strip().lower()
if SECOND_FACTOR not in {"required", "optional"}:
    raise ImproperlyConfigured(f"SECOND_FACTOR must be required or optional, not {SECOND_FACTOR!r}.")
SECOND_FACTOR_PERMISSIONS = env.list(
    "SECOND_FACTOR_PERMISSIONS",
    default=[
        "articles.publish_article",
        "newsletter.view_subscriber",
        "newsletter.import_subscriber",
        "newsletter.export_subscriber",
        "newsletter.send_edition",
        "auth.change_user",
        "auth.change_group",
        "veltrix.view_auditentry",
        "veltrix.manage_sign_in",
    ],
)
for _permission in SECOND_FACTOR_PERMISSIONS:
    if _permission.count(".") != 1:
        raise ImproperlyConfigured(
            f"SECOND_FACTOR_PERMISSIONS holds names such as articles.publish_article, not {_permission!r}."
        )
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Internationalisation

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "veltrix.formats"
TIME_ZONE = env.str("TIME_ZONE", default="Europe/London")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"TIME_ZONE must be a name such as Europe/London, not {TIME_ZONE!r}.")
USE_TZ = True
USE_I18N = True

# Static and uploaded files

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "veltrix.kept_files.KeptFiles"},
    # Pictures as they were uploaded: nobody is served them, for they may say where they were taken.
    "originals": {"BACKEND": "veltrix.kept_files.KeptFiles", "OPTIONS": {"location": VAR_DIR / "originals"}},
    "cards": {"BACKEND": "veltrix.kept_files.KeptFiles", "OPTIONS": {"location": VAR_DIR / "cards"}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "veltrix.static_files.StaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = open_to_frames
# Beside what is compressed already: source maps, large files that nobody but a developer's browser asks for.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["jpg", "jpeg", "png", "gif", "webp", "avif", "woff", "woff2", "gz", "br", "map"]
FILE_UPLOAD_PERMISSIONS = 0o644

# The editor of rich text: extensions of ours beside its own.

DJANGO_PROSE_EDITOR_EXTENSIONS = [
    {
        "js": [static_lazy("js/admin/figure-reference.js")],
        "extensions": {"FigureReference": html_tags(["data"], {"data": ["value"]})},
    },
]

# Security: headers that every answer carries, and the policy of pages for readers. The admin has its own policy.

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SECURE_SSL_REDIRECT = IS_HTTPS
# RFC 8058: the one-click POST must not be answered by a redirect. Load balancers ask for health without TLS.
SECURE_REDIRECT_EXEMPT = [r"^newsletter/unsubscribe/", r"^(healthz|readyz|metrics)$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if boolean("BEHIND_PROXY", default=False) else None
BEHIND_PROXY = SECURE_PROXY_SSL_HEADER is not None
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# E-mail: an SMTP server by address, or a folder for trying the site out

MAIL_DIR = VAR_DIR / "mail"


def mailer(name: str) -> dict[str, Any]:
    """Read the address of a mail server; without one, mail is written to files, but not by a public site."""
    address = env.str(name, default="")
    if address:
        return mail_urls.mail_server(name, address, _timeout)
    if IS_HTTPS:
        raise ImproperlyConfigured(f"{name} is not set: a public site needs smtp+tls://user:password@host:587.")
    return {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": str(MAIL_DIR)}}


_timeout = whole_number("EMAIL_TIMEOUT", default=60, least=1)
MAILERS = {"default": mailer("EMAIL_URL")}
# Editions may take a way of their own: another server, or a provider's API.
if _address := env.str("NEWSLETTER_EMAIL_URL", default=""):
    MAILERS["newsletter"] = mail_urls.mail_server_or_provider("NEWSLETTER_EMAIL_URL", _address, _timeout)
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"The AI Briefing <briefing@{_site.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The newsletter: the sender's postal address, addresses' domains that are refused beside the known throw-away ones, and
# the key of the suppression list, which must outlive SECRET_KEY (empty: SECRET_KEY itself).

NEWSLETTER_POSTAL_ADDRESS = env.str("NEWSLETTER_POSTAL_ADDRESS", default="")
NEWSLETTER_REFUSED_DOMAINS = env.list("NEWSLETTER_REFUSED_DOMAINS", default=[])
NEWSLETTER_BOUNCE_ADDRESS = mail_urls.bounce_address(
    "NEWSLETTER_BOUNCE_ADDRESS", env.str("NEWSLETTER_BOUNCE_ADDRESS", default="")
)
# How many mails may leave at most, over all workers (0: no limit), and by how many lanes at once in each process.
NEWSLETTER_PER_SECOND = whole_number("NEWSLETTER_PER_SECOND", default=0)
NEWSLETTER_PER_HOUR = whole_number("NEWSLETTER_PER_HOUR", default=0)
NEWSLETTER_LANES = whole_number("NEWSLETTER_LANES", default=4, least=1, most=200)
# When an edition is paused: this share of its mails was refused, or reported as spam.
NEWSLETTER_FAILURES_PERCENT = whole_number("NEWSLETTER_FAILURES_PERCENT", default=5, most=100)
NEWSLETTER_COMPLAINTS_PER_MILLE = whole_number("NEWSLETTER_COMPLAINTS_PER_MILLE", default=3, most=1000)
NEWSLETTER_SUPPRESSION_KEY = env.str("NEWSLETTER_SUPPRESSION_KEY", default="")
# Where `manage.py process_bounces` finds the mails that came back.
BOUNCE_MAILBOX = mail_urls.mailbox("BOUNCE_MAILBOX", _address) if (_address := env.str("BOUNCE_MAILBOX", "")) else None
# Providers that report to /newsletter/reports/<provider>/, each with the secret by which it is known.
NEWSLETTER_WEBHOOKS = mail_urls.webhooks("NEWSLETTER_WEBHOOKS", env.list("NEWSLETTER_WEBHOOKS", default=[]))

# Found elsewhere: the hub that tells readers of feeds of news (W3C WebSub), the key by which search engines know who
# reports changes (indexnow.org), whether programs are kept out, and whom to tell of a hole, on what terms (RFC 9116)

WEBSUB_HUB = web_urls.web_address("WEBSUB_HUB", env.str("WEBSUB_HUB", default=""))
INDEXNOW_KEY = web_urls.indexnow_key("INDEXNOW_KEY", env.str("INDEXNOW_KEY", default=""))
INDEXNOW_URL = web_urls.web_address("INDEXNOW_URL", env.str("INDEXNOW_URL", "https://api.indexnow.org/indexnow"))
ROBOTS_DISALLOW_ALL = boolean("ROBOTS_DISALLOW_ALL", default=False)
SECURITY_CONTACT = web_urls.contact("SECURITY_CONTACT", env.str("SECURITY_CONTACT", default=""))
SECURITY_POLICY = web_urls.web_address("SECURITY_POLICY", env.str("SECURITY_POLICY", default=""))

# Review of figures: when one is old, when a range is wide, and by how much a lower figure may move at once


REVIEW_PAY_MONTHS = whole_number("REVIEW_PAY_MONTHS", default=12, least=1, most=10_000)
REVIEW_STATISTIC_MONTHS = whole_number("REVIEW_STATISTIC_MONTHS", default=18, least=1, most=10_000)
REVIEW_RANGE_RATIO = whole_number("REVIEW_RANGE_RATIO", default=3, least=1, most=10_000)
REVIEW_MOVE_PERCENT = whole_number("REVIEW_MOVE_PERCENT", default=40, least=1, most=10_000)

# The audit log: after how many days it forgets network addresses

AUDIT_ADDRESS_DAYS = whole_number("AUDIT_ADDRESS_DAYS", default=90, least=1, most=10_000)

# Metrics for Prometheus: off without a token. Processes count in files, which are of no use to later ones.

METRICS_TOKEN = env.str("METRICS_TOKEN", default="").strip()
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("METRICS_TOKEN must have at least 16 characters.")
METRICS_DIR = VAR_DIR / "metrics"

# Reports of errors to Sentry: off without an address

SENTRY_DSN = env.str("SENTRY_DSN", default="").strip()
if SENTRY_DSN and not (urlsplit(SENTRY_DSN).scheme in {"http", "https"} and urlsplit(SENTRY_DSN).username):
    raise ImproperlyConfigured("SENTRY_DSN must have the form https://key@host/project.")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")

# Logging: one line an event on standard error, UTC

LOG_FORMAT = env.str("LOG_FORMAT", default="line").strip().lower()
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be line or json, not {LOG_FORMAT!r}.")
ACCESS_LOG = boolean("ACCESS_LOG", default=False)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "veltrix.logs.LineFormatter"}, "json": {"()": "veltrix.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # They tell each request, and what is in it.
        "opensearch": {"level": "WARNING"},
        "opensearchpy.trace": {"level": "CRITICAL"},
        # It tells each of its guesses about a mail.
        "flufl.bounce": {"level": "CRITICAL"},
        # It tells of each attempt to report an error.
        "urllib3": {"level": "ERROR"},
    },
}
