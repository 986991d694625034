"""Links by which people without an account read the saved draft of an article for a week."""

import secrets
from hashlib import sha256

from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone

from .models import Article, ShareLink


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="articles.share", sep=".")


def share(article: Article, *, by: User) -> tuple[ShareLink, str]:
    """Make a link; its token (192 random bits, signed with its moment) is known now and never again."""
    key = secrets.token_urlsafe(24)
    now = timezone.now()
    link = ShareLink.objects.create(
        article=article, key_digest=_digest(key), created_at=now, created_by=by, expires_at=now + ShareLink.LIFE
    )
    return link, _signer().sign(key)


def shared(token: str) -> ShareLink | None:
    """The link that a token opens now: none if it is forged, older than a week or revoked."""
    try:
        key = _signer().unsign(token, max_age=ShareLink.LIFE)
    except signing.BadSignature:
        return None
    return ShareLink.objects.open_now().filter(key_digest=_digest(key)).select_related("article").first()


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
