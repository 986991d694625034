from django import template
from django.template.context import Context

from newsletter.forms import SignUpForm

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_up_form(context: Context) -> SignUpForm:
    """A fresh form for `newsletter/_sign_up_form.html`, which remembers the page that it stands on."""
    request = context.get("request")
    return SignUpForm.standing_at(request.path if request else "")
