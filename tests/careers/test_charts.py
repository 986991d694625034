import re
from html import unescape
from io import BytesIO
from unittest import mock
from xml.etree import ElementTree

from django.http import QueryDict
from django.test import SimpleTestCase, TestCase
from PIL import Image

from careers.comparison import Query, Scale, compare
from careers.comparison.chart import charts_of, ticks_of
from careers.comparison.drawing import Text, length_of, lines_of
from careers.models import Market
from tests.factories import make_markets, make_role, make_salary, make_source

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(response):
    """The words of a chart's file, in the order in which they are drawn."""
    return [text.text for text in ElementTree.fromstring(response.content).iter(f"{SVG}text")]  # noqa: S314


class ChartTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.analyst = make_role("Analyst", pay={"GB": (40_000, 60_000), "US": (90_000, 120_000, True)}, order=1)
        make_role("Builder", pay={"US": (100_000, 150_000)}, order=2)

    def test_each_market_has_its_own_with_the_roles_in_the_order_of_the_table(self):
        charts = charts_of(compare(Query.read(QueryDict("sort=-us_high"))))

        self.assertEqual([chart.market.code for chart in charts], ["GB", "US"])
        self.assertEqual([row.role.name for row in charts[1].rows], ["Builder", "Analyst"])
        self.assertEqual(
            [(row.text, bool(row.bar)) for row in charts[0].rows], [("No figure", False), ("£40K–£60K", True)]
        )

    def test_bars_float_on_the_shared_axis(self):
        row = charts_of(compare(Query.read(QueryDict("roles=analyst"))))[1].rows[0]

        self.assertEqual((row.bar.x, row.bar.width, row.bar.is_open_ended), (60, 20, True))

    def test_who_does_not_see_it_is_told_what_it_shows(self):
        chart = charts_of(compare(Query.read(QueryDict())))[0]

        self.assertEqual(chart.description, "Chart of yearly pay, UK: Analyst £40K–£60K; Builder No figure.")

    def test_the_page_shows_the_charts_with_the_same_data_as_a_table(self):
        response = self.client.get("/careers/?view=chart&sort=-us_high")

        self.assertContains(response, 'class="pay-chart__drawing"', count=2)
        self.assertContains(response, "<caption", count=1)
        self.assertContains(response, 'href="/careers/charts/us.svg?sort=-us_high" download')
        self.assertContains(response, 'href="/careers/charts/us.png?sort=-us_high" download')
        self.assertContains(response, 'href="/careers/?sort=-us_high">Table')
        self.assertNotContains(self.client.get("/careers/"), "pay-chart__drawing")

    def test_a_withdrawn_figure_is_named_as_such_and_not_drawn(self):
        self.analyst.salary_ranges.get(market__code="GB").publish_successor(why="retraction", why_note="Made up.")

        row = charts_of(compare(Query.read(QueryDict())))[0].rows[0]

        self.assertEqual((row.text, row.bar), ("Withdrawn", None))


class FileTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.role = make_role("R&D <Lead>", slug="lead", pay={"US": (90_000, 120_000, True)}, order=1)
        source = make_source(producer="Office for Counting", title="Pay of the year", published="2025")
        make_salary(cls.role, make_markets()["GB"], source=source, as_of="2025-06", low=40_000, high=60_000)

    def test_an_svg_holds_its_figures_its_sources_and_its_date(self):
        response = self.client.get("/careers/charts/gb.svg")

        self.assertEqual(response.headers["Content-Type"], "image/svg+xml")
        self.assertEqual(response.headers["Content-Disposition"], 'attachment; filename="ai-pay-gb.svg"')
        words = " ".join(texts_of(response))
        for text in ("R&D <Lead>", "£40K–£60K", "Office for Counting", "Figures as of June 2025.", "As shown on "):
            self.assertIn(text, words)
        self.assertIn("/careers/", words)
        self.assertNotIn("style=", response.text)

    def test_a_png_is_a_picture_of_the_same(self):
        response = self.client.get("/careers/charts/us.png")

        self.assertEqual(response.headers["Content-Type"], "image/png")
        self.assertEqual(response.headers["Content-Disposition"], 'attachment; filename="ai-pay-us.png"')
        image = Image.open(BytesIO(response.content))
        self.assertEqual((image.format, image.width), ("PNG", 2400))
        colours = {colour for _, colour in image.getcolors(100_000)}
        self.assertIn((0xC3, 0x7E, 0x16), colours)

    def test_a_file_says_what_an_open_end_is_and_which_date_was_asked_for(self):
        words = " ".join(texts_of(self.client.get("/careers/charts/gb.svg?as_of=2025-12-31")))
        self.assertIn("as of 31 December 2025. By what was known on", words)

        words = " ".join(texts_of(self.client.get("/careers/charts/us.svg")))
        self.assertIn("An arrow marks a range", words)
        self.assertIn("No source stated; base or total not stated: 1 of 1 roles.", words)

    def test_the_name_of_a_file_says_its_date(self):
        response = self.client.get("/careers/charts/gb.svg?as_of=2025")

        self.assertEqual(response.headers["Content-Disposition"], 'attachment; filename="ai-pay-gb-as-of-2025.svg"')

    def test_a_file_is_not_sent_again_to_who_has_it(self):
        etag = self.client.get("/careers/charts/gb.svg").headers["ETag"]

        self.assertEqual(self.client.get("/careers/charts/gb.svg", headers={"if-none-match": etag}).status_code, 304)

    def test_nothing_is_left_out_of_a_file_unnoticed(self):
        response = self.client.get("/careers/charts/gb.svg?skill=none&colour=red")

        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.text, "Not understood: skill=none, colour=red.\n")

    def test_an_unknown_market_is_not_found(self):
        for ending in ("svg", "png"):
            self.assertEqual(self.client.get(f"/careers/charts/fr.{ending}").status_code, 404)
        self.assertEqual(self.client.get("/careers/charts/gb.gif").status_code, 404)

    def test_text_that_xml_does_not_allow_is_left_out(self):
        self.role.name = "Lead\x0bing \ufffe"
        self.role.save()

        self.assertIn("Leading", texts_of(self.client.get("/careers/charts/gb.svg")))

    def test_a_name_of_two_lines_is_drawn_in_one(self):
        self.role.name = "Lead\r\nof\u2028all"
        self.role.save()

        self.assertIn("Lead of all", texts_of(self.client.get("/careers/charts/gb.svg")))
        self.assertEqual(self.client.get("/careers/charts/gb.png").status_code, 200)

    def test_every_file_that_the_picture_offers_is_there_however_it_is_sorted(self):
        make_role("Other", pay={"GB": (50_000, 95_000)}, order=2)
        for sort in ("role", "skills", "gb_low", "gb_high", "us_low", "us_high"):
            for query in (f"sort={sort}", f"sort=-{sort}&market=us,gb&min=92000"):
                page = self.client.get(f"/careers/?view=chart&{query}")
                files = re.findall(r'href="(/careers/charts/[^"]+)"', page.text)
                self.assertEqual(len(files), 4)
                for file in files:
                    with self.subTest(file):
                        self.assertEqual(self.client.get(unescape(file)).status_code, 200)

    def test_a_file_has_the_rows_of_the_page_whichever_market_decides(self):
        make_role("Other", pay={"GB": (50_000, 55_000), "US": (50_000, 200_000)}, order=2)

        words = texts_of(self.client.get("/careers/charts/gb.svg?sort=-us_high&min=110000"))

        self.assertEqual([word for word in words if word in {"Other", "R&D <Lead>"}], ["Other", "R&D <Lead>"])

    def test_a_market_that_is_not_the_files_own_is_refused(self):
        response = self.client.get("/careers/charts/gb.svg?market=us")

        self.assertEqual((response.status_code, response.text), (400, "Not understood: market=us.\n"))

    def test_a_picture_is_not_drawn_for_who_has_it(self):
        etag = self.client.get("/careers/charts/gb.png").headers["ETag"]

        with mock.patch("careers.comparison.drawing.Image.new", side_effect=AssertionError):
            response = self.client.get("/careers/charts/gb.png", headers={"if-none-match": etag})

        self.assertEqual((response.status_code, response.headers["ETag"]), (304, etag))
        self.assertNotEqual(etag, self.client.get("/careers/charts/gb.svg").headers["ETag"])

    def test_no_role_at_all_is_drawn_as_well(self):
        for ending in ("svg", "png"):
            self.assertEqual(self.client.get(f"/careers/charts/gb.{ending}?min=999999999&roles=lead").status_code, 200)


class LayoutTests(SimpleTestCase):
    def test_an_axis_has_round_figures_and_few_of_them(self):
        market = Market(pk=1, code="GB", name="UK", currency="GBP")
        for top, expected in {
            150_000: ["£0", "£50K", "£100K", "£150K"],
            350_000: ["£0", "£100K", "£200K", "£300K"],
            95_000: ["£0", "£20K", "£40K", "£60K", "£80K"],
            5: ["£0", "£2", "£4"],
            1_000_000: ["£0", "£250K", "£500K", "£750K", "£1000K"],
        }.items():
            with self.subTest(top):
                self.assertEqual([tick.text for tick in ticks_of(Scale(market, top))], expected)

    def test_words_are_broken_into_lines_that_fit_and_none_is_lost(self):
        words = "Some words that are longer than a line holds, and then some more of them."

        lines = list(lines_of(Text(0, 0, words), 200))

        self.assertEqual(" ".join(lines), words)
        self.assertGreater(len(lines), 2)
        self.assertTrue(all(length_of(line, 18) <= 200 for line in lines))
