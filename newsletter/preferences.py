"""What subscribers decide about their subscription, behind the link in each letter.

The token in the address is the authority: no cookie is set or asked for, so there is none to abuse. GET changes
nothing, because mail scanners follow links; every POST may be sent twice.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from articles.models import Category
from veltrix.private_pages import private

from .held_data import held_about
from .models import Subscriber
from .retention import GONE
from .views import unknown_link

FORM = "preferences"
PAUSE = timedelta(days=30)
DONE = {"topics": "Your topics are saved.", "resume": "The letters go on."}

type View = Callable[[HttpRequest, Subscriber], HttpResponse]


def of_subscriber(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Let a view have the subscriber whose link was followed; where there is none, say so instead."""

    @csrf_exempt
    @private
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        subscriber = Subscriber.objects.with_token(token).first()
        return unknown_link(request) if subscriber is None else view(request, subscriber)

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@of_subscriber
def preferences(request: HttpRequest, subscriber: Subscriber) -> HttpResponse:
    if request.method == "POST":
        return _act(request, subscriber)
    declined = set(subscriber.declined_topics.all())
    topics = sorted(Category.objects.with_articles(), key=str)
    context = {
        "subscriber": subscriber,
        "topics": [(topic, topic not in declined) for topic in topics],
        "erased_on": subscriber.ended_at + GONE if subscriber.ended_at else None,
        "done": DONE.get(request.GET.get("done", "")),
    }
    return render(request, "newsletter/preferences.html", context)


def _act(request: HttpRequest, subscriber: Subscriber) -> HttpResponse:
    name = request.POST.get("act", "")
    if name not in ACTS:
        raise BadRequest("No such choice.")
    if name != "leave" and not subscriber.may_choose():
        return render(request, "newsletter/too_many_choices.html", {"subscriber": subscriber}, status=429)
    ACTS[name](request, subscriber)
    return redirect(f"{request.path}?done={name}" if name in DONE else request.path)


def _choose_topics(request: HttpRequest, subscriber: Subscriber) -> None:
    """Only what the form offered is decided: a topic may have come while it was open."""
    offered, wanted = request.POST.getlist("offered"), request.POST.getlist("topic")
    topics = [topic for topic in Category.objects.select_related("parent") if topic.slug in offered]
    subscriber.choose_topics(topics, [topic for topic in topics if topic.slug in wanted], FORM)


def _pause(request: HttpRequest, subscriber: Subscriber) -> None:
    subscriber.pause(timezone.now() + PAUSE, FORM)


def _go_on(request: HttpRequest, subscriber: Subscriber) -> None:
    subscriber.go_on(FORM)


def _leave(request: HttpRequest, subscriber: Subscriber) -> None:
    subscriber.end(Subscriber.Status.UNSUBSCRIBED, FORM)


ACTS: dict[str, Callable[[HttpRequest, Subscriber], None]] = {
    "topics": _choose_topics,
    "pause": _pause,
    "resume": _go_on,
    "leave": _leave,
}


@require_POST
@of_subscriber
def data(request: HttpRequest, subscriber: Subscriber) -> HttpResponse:
    """All that is held about somebody, as a file. By POST, so that no scanner of links fetches it."""
    response = JsonResponse(held_about(subscriber), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response.headers["Content-Disposition"] = 'attachment; filename="what-is-held-about-me.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@of_subscriber
def erase(request: HttpRequest, subscriber: Subscriber) -> HttpResponse:
    """Erase by POST; GET asks whether that is meant."""
    if request.method != "POST":
        return render(request, "newsletter/erase.html", {"subscriber": subscriber})
    subscriber.erase(FORM)
    return render(request, "newsletter/erased.html")
