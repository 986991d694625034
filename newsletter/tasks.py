import logging
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.db import transaction
from django.tasks import task
from django.utils import timezone

from . import letters
from .models import ConsentEvent, SignUp

logger = logging.getLogger(__name__)

RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 25, 125)]


class UndeliveredLetterError(Exception):
    """A letter could not be handed over. The text names no address: the queue keeps it."""


@task
def handle_sign_up(sign_up_id: int) -> None:
    with transaction.atomic():
        if asked := SignUp.objects.get(pk=sign_up_id).handle():
            send_letter.enqueue(asked.pk)


@task
def send_letter(event_id: int, failures: int = 0) -> None:
    """Send the letter that answers a consent event; try again later if the mail server cannot take it now."""
    letter = letters.letter_for(ConsentEvent.objects.select_related("subscriber").get(pk=event_id))
    if letter is None:
        return
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        if _is_final(error) or failures >= len(RETRY_AFTER):
            raise UndeliveredLetterError(f"Letter {event_id}: {type(error).__name__}") from None
        logger.warning("Letter %s is tried again: %s", event_id, type(error).__name__)
        later = timezone.now() + RETRY_AFTER[failures]
        send_letter.using(run_after=later).enqueue(event_id, failures + 1)


def _is_final(error: Exception) -> bool:
    """Whether the server refused for good (5xx) rather than for now."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPResponseException) and error.smtp_code >= 500
