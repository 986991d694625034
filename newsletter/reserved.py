"""Addresses that no edition may have, because another page of the newsletter stands there or begins so."""

from functools import cache
from importlib import import_module

from django.core.exceptions import ValidationError


@cache
def reserved_slugs() -> frozenset[str]:
    """The first parts of the fixed paths in `newsletter.urls`: archive, confirm and so on."""
    # Not at the top of this module: the views behind these addresses import models, whose fields may ask this module.
    patterns = import_module("newsletter.urls").urlpatterns
    first_parts = {str(pattern.pattern).partition("/")[0] for pattern in patterns}
    return frozenset(part for part in first_parts if part and "<" not in part)


def validate_slug(slug: str) -> None:
    if slug.lower() in reserved_slugs():
        raise ValidationError(f"/newsletter/{slug}/ is another page. Choose another address.", code="reserved")
