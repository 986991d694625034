import logging
import math
from datetime import timedelta

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.core import signing as django_signing
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from veltrix.page_cache.views import kept
from veltrix.private_pages import private

from . import signing, tasks, visitors, webhooks, wording
from .forms import SignUpForm
from .models import ConsentEvent, SignUp, Subscriber

logger = logging.getLogger(__name__)


@kept()
@csrf_exempt  # is_same_origin() stands in for the cookie
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _sign_up(request)
    return render(request, "newsletter/index.html", {"form": SignUpForm.standing_at(request.path)})


def _sign_up(request: HttpRequest) -> HttpResponse:
    if not visitors.is_same_origin(request):
        logger.warning("Sign-up refused: sent by another site")
        return render(request, "newsletter/refused.html", status=403)
    form = SignUpForm(request.POST)
    if form.is_trapped:
        return redirect("newsletter:check-your-inbox")
    if not form.is_valid():
        return render(request, "newsletter/index.html", {"form": form})
    network_digest = visitors.network_digest(request)
    if wait := SignUp.objects.wait(network_digest):
        return _too_many(request, network_digest, wait)
    form.save(network_digest)
    return redirect("newsletter:check-your-inbox")


def _too_many(request: HttpRequest, network_digest: str, wait: timedelta) -> HttpResponse:
    logger.warning("Sign-up refused: too many from network %s", network_digest[:12])
    context = {"minutes": math.ceil(wait / timedelta(minutes=1))}
    response = render(request, "newsletter/too_many.html", context, status=429)
    response.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return response


@kept()
@require_safe
def check_your_inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/check_your_inbox.html", {"days": signing.CONFIRMATION_LASTS.days})


@csrf_exempt  # the token in the address is the authority, and there is no cookie to abuse
@require_http_methods(["GET", "HEAD", "POST"])
@private
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    try:
        asked = ConsentEvent.objects.with_confirmation(token)
    except (django_signing.SignatureExpired, ConsentEvent.DoesNotExist):
        return _dead_link(request, 410)
    except django_signing.BadSignature:
        return _dead_link(request, 404)
    if not (asked.subscriber.is_active or asked.holds_for(asked.subscriber)):
        return _dead_link(request, 410)
    if request.method == "POST":
        return _confirm(request, asked)
    return render(request, "newsletter/confirm.html", {"subscriber": asked.subscriber, "wording": wording.CONFIRMATION})


def _confirm(request: HttpRequest, asked: ConsentEvent) -> HttpResponse:
    with transaction.atomic():
        if confirmation := asked.subscriber.confirm(asked, visitors.network_digest(request)):
            tasks.send_letter.enqueue(confirmation.pk)
    return redirect("newsletter:confirmed") if asked.subscriber.is_active else _dead_link(request, 410)


def _dead_link(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "newsletter/dead_link.html", {"days": signing.CONFIRMATION_LASTS.days}, status=status)


@require_safe
def confirmed(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/confirmed.html")


@csrf_exempt  # RFC 8058: mail providers post here, without cookies
@require_http_methods(["GET", "HEAD", "POST"])
@private
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Leave by POST, answered by 200 and never by a redirect; GET asks first, because mail scanners follow links."""
    subscriber = Subscriber.objects.with_token(token).first()
    if subscriber is None:
        return unknown_link(request)
    if request.method != "POST":
        return render(request, "newsletter/unsubscribe.html", {"subscriber": subscriber})
    is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    subscriber.end(Subscriber.Status.UNSUBSCRIBED, form="one-click" if is_one_click else "link")
    if is_one_click:
        return HttpResponse("You have left.\n", content_type="text/plain; charset=utf-8")
    return render(request, "newsletter/unsubscribed.html")


def unknown_link(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/unknown_link.html", status=404)


@csrf_exempt  # the provider's signature or password is the authority
@require_POST
@never_cache
def reports(request: HttpRequest, provider: str) -> HttpResponse:
    """What a provider reports of mails. Nothing of a body is logged, whatever it holds."""
    secret = settings.NEWSLETTER_WEBHOOKS.get(provider)
    if not secret:
        raise Http404
    try:
        return webhooks.answer(provider, secret, request)
    except AnymailWebhookValidationFailure:
        logger.warning("A report was refused: not proved to be by %s", provider)
        return _plain("This is not proved to come from the provider.", 403)
    except (OperationalError, InterfaceError):
        logger.warning("A report of %s has to come again: no database", provider)
        return _plain("Please send it again later.", 503)
    except RequestDataTooBig:
        return _plain("Too much data.", 413)
    except Exception as error:  # noqa: BLE001
        # Anymail takes bodies for well-formed: whatever is wrong with one is a fault of who sent it.
        logger.warning("A report of %s was not understood: %s", provider, type(error).__name__)
        return _plain("This was not understood.", 400)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
