from datetime import date

from django.db import connection
from django.http import QueryDict
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext

from careers.comparison import Query, Scale, compare, comparisons_of, summary
from careers.models import Market, Requirement, Role, SalaryRange, Skill
from tests.factories import make_markets, make_path, make_role, make_salary, make_skill, make_table


def shown(parameters=""):
    """The names of the roles that a query shows, in order."""
    return [row.role.name for row in compare(Query.read(QueryDict(parameters))).rows]


def asked(**values):
    data = QueryDict(mutable=True)
    data.update(values)
    return data


class ComparisonTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.path = make_path("Language models")
        make_role("Analyst", pay={"GB": (40_000, 60_000), "US": (90_000, 120_000)}, core=["SQL"], order=1)
        make_role("Builder", pay={"GB": (50_000, 60_000, True)}, core=["Python", "SQL", "RAG"], order=2, path=cls.path)
        make_role("Chemist", pay={"US": (80_000, 200_000)}, core=["Python", "Statistics"], order=3)

    def test_without_a_query_it_shows_all_in_the_editors_order(self):
        self.assertEqual(shown(), ["Analyst", "Builder", "Chemist"])

    def test_each_column_sorts_both_ways(self):
        expected = {
            "role": ["Analyst", "Builder", "Chemist"],
            "-role": ["Chemist", "Builder", "Analyst"],
            "skills": ["Analyst", "Chemist", "Builder"],
            "-skills": ["Builder", "Chemist", "Analyst"],
            "us_low": ["Chemist", "Analyst", "Builder"],
            "-us_high": ["Chemist", "Analyst", "Builder"],
        }
        for sort, names in expected.items():
            with self.subTest(sort):
                self.assertEqual(shown(f"sort={sort}"), names)

    def test_open_ended_stands_above_the_same_figure_and_missing_pay_comes_last(self):
        self.assertEqual(shown("sort=-gb_high"), ["Builder", "Analyst", "Chemist"])
        self.assertEqual(shown("sort=gb_high"), ["Analyst", "Builder", "Chemist"])

    def test_it_filters_by_skill_and_by_those_that_imply_it(self):
        Skill.objects.filter(slug="sql").update(broader=make_skill("Data querying"))

        self.assertEqual(shown("skill=python"), ["Builder", "Chemist"])
        self.assertEqual(shown("skill=data-querying"), ["Analyst", "Builder"])

    def test_a_must_of_the_path_counts_for_its_roles_and_what_is_welcome_does_not(self):
        line = Requirement.objects.create(path=self.path, importance="must", label="Agents")
        line.skills.add(make_skill("Agents"))
        welcome = Requirement.objects.create(path=self.path, importance="nice", label="Cloud")
        welcome.skills.add(make_skill("Cloud"))

        self.assertEqual(shown("skill=agents"), ["Builder"])
        self.assertEqual(shown("skill=cloud"), [])

    def test_a_path_does_not_ask_for_a_role_that_has_a_list_of_its_own(self):
        line = Requirement.objects.create(path=self.path, importance="must", label="Agents")
        line.skills.add(make_skill("Agents"))
        own = Requirement.objects.create(role=Role.objects.get(slug="builder"), importance="nice", label="Cloud")
        own.skills.add(make_skill("Cloud"))

        self.assertEqual(shown("skill=agents"), [])

    def test_a_link_to_a_merged_skill_means_the_one_that_stands_in_its_place(self):
        make_skill("Py", merged_into=Skill.objects.get(slug="python"))

        self.assertEqual(shown("skill=py"), ["Builder", "Chemist"])
        self.assertEqual(compare(Query.read(QueryDict("skill=py"))).columns[0].url, "/careers/?skill=python&sort=role")

    def test_it_filters_by_path_roles_and_minimum(self):
        self.assertEqual(shown("path=language-models"), ["Builder"])
        self.assertEqual(shown("roles=chemist,analyst"), ["Analyst", "Chemist"])
        self.assertEqual(shown("min=150000"), ["Chemist"])
        self.assertEqual(shown("min=60000&market=gb"), ["Analyst", "Builder"])

    def test_a_market_leaves_one_column(self):
        comparison = compare(Query.read(QueryDict("market=us")))

        self.assertEqual([market.code for market in comparison.markets], ["US"])
        self.assertEqual([column.key for column in comparison.columns], ["role", "us_high", "skills"])

    def test_what_is_not_known_is_ignored_and_named(self):
        query = Query.read(
            QueryDict("skill=x&market=gb,de&path=y&min=lots&roles=analyst,z&sort=-age&utm_source=w&fbclid=1&colour=v")
        )

        self.assertEqual(
            query.ignored,
            ["market=de", "skill=x", "path=y", "min=lots", "roles=z", "sort=-age", "colour=v"],
        )
        self.assertEqual(len(compare(query).rows), 1)

    def test_hostile_values_are_cut_short(self):
        query = Query.read(QueryDict("&".join(f"a{n}={'x' * 500}" for n in range(50))))

        self.assertEqual(len(query.ignored), 8)
        self.assertLess(max(len(text) for text in query.ignored), 200)

    def test_a_heading_sorts_the_other_way_round_when_it_is_sorted_already(self):
        by_pay = compare(Query.read(QueryDict("sort=-gb_high&skill=python"))).columns[1]

        self.assertEqual(by_pay.aria_sort, "descending")
        self.assertEqual(by_pay.url, "/careers/?skill=python&sort=gb_high")

    def test_the_summary_says_what_is_shown(self):
        query = Query.read(QueryDict("sort=-gb_high&skill=python"))

        self.assertEqual(
            summary(compare(query), query), "2 roles, requiring Python, sorted by UK upper figure, highest first"
        )
        query = Query.read(QueryDict("market=us&roles=analyst"))
        self.assertEqual(summary(compare(query), query), "1 role, US pay only")

    def test_notes_say_what_the_evidence_is_each_once(self):
        notes = compare(Query.read(QueryDict())).notes

        self.assertEqual(
            [(note.letter, note.words) for note in notes], [("a", "No source stated; base or total not stated")]
        )

    def test_other_periods_than_the_year_stay_out_of_the_table(self):
        role = make_role("Dentist")
        make_salary(role, make_markets()["GB"], period="day", low=300, high=500)

        row = next(row for row in compare(Query.read(QueryDict())).rows if row.role == role)

        self.assertEqual([cell.salary for cell in row.pay], [None, None])

    def test_total_pay_goes_before_base_pay(self):
        role = make_role("Dentist")
        make_salary(role, make_markets()["GB"], kind="base")
        total = make_salary(role, make_markets()["GB"], kind="total")

        row = next(row for row in compare(Query.read(QueryDict())).rows if row.role == role)

        self.assertEqual(row.pay[0].salary, total)

    def test_the_axis_of_a_market_is_the_same_whatever_is_shown(self):
        whole, filtered = (compare(Query.read(QueryDict(text))) for text in ("", "roles=analyst"))

        self.assertEqual([scale.top for scale in filtered.scales], [scale.top for scale in whole.scales])

    def test_a_range_without_an_upper_figure_has_room_for_its_bar(self):
        make_role("Dentist", pay={"US": (400_000, None, True)})

        bar = next(row for row in compare(Query.read(QueryDict())).rows if row.role.name == "Dentist").pay[1].bar

        self.assertLess(bar.x, 90)
        self.assertEqual(bar.x + bar.width, 100)

    def test_superseded_ranges_are_not_shown(self):
        salary = SalaryRange.objects.get(role__slug="analyst", market__code="GB")

        salary.publish_successor(high=65_000, why="update")

        cell = compare(Query.read(QueryDict())).rows[0].pay[0]
        self.assertEqual(str(cell.salary), "£40K–£65K")


class TypedTests(SimpleTestCase):
    """What people type into the fields of the filter."""

    def read(self, **values):
        query = Query(markets=[], all_markets=[])
        for name, value in values.items():
            query._readers()[name]([value])
        return query

    def test_amounts_are_read_as_they_are_written_and_printed(self):
        for text in ("60000", "60,000", "60 000", "60k", "60K", "£60,000", "$60K+", " 60000 ", "60\u00a0000"):
            with self.subTest(text):
                self.assertEqual(self.read(min=text).minimum, 60_000)
        self.assertIsNone(self.read(min="0").minimum)

    def test_what_is_wrong_is_kept_with_the_reason_and_said_once(self):
        for values, reason in [
            ({"min": "sixty"}, "is not an amount. Write it in figures: 60000."),
            ({"as_of": "31/12/2025"}, "is not a date that can be read. Write 2025, 2025-06 or 2025-06-30."),
            ({"as_of": "2999"}, "is still to come. Choose a time that has begun."),
        ]:
            with self.subTest(values):
                query = self.read(**values)
                ((name, value),) = values.items()

                self.assertEqual((query.wrong[name].value, query.wrong[name].reason), (value, reason))
                self.assertEqual((query.ignored, query.unsaid), ([f"{name}={value}"], []))


class AsOfTests(TestCase):
    """The figures of a day, by all that is known now."""

    @classmethod
    def setUpTestData(cls):
        cls.analyst = make_role("Analyst", order=1)
        cls.gb = make_markets()["GB"]
        first = make_salary(cls.analyst, cls.gb, low=40_000, high=60_000, as_of="2024")
        second = first.publish_successor(low=45_000, high=66_000, as_of="2025", why="update")
        second.publish_successor(low=44_000, why="correction", why_note="A digit was wrong.")
        make_role("Builder", pay={"GB": (50_000, 70_000)}, order=2)

    def pay(self, parameters):
        rows = compare(Query.read(QueryDict(parameters))).rows
        return [str(row.pay[0].salary) for row in rows]

    def test_it_shows_what_was_true_on_the_last_day_of_the_date(self):
        self.assertEqual(self.pay("as_of=2024"), ["£40K–£60K", "None"])
        self.assertEqual(self.pay("as_of=2024-12-31"), ["£40K–£60K", "None"])
        self.assertEqual(self.pay("as_of=2025-01"), ["£44K–£66K", "None"])
        self.assertEqual(self.pay("as_of=1999"), ["None", "None"])

    def test_without_a_date_it_shows_what_stands_now(self):
        self.assertEqual(self.pay(""), ["£44K–£66K", "£50K–£70K"])

    def test_a_withdrawn_figure_was_not_true_then(self):
        salary = self.analyst.salary_ranges.get(superseded_at=None)
        salary.publish_successor(why="retraction", why_note="Made up.")

        self.assertEqual(self.pay("as_of=2025-06"), ["None", "None"])
        self.assertEqual(self.pay("as_of=2024-06"), ["£40K–£60K", "None"])

    def test_sorting_and_the_minimum_go_by_the_figures_of_the_day(self):
        make_role("Chemist", order=3)
        make_salary(Role.objects.get(slug="chemist"), self.gb, low=1_000, high=99_000, as_of="2024")

        for parameters, names in [
            ("as_of=2024&sort=-gb_high", ["Chemist", "Analyst", "Builder"]),
            ("as_of=2024&min=61000", ["Chemist"]),
            ("min=61000", ["Analyst", "Builder", "Chemist"]),
        ]:
            with self.subTest(parameters):
                self.assertEqual(shown(parameters), names)

    def test_the_axis_of_a_day_reaches_all_up_to_then_that_was_right(self):
        salary = self.analyst.salary_ranges.get(superseded_at=None)
        wrong = salary.publish_successor(high=990_000, as_of="2026", why="update")
        wrong.publish_successor(high=72_000, why="correction", why_note="A digit too many.")

        for day, top in {"2026": 75_000, "2025": 70_000, "2024": 60_000, "1999": 5}.items():
            with self.subTest(day):
                scales = compare(Query.read(QueryDict(f"as_of={day}"))).scales

                self.assertEqual([scale.top for scale in scales], [top, 5])

    def test_what_is_no_date_that_has_begun_is_ignored_and_named(self):
        for value in ("2025-13", "2999", "yesterday", "2025-02-30", "٢٠٢٥", "2025-1"):
            with self.subTest(value):
                query = Query.read(asked(as_of=value))

                self.assertEqual((query.as_of, query.ignored), ("", [f"as_of={value}"]))

    def test_links_keep_the_date_and_the_summary_says_it(self):
        query = Query.read(QueryDict("as_of=2024&sort=gb_high"))
        comparison = compare(query)

        self.assertEqual(comparison.columns[0].url, "/careers/?sort=role&as_of=2024")
        self.assertEqual(summary(comparison, query), "2 roles, sorted by UK upper figure, lowest first, as of 2024")

    def test_a_day_costs_no_more_queries_than_today(self):
        with self.assertNumQueries(7):
            compare(Query.read(QueryDict("as_of=2024")))

    def test_a_table_can_be_had_as_of_a_day(self):
        table = make_table(self.analyst)

        now, then = (comparisons_of({table.slug}, day)[table.slug] for day in (None, date(2024, 6, 1)))

        self.assertEqual([str(c.rows[0].pay[0].salary) for c in (now, then)], ["£44K–£66K", "£40K–£60K"])


class PageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        for number in range(53):
            make_role(f"Role {number:02}", pay={"GB": (1_000, 2_000 + number)}, order=number)

    def test_a_page_holds_fifty_and_the_next_one_goes_on(self):
        self.assertEqual((shown()[0], shown()[-1], len(shown())), ("Role 00", "Role 49", 50))
        self.assertEqual(shown("page=2"), ["Role 50", "Role 51", "Role 52"])

    def test_sorting_goes_over_all_of_them_and_begins_at_the_first_page(self):
        self.assertEqual(shown("sort=-gb_high&page=2"), ["Role 02", "Role 01", "Role 00"])
        heading = compare(Query.read(QueryDict("sort=-gb_high&page=2"))).columns[0]
        self.assertEqual(heading.url, "/careers/?sort=role")

    def test_a_page_that_there_is_not_is_named_and_the_first_shown(self):
        for value in ("3", "0", "-1", "x", "999999", "10000000", "²"):
            with self.subTest(value):
                query = Query.read(asked(page=value))
                comparison = compare(query)

                self.assertEqual(query.ignored, [f"page={value}"])
                self.assertEqual(comparison.rows[0].role.name, "Role 00")

    def test_the_summary_counts_all_and_says_which_page_this_is(self):
        query = Query.read(QueryDict("page=2"))

        self.assertEqual(summary(compare(query), query), "53 roles, page 2 of 2")

    def test_the_axis_is_that_of_all_pages(self):
        first, second = (compare(Query.read(QueryDict(text))) for text in ("", "page=2"))

        self.assertEqual([s.top for s in first.scales], [s.top for s in second.scales])

    def test_figures_with_a_history_cost_no_more_queries_than_new_ones(self):
        roles = [make_role(pay={"GB": (1000, 2000)}) for _ in range(5)]
        with CaptureQueriesContext(connection) as queries:
            compare(Query.of_all())

        for role in roles:
            role.salary_ranges.get().publish_successor(high=2500, why="update")

        with self.assertNumQueries(len(queries)):
            compare(Query.of_all())


class LargeFiguresTests(TestCase):
    def test_a_figure_in_hundreds_of_millions_has_an_axis(self):
        make_role("Director", pay={"GB": (99_000_000, None, True), "US": (1, 100_000_000)})

        tops = [scale.top for scale in compare(Query.of_all()).scales]

        self.assertEqual(tops, [150_000_000, 100_000_000])

    def test_and_so_has_one_that_no_form_would_take(self):
        make_role("Director", pay={"GB": (2_000_000_000, None, True)})

        self.assertEqual(compare(Query.of_all()).scales[0].top, 2_500_000_000)


class ScaleTests(SimpleTestCase):
    def setUp(self):
        self.market = Market(pk=1, code="GB", name="UK", currency="GBP")

    def salary(self, low, high, **values):
        return SalaryRange(market=self.market, low=low, high=high, **values)

    def test_the_axis_ends_on_a_round_figure_above_all(self):
        for highest, top in ((120_000, 150_000), (150_000, 150_000), (92_000, 95_000), (350_000, 350_000)):
            with self.subTest(highest):
                self.assertEqual(Scale.reaching(self.market, highest).top, top)

    def test_an_axis_without_figures_is_none_too_short(self):
        self.assertGreater(Scale.reaching(self.market, 0).top, 0)

    def test_bars_lie_on_the_axis(self):
        scale = Scale(self.market, 200_000)

        bar = scale.bar(self.salary(50_000, 100_000))
        open_bar = scale.bar(self.salary(50_000, None, is_open_ended=True))

        self.assertEqual((bar.x, bar.width, bar.is_open_ended), (25, 25, False))
        self.assertEqual((open_bar.x, open_bar.width, open_bar.is_open_ended), (25, 75, True))
