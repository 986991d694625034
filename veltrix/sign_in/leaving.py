"""The way out, and what ends the sessions of a password that is no longer good."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from veltrix import audit
from veltrix.models import SessionRecord

from . import limits, sessions


def end_this_session(request: HttpRequest) -> None:
    SessionRecord.objects.filter(pk=sessions.record_of(request).pk).end()
    audit.note(request, audit.Act.SIGN_OUT, request.user)  # type: ignore[arg-type]


def change_password(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Let somebody change their password. The old one is tried as often as at the sign-in; other sessions end."""
    if request.method != "POST":
        return answer()
    user: User = request.user  # type: ignore[assignment]
    try:
        attempt = limits.begin(request, limits.Kind.PASSWORD, user.get_username())
    except limits.TooManyError as error:
        return limits.too_many(request, error)
    response = answer()
    if response.status_code == 302:
        limits.passed(attempt)
        record = sessions.record_of(request)
        record.confirm()
        SessionRecord.objects.filter(user=user).exclude(pk=record.pk).end()
        audit.note(request, audit.Act.PASSWORD, user, "Their own; their other sessions ended.")
    return response
