"""The way in: a password and then, where it is due, a code or passkey; or a passkey alone."""

from unicodedata import normalize

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from veltrix import audit
from veltrix.models import Authenticator, Factor, RecoveryCode

from . import factors, limits, passkeys, pending, sessions, totp
from .confirming import safe_address
from .pages import page


def sign_in(request: HttpRequest) -> HttpResponse:
    """The first step: user name and password."""
    goes_to = safe_address(request) or reverse("admin:index")
    if request.method != "POST":
        if request.user.is_active and request.user.is_staff:
            return HttpResponseRedirect(goes_to)
        return _sign_in_page(request, AdminAuthenticationForm(request), goes_to)
    # As the form reads it: what finds the same account counts as the same name.
    username = normalize("NFKC", request.POST.get("username", "").replace("\x00", "").strip()[:254])
    try:
        attempt = limits.begin(request, limits.Kind.PASSWORD, username)
    except limits.TooManyError as error:
        return limits.too_many(request, error)
    form = AdminAuthenticationForm(request, data=request.POST)
    if not form.is_valid():
        known = User.objects.filter(username=username).first()
        audit.note(request, audit.Act.SIGN_IN_FAILED, known, "Wrong password." if known else "Unknown account.")
        return _sign_in_page(request, form, goes_to)
    limits.passed(attempt)
    return _after_the_password(request, form.get_user(), goes_to)


def _sign_in_page(request: HttpRequest, form: AdminAuthenticationForm, goes_to: str) -> HttpResponse:
    context = {
        "title": "Log in",
        "form": form,
        "app_path": request.get_full_path(),
        "next": goes_to,
        "username": request.user.get_username(),
        "passkeys_are_offered": passkeys.are_offered(request),
    }
    return page(request, "admin/login.html", context)


def _after_the_password(request: HttpRequest, user: User, goes_to: str) -> HttpResponse:
    if factors.has_any(user):
        pending.remember(request, user, goes_to)
        return HttpResponseRedirect(reverse("admin:second_step"))
    if factors.is_required(user):
        pending.remember(request, user, goes_to)
        return HttpResponseRedirect(reverse("admin:enrol"))
    sessions.begin(request, user, Factor.NONE)
    return HttpResponseRedirect(goes_to)


def second_step(request: HttpRequest) -> HttpResponse:
    """The second step: a code of the app, a recovery code, or a passkey."""
    user = pending.user_of(request)
    if user is None or not factors.has_any(user):
        return HttpResponseRedirect(reverse("admin:login"))
    goes_to = pending.goes_to(request)
    error = ""
    if request.method == "POST":
        try:
            factor = _factor_given(request, user)
        except limits.TooManyError as too_many:
            return limits.too_many(request, too_many)
        if factor:
            sessions.begin(request, user, factor)
            return HttpResponseRedirect(reverse("admin:your_sign_in") if factor == Factor.RECOVERY else goes_to)
        audit.note(request, audit.Act.SECOND_STEP_FAILED, user)
        error = "That is not right, or was used before. Please wait for the next code, and try again."
    context = {
        "title": "Second step",
        "error": error,
        "has_app": Authenticator.objects.working().filter(user=user).exists(),
        "has_passkey": user.passkeys.exists(),
        "passkeys_are_offered": passkeys.are_offered(request),
    }
    return page(request, "admin/sign_in/second_step.html", context, status=422 if error else 200)


def _factor_given(request: HttpRequest, user: User) -> Factor | None:
    if answer := request.POST.get("credential"):
        try:
            passkeys.proved(request, user, answer)
        except passkeys.NotProvedError:
            return None
        return Factor.PASSKEY
    code = "".join(request.POST.get("code", "")[:100].split())
    attempt = limits.begin(request, limits.Kind.CODE, user.get_username())
    is_short = len(code) <= totp.DIGITS
    if is_short and takes_code(Authenticator.objects.working().filter(user=user).first(), code):
        factor = Factor.CODE
    elif not is_short and RecoveryCode.objects.use(user, code, timezone.now()):
        factor = Factor.RECOVERY
    else:
        return None
    limits.passed(attempt)
    return factor


def takes_code(authenticator: Authenticator | None, code: str) -> bool:
    """Take a code of an app, which then is used up."""
    secret = totp.decrypted(authenticator.secret) if authenticator else None
    if authenticator is None or secret is None:
        return False
    step = totp.step_of(secret, code)
    return step is not None and authenticator.use(step)


def passkey_challenge(request: HttpRequest) -> HttpResponse:
    """What a browser needs to prove a passkey: one of whoever has signed in or given a password, or any."""
    user = request.user if request.user.is_authenticated else pending.user_of(request)
    try:
        return JsonResponse(passkeys.begin_proof(request, user))
    except limits.TooManyError as error:
        return limits.too_many(request, error)


def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey alone: the device has asked for a finger, a face or a PIN."""
    goes_to = safe_address(request) or reverse("admin:index")
    try:
        user = passkeys.proved(request, None, request.POST.get("credential", ""))
    except limits.TooManyError as too_many:
        return limits.too_many(request, too_many)
    except passkeys.NotProvedError as error:
        audit.note(request, audit.Act.SIGN_IN_FAILED, words=f"Passkey: {error}.")
        form = AdminAuthenticationForm(request)
        form.errors["__all__"] = form.error_class(["This passkey does not open the desk. Use your password instead."])
        return _sign_in_page(request, form, goes_to)
    sessions.begin(request, user, Factor.PASSKEY)
    return HttpResponseRedirect(goes_to)
