"""Roles and salaries for programs, and the package, judged by the standard’s own profile and by its tool."""

import csv
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import frictionless
import jsonschema
from django.test import TestCase

from articles.models import Sourced
from careers.models import Requirement, RoleCode, RoleRelation
from tests.factories import (
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_skill,
    make_source,
    make_statistic,
)

PROFILE = json.loads((Path(__file__).parent / "profiles/datapackage-2.0.json").read_text("utf-8"))
START = datetime(2026, 1, 10, 12, tzinfo=UTC)
FILES = ["README.md", "datapackage.json", "roles.csv", "salaries.csv", "statistics.csv", "sources.csv", "roles.json"]
PATHS = ["roles.csv", "roles.json", "salaries.csv", "datapackage.json", "veltrix-data.zip"]


def rows_of(response):
    return list(csv.DictReader(StringIO(response.content.decode(), newline=""), strict=True))


def make_data():
    """Two roles, one with a path, a history of pay, codes and awkward text; a withdrawn figure; statistics."""
    path = make_path("Data work")
    Requirement.objects.create(path=path, importance="must", label="SQL; joins").skills.add(make_skill("SQL"))
    Requirement.objects.create(path=path, importance="nice", label="@mentions")
    analyst = make_role("Analyst", path=path, core=["Python"], summary='=1+1, "quoted"\nand more')
    builder = make_role("Builder", pay={"US": (100_000, 150_000, True)})
    RoleRelation.objects.create(role=analyst, related=builder)
    RoleCode.objects.create(
        role=analyst,
        scheme="ISCO-08",
        code="2120",
        label="Statisticians",
        match="close",
        checked_in="ILO",
        checked_on="2026-01-02",
    )
    source = make_source(slug="survey", url="https://survey.example/2024", newer_edition=make_source(slug="survey-2"))
    gb = make_markets()["GB"]
    first = make_salary(analyst, gb, low=40_000, high=60_000, as_of="2024", source=source, published_at=START)
    second = first.publish_successor(
        at=START + timedelta(days=1), high=65_000, why="correction", why_note="-a digit was wrong"
    )
    third = second.publish_successor(at=START + timedelta(days=2), low=45_000, high=70_000, as_of="2025", why="update")
    wrong = make_salary(builder, gb, low=1_000, high=2_000, as_of="2024", published_at=START)
    gone = wrong.publish_successor(at=START + timedelta(days=3), why="retraction", why_note="Another role’s.")
    make_statistic("97M", source=source, as_of="2025", check_status="disputed").current.publish_successor(
        at=datetime.now(UTC), why="retraction", why_note="No."
    )
    make_statistic("3×", claim="+times as many")
    return first, second, third, wrong, gone


class SalariesTests(TestCase):
    def test_every_range_ever_published_with_its_evidence(self):
        first, second, third, wrong, gone = make_data()

        rows = {int(row["id"]): row for row in rows_of(self.client.get("/careers/salaries.csv"))}

        self.assertEqual(len(rows), 6)
        row = rows[first.pk]
        self.assertEqual((row["role"], row["market"], row["currency"]), ("analyst", "GB", "GBP"))
        self.assertEqual((row["low"], row["high"], row["is_open_ended"]), ("40000", "60000", "false"))
        self.assertEqual((row["source"], row["as_of"], row["check_status"]), ("survey", "2024", "unchecked"))
        self.assertEqual(rows[second.pk]["why_note"], "'-a digit was wrong")
        self.assertEqual(rows[third.pk]["supersedes"], str(second.pk))
        current = {pk for pk, row in rows.items() if row["is_current"] == "true"}
        self.assertEqual(current, {third.pk, *(pk for pk in rows if rows[pk]["market"] == "US")})
        self.assertEqual((rows[gone.pk]["low"], rows[gone.pk]["is_withdrawn"]), ("", "true"))
        self.assertEqual((rows[wrong.pk]["low"], rows[wrong.pk]["true_from"]), ("1000", ""))

    def test_an_as_of_date_gives_one_row_for_each_line(self):
        _, second, third, *_ = make_data()

        for as_of, figure in (("2024-06", second), ("2024", second), ("2025-01-01", third)):
            rows = rows_of(self.client.get(f"/careers/salaries.csv?as_of={as_of}"))
            self.assertEqual([row["id"] for row in rows], [str(figure.pk)])


class RolesTests(TestCase):
    def test_a_line_for_each_role_with_what_it_asks_for(self):
        make_data()

        analyst, builder = rows_of(self.client.get("/careers/roles.csv"))

        self.assertEqual((analyst["slug"], analyst["path"]), ("analyst", "data-work"))
        self.assertEqual((analyst["core_skills"], analyst["must_have"]), ("Python", "SQL, joins"))
        self.assertEqual(analyst["nice_to_have"], "'@mentions")
        self.assertEqual((analyst["codes"], analyst["related"]), ("ISCO-08 2120", "builder"))
        self.assertEqual(analyst["summary"], '\'=1+1, "quoted"\nand more')
        self.assertTrue(analyst["url"].endswith("/careers/analyst/"))
        self.assertEqual((builder["path"], builder["must_have"]), ("", ""))

    def test_a_role_with_lists_of_its_own_does_not_take_its_paths(self):
        make_data()
        role = make_role("Chief", path=make_path("Leading"))
        Requirement.objects.create(path=role.path, importance="must", label="Of the path")
        Requirement.objects.create(role=role, importance="nice", label="Of the role")

        row = next(row for row in rows_of(self.client.get("/careers/roles.csv")) if row["slug"] == "chief")

        self.assertEqual((row["must_have"], row["nice_to_have"]), ("", "Of the role"))

    def test_the_document_nests_pay_requirements_codes_and_sources(self):
        _, _, third, *_ = make_data()

        document = json.loads(self.client.get("/careers/roles.json").content)

        analyst, builder = document["roles"]
        self.assertEqual([(p["id"], p["market"], p["low"], p["source"]) for p in analyst["pay"]], [
            (third.pk, "GB", 45_000, "survey")
        ])  # fmt: skip
        self.assertEqual([p["market"] for p in builder["pay"]], ["US"])
        self.assertEqual(analyst["requirements"]["must"][0], {
            "label": "SQL; joins", "detail": "", "needs": "any", "skills": ["sql"],
        })  # fmt: skip
        self.assertEqual(analyst["codes"][0]["match"], "close")
        self.assertEqual([source["slug"] for source in document["sources"]], ["survey"])
        self.assertEqual([market["code"] for market in document["markets"]], ["GB", "US"])
        self.assertIsNone(document["as_of"])

    def test_the_document_takes_a_date(self):
        _, second, *_ = make_data()

        document = json.loads(self.client.get("/careers/roles.json?as_of=2024").content)

        self.assertEqual(document["as_of"], "2024")
        self.assertEqual([[p["id"] for p in role["pay"]] for role in document["roles"]], [[second.pk], []])


class PackageTests(TestCase):
    def test_the_served_description_holds_to_the_profile_and_names_the_living_files(self):
        make_data()

        for query in ("", "?as_of=2024"):
            package = json.loads(self.client.get(f"/careers/datapackage.json{query}").content)

            jsonschema.Draft7Validator(PROFILE).validate(package)
            for resource in package["resources"]:
                self.assertTrue(resource["path"].endswith(query))
                address = resource["path"].removeprefix("http://127.0.0.1:8000")
                self.assertEqual(self.client.get(address).status_code, 200)
            self.assertEqual([licence["name"] for licence in package["licenses"]], ["CC-BY-4.0"])

    def test_the_unpacked_package_is_valid_with_its_data_and_asks_the_network_nothing(self):
        make_data()
        for query in ("", "?as_of=2024", "?as_of=1999"):
            with self.subTest(query), TemporaryDirectory() as folder:
                content = self.client.get(f"/careers/veltrix-data.zip{query}").content
                with zipfile.ZipFile(BytesIO(content)) as archive:
                    self.assertEqual(archive.namelist(), FILES)
                    archive.extractall(folder)
                path = Path(folder, "datapackage.json")

                jsonschema.Draft7Validator(PROFILE).validate(json.loads(path.read_text("utf-8")))
                with mock.patch("socket.socket.connect", side_effect=AssertionError("asked the network")):
                    report = frictionless.Package(str(path)).validate()

                self.assertTrue(report.valid, report.flatten(["type", "message"]))
                self.assertEqual(report.stats["tasks"], 5)

    def test_the_command_line_tool_says_the_same(self):
        make_data()
        with TemporaryDirectory() as folder:
            with zipfile.ZipFile(BytesIO(self.client.get("/careers/veltrix-data.zip").content)) as archive:
                archive.extractall(folder)

            done = subprocess.run(
                [sys.executable, "-m", "frictionless", "validate", "datapackage.json"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_wrong_cell_would_be_found(self):
        make_data()
        with TemporaryDirectory() as folder:
            with zipfile.ZipFile(BytesIO(self.client.get("/careers/veltrix-data.zip").content)) as archive:
                archive.extractall(folder)
            salaries = Path(folder, "salaries.csv")
            salaries.write_bytes(salaries.read_bytes().replace(b",survey,", b",nobody,", 1))

            report = frictionless.Package(str(Path(folder, "datapackage.json"))).validate()

        types = {row[0] for row in report.flatten(["type"])}
        self.assertLessEqual({"hash-count", "foreign-key"}, types)

    def test_an_empty_site_gives_a_valid_package(self):
        with TemporaryDirectory() as folder:
            with zipfile.ZipFile(BytesIO(self.client.get("/careers/veltrix-data.zip").content)) as archive:
                archive.extractall(folder)

            self.assertTrue(frictionless.Package(str(Path(folder, "datapackage.json"))).validate().valid)

    def test_the_same_data_gives_the_same_bytes(self):
        make_data()

        contents = {self.client.get("/careers/veltrix-data.zip").content for _ in range(2)}

        self.assertEqual(len(contents), 1)

    def test_the_readme_explains_every_column_and_the_terms(self):
        make_data()
        with zipfile.ZipFile(BytesIO(self.client.get("/careers/veltrix-data.zip").content)) as archive:
            readme = archive.read("README.md").decode()
            package = json.loads(archive.read("datapackage.json"))

        for resource in package["resources"]:
            for field in resource.get("schema", {}).get("fields", []):
                self.assertIn(f"- `{field['name']}` ({field['type']}): {field['description']}", readme)
        for words in ("CC-BY-4.0", "Cite it as", "apostrophe", "as_of", "is_withdrawn"):
            self.assertIn(words, readme)
        self.assertNotIn("&", readme)

    def test_columns_are_promises(self):
        """A renamed or moved column breaks the programs of others; add new ones at the end."""
        make_data()
        beginnings = {
            "/careers/roles.csv": "slug,name,url,summary,path,path_name,core_skills,must_have,nice_to_have,codes,"
            "related",
            "/careers/salaries.csv": "id,role,role_name,market,currency,kind,basis,level,period,low,high,is_open_ended,"
            "median,sample_size,source,source_citation,locator,as_of,check_status,check_note,checked_on,why,why_note,"
            "published_at,superseded_at,supersedes,line,is_current,is_withdrawn,true_from,true_until",
            "/statistics.csv": "id,statistic,claim,unit,scope,value,display_text,horizon_year,source,source_citation,"
            "locator,as_of,check_status,check_note,checked_on,why,why_note,published_at,superseded_at,supersedes,line,"
            "is_current,is_withdrawn,true_from,true_until",
            "/sources.csv": "slug,citation,producer,authors,title,edition,kind,published,url,archive_url,doi,isbn,"
            "accessed_on,licence,projection_horizon,newer_edition",
        }
        for path, columns in beginnings.items():
            with self.subTest(path):
                header = self.client.get(path).content.decode().split("\r\n")[0]
                self.assertTrue(header.startswith(columns), header)


class AnswerTests(TestCase):
    def test_types_names_and_validators(self):
        make_data()
        types = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json", "zip": "application/zip"}
        for name in PATHS:
            with self.subTest(name):
                response = self.client.get(f"/careers/{name}")

                self.assertEqual(response.headers["Content-Type"], types[name.rpartition(".")[2]])
                self.assertEqual(response.headers["Content-Disposition"], f'attachment; filename="{name}"')
                self.assertFalse(response.cookies)
                again = self.client.get(f"/careers/{name}", headers={"If-None-Match": response.headers["ETag"]})
                self.assertEqual((again.status_code, again.content), (304, b""))
                self.assertEqual(self.client.head(f"/careers/{name}").content, b"")
                self.assertEqual(self.client.post(f"/careers/{name}").status_code, 405)

    def test_wrong_parameters_are_refused(self):
        for name in PATHS:
            for query in ("as_of=soon", "market=gb", "as_of=2024&as_of=2025"):
                with self.subTest(f"{name}?{query}"):
                    response = self.client.get(f"/careers/{name}?{query}")
                    self.assertEqual(response.status_code, 400)
                    self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")

    def test_each_file_costs_a_fixed_number_of_queries(self):
        costs = {"roles.csv": 7, "roles.json": 9, "salaries.csv": 3, "datapackage.json": 4, "veltrix-data.zip": 11}
        make_data()
        for name, cost in costs.items():
            with self.subTest(name), self.assertNumQueries(cost):
                self.client.get(f"/careers/{name}")
        for number in range(20):
            role = make_role(f"Role number {number}", path=make_path(f"Path {number}"), core=["SQL", f"S{number}"])
            make_salary(role, make_markets()["GB"], source=make_source(), why=Sourced.Why.NEW)

        for name, cost in costs.items():
            with self.subTest(f"{name}, many"), self.assertNumQueries(cost):
                self.client.get(f"/careers/{name}?as_of=2026")


class LinkTests(TestCase):
    def test_the_careers_page_offers_the_files(self):
        response = self.client.get("/careers/")

        for path in ("salaries.csv", "roles.csv", "roles.json", "datapackage.json", "veltrix-data.zip"):
            self.assertContains(response, f'href="/careers/{path}"')
        self.assertContains(response, 'href="/statistics.csv"')
        self.assertContains(response, '<link rel="alternate" type="text/csv" href="/careers/salaries.csv"')
        self.assertContains(response, "https://creativecommons.org/licenses/by/4.0/")
