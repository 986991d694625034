from django.test import TestCase, override_settings

from articles.models import ExternalLink
from newsletter import composing, edition_checks
from newsletter.models import EditionPart
from tests.factories import make_article, make_statistic
from tests.newsletter.lists import make_edition

GOOD = {
    "subject": "What jobs ask for",
    "preheader": "Pay on both sides of the ocean, and skills",
    "intro": "<p>Hello</p>",
}


@override_settings(NEWSLETTER_POSTAL_ADDRESS="1 High Street, Anytown", IS_HTTPS=True)
class ChecklistTests(TestCase):
    def points(self, change=None, **values):
        edition = make_edition(**{**GOOD, **values})
        content = composing.compose(edition)
        for name, value in (change or {}).items():
            setattr(content, name, value)
        return [(str(point.severity), point.message) for point in edition_checks.points(edition, content)]

    def assert_found(self, severity, words, **values):
        found = self.points(**values)
        assert any(s == severity and words in message for s, message in found), found

    def test_a_good_edition_has_nothing_to_mend(self):
        assert self.points() == []

    def test_the_subject(self):
        self.assert_found("error", "no subject", subject=" ")
        self.assert_found("warning", "The subject has 90 characters", subject="a" * 90)
        self.assert_found("warning", "all capitals", subject="BUY NOW")

    def test_the_preheader(self):
        self.assert_found("warning", "There is no preheader", preheader="")
        self.assert_found("warning", "The preheader has 5 characters", preheader="short")
        self.assert_found("warning", "repeats the subject", preheader=GOOD["subject"])

    def test_an_empty_edition(self):
        self.assert_found("error", "The edition is empty", intro="")

    def test_the_text_part(self):
        self.assert_found("error", "The plain text is empty", change={"text": " "})

    def test_the_way_out_of_both_parts(self):
        self.assert_found("error", "The HTML has no link to leave by", change={"html": "<p>"})
        self.assert_found("error", "The plain text has no link to leave by", change={"text": "Hello"})

    def test_what_gmail_would_cut(self):
        self.assert_found("error", "The HTML has 1", intro="<p>" + "long " * 22_000 + "</p>")

    @override_settings(NEWSLETTER_POSTAL_ADDRESS="")
    def test_the_postal_address_is_an_error_where_the_site_is_public(self):
        self.assert_found("error", "no postal address")
        with override_settings(IS_HTTPS=False):
            self.assert_found("warning", "no postal address")

    def test_fields_of_other_systems(self):
        self.assert_found("error", "“{{ first_name }}” looks like a field", intro="<p>Dear {{ first_name }}</p>")
        self.assert_found("error", "“[[name]]”", intro="<p>Dear [[name]]</p>")
        self.assert_found("error", "“[[address]]”", subject="A letter to [[address]]")

    def test_links_that_lead_nowhere_here_or_elsewhere(self):
        address = "https://elsewhere.example/gone"
        ExternalLink.objects.create(
            address=address, digest=ExternalLink.digest_of(address), failures=5, problem="It is gone."
        )

        self.assert_found("error", "/articles/none/ leads nowhere", intro='<p><a href="/articles/none/">x</a></p>')
        self.assert_found("error", "is no whole address", intro='<p><a href="articles/none">x</a></p>')
        self.assert_found("warning", f"{address} does not answer", intro=f'<p><a href="{address}">x</a></p>')
        assert self.points(intro='<p><a href="/careers/">x</a> <a href="mailto:desk@veltrix.example">y</a></p>') == []

    def test_figures_that_readers_should_doubt(self):
        edition = make_edition(**GOOD)
        article = make_article(title="Doubts", headline=make_statistic("42%", check_status="disputed", check_note="Hm"))
        EditionPart.objects.create(edition=edition, article=article)

        (point,) = edition_checks.points(edition, composing.compose(edition))

        assert point.message.startswith("42% (Doubts): Disputed")

    def test_figures_in_the_text_that_are_missing_withdrawn_or_in_doubt(self):
        value = make_statistic("42%", slug="share").current
        intro = '<p>It is <data value="statistic:share"></data>.</p>'
        self.assert_found(
            "error",
            "“statistic:gone”, but there is no such figure",
            intro='<p><data value="statistic:gone"></data></p>',
        )
        value = value.publish_successor(why="update", check_status="disputed", why_note="Somebody objects.")
        self.assert_found("warning", "42% (in the text): Disputed", closing=intro)
        value.publish_successor(why="retraction", why_note="It was made up.")
        self.assert_found("error", "“statistic:share”, which has been withdrawn", intro=intro)
