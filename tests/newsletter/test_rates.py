from datetime import timedelta
from unittest.mock import patch

from django.db.models import DateTimeField, Value
from django.test import TestCase, override_settings
from django.utils import timezone

from newsletter import rates
from newsletter.models import SendingRate
from tests.newsletter.lists import make_edition


class RateTests(TestCase):
    def setUp(self):
        self.edition = make_edition()
        self.now = timezone.now()
        clock = patch.object(rates, "Now", lambda: Value(self.now, output_field=DateTimeField()))
        self.enterContext(clock)

    def spend(self, wanted, after):
        """Ask at a moment for as many; how many there were."""
        self.now += after
        allowance = rates.Allowance(self.edition)
        number = int(min(wanted, allowance.number))
        allowance.spend(number)
        return number

    def most_in(self, window, moments):
        moments = sorted(moments)
        return max(sum(start <= moment < start + window for moment in moments) for start in moments)

    def test_no_window_of_a_second_holds_more_than_the_limit(self):
        for limit in (1, 7, 40, 1000):
            with self.subTest(limit), override_settings(NEWSLETTER_PER_SECOND=limit):
                SendingRate.objects.all().delete()
                sent = []
                for step in (5, 13, 3, 300, 1, 20, 7) * 30:
                    number = self.spend(16, timedelta(milliseconds=step))
                    sent += [self.now] * number
                assert 0 < self.most_in(timedelta(seconds=1), sent) <= limit

    def test_the_limit_is_nearly_reached(self):
        with override_settings(NEWSLETTER_PER_SECOND=100):
            sent = sum(self.spend(16, timedelta(milliseconds=10)) for _ in range(200))

        assert 180 <= sent <= 200

    def test_hours(self):
        with override_settings(NEWSLETTER_PER_HOUR=30):
            sent = sum(self.spend(16, timedelta(seconds=30)) for _ in range(240))

        assert 58 <= sent <= 60

    def test_the_stricter_of_both_holds_and_an_edition_may_have_its_own(self):
        with override_settings(NEWSLETTER_PER_SECOND=1000, NEWSLETTER_PER_HOUR=3600):
            assert sum(self.spend(16, timedelta(milliseconds=100)) for _ in range(20)) in {2, 3}

        self.edition.per_second = 1
        SendingRate.objects.all().delete()
        assert sum(self.spend(16, timedelta(milliseconds=100)) for _ in range(20)) == 2

    def test_without_limits_nothing_is_asked(self):
        with self.assertNumQueries(0):
            assert rates.Allowance(self.edition).number == float("inf")

    def test_how_long_to_wait(self):
        self.edition.per_second = 2
        self.spend(1, timedelta(seconds=1))

        assert 0.47 < rates.Allowance(self.edition).wait() < 0.53
