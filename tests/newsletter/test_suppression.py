from django.conf import settings
from django.test import override_settings

from newsletter.models import Suppression

from .support import ADDRESS
from .test_models import ConstraintTestCase

Reason = Suppression.Reason


class SuppressionTests(ConstraintTestCase):
    def is_suppressed(self, address=ADDRESS):
        return Suppression.objects.for_address(address).exists()

    def test_any_spelling_is_found_and_no_other_address(self):
        Suppression.objects.suppress("Ada@Example.com", Reason.COMPLAINT)

        assert self.is_suppressed("ada@example.COM")
        assert not self.is_suppressed("grace@example.com")

    def test_the_address_is_not_kept(self):
        suppression = Suppression.objects.suppress(ADDRESS, Reason.REQUEST)

        assert "ada" not in f"{suppression.digest} {suppression}"
        assert len(suppression.digest) == 64

    def test_one_entry_for_each_address_with_the_graver_reason(self):
        for reason, kept in (
            ("left", "left"),
            ("bounce", "bounce"),
            ("request", "request"),
            ("bounce", "request"),
            ("complaint", "complaint"),
            ("left", "complaint"),
            ("bounce", "complaint"),
        ):
            Suppression.objects.suppress(ADDRESS, Reason(reason))
            assert Suppression.objects.get().reason == kept

    def test_leaving_is_no_lasting_reason(self):
        Suppression.objects.suppress(ADDRESS, Reason.LEFT)
        assert not Suppression.objects.for_address(ADDRESS).lasting().exists()

        Suppression.objects.suppress(ADDRESS, Reason.BOUNCE)
        assert Suppression.objects.for_address(ADDRESS).lasting().exists()

    def test_entries_survive_a_new_secret_key_while_the_old_one_is_a_fallback(self):
        Suppression.objects.suppress(ADDRESS, Reason.COMPLAINT)

        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert self.is_suppressed()
        with override_settings(SECRET_KEY="new"):
            assert not self.is_suppressed()

    def test_an_entry_under_an_old_key_moves_to_the_new_one_when_met_again(self):
        Suppression.objects.suppress(ADDRESS, Reason.COMPLAINT)

        with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            Suppression.objects.suppress(ADDRESS, Reason.COMPLAINT)
            assert Suppression.objects.count() == 1
        with override_settings(SECRET_KEY="new"):
            assert self.is_suppressed()

    def test_a_key_of_its_own_outlasts_the_secret_key(self):
        with override_settings(NEWSLETTER_SUPPRESSION_KEY="kept for ever"):
            Suppression.objects.suppress(ADDRESS, Reason.COMPLAINT)

        with override_settings(NEWSLETTER_SUPPRESSION_KEY="kept for ever", SECRET_KEY="new"):
            assert self.is_suppressed()

    def test_entries_from_before_the_own_key_was_set_are_found(self):
        Suppression.objects.suppress(ADDRESS, Reason.COMPLAINT)

        with override_settings(NEWSLETTER_SUPPRESSION_KEY="set later"):
            assert self.is_suppressed()

    def test_only_a_hash_is_accepted(self):
        self.assert_both_refuse(Suppression(digest=ADDRESS, reason="left"), "Only the hash")

    def test_the_reason_is_a_known_one(self):
        self.assert_both_refuse(Suppression(digest="a" * 64, reason="whim"), "one of the reasons")
