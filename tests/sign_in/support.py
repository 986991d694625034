"""What the tests of the sign-in have in common: people with factors, and steps through its pages."""

import time

from django.test import Client

from tests.factories import PASSWORD, make_user
from veltrix.models import Authenticator, RecoveryCode
from veltrix.sign_in import totp

LOGIN = "/admin/login/"
SECOND = "/admin/login/second-step/"


def make_person(group="Editor", *, app=True, **values):
    """Somebody of the desk with an authenticator app: (user, secret, recovery codes)."""
    user = make_user(group, **values)
    secret = totp.new_secret()
    if app:
        Authenticator.objects.create(user=user, secret=totp.encrypted(secret), confirmed_at=user.date_joined)
    return user, secret, RecoveryCode.objects.renew(user)


def give_password(client: Client, user, password=PASSWORD, **more):
    return client.post(LOGIN, {"username": user.username, "password": password, **more})


def code_of(secret, steps_ahead=0):
    return totp.code_at(secret, int(time.time()) // totp.SECONDS + steps_ahead)


def sign_in(client: Client, user, secret):
    """Both steps."""
    give_password(client, user)
    return client.post(SECOND, {"code": code_of(secret)})


def is_in(client: Client):
    return client.get("/admin/").status_code == 200
