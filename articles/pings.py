"""The requests by which others are told of news: few, short, to addresses of the settings alone, and tried again."""

import http.client
import json
import logging
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.tasks import Task, task
from django.utils import timezone

from .outgoing import connected

logger = logging.getLogger(__name__)

type Ping = Task[[list[str], int], None]

RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 25, 125)]
# Refusals that may be none the next time.
FOR_NOW = {408, 425, 429}


class UnheardPingError(Exception):
    """Somebody could not be told of news, or would not hear of it."""


@task(priority=-10)
def ping_hub(paths: list[str], failures: int = 0) -> None:
    """Tell the hub that feeds have news, each in a request of its own: hubs do not agree on how to name several."""
    unheard: list[str] = []
    refusals: list[UnheardPingError] = []
    for path in paths:
        try:
            if not _is_taken(settings.WEBSUB_HUB, *_form(path)):
                unheard.append(path)
        except UnheardPingError as refusal:
            refusals.append(refusal)
    _again(ping_hub, unheard, failures)
    if refusals:
        raise refusals[0]


@task(priority=-10)
def submit_pages(paths: list[str], failures: int = 0) -> None:
    """Tell search engines which pages are new, changed or gone."""
    key = settings.INDEXNOW_KEY
    document = {
        "host": urlsplit(settings.SITE_URL).netloc,
        "key": key,
        "keyLocation": f"{settings.SITE_URL}/{key}.txt",
        "urlList": [settings.SITE_URL + path for path in paths],
    }
    is_taken = _is_taken(settings.INDEXNOW_URL if key else "", json.dumps(document), "application/json; charset=utf-8")
    _again(submit_pages, [] if is_taken else paths, failures)


def _form(path: str) -> tuple[str, str]:
    fields = {"hub.mode": "publish", "hub.url": settings.SITE_URL + path}
    return urlencode(fields), "application/x-www-form-urlencoded"


def _again(ping: Ping, unheard: list[str], failures: int) -> None:
    if not unheard:
        return
    if failures >= len(RETRY_AFTER):
        raise UnheardPingError(f"{len(unheard)} addresses")
    ping.using(run_after=timezone.now() + RETRY_AFTER[failures]).enqueue(unheard, failures + 1)


def _is_taken(address: str, body: str, content_type: str) -> bool:
    """Whether a request was heard; what nobody is to be told any more counts as heard. Raises `UnheardPingError`."""
    if not address:
        return True
    try:
        status = post(address, body.encode(), content_type)
    except (OSError, http.client.HTTPException) as error:
        logger.warning("%s could not be told of news: %s", urlsplit(address).hostname, type(error).__name__)
        return False
    if 300 <= status < 500 and status not in FOR_NOW:
        raise UnheardPingError(f"{urlsplit(address).hostname} answered {status}")
    return 200 <= status < 300


def post(address: str, body: bytes, content_type: str) -> int:
    """The status of the answer; redirects are not followed, and its body is not read."""
    parts = urlsplit(address)
    is_https, path = parts.scheme == "https", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    headers = {"Content-Type": content_type, "User-Agent": f"Veltrix (+{settings.SITE_URL}/)", "Connection": "close"}
    with connected(parts.hostname or "", parts.port or (443 if is_https else 80), is_https=is_https) as connection:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
