"""The social card of a draft, for whoever writes it: readers and their programs get that of the live version only."""

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse

from articles.cards import Card
from articles.models import Article

from .working_copies import draft_now, permitted


def card_view(model_admin: ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Draw the card of what a window holds, or of what is saved; nothing of it is kept."""
    draft = draft_now(model_admin, request, permitted(model_admin, request, pk))
    card = Card.of(draft.document, Article.objects.published().highest_number())
    return HttpResponse(card.drawn(), content_type="image/png")
