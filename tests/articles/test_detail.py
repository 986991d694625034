from datetime import UTC, datetime, timedelta

import time_machine
from django.core.paginator import Paginator
from django.test import RequestFactory, TestCase
from django.utils import timezone

from articles.models import Article, FaqItem, Quote, RichText, StatisticBlock, TableBlock
from articles.views import page_of
from tests.factories import (
    add_role_table,
    make_article,
    make_author,
    make_category,
    make_draft,
    make_role,
    make_source,
    make_statistic,
    make_table,
    publish_as_is,
)


class DetailTests(TestCase):
    def get(self, article):
        return self.client.get(article.get_absolute_url())

    def test_it_has_every_part(self):
        parent = make_category("Career")
        category = make_category("AI Jobs", parent=parent)
        source = make_source(producer="World Economic Forum", title="Future of Jobs", edition="2023")
        statistic = make_statistic("97M", claim="new jobs", source=source, check_status="disputed", check_note="Older.")
        article = make_article(
            number=60, title="Which Skills?", standfirst="A short look.", category=category, statistics=[statistic]
        )
        make_article(number=62)
        make_article(number=59)

        response = self.get(article)

        for text in ("Career", "AI Jobs", "Which Skills?", "A short look.", "97M", "new jobs", "Disputed", "Older."):
            self.assertContains(response, text)
        self.assertContains(response, "World Economic Forum, Future of Jobs, 2023")
        self.assertContains(response, "Ada Lovelace")
        self.assertContains(response, 'href="/articles/article-59/"')
        self.assertContains(response, 'href="/articles/article-62/"')
        page = response.context["page"]
        self.assertEqual((page.number, page.highest_number), (60, 62))
        self.assertContains(response, 'name="email"')

    def test_drafts_scheduled_and_unknown_articles_are_not_found(self):
        draft = make_draft()
        scheduled = make_article(published_at=timezone.now() + timedelta(hours=1))

        for path in (draft.get_absolute_url(), scheduled.get_absolute_url(), "/articles/none/"):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 404)

    def test_a_scheduled_article_appears_at_its_moment(self):
        moment = datetime(2026, 12, 1, 9, tzinfo=UTC)
        with time_machine.travel(moment - timedelta(seconds=1), tick=False):
            article = make_article(published_at=moment)
            self.assertEqual(self.client.get(article.get_absolute_url()).status_code, 404)

        with time_machine.travel(moment, tick=False):
            self.assertEqual(self.client.get(article.get_absolute_url()).status_code, 200)

    def test_a_draft_of_a_live_article_changes_nothing(self):
        article = make_article(html="<p>Before</p>", title="Old title")
        Article.objects.filter(pk=article.pk).update(title="New title")
        RichText.objects.update(html="<p>After</p>")

        self.assertContains(self.get(article), "Before")
        self.assertNotContains(self.client.get("/articles/"), "New title")
        publish_as_is(article)
        self.assertContains(self.get(article), "After")
        self.assertContains(self.client.get("/articles/"), "New title")

    def test_the_date_of_the_last_change_is_shown_when_it_is_a_later_day(self):
        with time_machine.travel("2026-04-08 08:00Z", tick=False):
            article = make_article()
            self.assertIsNone(self.get(article).context["page"].changed_at)
        with time_machine.travel("2026-05-02 08:00Z", tick=False):
            RichText.objects.update(html="<p>Changed</p>")
            publish_as_is(article)

            self.assertContains(self.get(article), "2 May 2026")

    def test_one_edit_of_a_figure_shows_in_a_live_article(self):
        statistic = make_statistic("97M")
        article = make_article(statistics=[statistic])

        statistic.current.publish_successor(display_text="170M", why="correction", why_note="An older edition.")

        response = self.get(article)
        self.assertContains(response, "170M")
        self.assertContains(response, "An older edition.")

    def test_corrections_since_its_publication_are_reported_of_statistics_and_of_pay(self):
        role = make_role("ML Engineer", pay={"GB": (65_000, 120_000)})
        statistic = make_statistic("97M")
        statistic.current.publish_successor(display_text="98M", why="correction", why_note="Before its time.")
        article = make_draft(statistics=[statistic])
        add_role_table(article, make_table(role))
        publish_as_is(article)
        article.refresh_from_db()

        role.salary_ranges.get().publish_successor(high=125_000, why="correction", why_note="A slip of the pen.")

        response = self.get(article)
        self.assertContains(response, "ML Engineer, UK")
        self.assertContains(response, "A slip of the pen.")
        self.assertEqual([c.reason for c in response.context["page"].corrections], ["A slip of the pen."])

    def test_sources_are_numbered_in_reading_order_and_linked_both_ways(self):
        first, second = make_source(title="First"), make_source(title="Second")
        figures = [make_statistic(source=second), make_statistic(source=first), make_statistic(source=second)]
        article = make_article(statistics=figures)

        response = self.get(article)

        notes = list(response.context["page"].sources)
        self.assertEqual([(note.number, note.source.title) for note in notes], [(1, "Second"), (2, "First")])
        self.assertEqual(len(notes[0].citations), 2)
        for anchor in ("source-1", "source-2", f"figure-{figures[0].slug}"):
            self.assertContains(response, f'id="{anchor}"', count=1)
            self.assertContains(response, f'href="#{anchor}"')

    def test_a_figure_used_twice_has_two_ids(self):
        statistic = make_statistic(source=make_source())
        article = make_article(statistics=[statistic, statistic])

        response = self.get(article)

        self.assertContains(response, f'id="figure-{statistic.slug}"', count=1)
        self.assertContains(response, f'id="figure-{statistic.slug}-2"', count=1)

    def test_neighbouring_figures_form_one_row(self):
        article = make_draft(statistics=[make_statistic(), make_statistic()])
        RichText.objects.create(parent=article, region="main", ordering=40, html="<p>Between</p>")
        StatisticBlock.objects.create(parent=article, region="main", ordering=50, statistic=make_statistic())
        publish_as_is(article)
        article.refresh_from_db()

        parts = self.get(article).context["page"].parts

        self.assertEqual(
            [(part.type, len(part.items)) for part in parts],
            [("rich-text", 1), ("statistic", 2), ("rich-text", 1), ("statistic", 1)],
        )

    def test_text_of_editors_is_escaped(self):
        article = make_draft(title="<script>alert(1)</script>", standfirst="<b>x</b>")
        values = {"parent": article, "region": "main"}
        Quote.objects.create(**values, ordering=20, text="<i>a</i>", attribution="<i>b</i>")
        FaqItem.objects.create(**values, ordering=30, question="<i>q</i>", html="<p>x</p>")
        TableBlock.objects.create(**values, ordering=40, caption="<i>c</i>", cells=[["<i>h</i>"], ["<i>d</i>"]])
        publish_as_is(article)

        response = self.get(article)

        self.assertNotContains(response, "<script>alert")
        self.assertNotContains(response, "<i>")

    def test_markup_that_reached_the_document_is_cleaned_on_the_way_out(self):
        article = make_article()
        version = article.live_version
        version.document["blocks"][0]["html"] = "<p onclick='x'>Hi<script>y</script></p>"
        Article.objects.filter(pk=article.pk).update(live_version=None)
        version.pk = None
        version.save(force_insert=True)
        Article.objects.filter(pk=article.pk).update(live_version=version)

        response = self.get(article)

        self.assertContains(response, "<p>Hi</p>")
        self.assertNotContains(response, "onclick")

    def test_its_queries_do_not_grow_with_its_blocks_and_roles(self):
        def queries(article):
            with self.assertNumQueries(22):
                self.get(article)

        roles = [make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python", "SQL"]) for _ in range(2)]
        make_article()
        small = make_draft(statistics=[make_statistic(source=make_source())])
        add_role_table(small, make_table(*roles))
        publish_as_is(small)
        queries(small)

        roles += [make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python", "RAG"]) for _ in range(20)]
        large = make_draft(statistics=[make_statistic(source=make_source()) for _ in range(30)])
        for ordering in range(600, 640):
            RichText.objects.create(parent=large, region="main", ordering=ordering, html="<p>More</p>")
        add_role_table(large, make_table(*roles))
        add_role_table(large, make_table(*roles), ordering=700)
        publish_as_is(large)
        queries(large)


class ListTests(TestCase):
    def test_the_index_shows_the_newest_first_and_its_pages(self):
        start = timezone.now() - timedelta(days=60)
        for number in range(1, 23):
            make_article(number=number, published_at=start + timedelta(days=number))

        first, second = self.client.get("/articles/"), self.client.get("/articles/?page=2")

        self.assertEqual([a.number for a in first.context["articles"]], list(range(22, 2, -1)))
        self.assertEqual([a.number for a in second.context["articles"]], [2, 1])
        self.assertContains(first, "?page=2")
        for page in ("0", "3", "x", "1.5", "-1"):
            self.assertEqual(self.client.get(f"/articles/?page={page}").status_code, 404)

    def test_what_comes_back_between_the_count_and_the_list_pushes_nothing_out(self):
        make_article(number=1, published_at=timezone.now() - timedelta(days=2))
        paginator = Paginator(Article.objects.published().newest_first(), 20)
        self.assertEqual(paginator.count, 1)
        make_article(number=2, published_at=timezone.now() - timedelta(days=1))

        page = page_of(paginator, RequestFactory().get("/articles/"))

        self.assertEqual([article.number for article in page], [2, 1])

    def test_the_index_filters_by_topic_and_says_what_it_ignored(self):
        career = make_category("Career")
        make_article(title="Jobs here", category=make_category("AI Jobs", parent=career))
        make_article(title="Tools here", category=make_category("Tools"))

        chosen = self.client.get("/articles/?topic=career")
        unknown = self.client.get("/articles/?topic=nonsense")

        self.assertContains(chosen, "Jobs here")
        self.assertNotContains(chosen, "Tools here")
        self.assertContains(unknown, "Tools here")
        self.assertContains(unknown, "topic=nonsense")

    def test_a_topic_counts_what_it_lists(self):
        career = make_category("Career")
        make_article(category=career)
        make_article(category=make_category("AI Jobs", parent=career))

        response = self.client.get("/articles/")

        counts = {topic.name: topic.article_count for topic in response.context["topics"]}
        self.assertEqual(counts, {"Career": 2, "AI Jobs": 1})

    def test_topics_authors_and_series_list_their_published_articles_only(self):
        author = make_author("Grace Hopper")
        shown = make_article(title="Shown", author=author)
        make_draft(title="Hidden", author=author)
        other = make_author("Alan Turing")

        for path in (shown.live_version.category.get_absolute_url(), author.get_absolute_url()):
            with self.subTest(path):
                response = self.client.get(path)
                self.assertContains(response, "Shown")
                self.assertNotContains(response, "Hidden")
        self.assertNotContains(self.client.get(other.get_absolute_url()), "Shown")

    def test_a_card_leads_with_number_and_headline_figure(self):
        make_article(number=60, headline=make_statistic("97M"))
        make_article(number=61)

        response = self.client.get("/articles/")

        for text in ("97M", "60", "61"):
            self.assertContains(response, text)

    def test_a_list_costs_as_many_queries_for_twenty_articles_as_for_two(self):
        for _ in range(2):
            make_article(headline=make_statistic(source=make_source()))
        with self.assertNumQueries(5):
            self.client.get("/articles/")
        for _ in range(18):
            make_article(headline=make_statistic(source=make_source()))

        with self.assertNumQueries(5):
            self.client.get("/articles/")

    def test_home_opens_with_and_without_content(self):
        self.assertEqual(self.client.get("/").status_code, 200)
        make_article(title="First of all", statistics=[make_statistic("97M")])
        make_role("Analyst", pay={"GB": (40_000, 60_000)})

        response = self.client.get("/")

        for text in ("First of all", "97M", "Analyst"):
            self.assertContains(response, text)

    def test_home_costs_a_fixed_number_of_queries(self):
        def make_some():
            for _ in range(3):
                make_article(headline=make_statistic(source=make_source()), statistics=[make_statistic()])
                make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python"])

        make_some()
        with self.assertNumQueries(12):
            self.client.get("/")
        make_some()

        with self.assertNumQueries(12):
            self.client.get("/")
