import re
from datetime import timedelta
from io import BytesIO

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.utils import timezone
from PIL import Image as Pillow

from articles.models import Byline, FaqItem, Image, Series
from articles.pictures import take_in
from articles.publishing import publish
from tests.factories import (
    add_role_table,
    make_article,
    make_author,
    make_category,
    make_draft,
    make_path,
    make_role,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)
from tests.feed_rules import NAMESPACE, atom_problems, json_problems

SITE = "http://127.0.0.1:8000"
HOSTILE = "a <b> & ]]> \x0b \x1b \u05d0\u202e 🙂 \ufffe"
PATHS = ["/feeds/articles", "/feeds/corrections", "/feeds/editions", "/feeds/topics/ai-jobs", "/feeds/series/pay"]


class ArticlesFeedTests(TestCase):
    def atom(self, path="/feeds/articles.atom"):
        """The feed's root and its entries by title; it keeps to the rules."""
        root, problems = atom_problems(self.client.get(path).content)
        self.assertEqual(problems, [])
        entries = root.findall(f"{NAMESPACE}entry")
        return root, {entry.findtext(f"{NAMESPACE}title"): entry for entry in entries}

    def json(self, path="/feeds/articles.json"):
        feed, problems = json_problems(self.client.get(path).content)
        self.assertEqual(problems, [])
        return feed

    def test_an_entry_holds_the_whole_article_for_readers_without_our_styles(self):
        source = make_source(producer="Office", title="Count", url="https://example.com/")
        statistic = make_statistic("97M", claim="jobs are new", source=source, check_status="disputed")
        article = make_draft(
            slug="pay",
            title="What pays",
            headline=statistic,
            category=make_category("Jobs", parent=make_category("Career")),
            series=Series.objects.create(slug="s", name="The series"),
            statistics=[statistic],
            html=f'<h2>One</h2><p><data value="statistic:{statistic.slug}"></data>; <a href="/careers/">more</a>.</p>',
        )
        Byline.objects.create(article=article, author=make_author("Bob"), credit="Data by", order=1)
        add_role_table(article, make_table(make_role("Analyst", pay={"GB": (50_000, 90_000)}, core=["SQL"])))
        FaqItem.objects.create(parent=article, region="main", ordering=600, question="Why?", html="<p>So.</p>")
        publish_as_is(article)

        entry, item = self.atom()[1]["What pays"], self.json()["items"][0]

        content = entry.findtext(f"{NAMESPACE}content")
        self.assertEqual(entry.find(f"{NAMESPACE}content").get("type"), "html")
        self.assertEqual(item["content_html"], content)
        self.assertNotRegex(content, "class=|id=|<span|<div|<section|<form|<svg|aria-")
        self.assertEqual(re.findall(r'(?:href|src)="(?!https?://)[^"]*"', content), [])
        for part in (
            "<p>What it is about.</p>",
            "<h2>One</h2>",
            f'<a href="{SITE}/articles/pay/#source-1">97M</a>',
            f'<a href="{SITE}/careers/">more</a>',
            "<strong>97M</strong> jobs are new",
            "<em>Disputed.</em>",
            "<caption>Pay and core skills</caption>",
            f'<th scope="row"><a href="{SITE}/careers/analyst/">Analyst</a></th>',
            "£50K–£90K",
            "<h3>Why?</h3>",
            f'<a href="{SITE}{source.get_absolute_url()}">Office, Count</a>',
        ):
            with self.subTest(part):
                self.assertIn(part, content)
        self.assertEqual(entry.findtext(f"{NAMESPACE}summary"), "What it is about.")
        authors = [author.findtext(f"{NAMESPACE}name") for author in entry.findall(f"{NAMESPACE}author")]
        self.assertEqual(authors, ["Ada Lovelace", "Bob"])
        terms = [category.get("term") for category in entry.findall(f"{NAMESPACE}category")]
        self.assertEqual((terms, item["tags"]), (["Career", "Jobs", "The series"],) * 2)
        self.assertRegex(item["image"], rf"^{SITE}/articles/pay/card\.png\?v=\w+$")
        enclosures = [link.get("href") for link in entry.findall(f"{NAMESPACE}link") if link.get("rel") == "enclosure"]
        self.assertEqual(enclosures, [item["image"]])
        self.assertEqual(self.client.get(item["image"].removeprefix(SITE)).headers["Content-Type"], "image/png")
        self.assertEqual(item["id"], f"tag:127.0.0.1,2026:articles.article/{article.pk}")
        self.assertEqual(item["url"], f"{SITE}/articles/pay/")

    def test_pictures_come_along_with_their_size_and_words_and_any_site_may_show_them(self):
        article = make_draft(slug="pay")
        content = BytesIO()
        Pillow.new("RGB", (640, 480), "red").save(content, "PNG")
        name = take_in(SimpleUploadedFile("a.png", content.getvalue()))
        picture = {"width": 640, "height": 480, "alt": 'A "red" field', "caption": "Red.", "credit": "Ada"}
        Image.objects.create(parent=article, region="main", ordering=20, file=name, **picture)
        publish_as_is(article)

        content = self.json()["items"][0]["content_html"]

        found = re.search(rf'<img src="{SITE}(/media/[^"]+)" width="640" height="480" alt="([^"]+)">', content)
        self.assertEqual(found[2], "A &quot;red&quot; field")
        self.assertIn("<figcaption>Red.<br>Picture: Ada</figcaption>", content)
        picture = self.client.get(found[1])
        self.assertEqual((picture.status_code, picture.headers["Cross-Origin-Resource-Policy"]), (200, "cross-origin"))
        self.assertTrue(picture.getvalue())
        text = self.client.get("/articles/pay.md").text
        self.assertIn(f'![A "red" field]({SITE}{found[1]})', text)

    def test_whatever_was_typed_both_forms_can_be_read(self):
        statistic = make_statistic("1%", claim=HOSTILE, source=make_source(title=HOSTILE))
        article = make_draft(
            title=HOSTILE,
            standfirst=HOSTILE,
            category=make_category(HOSTILE, slug="odd"),
            author=make_author(HOSTILE, slug="odd"),
            statistics=[statistic],
            html="<p>a ]]&gt; \u05d0\u202e 🙂 &lt;b&gt; \x0b</p>",
        )
        publish_as_is(article)

        root, entries = self.atom()

        readable = "a <b> & ]]>     \u05d0\u202e 🙂  "
        self.assertEqual([" ".join(title.split()) for title in entries], [" ".join(readable.split())])
        self.assertIn("a ]]&gt; \u05d0\u202e 🙂 &lt;b&gt;", root.findtext(f".//{NAMESPACE}content"))
        self.assertIn("🙂", self.json()["items"][0]["title"])
        self.assertEqual(self.atom("/feeds/topics/odd.atom")[0].findtext(f"{NAMESPACE}title")[:9], "Veltrix: ")

    def test_the_newest_come_first_and_what_readers_do_not_see_never(self):
        now = timezone.now()
        make_draft(title="A draft")
        make_article(title="To come", published_at=now + timedelta(days=1))
        gone = make_article(title="Gone")
        gone.withdrawn_at = now
        gone.save()
        for days in (3, 1, 2):
            make_article(title=f"{days} days old", published_at=now - timedelta(days=days))

        titles = ["1 days old", "2 days old", "3 days old"]

        self.assertEqual(list(self.atom()[1]), titles)
        self.assertEqual([item["title"] for item in self.json()["items"]], titles)

    def test_a_change_and_a_correction_renew_an_entry(self):
        statistic = make_statistic("1%")
        article = make_draft(published_at=timezone.now() - timedelta(days=9), statistics=[statistic])
        publish_as_is(article)
        before = self.json()["items"][0]
        article.refresh_from_db()
        article.title = "Another title"
        article.save()

        publish(article, by=None, reason="All we have.")
        changed = self.json()["items"][0]
        at = timezone.now() + timedelta(seconds=1)
        statistic.current.publish_successor(why="correction", why_note="A slip.", display_text="2%", value=2, at=at)
        corrected = self.json()["items"][0]

        self.assertEqual([item["date_published"] for item in (changed, corrected)], [before["date_published"]] * 2)
        moments = [item["date_modified"] for item in (before, changed, corrected)]
        self.assertEqual(moments, sorted(set(moments)))
        self.assertEqual({item["id"] for item in (before, changed, corrected)}, {before["id"]})
        self.assertIn("A slip.", corrected["content_html"])

    def test_twenty_entries_cost_as_many_queries_as_two(self):
        def make_whole(number):
            for _ in range(number):
                statistic = make_statistic(source=make_source())
                text = f'<p><data value="statistic:{statistic.slug}"></data></p>'
                article = make_draft(headline=statistic, statistics=[statistic], html=text)
                add_role_table(article, make_table(make_role(pay={"GB": (1, 2)}, core=["SQL"], path=None)))
                publish_as_is(article)
                statistic.current.publish_successor(why="correction", why_note="x", display_text="3%", value=3)

        make_path()
        make_whole(2)
        with self.assertNumQueries(20):
            self.client.get("/feeds/articles.atom")
        make_whole(20)

        for form in ("atom", "json"):
            with self.assertNumQueries(20):
                self.client.get(f"/feeds/articles.{form}")
        self.assertEqual(len(self.json()["items"]), 20)

    def test_a_topic_and_a_series_have_feeds_of_their_own(self):
        series = Series.objects.create(slug="pay", name="Pay")
        make_article(title="One", category=make_category("Jobs", parent=make_category("Career")), series=series)
        make_article(title="Two", category=make_category("Tools"))

        self.assertEqual(list(self.atom("/feeds/topics/career.atom")[1]), ["One"])
        self.assertEqual(list(self.atom("/feeds/series/pay.atom")[1]), ["One"])
        self.assertEqual([item["title"] for item in self.json("/feeds/topics/tools.json")["items"]], ["Two"])
        self.assertEqual(self.client.get("/feeds/topics/none.atom").status_code, 404)
        self.assertEqual(self.client.get("/feeds/series/none.json").status_code, 404)


class EveryFeedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        make_category()
        Series.objects.create(slug="pay", name="Pay")

    def test_each_says_what_it_is_where_it_is_and_is_only_read(self):
        types = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}
        for path in (f"{path}.{form}" for path in PATHS for form in types):
            with self.subTest(path):
                response = self.client.get(f"{path}?x=%22%3E%0d%0a")

                self.assertEqual(response.status_code, 200)
                self.assertEqual(response.headers["Content-Type"], types[path.partition(".")[2]])
                self.assertEqual(response.headers["Link"], f'<{SITE}{path}>; rel="self"')
                self.assertFalse(response.cookies)
                self.assertNotIn(b'"hub"', response.content)
                self.assertEqual(self.client.head(path).status_code, 200)
                self.assertEqual(self.client.post(path).status_code, 405)
                problems = atom_problems if path.endswith("atom") else json_problems
                self.assertEqual(problems(response.content)[1], [])

    def test_what_has_no_entry_stays_what_it_is(self):
        for path in (f"{path}.{form}" for path in PATHS for form in ("atom", "json")):
            with self.subTest(path):
                today = self.client.get(path).content
                with time_machine.travel(timezone.now() + timedelta(days=1)):
                    self.assertEqual(self.client.get(path).content, today)

    def test_none_says_that_it_is_unchanged_since_its_latest_entry(self):
        """A figure may be another, and an article gone, while no entry is new: who asks by that date misses them."""
        make_article()
        for path in PATHS:
            with self.subTest(path):
                self.assertNotIn("Last-Modified", self.client.get(f"{path}.atom").headers)

    @override_settings(WEBSUB_HUB="https://hub.example/")
    def test_with_a_hub_each_names_it(self):
        for path in PATHS:
            with self.subTest(path):
                atom, feed = self.client.get(f"{path}.atom"), self.client.get(f"{path}.json")

                self.assertIn('<link href="https://hub.example/" rel="hub"/>', atom.text)
                self.assertEqual(feed.json()["hubs"], [{"type": "WebSub", "url": "https://hub.example/"}])
                for response in (atom, feed):
                    self.assertIn('<https://hub.example/>; rel="hub"', response.headers["Link"])
                    # The hub comes as soon as it is told: nothing between may answer with what was before.
                    self.assertEqual(response.headers["Cache-Control"], "public, max-age=0, must-revalidate")
                    self.assertNotIn("CDN-Cache-Control", response.headers)

    def test_pages_say_where_their_feeds_are(self):
        link = '<link rel="alternate" type="application/{}" title="{}" href="/feeds/{}">'
        for path in ("/", "/articles/", "/careers/", "/topics/ai-jobs/"):
            page = self.client.get(path)
            self.assertContains(page, link.format("atom+xml", "Veltrix", "articles.atom"), html=True)
            self.assertContains(page, link.format("feed+json", "Veltrix", "articles.json"), html=True)
        topic = link.format("atom+xml", "Veltrix: AI Jobs", "topics/ai-jobs.atom")
        self.assertContains(self.client.get("/topics/ai-jobs/"), topic, html=True)
        self.assertContains(
            self.client.get("/series/pay/"), link.format("atom+xml", "Veltrix: Pay", "series/pay.atom"), html=True
        )

    def test_lists_of_articles_offer_their_feeds_to_readers_too(self):
        for path, feed in {
            "/articles/": "articles",
            "/articles/?topic=ai-jobs": "topics/ai-jobs",
            "/topics/ai-jobs/": "topics/ai-jobs",
            "/series/pay/": "series/pay",
        }.items():
            with self.subTest(path):
                self.assertRegex(self.client.get(path).text, f'<a href="/feeds/{feed}.atom">Follow .* as a feed')
