"""A Django view that gives a finished page and nothing else: what Django itself costs."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

BODY = Path(os.environ["BARE_BODY"]).read_bytes()


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY)


urlpatterns = [path("articles/<slug:slug>/", lambda request, slug: view(request))]

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="x", ROOT_URLCONF=__name__, MIDDLEWARE=[])
application = get_wsgi_application()
