"""Whichever machine renders a page, and how often: without news it is the same, so that its entity tag is."""

import time_machine
from django.test import TestCase
from django.utils import timezone

from .every_page import fill, kept_paths, with_every_page


@with_every_page
class SameBytesTests(TestCase):
    def test_every_page_that_is_kept_is_the_same_when_it_is_rendered_again(self):
        """From midnight to midnight, by a clock that is not UTC: pages may know the day, and no finer time."""
        year = timezone.now().year + 1
        with time_machine.travel(f"{year}-06-14T00:00:00+01:00", tick=False) as clock:
            fill()
            paths = kept_paths(self.client)
            before = self.bodies(paths)
            clock.move_to(f"{year}-06-14T23:59:59+01:00")
            after = self.bodies(paths)

        self.assertEqual([path for path in paths if before[path] != after[path]], [])

    def bodies(self, paths):
        return {path: self.client.get(path).content for path in paths}
