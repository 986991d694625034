"""The facts of the publication itself, for every template."""

from django.conf import settings
from django.http import HttpRequest

NAME = "Veltrix"
PUBLISHER = "Veltrix Collective"
NEWSLETTER = "The AI Briefing"


def context(request: HttpRequest) -> dict[str, object]:
    """Give templates `publication`: name, publisher, newsletter and site address (no trailing slash)."""
    return {
        "publication": {
            "name": NAME,
            "publisher": PUBLISHER,
            "newsletter": NEWSLETTER,
            "url": settings.SITE_URL,
        },
    }
