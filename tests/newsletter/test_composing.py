import re

from django.test import TestCase, override_settings
from django.utils import timezone

from articles.models import ArticleVersion
from articles.publishing import publish
from articles.schedule import withdraw
from newsletter import composing
from newsletter.composing import CannotComposeError
from newsletter.mails import Mailing, Recipient
from newsletter.models import EditionPart
from tests.factories import make_article, make_source, make_statistic
from tests.newsletter.lists import make_edition

SITE = "http://127.0.0.1:8000"


class ComposingTests(TestCase):
    def setUp(self):
        source = make_source(producer="Office for Counting", title="Counted", edition="2026")
        self.statistic = make_statistic("42%", slug="share", claim="of jobs ask for it", source=source)
        self.article = make_article(title="What jobs ask for", standfirst="A standfirst.", headline=self.statistic)
        self.edition = make_edition(
            subject="Jobs & pay",
            preheader="What jobs ask for",
            intro='<p>See <data value="statistic:share"></data> and <a href="/careers/">roles</a>.</p>',
            closing="<p>Until next week</p>",
        )
        self.part = EditionPart.objects.create(
            edition=self.edition, article=self.article, heading="First", text="<p>Ours.</p>"
        )

    def compose(self):
        return composing.compose(self.edition)

    def test_article_figure_and_source_come_along_in_both_parts(self):
        content = self.compose()

        for said in ("What jobs ask for", "A standfirst.", "42%", "of jobs ask for it", "Counted", "First", "Ours."):
            assert said in content.html, said
            assert said.upper() in content.text or said in content.text, said
        assert f'href="{SITE}/articles/{self.article.slug}/"' in content.html
        assert f"\n{SITE}/articles/{self.article.slug}/\n" in content.text

    def test_a_subject_pasted_with_separators_of_lines_is_one_line(self):
        self.edition.subject = "Jobs\N{LINE SEPARATOR}and\x85pay\x0b\n up"

        content = self.compose()

        assert content.subject == content.document["subject"] == "Jobs and pay up"
        mail = Mailing(content).mail_for(Recipient(1, "A" * 22, "ada@example.com"))
        assert mail.raw.startswith(b"Subject: Jobs and pay up\r\n")

    def test_figures_and_links_in_text_lead_to_the_site(self):
        content = self.compose()

        assert f'<a href="{SITE}/statistics/share/" style=' in content.html
        assert re.search(rf'<a href="{SITE}/careers/"[^>]*>roles</a>', content.html)
        assert f"See 42% ({SITE}/statistics/share/)" in " ".join(content.text.split())
        assert "<data" not in content.html
        assert not re.search(r'href="/', content.html)

    def test_what_an_article_says_is_live_until_it_is_frozen_and_stays_so_after(self):
        composing.freeze(self.edition)
        self.article.title = "Another title"
        self.article.save()
        publish(self.article, by=None)

        self.edition.refresh_from_db()
        assert "What jobs ask for" in self.edition.content.html
        assert "Another title" in self.compose().html

    def test_a_figure_that_readers_should_doubt_says_so(self):
        self.statistic.current.publish_successor(why="update", check_status="disputed", why_note="Somebody objects.")

        assert "Disputed" in self.compose().html
        assert "Note: Disputed" in self.compose().text

    def test_a_figure_in_the_words_that_readers_should_doubt_says_so_behind_it(self):
        self.statistic.current.publish_successor(why="update", check_status="disputed", why_note="Somebody objects.")

        assert "42%</a> (disputed)" in self.compose().html
        assert "(disputed)" in self.compose().text

    def test_an_article_that_readers_cannot_see_stands_in_the_way(self):
        withdraw(self.article)

        with self.assertRaisesMessage(CannotComposeError, "Readers cannot see “What jobs ask for”."):
            self.compose()

    def test_the_way_out_and_the_choices_are_in_both_parts_and_merge_fields_are_whole(self):
        content = self.compose()

        for field in ("[[unsubscribe_url]]", "[[preferences_url]]", "[[address]]"):
            assert field in content.html
            assert field in content.text
        assert 'href="[[unsubscribe_url]]"' in content.html
        assert f"{SITE}/newsletter/{self.edition.slug}/" in content.html

    @override_settings(NEWSLETTER_POSTAL_ADDRESS="1 High Street, Anytown")
    def test_the_postal_address(self):
        assert "1 High Street, Anytown" in self.compose().html
        assert "1 High Street, Anytown" in self.compose().text

    def test_nothing_is_loaded_and_lines_of_lists_show_the_preheader(self):
        html = self.compose().html

        assert not re.search(r"<img|<link|src=|url\(|<script", html)
        assert re.search(r'<div class="preheader" style="[^"]*display: ?none[^"]*">\s*What jobs ask for', html)
        assert re.search(r'<table class="page" role="presentation" style="[^"]+', html)
        assert "prefers-color-scheme: dark" in html
        assert html.count("<h1") == 1

    def test_text_of_an_editor_cannot_break_out(self):
        self.edition.subject = "<b>Bold</b> & brave"
        self.part.heading = "<script>alert(1)</script>"
        self.part.save()

        content = self.compose()

        assert "<script" not in content.html
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; brave" in content.html
        assert "<b>Bold</b> & brave" in content.text

    def test_lines_of_the_text_fit(self):
        assert all(len(line) <= 76 or "http" in line for line in self.compose().text.splitlines())

    def test_ten_articles_cost_as_many_queries_as_one(self):
        with self.assertNumQueries(4):
            self.compose()
        for number in range(9):
            article = make_article(title=f"Article {number}", headline=make_statistic())
            EditionPart.objects.create(edition=self.edition, article=article, text=self.edition.intro)

        with self.assertNumQueries(4):
            self.compose()
        assert ArticleVersion.objects.filter(published_at__lte=timezone.now()).count() >= 10
