"""Addresses of the sign-in within the admin, each with the methods that it answers to."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from . import confirming, enrolling, entering, yours

if TYPE_CHECKING:
    from veltrix.admin_site import VeltrixAdminSite

type View = Callable[..., HttpResponse]

READ, WRITE, BOTH = ["GET", "HEAD"], ["POST"], ["GET", "HEAD", "POST"]


def sign_in_urls(site: "VeltrixAdminSite") -> list[URLPattern]:
    def before(route: str, name: str, view: View, methods: list[str]) -> URLPattern:
        """A page that nobody need have signed in for: it judges by itself who may see it."""
        guarded = csp_override(site.csp)(never_cache(csrf_protect(require_http_methods(methods)(view))))
        return path(route, guarded, name=name)

    def after(route: str, name: str, view: View, methods: list[str]) -> URLPattern:
        return path(route, site.admin_view(require_http_methods(methods)(view)), name=name)

    return [
        before("login/passkey/", "passkey_sign_in", entering.passkey_sign_in, WRITE),
        before("login/challenge/", "passkey_challenge", entering.passkey_challenge, WRITE),
        before("login/second-step/", "second_step", entering.second_step, BOTH),
        before("login/enrol/", "enrol", enrolling.enrol, READ),
        before("sign-in/authenticator/begin/", "begin_authenticator", enrolling.begin_authenticator, WRITE),
        before("sign-in/authenticator/", "authenticator", enrolling.authenticator, BOTH),
        before("sign-in/authenticator/picture.svg", "authenticator_picture", enrolling.authenticator_picture, READ),
        before("sign-in/passkeys/options/", "passkey_options", enrolling.passkey_options, WRITE),
        before("sign-in/passkeys/", "add_passkey", enrolling.add_passkey, WRITE),
        after("sign-in/", "your_sign_in", yours.your_sign_in, READ),
        after("sign-in/confirm/", "confirm", confirming.confirm, BOTH),
        after("sign-in/authenticator/remove/", "remove_authenticator", yours.remove_authenticator, WRITE),
        after("sign-in/passkeys/<int:pk>/remove/", "remove_passkey", yours.remove_passkey, WRITE),
        after("sign-in/codes/", "renew_codes", yours.renew_codes, WRITE),
        after("sign-in/sessions/<int:pk>/end/", "end_session", yours.end_session, WRITE),
        after("sign-in/sessions/end-others/", "end_other_sessions", yours.end_other_sessions, WRITE),
        after("sign-in/people/<int:pk>/", "sign_in_of", yours.sign_in_of, BOTH),
    ]
