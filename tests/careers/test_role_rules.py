from datetime import date
from io import StringIO

from django.core.management import call_command
from django.test import TestCase

from articles.publishing import publish
from articles.review import collect
from careers.merging import merge
from careers.models import Requirement, Skill
from tests.factories import (
    add_role_table,
    make_article,
    make_draft,
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_skill,
    make_source,
    make_table,
    make_user,
)

TODAY = date(2026, 11, 24)


def found_by(key):
    return [finding for finding in collect(TODAY) if finding.rule.key == key]


def ask(importance, *skills, **owner):
    line = Requirement.objects.create(importance=importance, label=" or ".join(skills), **owner)
    line.skills.set([make_skill(skill) for skill in skills])
    return line


class CoreButNiceTests(TestCase):
    def test_a_core_skill_that_the_path_calls_nice_is_found(self):
        path = make_path()
        role = make_role("Analyst", core=["MLOps", "SQL"], path=path)
        ask("nice", "MLOps", path=path)
        ask("must", "SQL", path=path)

        (finding,) = found_by("core-but-nice")

        self.assertEqual(finding.subject, role)
        self.assertIn("“MLOps” is core in the table", finding.message)

    def test_a_skill_that_is_a_must_as_well_is_in_order(self):
        path = make_path()
        make_role(core=["MLOps"], path=path)
        ask("nice", "MLOps", path=path)
        ask("must", "MLOps", "SQL", path=path)

        self.assertEqual(found_by("core-but-nice"), [])

    def test_lists_of_the_roles_own_stand_in_the_place_of_the_paths(self):
        path = make_path()
        agreeing, contradicting = (make_role(name, core=["MLOps"], path=path) for name in ("Agrees", "Contradicts"))
        ask("nice", "MLOps", path=path)
        ask("must", "MLOps", role=agreeing)
        ask("nice", "MLOps", role=contradicting)

        self.assertEqual([finding.subject for finding in found_by("core-but-nice")], [contradicting])

    def test_a_line_of_two_skills_is_found_once_and_each_line_by_itself(self):
        path = make_path()
        role = make_role(core=["MLOps"], path=path)
        ask("core", "AWS", "Azure", role=role)
        ask("nice", "AWS", "Azure", "MLOps", path=path)

        found = found_by("core-but-nice")

        self.assertEqual(len({finding.subject_key for finding in found}), 2)
        self.assertEqual(len(found), 2)

    def test_roles_without_a_path_and_other_paths_are_left_alone(self):
        ask("nice", "MLOps", path=make_path())
        make_role(core=["MLOps"])
        make_role(core=["MLOps"], path=make_path("Other work"))

        self.assertEqual(found_by("core-but-nice"), [])

    def test_lines_of_merged_skills_compare_as_the_skill_that_stayed(self):
        path = make_path()
        make_role("Analyst", core=["Prompting"], path=path)
        ask("nice", "Prompt design", path=path)
        self.assertEqual(found_by("core-but-nice"), [])

        merge([make_skill("Prompting")], make_skill("Prompt design"), make_user("Editor"))

        (finding,) = found_by("core-but-nice")
        self.assertIn("“Prompting” is core in the table", finding.message)


class AskedTwiceTests(TestCase):
    def test_lines_that_come_to_mean_the_same_by_a_merge_are_found(self):
        role = make_role()
        alpha, beta = make_skill("Alpha"), make_skill("Beta")
        for label, importance, skills in [
            ("Alpha", "must", [alpha]),
            ("Beta", "nice", [beta]),
            ("Either", "must", [alpha, beta]),
            ("Core", "core", [alpha]),
        ]:
            role.requirements.create(importance=importance, label=label).skills.set(skills)
        self.assertEqual(found_by("asked-twice"), [])

        merge([beta], alpha, make_user("Editor"))

        self.assertEqual(
            [(finding.subject, finding.message) for finding in found_by("asked-twice")],
            [
                (role, "“Alpha” (must) and “Beta” (nice) are met by the same skills."),
                (role, "“Alpha” (must) and “Either” (must) are met by the same skills."),
            ],
        )

    def test_lines_without_skills_and_lists_of_others_are_left_alone(self):
        skill = make_skill("Alpha")
        for owner in (make_role(), make_role()):
            owner.requirements.create(importance="must", label="Alpha").skills.add(skill)
            owner.requirements.create(importance="must", label="None")
            owner.requirements.create(importance="nice", label="None either")

        self.assertEqual(found_by("asked-twice"), [])


class MergedSkillTests(TestCase):
    def test_a_line_that_names_a_merged_skill_is_found(self):
        gone = make_skill("Gone", merged_into=make_skill("Kept"))
        role = make_role(core=["Kept"])
        line = role.requirements.create(importance="must", label="A line")
        line.skills.add(gone)

        message = "“A line” names Gone, which was merged into Kept. Save the list again."
        (finding,) = found_by("merged-skill")
        self.assertEqual((finding.subject, finding.message), (role, message))


class NoRequirementsTests(TestCase):
    def test_a_role_without_a_list_of_its_own_or_of_a_path_is_found(self):
        make_role("Alone", core=["Python"])
        make_role("On a bare path", path=make_path("Bare path"))
        path = make_path()
        ask("must", "Python", path=path)
        make_role("By its path", path=path)
        ask("nice", "Python", role=make_role("By itself"))

        self.assertEqual(
            {finding.name: finding.message for finding in found_by("no-requirements")},
            {
                "Alone": "It stands on no path and has no list of must and nice skills.",
                "On a bare path": "Neither it nor its path, Bare path, has a list of must and nice skills.",
            },
        )


class LineWithoutSkillTests(TestCase):
    def test_a_line_that_names_no_skill_is_found_whosever_it_is(self):
        role, path = make_role("Analyst", core=["Python"]), make_path("Data work")
        ask("must", role=role)
        ask("nice", path=path)
        ask("nice", "SQL", path=path)

        found = found_by("line-without-skill")

        self.assertCountEqual([finding.subject for finding in found], [role, path])
        self.assertEqual(len({finding.subject_key for finding in found}), 2)


class SkillWithoutUseTests(TestCase):
    def test_a_skill_that_counts_for_no_line_is_found(self):
        asked = make_skill("Python", broader=make_skill("Basics"))
        make_skill("pandas", broader=asked)
        make_skill("Lonely narrower", broader=make_skill("Lonely"))
        make_role(core=["Python"])
        merge([make_skill("Old name")], asked, make_user("Editor"))

        self.assertEqual({finding.name for finding in found_by("skill-without-use")}, {"Lonely", "Lonely narrower"})
        self.client.force_login(make_user("Editor"))
        queue = self.client.get("/admin/review/?rule=skill-without-use")
        self.assertContains(queue, f'href="/admin/careers/skill/{Skill.objects.get(slug="lonely").pk}/change/"')


class TableInAnArticleTests(TestCase):
    def test_a_title_is_compared_with_the_pay_that_its_table_shows(self):
        market, source = make_markets()["GB"], make_source()
        role = make_role("Analyst")
        make_salary(role, market, low=60_000, as_of="2024", kind="total", source=source)
        make_salary(role, market, low=50_000, as_of="2023", kind="base")
        make_salary(role, market, low=300, high=400, as_of="2022", period="day", kind="total")
        make_salary(make_role("In no table"), market, as_of="2021")
        draft = make_draft(title="Pay in 2026")
        add_role_table(draft, make_table(role))
        publish(draft, by=None)

        (finding,) = found_by("title-year")

        self.assertEqual(finding.subject, draft)
        self.assertIn("shows a figure from before: £60K–£90K (2024).", finding.message)


class LaunchFactTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        call_command("load_launch_content", stdout=StringIO())

    def test_exactly_the_known_contradictions_are_found(self):
        found = {
            (finding.name, finding.message.split("”")[0].removeprefix("“")) for finding in found_by("core-but-nice")
        }

        self.assertEqual(
            found,
            {
                ("ML Engineer", "MLOps"),
                ("ML Engineer", "Cloud (AWS/GCP)"),
                ("AI Product Manager", "Prompt design"),
                ("AI Engineer (LLM)", "Agents"),
            },
        )

    def test_exactly_the_roles_without_lists_are_found(self):
        found = {finding.name for finding in found_by("no-requirements")}

        self.assertEqual(found, {"Prompt Engineer", "MLOps Engineer", "AI Research Scientist"})

    def test_every_line_has_a_skill_and_every_skill_a_use(self):
        self.assertEqual(found_by("line-without-skill") + found_by("skill-without-use"), [])

    def test_merging_shows_a_contradiction_that_two_names_hid(self):
        agents = Skill.objects.get(slug="ai-agents")
        agents_by_another_name = make_skill("Agentic systems")
        line = Requirement.objects.get(label="Agents", importance="core")
        line.skills.set([agents_by_another_name])
        self.assertEqual(len(found_by("core-but-nice")), 3)

        merge([agents_by_another_name], agents, make_user("Editor"))

        self.test_exactly_the_known_contradictions_are_found()


class TitleYearTests(TestCase):
    def test_pay_that_a_text_refers_to_is_held_against_the_title(self):
        role = make_role("Analyst")
        make_salary(role, make_markets()["GB"], low=50_000, high=90_000, as_of="2023")
        text = '<p>It pays <data value="salary:analyst/gb"></data>, twice <data value="salary:analyst/gb"></data>.</p>'
        article = make_article(title="Pay in 2026", html=text)
        make_article(title="Skills in 2026", html="<p>None.</p>")

        found = found_by("title-year")

        self.assertEqual([finding.subject for finding in found], [article])
        self.assertIn("£50K–£90K (2023)", found[0].message)
