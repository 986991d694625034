from django import template

from newsletter.plain_text import wrapped

register = template.Library()


@register.filter
def wrap(text: str) -> str:
    """A paragraph in lines of a mail's width."""
    return wrapped(text)
