from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from articles.prose import as_safe_html
from newsletter import archive
from newsletter.forms import SignUpForm

register = template.Library()
# How many of these forms a page has so far, as an attribute of its request.
NUMBER = "sign_up_forms"

register.filter("first_figure", archive.first_figure)


@register.simple_tag(takes_context=True)
def sign_up_form(context: Context) -> SignUpForm:
    """A fresh form for `newsletter/_sign_up_form.html`, which remembers the page that it stands on."""
    request = context.get("request")
    if request is None:
        return SignUpForm.standing_at("")
    number = getattr(request, NUMBER, 0) + 1
    setattr(request, NUMBER, number)
    return SignUpForm.standing_at(request.path, f"sign-up-{number}")


@register.filter
def sanitised(html: str) -> SafeString:
    """Rich text that was kept whole, its figures included, sanitised once more."""
    return as_safe_html(html)
