"""Subscribers, editions and deliveries, made without forms and mails."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from newsletter.models import Delivery, Edition, EditionContent, Sender, Subscriber

_numbers = count(1)


def make_subscriber(address=None, **values):
    """Somebody who has confirmed a moment ago."""
    address = address or f"person-{next(_numbers)}@example.com"
    values = {"status": "active", "confirmed_at": timezone.now() - timedelta(seconds=1), **values}
    return Subscriber.objects.create(email=address, email_key=address.lower(), **values)


def make_edition(**values):
    number = next(_numbers)
    return Edition.objects.create(**{"slug": f"edition-{number}", "subject": f"Edition {number}", **values})


def make_sending(people=1, **values):
    """An edition that is being sent to so many new subscribers, and its deliveries in their order."""
    now = timezone.now()
    state = {"state": "sending", "scheduled_at": now, "audience_at": now, "prepared_at": now, "started_at": now}
    edition = make_edition(**{**state, "candidates": people, "deliveries_made": people, **values})
    EditionContent.objects.create(
        edition=edition,
        subject=edition.subject,
        sender="The AI Briefing <briefing@veltrix.example>",
        html="<p>Hello</p>\n<a href='[[unsubscribe_url]]'>Leave</a>\n",
        text="Hello\n[[unsubscribe_url]]\n",
        document={"subject": edition.subject, "preheader": "", "intro": "<p>Hello</p>", "closing": "", "parts": []},
    )
    deliveries = [Delivery.objects.create(edition=edition, subscriber=make_subscriber()) for _ in range(people)]
    return edition, deliveries


def make_figure(text="42%", **values):
    """A figure as the document of an edition holds it."""
    evidence = {"source": "Office, Count", "note": "", "path": "/statistics/x/"}
    return {"text": text, "claim": "of people count.", **evidence, **values}


def make_part(number=7, **values):
    """An article as the document of an edition holds it."""
    article = {"title": f"Article {number}", "path": f"/articles/article-{number}/", "standfirst": "", "kicker": ""}
    return {"kind": "article", "number": number, **article, "heading": "", "text": "", "figure": None, **values}


def make_sent(*parts, days_ago=0, intro="", closing="", preheader="", **values):
    """An edition that went out so many days ago with these parts of its document."""
    moment = timezone.now() - timedelta(days=days_ago)
    state = {"state": "sent", "scheduled_at": moment, "audience_at": moment, "prepared_at": moment}
    edition = make_edition(**{**state, "started_at": moment, "finished_at": moment, **values})
    words = {"subject": edition.subject, "preheader": preheader}
    EditionContent.objects.create(
        edition=edition,
        **words,
        sender="The AI Briefing <briefing@veltrix.example>",
        html="<a href='[[unsubscribe_url]]'>Leave</a>\n",
        text="[[unsubscribe_url]]\n",
        document={**words, "intro": intro, "closing": closing, "parts": list(parts)},
    )
    return edition


def make_sender(edition, **values):
    return Sender.objects.create(edition=edition, **{"host": "here", "process": 1, "lanes": 4, **values})
