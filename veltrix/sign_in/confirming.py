"""Asking again who somebody is, before what must not happen at a desk that was left open."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from veltrix import audit

from . import limits, passkeys, sessions
from .pages import page


def ask_to_confirm(request: HttpRequest, back: str = "") -> HttpResponse | None:
    """A page that asks for a password or passkey, where none was given in the last ten minutes; else nothing.

    It leads back to the page that was asked for, or to `back`; nothing that was sent there is kept.
    """
    if sessions.record_of(request).is_fresh(timezone.now()):
        return None
    query = urlencode({"next": back or request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")


def confirm(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    goes_to = safe_address(request) or reverse("admin:your_sign_in")
    error = ""
    if request.method == "POST":
        try:
            if _is_proved(request, user):
                sessions.record_of(request).confirm()
                request.session.cycle_key()
                audit.note(request, audit.Act.CONFIRMED, user)
                return HttpResponseRedirect(goes_to)
        except limits.TooManyError as too_many:
            return limits.too_many(request, too_many)
        audit.note(request, audit.Act.CONFIRM_FAILED, user)
        error = "That is not right. Please try again."
    context = {
        "title": "Please confirm that it is you",
        "error": error,
        "next": goes_to,
        "has_passkey": passkeys.are_offered(request) and user.passkeys.exists(),
    }
    return page(request, "admin/sign_in/confirm.html", context, status=422 if error else 200)


def safe_address(request: HttpRequest) -> str:
    """The page of this site that a request wants to go on to; empty where it names none."""
    address = request.POST.get("next", request.GET.get("next", ""))
    hosts = {request.get_host()}
    return address if url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure()) else ""


def _is_proved(request: HttpRequest, user: User) -> bool:
    if answer := request.POST.get("credential"):
        try:
            passkeys.proved(request, user, answer)
        except passkeys.NotProvedError:
            return False
        return True
    return is_their_password(request, user, request.POST.get("password", ""))


def is_their_password(request: HttpRequest, user: User, password: str) -> bool:
    """Try a password of somebody who has signed in. Raises `TooManyError`."""
    attempt = limits.begin(request, limits.Kind.PASSWORD, user.get_username())
    if not user.check_password(password):
        return False
    limits.passed(attempt)
    return True
