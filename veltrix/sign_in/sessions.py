"""Sessions of the desk: written down when they begin, judged at every request, ended at once.

A session holds the key of its `SessionRecord`. Whoever asks a request who its user is gets nobody where the record has
ended, rests for too long, lasts for too long, or was begun without a second factor that is due: in the admin and
everywhere else.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from veltrix import audit
from veltrix.clients import address_of, browser_of, network_of
from veltrix.models import Factor, SessionRecord

from . import factors

KEY = "record"


def begin(request: HttpRequest, user: User, factor: Factor) -> None:
    """Sign somebody in who has proved to be who they are, with a new session."""
    with transaction.atomic():
        leave(request)
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        record_of(request).confirm(factor)
        audit.note(request, audit.Act.SIGN_IN, user, f"{factor.label}.", user=user)


def leave(request: HttpRequest) -> None:
    """End the session that a browser has, whoever's it is, with all that it holds."""
    SessionRecord.objects.filter(pk=request.session.get(KEY, 0)).end()
    request.session.flush()


def write_down(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Keep a record of a session that begins: a receiver of `user_logged_in`."""
    record = SessionRecord.objects.create(
        user=user, address=address_of(request) or None, network=network_of(request), browser=browser_of(request)
    )
    request.session[KEY] = record.pk
    request.sign_in_record = record  # type: ignore[attr-defined]


def record_of(request: HttpRequest) -> SessionRecord:
    """The record of a request of somebody who has signed in."""
    # Who it is decides whether there is one.
    assert request.user.is_authenticated  # noqa: S101
    record: SessionRecord = request.sign_in_record  # type: ignore[attr-defined]
    return record


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let nobody pass for the user of a session that is over. It stands after all that sets a user, and costs a page
    for readers nothing: the session is looked at when somebody asks for the user."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _guarded(request))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def _guarded(request: HttpRequest) -> Any:
    user = get_user(request)
    if not isinstance(user, User):
        return user
    now = timezone.now()
    kept = SessionRecord.objects.filter(pk=request.session.get(KEY, 0), user=user)
    record = kept.with_factors().first()
    if record is None or not record.is_open(now) or _lacks_factor(user, record):
        kept.end()
        request.session.flush()
        return AnonymousUser()
    if request.headers.get("X-Background") != "1":
        record.see(now)
    request.sign_in_record = record  # type: ignore[attr-defined]
    return user


def _lacks_factor(user: User, record: SessionRecord) -> bool:
    return record.factor == Factor.NONE and (record.has_factor or factors.is_required(user))  # type: ignore[attr-defined]
