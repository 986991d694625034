"""Adding a second factor: by somebody who has signed in, or at the first sign-in of whoever needs one."""

from collections.abc import Callable
from io import BytesIO

import segno
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from veltrix import audit
from veltrix.models import Authenticator, Factor, RecoveryCode

from . import factors, limits, passkeys, pending, sessions, totp
from .confirming import ask_to_confirm
from .entering import takes_code
from .pages import page
from .passkeys import NotProvedError

type EnrolmentView = Callable[[HttpRequest, User], HttpResponse]


def for_enrolment(view: EnrolmentView) -> Callable[[HttpRequest], HttpResponse]:
    """Let in whoever may add a factor: people of the desk, once they have confirmed who they are, and people who have
    given their password, need a factor, and have none. Whoever has one gives that first."""

    def inner(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.is_staff:
            return ask_to_confirm(request, back=reverse("admin:your_sign_in")) or view(request, request.user)
        user = pending.user_of(request)
        if user is None or factors.has_any(user):
            return HttpResponseRedirect(reverse("admin:login"))
        return view(request, user)

    return inner


@for_enrolment
def enrol(request: HttpRequest, user: User) -> HttpResponse:
    """The choice at the first sign-in."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(reverse("admin:your_sign_in"))
    context = {"title": "Add a second step", "passkeys_are_offered": passkeys.are_offered(request)}
    return page(request, "admin/sign_in/enrol.html", context)


@for_enrolment
def begin_authenticator(request: HttpRequest, user: User) -> HttpResponse:
    """Make a secret for an app, in the place of one that was begun and never used."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.begun().filter(user=user).delete()
        Authenticator.objects.create(user=user, secret=totp.encrypted(totp.new_secret()))
    return HttpResponseRedirect(reverse("admin:authenticator"))


@for_enrolment
def authenticator(request: HttpRequest, user: User) -> HttpResponse:
    """Show the secret of the app that was begun, and take its first code."""
    begun = Authenticator.objects.begun().filter(user=user).first()
    secret = totp.decrypted(begun.secret) if begun else None
    if begun is None or secret is None:
        return HttpResponseRedirect(reverse("admin:your_sign_in"))
    error = ""
    if request.method == "POST":
        try:
            attempt = limits.begin(request, limits.Kind.CODE, user.get_username())
        except limits.TooManyError as too_many:
            return limits.too_many(request, too_many)
        code = "".join(request.POST.get("code", "")[:100].split())
        try:
            response = _enrolled(request, user, Factor.CODE, lambda: _put_to_work(begun, code))
        except NotProvedError:
            error = "That is not the code that the app shows now. Is your phone’s clock right?"
        else:
            limits.passed(attempt)
            return response
    context = {"title": "Set up your authenticator app", "error": error, "secret": totp.in_words(secret)}
    return page(request, "admin/sign_in/authenticator.html", context, status=422 if error else 200)


@for_enrolment
def authenticator_picture(request: HttpRequest, user: User) -> HttpResponse:
    """The secret that is being set up as a QR code."""
    begun = Authenticator.objects.begun().filter(user=user).first()
    secret = totp.decrypted(begun.secret) if begun else None
    if secret is None:
        raise Http404("No authenticator app is being set up.")
    code = segno.make(totp.uri(secret, user.get_username()), error="m", micro=False)
    picture = BytesIO()
    code.save(picture, kind="svg", scale=5, border=4, light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@for_enrolment
def passkey_options(request: HttpRequest, user: User) -> HttpResponse:
    """What a browser needs to make a passkey."""
    try:
        return JsonResponse(passkeys.begin_registration(request, user))
    except limits.TooManyError as error:
        return limits.too_many(request, error)


@for_enrolment
def add_passkey(request: HttpRequest, user: User) -> HttpResponse:
    """Keep the passkey that a browser has made."""
    answer, name = request.POST.get("credential", ""), request.POST.get("name", "")
    try:
        return _enrolled(request, user, Factor.PASSKEY, lambda: str(passkeys.register(request, user, answer, name)))
    except limits.TooManyError as error:
        return limits.too_many(request, error)
    except NotProvedError:
        messages.error(request, "The passkey could not be added. Please try again.")
        return HttpResponseRedirect(reverse("admin:your_sign_in" if request.user.is_authenticated else "admin:enrol"))


def _put_to_work(begun: Authenticator, code: str) -> str:
    """Let an app that gives its first code take the place of the one before. Raises `NotProvedError`."""
    if not takes_code(begun, code):
        raise NotProvedError("wrong code")
    Authenticator.objects.working().filter(user=begun.user_id).delete()
    Authenticator.objects.filter(pk=begun.pk).update(confirmed_at=timezone.now())
    return str(begun)


def _enrolled(request: HttpRequest, user: User, factor: Factor, keep: Callable[[], str]) -> HttpResponse:
    """Keep a new factor, and go on: with the session that it opens, and with recovery codes where there are none.

    What `keep` raises leaves everything as it was.
    """
    with transaction.atomic():
        # One after the other: a second factor is added by whoever has given the first.
        User.objects.select_for_update().get(pk=user.pk)
        is_pending = not request.user.is_authenticated
        if is_pending and factors.has_any(user):
            return HttpResponseRedirect(reverse("admin:login"))
        goes_to = (is_pending and pending.goes_to(request)) or reverse("admin:your_sign_in")
        words = keep()
        has_codes = RecoveryCode.objects.unused().filter(user=user).exists()
        codes = [] if has_codes else RecoveryCode.objects.renew(user)
        if is_pending:
            sessions.begin(request, user, factor)
        else:
            sessions.record_of(request).confirm(factor)
        audit.note(request, audit.Act.FACTOR_ADDED, user, f"{words}.")
    return show_codes(request, codes, goes_to) if codes else HttpResponseRedirect(goes_to)


def show_codes(request: HttpRequest, codes: list[str], goes_to: str) -> HttpResponse:
    """Show new recovery codes, this once."""
    context = {"title": "Your recovery codes", "codes": codes, "next": goes_to}
    return page(request, "admin/sign_in/recovery_codes.html", context)
