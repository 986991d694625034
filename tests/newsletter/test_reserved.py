import pytest
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase

from newsletter.reserved import reserved_slugs, validate_slug


class ReservedTests(SimpleTestCase):
    def test_fixed_addresses_are_no_editions(self):
        for slug in ("archive", "Archive", "confirm", "confirmed", "check-your-inbox", "unsubscribe", "preferences"):
            with self.subTest(slug), pytest.raises(ValidationError) as refused:
                validate_slug(slug)
            assert refused.value.messages == [f"/newsletter/{slug}/ is another page. Choose another address."]

    def test_all_other_addresses_are_free(self):
        for slug in ("archives", "week-48", "confirm-this", "slug"):
            assert slug not in reserved_slugs()
            validate_slug(slug)
