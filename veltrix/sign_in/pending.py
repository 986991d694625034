"""People between the two steps: the password was right, and nobody has signed in yet.

All of it is on the server, in a session that has no user; the browser says nothing that it could say otherwise.
"""

import time

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from . import sessions

KEY = "pending"
LASTS = 15 * 60


def remember(request: HttpRequest, user: User, goes_to: str) -> None:
    """Keep, in a new session, who has given their password, and where they want to go."""
    sessions.leave(request)
    request.session[KEY] = {"user": user.pk, "hash": user.get_session_auth_hash(), "at": time.time(), "next": goes_to}


def user_of(request: HttpRequest) -> User | None:
    """Who has given their password and not their second factor; nobody once it has changed, or after a while."""
    kept = request.session.get(KEY)
    if not kept or time.time() - kept["at"] > LASTS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True, is_staff=True).first()
    return user if user and constant_time_compare(user.get_session_auth_hash(), kept["hash"]) else None


def goes_to(request: HttpRequest) -> str:
    kept = request.session.get(KEY)
    return kept["next"] if kept else ""
