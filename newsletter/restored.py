"""What becomes of the newsletter when the site is restored from a backup: nothing is sent before a person says so."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from . import claims
from .models import Delivery, Edition, Sender

REASON = (
    "The site was restored from a backup of {:%d.%m.%Y, %H:%M} UTC. Mails may have left after it, and waiting "
    "subscribers would get them twice. Resume it only if none has left; otherwise cancel it."
)


def settle(made_at: datetime) -> int:
    """Take all senders for dead, and pause every edition that may have gone on after the backup; how many."""
    for sender in Sender.objects.running():
        claims.expire(sender)
    state = Edition.State
    is_due = Q(state=state.SCHEDULED, scheduled_at__lte=timezone.now())
    waiting = Exists(Delivery.objects.pending().filter(edition=OuterRef("pk")))
    is_open = Q(state__in=[state.PREPARING, state.SENDING, state.PAUSED]) | Q(waiting, state=state.SENT)
    return Edition.objects.filter(is_due | is_open).update(
        state=state.PAUSED, pause_reason=REASON.format(made_at), finished_at=None
    )
