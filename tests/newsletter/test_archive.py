from xml.etree import ElementTree

from django.test import TestCase
from django.utils import timezone

from articles.links import dead
from newsletter import composing
from newsletter.models import Edition, EditionPart
from tests import schema_org
from tests.factories import make_article, make_statistic

from .lists import make_edition, make_figure, make_part, make_sending, make_sent

ARCHIVE = "/newsletter/archive/"
FEED = "/feeds/editions.atom"
ATOM = {"atom": "http://www.w3.org/2005/Atom"}


class ArchiveTests(TestCase):
    def test_editions_are_listed_newest_first_with_the_figure_they_led_with(self):
        make_sent(make_part(), days_ago=14, subject="The old one")
        make_sent(
            make_part(1),
            make_part(2, figure=make_figure("97M", claim="jobs are new.", note="Not confirmed")),
            days_ago=7,
            subject="The new one",
        )

        page = self.client.get(ARCHIVE)

        assert [edition.subject for edition in page.context["page"]] == ["The new one", "The old one"]
        self.assertContains(page, '<p class="numeral">97M</p>', html=True)
        self.assertContains(page, "jobs are new.")
        self.assertContains(page, "Not confirmed")
        self.assertContains(page, "No. 2: Article 2")

    def test_what_has_not_begun_to_leave_is_not_shown(self):
        now = timezone.now()
        make_edition(slug="draft", subject="A draft")
        make_edition(slug="coming", subject="To come", state="scheduled", scheduled_at=now)
        make_sent(slug="prepared", subject="Prepared", state="preparing", started_at=None)

        page = self.client.get(ARCHIVE)

        self.assertContains(page, "The first edition is being written.")
        for slug in ("draft", "coming", "prepared"):
            assert self.client.get(f"/newsletter/{slug}/").status_code == 404
        assert not self.entries()

    def test_a_stopped_edition_stays_for_those_who_got_it(self):
        make_sent(slug="stopped", subject="Stopped", state="cancelled")

        assert self.client.get("/newsletter/stopped/").status_code == 200
        self.assertContains(self.client.get(ARCHIVE), "Stopped")

    def test_the_list_is_in_pages_and_costs_the_same_for_all(self):
        for day in range(21):
            make_sent(make_part(figure=make_figure()), days_ago=day, subject=f"Of day {day}.")

        with self.assertNumQueries(3):
            page = self.client.get(ARCHIVE)

        self.assertContains(page, "Of day 19.")
        self.assertNotContains(page, "Of day 20.")
        self.assertContains(page, 'href="?page=2"')
        self.assertContains(self.client.get(f"{ARCHIVE}?page=2"), "Of day 20.")
        for number in ("3", "0", "x", "٣"):
            assert self.client.get(ARCHIVE, {"page": number}).status_code == 404

    def test_it_is_read_and_nothing_else(self):
        make_sent(slug="one")
        for path in (ARCHIVE, "/newsletter/one/", FEED):
            with self.subTest(path):
                assert self.client.head(path).status_code == 200
                assert self.client.post(path).status_code == 405

    def test_the_way_to_it_is_on_the_sign_up_page(self):
        self.assertContains(
            self.client.get("/newsletter/"), f'<a href="{ARCHIVE}">Read past editions first</a>', html=True
        )

    def entries(self):
        return ElementTree.fromstring(self.client.get(FEED).content).findall("atom:entry", ATOM)  # noqa: S314 - our own


class EditionTests(TestCase):
    def test_an_edition_shows_all_that_was_sent(self):
        make_sent(
            make_part(
                60, heading="First of all", text="<p>Look at this.</p>", figure=make_figure("42%", note="Disputed")
            ),
            make_part(61, figure=make_figure("43%", source="")),
            {"kind": "text", "heading": "And then", "text": "<p>Some <strong>more</strong>.</p>"},
            slug="week-48",
            subject="What pay did",
            preheader="A preheader.",
            intro='<p>Up to <a href="http://127.0.0.1:8000/statistics/pay/">£90K</a>.</p>',
            closing="<p>Until next week.</p>",
        )

        page = self.client.get("/newsletter/week-48/")

        self.assertContains(page, "<h1>What pay did</h1>", html=True)
        self.assertContains(page, '<p class="numeral">42%</p>', html=True)
        self.assertContains(page, '<a href="/articles/article-60/">Article 60</a>', html=True)
        self.assertContains(page, '<p>Up to <a href="http://127.0.0.1:8000/statistics/pay/">£90K</a>.</p>', html=True)
        self.assertContains(page, "<p>Some <strong>more</strong>.</p>", html=True)
        for words in (
            "A preheader.",
            "First of all",
            "Look at this.",
            "No source stated",
            "And then",
            "Until next week.",
        ):
            self.assertContains(page, words)

    def test_an_edition_shows_what_composing_made_of_it(self):
        statistic = make_statistic("42%", slug="share", claim="of jobs ask for it.")
        article = make_article(title="What jobs ask for", headline=statistic)
        edition = make_edition(slug="one", intro='<p>It is <data value="statistic:share"></data>.</p>')
        EditionPart.objects.create(edition=edition, article=article)
        composing.freeze(edition)
        Edition.objects.filter(pk=edition.pk).update(started_at=timezone.now())

        page = self.client.get("/newsletter/one/")

        self.assertContains(page, '<p class="numeral">42%</p>', html=True)
        # Beside the figure, and behind it in the words.
        self.assertContains(page, "No source stated", count=1)
        self.assertContains(page, f'<a href="{article.get_absolute_url()}">What jobs ask for</a>', html=True)
        words = '<p>It is <a href="http://127.0.0.1:8000/statistics/share/">42%</a> (no source stated).</p>'
        self.assertContains(page, words, html=True)

    def test_nobodys_links_are_in_it(self):
        make_sent(make_part(), slug="one")

        page = self.client.get("/newsletter/one/")

        self.assertNotContains(page, "[[")
        self.assertNotContains(page, "unsubscribe/")
        self.assertNotContains(page, "preferences/")

    def test_what_was_frozen_is_sanitised_once_more(self):
        evil = '<p onclick="x()">Hello<script>alert(1)</script></p><a href="javascript:alert(1)">there</a>'
        part = {"kind": "text", "heading": "<b>", "text": evil}
        make_sent(part, make_part(title="<i>", text=evil), intro=evil, closing=evil, slug="evil", subject="<u>")

        for path in ("/newsletter/evil/", ARCHIVE, FEED):
            with self.subTest(path):
                page = self.client.get(path).text

                for bad in ("<script>alert", "&lt;script&gt;alert", "onclick", "javascript:", "<u>", "<b>", "<i>"):
                    assert bad not in page

    def test_an_edition_leads_to_the_ones_beside_it(self):
        for day, slug in enumerate(("third", "second", "first")):
            make_sent(slug=slug, subject=slug.title(), days_ago=day)

        with self.assertNumQueries(4):
            page = self.client.get("/newsletter/second/")

        self.assertContains(page, '<link rel="prev" href="/newsletter/first/">', html=True)
        self.assertContains(page, '<link rel="next" href="/newsletter/third/">', html=True)
        assert self.client.get("/newsletter/first/").context["previous"] is None
        assert self.client.get("/newsletter/third/").context["next"] is None

    def test_editions_of_the_same_moment_stand_beside_each_other(self):
        moment = timezone.now()
        for slug in ("one", "two", "three"):
            make_sent(slug=slug, started_at=moment)

        page = self.client.get("/newsletter/two/")

        assert page.context["previous"].slug == "one"
        assert page.context["next"].slug == "three"

    def test_an_empty_document_is_no_error(self):
        make_sending(slug="bare")

        for path in ("/newsletter/bare/", ARCHIVE, FEED):
            assert self.client.get(path).status_code == 200

    def test_machines_are_told_what_the_page_shows(self):
        make_sent(make_part(), slug="one", subject="One", preheader="In short.")

        page = self.client.get("/newsletter/one/")

        documents, _, _ = schema_org.read(page.text)
        assert schema_org.problems(documents[0]) == []
        nodes = {node["@type"]: node for node in documents[0]["@graph"]}
        assert nodes["Article"]["headline"] == "One"
        assert nodes["Article"]["isPartOf"]["name"] == "The AI Briefing"
        assert len(nodes["BreadcrumbList"]["itemListElement"]) == 3
        self.assertContains(page, '<link rel="canonical" href="http://127.0.0.1:8000/newsletter/one/">', html=True)

    def test_links_to_editions_that_readers_can_see_are_not_dead(self):
        make_sent(slug="there")
        make_edition(slug="draft")

        hrefs = ["/newsletter/there/", "/newsletter/draft/", "/newsletter/archive/", "/newsletter/confirm/"]
        assert dead(hrefs) == {"/newsletter/draft/", "/newsletter/confirm/"}


class FeedTests(TestCase):
    def feed(self):
        response = self.client.get(FEED)
        assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
        return ElementTree.fromstring(response.content)  # noqa: S314 - our own

    def test_entries_are_whole_and_lead_back_to_the_site(self):
        edition = make_sent(
            make_part(60, standfirst="Its standfirst.", figure=make_figure("42%", note="Disputed")),
            {"kind": "text", "heading": "And then", "text": "<p>More.</p>"},
            slug="one",
            subject="One",
            preheader="In short.",
            intro="<p>Hello.</p>",
            closing="<p>Goodbye.</p>",
        )

        entry = self.feed().find("atom:entry", ATOM)

        assert entry.findtext("atom:title", namespaces=ATOM) == "One"
        assert entry.findtext("atom:summary", namespaces=ATOM) == "In short."
        assert entry.findtext("atom:id", namespaces=ATOM) == f"tag:127.0.0.1,2026:newsletter.edition/{edition.pk}"
        assert entry.find("atom:link", ATOM).attrib["href"] == "http://127.0.0.1:8000/newsletter/one/"
        content = entry.find("atom:content", ATOM)
        assert content.attrib["type"] == "html"
        for words in ("Hello.", "42%", "Disputed", "Its standfirst.", "<h2>And then</h2>", "More.", "Goodbye."):
            assert words in content.text
        assert 'href="http://127.0.0.1:8000/articles/article-60/"' in content.text
        assert 'href="/' not in content.text
        assert "[[" not in content.text

    def test_it_is_well_formed_whatever_was_typed(self):
        make_sent(make_part(title="\x08 & <"), subject="<b> & \x0b", intro="<p>\x1b</p>")

        entry = self.feed().find("atom:entry", ATOM)

        assert entry.findtext("atom:title", namespaces=ATOM) == "<b> &  "
        assert "&amp; &lt;" in entry.findtext("atom:content", namespaces=ATOM)

    def test_it_is_bounded_and_costs_the_same_for_all(self):
        for day in range(25):
            make_sent(make_part(figure=make_figure()), days_ago=day, subject=f"Of day {day}")

        with self.assertNumQueries(2):
            entries = self.feed().findall("atom:entry", ATOM)

        assert len(entries) == 20
        assert entries[0].findtext("atom:title", namespaces=ATOM) == "Of day 0"

    def test_it_is_announced_where_editions_are(self):
        make_sent(slug="one")

        for path in (ARCHIVE, "/newsletter/one/"):
            self.assertContains(
                self.client.get(path), f'type="application/atom+xml" title="The AI Briefing" href="{FEED}"'
            )
