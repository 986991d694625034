from django import template
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def text(content: SafeString) -> SafeString:
    """What blocks inside it print, once: `{% text as name %}…{% endtext %}` keeps it for several places of a page."""
    return SafeString(content.strip())
