from django.test import SimpleTestCase, TestCase

from articles import bare_figures
from articles.bare_figures import BareFigure
from articles.documents import document_of
from articles.models import CallOut, FaqItem, Quote, TableBlock
from articles.models.blocks import validate_cells
from tests.factories import make_draft, make_statistic


def texts(text, **options):
    return [figure.text for figure in bare_figures.find(text, **options)]


class FindTests(SimpleTestCase):
    def test_what_looks_like_a_figure_is_found_as_it_was_typed(self):
        figures = [
            "£65K",
            "$185,000",
            "€1.2m",
            "65K GBP",
            "GBP 65,000",
            "£250K+",
            "£5",
            "40 euros",
            "97M",
            "1.4bn",
            "3 million",
            "3\N{NO-BREAK SPACE}million",
            "12 thousand",
            "23%",
            "2.5 %",
            "23 per cent",
            "23 percent",
            "3 percentage points",
            "3x",
            "3×",
            "3 ×",
        ]
        for figure in figures:
            with self.subTest(figure):
                self.assertEqual(texts(f"It says {figure}, says the report."), [figure])
                self.assertEqual(texts(f"<p>({figure})</p>"), [figure])

    def test_both_ends_of_a_range_are_found(self):
        self.assertEqual(texts("from £65K–£120K"), ["£65K", "£120K"])
        self.assertEqual(texts("10-20% and 3–5x"), ["20%", "5x"])

    def test_what_is_no_figure_is_left_alone(self):
        harmless = [
            "2026",
            "in 2025 and 2026",
            "8 April 2026",
            "08/04/2026",
            "2026-04-08",
            "three roles, 8 of them new",
            "1. First",
            "No. 60 of 62",
            "GPT-4 and GPT-4o",
            "Python 3.13",
            "O*NET 15-2051.00",
            "Llama-70B",
            "H100x8",
            "24/7",
            "the 1st, 2nd and 3rd",
            "a 6-week course",
            "18 months",
            "the 1990s",
            "at 9am",
            "3 × 4 metres",
            "p. 28",
            "401(k)",
            "5G",
            "£",
            "per cent",
        ]
        for text in harmless:
            with self.subTest(text):
                self.assertEqual(texts(text), [])
                self.assertEqual(texts(f"<p>{text}</p>"), [])

    def test_a_cell_may_hold_a_multiple(self):
        self.assertEqual(texts("3x", is_cell=True), [])
        self.assertEqual(texts("£65K, 97M, 23%", is_cell=True), ["£65K", "97M", "23%"])

    def test_markup_parts_words_as_it_does_on_the_page(self):
        self.assertEqual(texts("<strong>£65</strong>K and <em>3</em> million"), ["£65K", "3 million"])
        self.assertEqual(texts("<p>5</p><p>million</p>"), [])
        self.assertEqual(texts("&pound;65K &lt; 23&nbsp;%"), ["£65K", "23\N{NO-BREAK SPACE}%"])
        self.assertEqual(texts('<a href="/x?rise=23%25" title="23%">x</a>'), [])

    def test_a_reference_is_no_bare_figure_and_joins_nothing(self):
        reference = '<data value="statistic:a1"></data>'

        self.assertEqual(texts(f"<p>{reference} of 3{reference} million</p>"), [])
        self.assertEqual(bare_figures.find(f"<p>{reference}, not 5%</p>"), [BareFigure("5%", "[figure], not 5%")])

    def test_the_words_around_it_are_told_in_one_line(self):
        html = "<p>Elsewhere.</p><p>In this country most of them earn £65K in their first year or two.</p><p>More.</p>"

        self.assertEqual(
            bare_figures.find(html), [BareFigure("£65K", "…most of them earn £65K in their first year or…")]
        )
        self.assertEqual(bare_figures.find("£65K"), [BareFigure("£65K", "£65K")])

    def test_a_long_hostile_text_is_read_in_a_moment(self):
        # Each takes far below a second; what grows with the square takes minutes.
        for part in ("1", "£", "1,", "<", "<data ", "1 ", "1.1.", "£1", "1-", "a-"):
            self.assertLessEqual(len(texts(part * 100_000 + "x")), 100_000)


class DocumentTests(TestCase):
    def test_each_is_named_with_its_place(self):
        statistic = make_statistic()
        article = make_draft(
            title="Why 97M?", standfirst="Some earn £65K.", html="<p>23%</p><p>3x</p>", statistics=[statistic]
        )
        values = {"parent": article, "region": "main"}
        CallOut.objects.create(**values, ordering=30, heading="£1", html="<p>£2</p>")
        FaqItem.objects.create(**values, ordering=40, question="Is it £3?", html="<p>It is £4.</p>")
        Quote.objects.create(**values, ordering=50, text="It is £5.", attribution="6%")
        cells = [["Role", "£7"], ["£8", "9x"]]
        validate_cells(cells)
        TableBlock.objects.create(**values, ordering=60, caption="x", cells=cells)

        found = bare_figures.in_document(document_of(article))

        self.assertEqual(
            [(place, figure.text) for place, figure in found],
            [
                ("Title", "97M"),
                ("Standfirst", "£65K"),
                ("Block 1 (text)", "23%"),
                ("Block 1 (text)", "3x"),
                ("Block 3 (call-out), heading", "£1"),
                ("Block 3 (call-out)", "£2"),
                ("Block 4 (question and answer), question", "£3"),
                ("Block 4 (question and answer)", "£4"),
                ("Block 6 (table), row 1", "£7"),
                ("Block 6 (table), row 2", "£8"),
            ],
        )

    def test_a_block_type_that_is_not_installed_is_passed_over(self):
        document = document_of(make_draft()) | {"blocks": [{"type": "lost", "html": "£65K"}]}

        self.assertEqual(bare_figures.in_document(document), [])
