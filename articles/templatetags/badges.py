from django import template
from django.utils import timezone

from articles import review
from articles.models import Sourced
from articles.review import Badge

register = template.Library()


@register.filter
def badges(figure: Sourced) -> list[Badge]:
    """The badges of a figure today."""
    return review.badges_of(figure, timezone.localdate())


@register.filter
def in_words(badges: list[Badge]) -> str:
    """Several badges as one line of text."""
    return review.words_of(badges)
