"""“Your sign-in”, and the same page of somebody else for whoever looks after people."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from veltrix import audit
from veltrix.models import Authenticator, Passkey, RecoveryCode, SessionRecord

from . import factors, sessions
from .confirming import ask_to_confirm
from .enrolling import show_codes
from .pages import page
from .passkeys import are_offered

LAST_ONE = "You need a second step: add another before you remove the last one."


def your_sign_in(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    context = {
        **_shown(user),
        "title": "Your sign-in",
        "this": sessions.record_of(request),
        "is_required": factors.is_required(user),
        "passkeys_are_offered": are_offered(request),
    }
    return page(request, "admin/sign_in/yours.html", context)


def sign_in_of(request: HttpRequest, pk: int) -> HttpResponse:
    """How somebody else signs in: end their sessions, or take away the factors that they have lost."""
    user = get_object_or_404(User, pk=pk)
    if not _may_manage(request, user):
        raise PermissionDenied
    here = HttpResponseRedirect(reverse("admin:sign_in_of", args=[pk]))
    if request.method == "POST":
        if response := ask_to_confirm(request):
            return response
        if request.POST.get("act") == "reset":
            factors.reset(user)
            audit.note(request, audit.Act.FACTOR_REMOVED, user, "All of them, and their sessions ended.")
            messages.success(request, f"{user} has no second step any more and is signed out everywhere.")
        else:
            _end(request, SessionRecord.objects.filter(user=user), user)
        return here
    context = {**_shown(user), "title": f"Sign-in of {user}", "person": user}
    return page(request, "admin/sign_in/theirs.html", context)


def remove_authenticator(request: HttpRequest) -> HttpResponse:
    return _remove(request, Authenticator.objects.working().filter(user=request.user.pk))


def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    return _remove(request, Passkey.objects.filter(user=request.user.pk, pk=pk))


def renew_codes(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    here = reverse("admin:your_sign_in")
    if response := ask_to_confirm(request, back=here):
        return response
    if not factors.has_any(user):
        messages.error(request, "Recovery codes stand in for a second step: add one first.")
        return HttpResponseRedirect(here)
    codes = RecoveryCode.objects.renew(user)
    audit.note(request, audit.Act.CODES, user)
    return show_codes(request, codes, here)


def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    _end(request, SessionRecord.objects.filter(user=request.user.pk, pk=pk), request.user)
    return HttpResponseRedirect(reverse("admin:your_sign_in"))


def end_other_sessions(request: HttpRequest) -> HttpResponse:
    others = SessionRecord.objects.filter(user=request.user.pk).exclude(pk=sessions.record_of(request).pk)
    _end(request, others, request.user)
    return HttpResponseRedirect(reverse("admin:your_sign_in"))


def _shown(user: User) -> dict[str, Any]:
    return {
        "authenticator": Authenticator.objects.working().filter(user=user).first(),
        "passkeys": user.passkeys.all(),
        "codes_left": RecoveryCode.objects.unused().filter(user=user).count(),
        "sessions": SessionRecord.objects.open_at(timezone.now()).filter(user=user),
    }


def _may_manage(request: HttpRequest, user: User) -> bool:
    """Nobody but a superuser touches one."""
    if user.is_superuser and not request.user.is_superuser:
        return False
    return request.user.has_perm("veltrix.manage_sign_in")


def _end(request: HttpRequest, records: Any, user: Any) -> None:
    ended = records.open_at(timezone.now()).end()
    if ended:
        audit.note(request, audit.Act.SESSION_ENDED, user, f"{ended} ended.")
    messages.success(request, f"Sessions ended: {ended}.")


def _remove(request: HttpRequest, found: Any) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    here = HttpResponseRedirect(reverse("admin:your_sign_in"))
    if response := ask_to_confirm(request, back=here.url):
        return response
    removed = factors.remove(user, found)
    if removed is None:
        messages.error(request, LAST_ONE)
    elif removed:
        audit.note(request, audit.Act.FACTOR_REMOVED, user, f"{removed}.")
        messages.success(request, f"Removed: {removed}.")
    return here
