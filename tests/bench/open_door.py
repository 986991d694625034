"""The site, but the limit on sign-ups from all networks together counts those of a millisecond instead of an hour."""

from datetime import timedelta

from django.utils.module_loading import import_string

from veltrix.wsgi import application

__all__ = ["application"]

# Models can be imported once the application is there.
sign_ups = import_string("newsletter.models.sign_ups.SignUpQuerySet")
sign_ups.IN_TOTAL = tuple((at_most, timedelta(milliseconds=1)) for at_most, _ in sign_ups.IN_TOTAL)
