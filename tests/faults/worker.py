"""`manage.py`, in a hurry, and on request with a mistake in it: what the audit must notice.

The mistakes are those that systems of this kind are known for. `VELTRIX_MUTANT` names one.
"""

import os
import sys
from datetime import timedelta

import django
from django.core.management import execute_from_command_line


def hurry():
    """Make what takes minutes take seconds; nothing else differs from `manage.py`."""
    from newsletter import claims, preparation, sending, supervision

    claims.LEASE = timedelta(seconds=float(os.environ["VELTRIX_LEASE"]))
    claims.RETRY_AFTER = [timedelta(seconds=1)] * 3
    preparation.BATCH = 200
    sending.SLICE = 3.0
    sending.BEAT = 0.3
    sending.REST, sending.REST_AT_MOST, sending.ERRORS_UNTIL_PAUSE = 0.1, 0.5, 1000
    supervision.TICK = 0.3
    supervision.RESTART = supervision.RESTART_AT_MOST = 0.2


def requeue_after_a_crash():
    """Send again what a dead sender was sending, on the guess that it was not sent."""
    from newsletter import claims
    from newsletter.models import Delivery, Sender

    def expire(sender):
        Sender.objects.running().filter(pk=sender.pk).update(ended_at=claims.Now(), is_lost=True)
        held = Delivery.objects.filter(sender=sender, state=Delivery.State.SENDING)
        held.update(state=Delivery.State.PENDING, due_at=claims.Now())
        return True

    claims.expire = expire


def consent_only_at_fan_out():
    """Trust the audience as it was when the edition was prepared."""
    from newsletter import eligibility

    eligibility.skip = lambda candidate, suppressed: None


MUTANTS = {mutant.__name__: mutant for mutant in (requeue_after_a_crash, consent_only_at_fan_out)}


if __name__ == "__main__":
    django.setup()
    hurry()
    if name := os.environ.get("VELTRIX_MUTANT"):
        MUTANTS[name]()
    execute_from_command_line(sys.argv)
