from django.test import TestCase

from articles.models import Byline, FaqItem
from tests import schema_org
from tests.factories import (
    make_article,
    make_author,
    make_category,
    make_draft,
    make_source,
    make_statistic,
    make_user,
    publish_as_is,
)

SITE = "http://127.0.0.1:8000"


class StructuredDataTests(TestCase):
    def nodes(self, path):
        """The nodes of a page by type, of several of a type the last one."""
        documents, _, _ = schema_org.read(self.client.get(path).text)
        return {node["@type"]: node for document in documents for node in document["@graph"]}

    def test_the_front_page_says_who_publishes(self):
        nodes = self.nodes("/")

        self.assertEqual(nodes["Organization"]["name"], "Veltrix Collective")
        self.assertEqual(nodes["WebSite"]["publisher"], nodes["Organization"])

    def test_an_article_names_its_writers_sources_and_way(self):
        source = make_source(slug="survey", producer="Office", title="Survey", kind="dataset")
        category = make_category("AI Jobs", parent=make_category("Career"))
        article = make_draft(slug="a", title="A title", category=category, statistics=[make_statistic(source=source)])
        Byline.objects.create(article=article, author=make_author("Vel"), credit="Data synthesis by")
        publish_as_is(article)

        nodes = self.nodes("/articles/a/")

        described = nodes["Article"]
        self.assertEqual((described["@id"], described["headline"]), (f"{SITE}/articles/a/#article", "A title"))
        self.assertEqual([author["name"] for author in described["author"]], ["Ada Lovelace"])
        self.assertEqual(
            described["citation"],
            [
                {
                    "@type": "Dataset",
                    "@id": f"{SITE}/sources/survey/#source",
                    "name": "Office, Survey",
                    "url": f"{SITE}/sources/survey/",
                }
            ],
        )
        way = nodes["BreadcrumbList"]["itemListElement"]
        self.assertEqual([step["name"] for step in way], ["Career", "AI Jobs", "A title"])
        self.assertEqual([step["position"] for step in way], [1, 2, 3])
        self.assertEqual(way[0]["item"], {"@type": "WebPage", "@id": f"{SITE}/topics/career/"})
        self.assertNotIn("FAQPage", nodes)
        self.assertNotIn("dateModified", described)

    def test_questions_hold_the_words_of_their_answers_with_current_figures(self):
        statistic = make_statistic("12%", slug="share")
        article = make_draft()
        html = '<p>It is <data value="statistic:share"></data>.</p><ul><li><p>Fish &amp; <em>chips</em></p></li></ul>'
        FaqItem.objects.create(parent=article, region="main", ordering=50, question="How much?", html=html)
        publish_as_is(article)

        statistic.current.publish_successor(value=13, display_text="13%", why="update")

        question = self.nodes(article.get_absolute_url())["FAQPage"]["mainEntity"][0]
        self.assertEqual(question["name"], "How much?")
        self.assertEqual(question["acceptedAnswer"]["text"], "It is 13%. Fish & chips")

    def test_a_correction_of_a_figure_is_said(self):
        statistic = make_statistic("12M", claim="people.")
        article = make_article(statistics=[statistic])

        statistic.current.publish_successor(value=13, display_text="13M", why="correction", why_note="Miscounted.")

        correction = self.nodes(article.get_absolute_url())["Article"]["correction"][0]
        self.assertEqual((correction["text"], correction["description"]), ("12M is now 13M: people.", "Miscounted."))

    def test_a_draft_says_nothing(self):
        article = make_draft()
        self.client.force_login(make_user("Editor"))

        response = self.client.get(f"/admin/articles/article/{article.pk}/draft/")

        self.assertContains(response, article.title)
        self.assertNotContains(response, "application/ld+json")

    def test_who_wrote_is_a_person_and_what_only_helped_need_not_be(self):
        article = make_draft()
        Byline.objects.create(article=article, author=make_author("Vel"), credit="Data synthesis by")
        publish_as_is(article)

        self.assertEqual(self.nodes("/authors/ada-lovelace/")["Person"]["name"], "Ada Lovelace")
        self.assertEqual(self.nodes("/authors/vel/"), {})

    def test_a_credit_that_nobody_has_published_is_not_said(self):
        article = make_draft()
        vel = make_author("Vel")
        Byline.objects.create(article=article, author=vel, credit="Data synthesis by")
        publish_as_is(article)

        article.bylines.filter(author=vel).update(credit=Byline.WRITTEN_BY)
        article.bylines.exclude(author=vel).delete()
        make_draft(author=vel)

        self.assertEqual(self.nodes("/authors/vel/"), {})
        self.assertIn("Person", self.nodes("/authors/ada-lovelace/"))

    def test_the_figure_of_a_statistic_is_the_one_shown_now(self):
        statistic = make_statistic("12M", slug="share", claim="people.", unit="people", as_of="2025-06")

        observation = self.nodes("/statistics/share/")["Observation"]

        self.assertEqual((observation["value"], observation["unitText"]), ("12M", "People"))
        self.assertEqual(observation["observationDate"], "2025-06")
        self.assertEqual(self.nodes("/statistics/share/?as_of=2025"), {})
        statistic.current.publish_successor(why="retraction", why_note="Made up.")
        self.assertEqual(self.nodes("/statistics/share/"), {})
