"""What an edition says, made of its draft."""

from django.conf import settings

from . import merging
from .models import Edition, EditionContent


def compose(edition: Edition) -> EditionContent:
    text = f"{edition.subject}\n\nLeave:\n{merging.UNSUBSCRIBE}\n"
    return EditionContent(
        edition=edition,
        subject=edition.subject,
        preheader=edition.preheader,
        sender=settings.DEFAULT_FROM_EMAIL,
        html=f'<h1>{edition.subject}</h1>\n<a href="{merging.UNSUBSCRIBE}">Leave</a>\n',
        text=text,
        document={},
    )


def freeze(edition: Edition) -> EditionContent:
    content = compose(edition)
    content.save()
    return content
