"""The log of what people of the desk did: a row of the database and a line of the site's log for each act."""

import logging

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction
from django.http import HttpRequest

from .clients import address_of, browser_of, network_of
from .models import Act, AuditEntry
from .models.audit import subject_of

logger = logging.getLogger("veltrix.audit")

__all__ = ["Act", "note"]


def note(
    request: HttpRequest,
    act: Act,
    subject: models.Model | None = None,
    words: str = "",
    *,
    user: AbstractBaseUser | AnonymousUser | None = None,
) -> None:
    """Write down that somebody did something, in the transaction that does it.

    `user` is who signs in; whoever has signed in is known from the request. The words hold no secret and no address of
    a subscriber: nobody can take them back.
    """
    user = user or getattr(request, "user", None)
    who = user if user and user.is_authenticated else None
    entry = AuditEntry.objects.create(
        act=act,
        user_id=who.pk if who else None,
        **subject_of(subject),
        words=words[:2000],
        address=address_of(request) or None,
        browser=browser_of(request),
    )
    line = f"{act} who={who.pk if who else '-'} what={entry.subject_type}:{entry.subject_key} words={words!r}"
    network = network_of(request)
    # Not before it is sure that it happened.
    transaction.on_commit(lambda: logger.info("%s from=%s entry=%s", line, network or "-", entry.pk))
