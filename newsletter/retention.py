"""How long what is held about people is kept. The README's table of settings and the privacy promise follow it."""

from datetime import timedelta

from django.utils import timezone

from .models import ConsentEvent, SignUp, Subscriber

UNCONFIRMED = timedelta(days=30)
GONE = timedelta(days=30)
NETWORKS = timedelta(days=30)
SIGN_UPS = timedelta(days=1)
SIGN_UPS_UNHANDLED = timedelta(days=7)


def prune() -> dict[str, int]:
    """Delete or anonymise what has outlived its purpose, and say how much of what."""
    now = timezone.now()
    _, deleted = Subscriber.objects.never_confirmed(since=now - UNCONFIRMED).delete()
    erased = [subscriber.erase(form="retention") for subscriber in Subscriber.objects.gone(since=now - GONE)]
    old = ConsentEvent.objects.filter(created_at__lt=now - NETWORKS)
    expired = SignUp.objects.expired(handled=now - SIGN_UPS, at_all=now - SIGN_UPS_UNHANDLED)
    return {
        "Unconfirmed subscribers deleted": deleted.get("newsletter.Subscriber", 0),
        "Former subscribers anonymised": sum(erased),
        "Networks forgotten": old.forget_networks(),
        "Sign-ups deleted": expired.delete()[0],
    }
