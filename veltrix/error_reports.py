"""Errors told to Sentry, or to what speaks its protocol: where `SENTRY_DSN` is set, and without anybody's data.

Of a request only its method, its path without tokens, and its view are told: no query, no body, no cookie, no header,
no address, no account, and no local variable of any frame, for those hold what forms hold.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from .logs import masked, request_id
from .outages import is_outage

# What an event may say of itself; all else is left out, whatever a later version adds.
KEPT = {
    "contexts",
    "environment",
    "event_id",
    "exception",
    "level",
    "logentry",
    "logger",
    "platform",
    "release",
    "sdk",
    "tags",
    "timestamp",
    "transaction",
    "type",
}


# A mail address, as a database names it in its message about a row (RFC 5321, 4.5.3.1: 64 and 255 characters at most).
ADDRESS = re.compile(r"[^\s@=('\"<]{1,64}@[^\s@)'\">]{1,255}")


def start() -> None:
    """Begin to report, if that is asked for. The package is imported only then."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.RELEASE,
        environment=settings.SENTRY_ENVIRONMENT,
        integrations=[DjangoIntegration()],
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="",
        before_send=scrub,  # type: ignore[arg-type]
    )


def scrub(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    """What of an event is sent; None where it is not: an outage is told by health and metrics, not by every request."""
    if is_outage((hint.get("exc_info") or (None, None))[1]):
        return None
    sent = {name: value for name, value in event.items() if name in KEPT}
    sent["contexts"] = {
        name: value for name, value in event.get("contexts", {}).items() if name in {"runtime", "trace"}
    }
    if request := event.get("request"):
        path = urlsplit(request.get("url", "")).path
        sent["request"] = {"method": request.get("method"), "url": settings.SITE_URL + path}
    if id := request_id.get():
        sent["tags"] = {**event.get("tags", {}), "request_id": id}
    return _masked(sent)


def _masked(value: Any) -> Any:
    """The same without tokens and mail addresses in any text."""
    if isinstance(value, str):
        return ADDRESS.sub("…", masked(value))
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value
