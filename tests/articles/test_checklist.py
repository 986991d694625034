from django.test import TestCase

from articles import checklist
from articles.models import CallOut, RichText
from tests.articles.article_forms import changed
from tests.articles.test_differences import document
from tests.factories import make_article, make_draft, make_statistic, make_user


def said(*blocks, rule="", **values):
    """What the checklist says, by severity, of a document with these blocks."""
    found = checklist.points(document(*blocks, **values))
    return [(point.severity.value, point.place, point.message) for point in found if point.rule == rule]


def html(text):
    return {"type": "rich-text", "html": text}


class RulesTests(TestCase):
    def test_a_sound_document_leaves_nothing_to_say(self):
        text = html("<h2>Words</h2><p>They are <a href='/articles/'>all here</a>.</p><h3>More</h3><p>Yes.</p>")

        self.assertEqual(checklist.points(document(text, standfirst="A description of some length. " * 4)), [])

    def test_pictures_need_a_description_of_what_they_show(self):
        image = {"type": "image", "file": "x.png", "credit": "y", "caption": "A red bridge"}

        self.assertEqual(
            said({**image, "alt": " "}, rule="alternative-text"),
            [("error", 1, "The picture has no alternative text.")],
        )
        for alt in ("Image of a bridge", "a photo of a bridge", "A red bridge"):
            ((severity, place, _),) = said({**image, "alt": alt}, rule="alternative-text")
            self.assertEqual((severity, place), ("warning", 1))
        self.assertEqual(said({**image, "alt": "A bridge at dawn"}, rule="alternative-text"), [])

    def test_headings_follow_their_order_and_say_something(self):
        faults = [
            ("<h3>Deep</h3>", "“Deep” is a heading of the second rank with none of the first above it."),
            ("<h2>A</h2><h2> </h2>", "A heading is empty."),
        ]
        for text, message in faults:
            self.assertEqual(said(html(text), rule="headings"), [("error", 1, message)])
        call_out = {"type": "call-out", "heading": "Mark", "html": "<p>x</p>"}
        for blocks in ([html("<h2>A</h2><h3>B</h3><h3>C</h3><h2>D</h2>")], [call_out, html("<h3>Below it</h3>")]):
            self.assertEqual(said(*blocks, rule="headings"), [])

    def test_links_have_an_address_and_words_that_say_where_they_lead(self):
        faults = [
            ("<p><a>no address</a></p>", "error", "The link “no address” has no address."),
            ("<p>x<a href='/articles/'> </a></p>", "error", "The link to /articles/ has no words."),
            ("<p><a href='/x/'>click here</a></p>", "warning", "The link “click here” does not say where it leads."),
        ]
        for text, severity, message in faults:
            with self.subTest(text):
                self.assertEqual(said(html(text), rule="links"), [(severity, 1, message)])

    def test_titles_and_descriptions_fit_where_they_are_shown(self):
        long = said(title="x" * 61, standfirst="y" * 161, rule="lengths")
        short = said(standfirst="y" * 69, rule="lengths")

        self.assertEqual(
            [message[:25] for _, _, message in long], ["The title has 61 characte", "The standfirst has 161 ch"]
        )
        self.assertEqual(len(short), 1)
        self.assertEqual(said(title="x" * 60, standfirst="y" * 160, rule="lengths"), [])

    def test_long_sentences_and_hard_texts_are_named(self):
        long = "word " * 41
        hard = "Institutional heterogeneity necessitates comprehensive organisational reconfiguration. " * 20

        self.assertEqual(len(said(html(f"<p>{long}. Short.</p>"), rule="reading-ease")), 1)
        self.assertIn("hard to read", said(html(f"<p>{hard}</p>"), rule="reading-ease")[0][2])

    def test_the_ease_of_reading_is_flesch_s(self):
        easy = checklist.flesch("The cat sat on the mat and the dog ran to the door. " * 10)
        # Twelve words with, as people say them, 23 syllables.
        hard = checklist.flesch("The Australian platypus is seemingly a hybrid of mammal and reptilian creature. " * 10)

        self.assertIsNone(checklist.flesch("Too short to say."))
        self.assertGreater(easy, 100)
        self.assertAlmostEqual(hard, 206.835 - 1.015 * 12 - 84.6 * 23 / 12, delta=8)


class PageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")

    def setUp(self):
        self.client.force_login(self.editor)

    def test_each_point_leads_to_its_place_in_the_form(self):
        article = make_draft(html="<p>Fine</p>")
        CallOut.objects.create(parent=article, region="main", ordering=5, heading="Mark", html="<p><a>empty</a></p>")

        response = self.client.get(f"/admin/articles/article/{article.pk}/checklist/")

        self.assertContains(response, 'data-jump="articles_callout_set-0"')
        self.assertContains(response, "Block 1: The link “empty” has no address.")
        self.assertContains(response, "1 error in the way of publishing")

    def test_what_is_missing_and_figures_that_are_unresolved_are_errors(self):
        article = make_draft(standfirst="", category=None, statistics=[make_statistic(source=None)])
        article.bylines.all().delete()

        response = self.client.get(f"/admin/articles/article/{article.pk}/checklist/")

        for sentence in ("Write a standfirst", "Add at least one byline", "It names no source."):
            self.assertContains(response, sentence)

    def test_it_is_about_what_is_typed_not_about_what_is_saved(self):
        article = make_article(html="<p>Fine</p>")
        url = f"/admin/articles/article/{article.pk}/checklist/"

        response = self.client.post(url, changed(article, "<h3>Deep</h3>", title="t" * 70))

        self.assertContains(response, "“Deep” is a heading")
        self.assertContains(response, 'data-jump="id_title"')
        self.assertEqual(RichText.objects.get().html, "<p>Fine</p>")

    def test_it_is_refused_to_everybody_else(self):
        url = f"/admin/articles/article/{make_draft().pk}/checklist/"
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(url).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.get(url).status_code, 302)
