import re

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from articles import references
from articles.documents import document_of, read_document
from articles.models import Article, RichText, Sourced, Statistic, StatisticReference, StatisticValue
from articles.models.blocks import UnknownReferenceError
from articles.prose import as_safe_html, sanitize, sanitize_inner
from careers.models import RoleReference, SalaryRange
from tests.factories import (
    make_article,
    make_draft,
    make_markets,
    make_role,
    make_salary,
    make_statistic,
    publish_as_is,
)


def refer(reference):
    return f'<data value="{reference}"></data>'


class SanitizingTests(SimpleTestCase):
    def test_a_reference_stays_and_what_is_in_it_goes(self):
        clean = f"<p>It says {refer('statistic:new-roles')} here.</p>"

        for inside in ("", "97M", "<strong>97M</strong>", "<script>x</script>", refer("salary:a/gb"), "<data>1</data>"):
            with self.subTest(inside):
                html = clean.replace("</data>", f"{inside}</data>")
                self.assertEqual(sanitize(html), clean)
                self.assertEqual(sanitize_inner(html), clean)

    def test_refinements_stay(self):
        for key in ("ml-engineer/gb", "ml-engineer/gb/base/year/Senior", "ml-engineer/gb/base/year/Mid%2FSenior"):
            with self.subTest(key):
                self.assertEqual(sanitize(refer(f"salary:{key}")), refer(f"salary:{key}"))

    def test_any_other_data_element_goes_with_all_that_is_in_it(self):
        values = [
            'value=""',
            'value="97000000"',
            'value="statistic:"',
            'value=":x"',
            'value="Statistic:x"',
            'value="statistic:a b"',
            'value="statistic:a\n"',
            'value="statistic:a\x00b"',
            'value="statistic:a&quot; onclick=&quot;x"',
            'value="statistic:<script>"',
            'value="javascript:alert(1)"',
            f'value="statistic:{"a" * 601}"',
            'data-value="statistic:x"',
            "",
        ]
        for value in values:
            with self.subTest(value):
                html = f"<p>a<data {value}>97M <em>{refer('statistic:x')}</em></data>b</p>"
                self.assertEqual(sanitize(html), "<p>ab</p>")

    def test_other_attributes_of_a_reference_go(self):
        html = '<p><data id="x" onclick="y" value="statistic:a" class="z" style="color: red">1</data></p>'

        self.assertEqual(sanitize(html), f"<p>{refer('statistic:a')}</p>")

    def test_a_text_of_a_reference_alone_is_not_empty(self):
        self.assertEqual(sanitize(f"<p>{refer('statistic:a')}</p>"), f"<p>{refer('statistic:a')}</p>")
        self.assertEqual(sanitize("<p><data>97M</data></p>"), "")

    def test_hostile_markup_stays_harmless_and_is_sanitised_once_for_all(self):
        parts = [
            refer("statistic:a"),
            "<data>",
            "</data>",
            '<data value="statistic:b"',
            "<a title='<data>' href='/x'>",
            "<a title='</data>\" onclick=alert(1) x=\"'>",
            "</a>",
            '" onclick=alert(1) >',
            "<ul><li>",
            "<img src=x onerror=alert(1)>",
            "<svg><data value='statistic:c'>",
            "<!--<data>-->",
            "\x00",
        ]
        for first in parts:
            for second in parts:
                for third in parts:
                    html = sanitize(f"<p>one {first} two {second} three {third} four")
                    self.assertEqual(sanitize(html), html)
                    tags = re.findall(r'<[a-z]+(?: [a-z]+="[^"]*")*>|</[a-z]+>', html)
                    left = html
                    for tag in tags:
                        left = left.replace(tag, "", 1)
                        self.assertNotRegex(re.sub('"[^"]*"', "", tag), r"(?i)on|img|svg|script|<data>")
                    self.assertNotIn("<", left)

    def test_long_hostile_text_is_sanitised_in_a_moment(self):
        # Each of these takes far below a second; what grows with the square takes minutes.
        for html in ("<data value='" * 20_000, "<data value='statistic:x'>" * 3_000, "<a title='" + "<data>" * 50_000):
            self.assertEqual(sanitize(html).count("</data>") < 2, True)

    def test_text_outside_a_page_shows_no_number_and_no_key(self):
        self.assertEqual(as_safe_html(f"<p>a{refer('statistic:a')}</p>"), f"<p>a{refer('statistic:a')}</p>")


class KindTests(TestCase):
    def test_a_model_becomes_a_kind_by_its_declaration_alone(self):
        self.assertEqual(references.kinds(), {"statistic": StatisticValue, "salary": SalaryRange})
        self.assertEqual(Sourced.reference_kind, "")

    def test_figures_of_all_kinds_are_loaded_and_unknown_ones_left_out(self):
        statistic = make_statistic("97M", slug="new-roles")
        role = make_role("ML Engineer", pay={"GB": (65_000, 120_000)})
        asked = ["statistic:new-roles", "salary:ml-engineer/gb", "statistic:lost", "salary:ml-engineer", "tool:x"]
        asked += ["salary:ml-engineer/us", "salary:ml-engineer/GB", "salary://", "salary:lost/gb", "statistic:%00"]

        found = references.load(asked)

        self.assertEqual(
            found,
            {"statistic:new-roles": statistic.current, "salary:ml-engineer/gb": role.salary_ranges.get()},
        )

    def test_what_was_never_published_or_is_superseded_is_no_figure(self):
        statistic = make_statistic("97M", slug="new-roles")
        latest = statistic.current.publish_successor(display_text="170M", value=170_000_000, why="update")
        unpublished = Statistic.objects.create(slug="later", claim="x", unit="y")
        StatisticValue.objects.create(statistic=unpublished, value=1, display_text="1")

        found = references.load(["statistic:new-roles", "statistic:later"])

        self.assertEqual(found, {"statistic:new-roles": latest})

    def test_a_plain_number_is_what_machines_get(self):
        texts = {"97M": "97000000", "3×": "3", "2.5%": "2.5", "$185K": "185000"}

        for shown, plain in texts.items():
            value = make_statistic(shown).current
            value.refresh_from_db()
            self.assertEqual(value.machine_value, plain)


class SalaryKeyTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.role = make_role("ML Engineer")
        cls.market = make_markets()["GB"]

    def make(self, **values):
        return make_salary(self.role, self.market, **values)

    def meant(self, key):
        return SalaryRange.load_references([key]).get(key)

    def test_the_short_key_means_what_tables_show(self):
        senior = self.make(kind="total", level="Senior")
        monthly = self.make(kind="total", period="month")
        self.assertIsNone(SalaryRange.load_references(["ml-engineer/us"]).get("ml-engineer/us"))
        self.assertEqual(self.meant("ml-engineer/gb"), senior)
        unstated = self.make(kind="unstated")
        self.assertEqual(self.meant("ml-engineer/gb"), unstated)
        base = self.make(kind="base")
        self.assertEqual(self.meant("ml-engineer/gb"), base)
        total = self.make(kind="total")

        self.assertEqual(self.meant("ml-engineer/gb"), total)
        self.assertNotEqual(self.meant("ml-engineer/gb"), monthly)

    def test_a_refinement_means_the_range_that_it_names(self):
        total, base = self.make(kind="total"), self.make(kind="base")
        senior, both = self.make(kind="base", level="Senior"), self.make(kind="base", level="Mid / Sénior")
        hourly = self.make(kind="base", period="hour")

        self.assertEqual(self.meant("ml-engineer/gb/base"), base)
        self.assertEqual(self.meant("ml-engineer/gb/base/year"), base)
        self.assertEqual(self.meant("ml-engineer/gb/base/year/Senior"), senior)
        self.assertEqual(self.meant("ml-engineer/gb/base/hour"), hourly)
        self.assertEqual(self.meant("ml-engineer/gb/total/year"), total)
        self.assertEqual(self.meant("ml-engineer/gb/base/year/Mid%20%2F%20S%C3%A9nior"), both)
        SalaryRange.objects.get(pk=hourly.pk).publish_successor(level="Junior", why="correction", why_note="A slip.")
        for lost in ("base/hour", "unstated", "base/month", "base/year/Junior", "base/year/Senior/x"):
            self.assertIsNone(self.meant(f"ml-engineer/gb/{lost}"))

    def test_a_refinement_that_fits_nothing_means_the_one_range_there_is(self):
        only = self.make(kind="unstated")

        self.assertEqual(self.meant("ml-engineer/gb/base/year/Senior"), only)

    def test_the_one_range_there_is_is_meant_even_if_tables_do_not_show_it(self):
        only = self.make(period="day")

        self.assertEqual(self.meant("ml-engineer/gb"), only)

    def test_search_gives_every_range_a_well_formed_key_that_means_it(self):
        for values in ({}, {"kind": "base"}, {"period": "day"}, {"level": "Mid / “Sénior”"}):
            self.make(**values)

        hits = references.search("ml-engineer uk", most=20)

        self.assertEqual(len(hits), 4)
        self.assertIn("salary:ml-engineer/gb", dict(hits))
        for reference, salary in hits:
            self.assertTrue(references.is_well_formed(reference))
            self.assertEqual(references.load([reference]), {reference: salary})


class DocumentTests(TestCase):
    def test_references_go_through_a_document_unchanged(self):
        make_statistic(slug="new-roles")
        make_role("ML Engineer", pay={"GB": (1, 2)})
        html = f"<p>{refer('statistic:new-roles')} and {refer('salary:ml-engineer/gb')}</p>"
        document = document_of(make_draft(html=html, number=7))
        Article.objects.all().delete()

        copy = read_document(document)

        self.assertEqual(document["blocks"][0]["html"], html)
        self.assertEqual(document_of(copy), document)

    def test_a_document_that_names_an_unknown_figure_is_refused_and_nothing_is_written(self):
        document = document_of(make_draft()) | {"slug": "b", "number": 99}
        make_statistic(slug="new-roles")
        blocks = {
            "rich-text": {"type": "rich-text"},
            "call-out": {"type": "call-out", "heading": "x"},
            "faq-item": {"type": "faq-item", "question": "x"},
        }
        for name, item in blocks.items():
            with self.subTest(name):
                html = f"<p>{refer('statistic:new-roles')}<data value='statistic:lost'>97M</data></p>"
                document["blocks"] = [item | {"html": html}]
                with self.assertRaisesMessage(UnknownReferenceError, "There is no figure “statistic:lost”."):
                    read_document(document)
        self.assertFalse(Article.objects.filter(slug="b").exists())

    def test_a_number_inside_a_reference_is_gone_when_a_document_is_read(self):
        make_statistic(slug="new-roles")
        document = document_of(make_draft()) | {"slug": "b", "number": 99}
        html = '<p>Some <data value="statistic:new-roles">97M</data></p>'
        document["blocks"] = [{"type": "rich-text", "html": html}]

        article = read_document(document)

        self.assertEqual(RichText.objects.get(parent=article).html, f"<p>Some {refer('statistic:new-roles')}</p>")

    def test_a_published_reference_keeps_its_statistic_or_role_until_it_is_gone(self):
        statistic = make_statistic(slug="new-roles")
        role = make_role("ML Engineer", pay={"GB": (1, 2)})
        article = make_article(html=f"<p>{refer('statistic:new-roles')} {refer('salary:ml-engineer/gb')}</p>")

        self.assertEqual(StatisticReference.objects.get(article=article).target, statistic)
        self.assertEqual(RoleReference.objects.get(article=article).target, role)
        self.assertContains(self.client.get(role.get_absolute_url()), "Articles that mention this role")
        block = RichText.objects.get(parent=article)
        self.assertEqual(set(block.references()) & {statistic, role}, {statistic, role})
        block.html = "<p>No figure.</p>"
        block.save()
        publish_as_is(article)
        self.assertFalse(StatisticReference.objects.exists() or RoleReference.objects.exists())

    def test_publishing_costs_as_many_queries_for_many_texts_as_for_two(self):
        def publish_with(count):
            article = make_draft(published_at=timezone.now())
            for number in range(count):
                html = f"<p>{refer('statistic:new-roles')} {refer('salary:ml-engineer/gb')}</p>"
                RichText.objects.create(parent=article, region="main", ordering=100 + number, html=html)
            with self.assertNumQueries(42):
                publish_as_is(article)

        make_statistic(slug="new-roles")
        make_role("ML Engineer", pay={"GB": (1, 2)})
        publish_with(2)

        publish_with(30)

    def test_a_block_is_called_by_its_words(self):
        block = RichText(html=f"<p>They earn {refer('salary:ml-engineer/gb')}.</p>")

        self.assertEqual(str(block), "They earn [figure].")
        self.assertEqual(str(RichText(html=f"<p>{refer('statistic:a')}</p>")), "[figure]")
