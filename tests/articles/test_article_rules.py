from datetime import date

from django.test import TestCase
from django.utils import timezone

from articles.article_rules import year_in
from articles.models import ArticleVersion
from articles.publishing import publish
from articles.review import collect
from tests.factories import make_article, make_draft, make_statistic

TODAY = date(2026, 11, 24)


def messages_of(key):
    return {finding.name: finding.message for finding in collect(TODAY) if finding.rule.key == key}


class TitleYearTests(TestCase):
    def test_the_latest_year_that_a_title_names_is_kept_at_publication(self):
        titles = {
            "Work in 2026": 2026,
            "From 2025 to 2030": 2030,
            "2024–2025": 2025,
            "Since 1990 and until 2199": 2199,
            "In 1989 or 2200": None,
            "A £2050 question": None,
            "12026 robots, 2,026 jobs, 2026% more": None,
            "No year": None,
        }
        for title, year in titles.items():
            with self.subTest(title):
                self.assertEqual(year_in(title), year)

        self.assertEqual(make_article(title="Work in 2026").live_version.title_year, 2026)

    def test_a_title_that_names_a_later_year_than_a_figure_is_found(self):
        projected = make_statistic("97M", as_of="2027")
        projected.current.publish_successor(why="update", horizon_year=2025)
        make_article(number=7, title="Work in 2026", statistics=[projected, make_statistic("42%", as_of="2025-12-31")])

        self.assertEqual(
            messages_of("title-year"),
            {"7: Work in 2026": ("Its title names 2026, but it shows figures from before: 97M (2025) and 42% (2025).")},
        )

    def test_figures_of_the_titles_year_and_undated_ones_are_in_order(self):
        timely = [make_statistic(as_of="2026"), make_statistic(as_of=""), make_statistic(as_of="2030")]
        make_article(title="Work in 2026", statistics=timely)
        make_article(title="Work", statistics=[make_statistic(as_of="1999")])

        self.assertEqual(messages_of("title-year"), {})

    def test_what_readers_do_not_see_is_not_judged(self):
        old = [make_statistic(as_of="2020")]
        make_draft(title="A draft in 2026", statistics=old)
        later = timezone.now() + timezone.timedelta(days=1)
        make_article(title="Scheduled in 2026", statistics=old, published_at=later)
        withdrawn = make_statistic(as_of="2020")
        withdrawn.current.publish_successor(why="retraction", why_note="It was wrong.")
        make_article(title="Withdrawn in 2026", statistics=[withdrawn])

        self.assertEqual(messages_of("title-year"), {})

    def test_many_figures_are_counted_and_not_all_named(self):
        make_article(title="Work in 2026", statistics=[make_statistic(as_of="2025") for _ in range(8)])

        (message,) = messages_of("title-year").values()
        self.assertIn("and 3 more.", message)
        self.assertEqual(message.count("42%"), 5)


class BareFigureTests(TestCase):
    def publish_with(self, article, *figures):
        """Publish a version in which these numbers, each after its place, were found."""
        rows = [{"place": place, "text": text, "context": f"earn {text} now"} for place, text in figures]
        category, document = article.category, article.live_version.document
        values = {"title": article.title, "category": category, "document": document, "bare_figures": rows}
        article.live_version = ArticleVersion.objects.create(article=article, **values)
        article.save(update_fields=["live_version"])

    def test_each_number_of_a_live_article_is_found_once(self):
        article = make_article(number=7, title="Work")
        self.publish_with(article, ("Block 1 (text)", "£65K"), ("Block 2 (text)", "97M"), ("Block 3 (text)", "£65K"))

        found = [finding for finding in collect(TODAY) if finding.rule.key == "bare-figure"]

        self.assertEqual({finding.point for finding in found}, {"£65K", "97M"})
        self.assertEqual({finding.subject for finding in found}, {article})
        self.assertIn("Block 1 (text) and 1 more, “earn £65K now”.", " ".join(finding.message for finding in found))

    def test_an_article_without_one_and_a_draft_are_in_order(self):
        make_article()
        replaced = make_article(title="Before")
        self.publish_with(replaced, ("Block 1 (text)", "£65K"))
        type(replaced).objects.filter(pk=replaced.pk).update(title="After")
        publish(replaced, by=None)

        self.assertEqual(messages_of("bare-figure"), {})
