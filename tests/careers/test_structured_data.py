from django.test import TestCase

from tests import schema_org
from tests.factories import make_markets, make_path, make_role, make_salary

SITE = "http://127.0.0.1:8000"


class RoleTests(TestCase):
    def nodes(self, path):
        documents, _, _ = schema_org.read(self.client.get(path).text)
        return [node for document in documents for node in document["@graph"]]

    def occupations(self, role):
        return [node for node in self.nodes(role.get_absolute_url()) if node["@type"] == "Occupation"]

    def test_there_is_an_occupation_for_each_market_with_its_pay(self):
        role = make_role("Analyst", pay={"GB": (65_000, 120_000), "US": (140_000, 250_000, True)}, core=["SQL"])

        uk, us = self.occupations(role)

        self.assertEqual(uk["@id"], f"{SITE}/careers/analyst/#occupation-gb")
        self.assertEqual(uk["occupationLocation"], {"@type": "Country", "name": "UK"})
        self.assertEqual((uk["name"], uk["skills"]), ("Analyst", ["SQL"]))
        amount = uk["estimatedSalary"][0]
        self.assertEqual(
            (amount["@type"], amount["currency"], amount["minValue"], amount["maxValue"], amount["value"]["unitText"]),
            ("MonetaryAmount", "GBP", 65_000, 120_000, "YEAR"),
        )
        self.assertEqual(us["occupationLocation"]["name"], "US")

    def test_what_is_open_ended_has_no_upper_value(self):
        markets = make_markets()
        role = make_role("Analyst", pay={"GB": (65_000, 120_000, True)})
        make_salary(role, markets["US"], low=0, high=None, is_open_ended=True)

        amounts = [occupation["estimatedSalary"][0] for occupation in self.occupations(role)]

        self.assertEqual([amount["minValue"] for amount in amounts], [65_000, 0])
        for amount in amounts:
            self.assertNotIn("maxValue", amount)
            self.assertNotIn("maxValue", amount["value"])

    def test_withdrawn_pay_is_not_said_and_its_market_is_left_out(self):
        role = make_role("Analyst", pay={"GB": (61_000, 120_000), "US": (140_000, 250_000)})

        role.salary_ranges.get(market__code="GB").publish_successor(why="retraction", why_note="Made up.")

        (us,) = self.occupations(role)
        self.assertEqual(us["occupationLocation"]["name"], "US")
        role.salary_ranges.current().get(market__code="US").publish_successor(why="retraction", why_note="Made up.")
        (neither,) = self.occupations(role)
        self.assertNotIn("estimatedSalary", neither)
        self.assertNotIn("occupationLocation", neither)

    def test_an_update_is_said_at_once(self):
        role = make_role("Analyst", pay={"GB": (61_000, 120_000)})

        role.salary_ranges.get().publish_successor(high=125_000, why="update")

        self.assertEqual(self.occupations(role)[0]["estimatedSalary"][0]["maxValue"], 125_000)

    def test_several_ranges_of_a_market_stand_in_one_occupation_each_with_its_period(self):
        role = make_role("Analyst", pay={"GB": (61_000, 120_000)})
        make_salary(role, make_markets()["GB"], low=400, high=600, period="day", kind="base")

        (occupation,) = self.occupations(role)

        units = [(amount["value"]["unitText"], amount["name"]) for amount in occupation["estimatedSalary"]]
        self.assertEqual(units, [("YEAR", "base or total not stated"), ("DAY", "base pay")])

    def test_only_codes_that_match_exactly_are_said(self):
        role = make_role("Analyst")
        for code, match in (("258e", "exact"), ("2433", "close")):
            role.codes.create(
                scheme="ESCO", code=code, label="analyst", match=match, checked_in="CSV", checked_on="2026-11-23"
            )

        (occupation,) = self.occupations(role)

        self.assertEqual([code["codeValue"] for code in occupation["occupationalCategory"]], ["258e"])

    def test_roles_and_paths_say_the_way_to_them(self):
        role = make_role("Analyst", path=make_path("Data work"))

        for path, names in {
            role.get_absolute_url(): ["Careers", "Data work", "Analyst"],
            role.path.get_absolute_url(): ["Careers", "Data work"],
        }.items():
            way = self.nodes(path)[-1]["itemListElement"]
            self.assertEqual([step["name"] for step in way], names)

    def test_the_data_set_is_described_on_its_own_page_and_on_no_selection_of_it(self):
        make_role("Analyst", pay={"GB": (1, 2)})

        (data,) = self.nodes("/careers/")

        self.assertEqual(data["license"], "https://creativecommons.org/licenses/by/4.0/")
        files = [file["contentUrl"] for file in data["distribution"]]
        self.assertIn(f"{SITE}/careers/salaries.csv", files)
        self.assertEqual({self.client.get(file.removeprefix(SITE)).status_code for file in files}, {200})
        self.assertEqual(self.nodes("/careers/?market=gb"), [])
