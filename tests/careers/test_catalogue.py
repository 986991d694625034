from django.test import SimpleTestCase, TestCase

from careers.catalogue import Catalogue
from careers.models import Requirement, Role, Skill
from tests.factories import make_path, make_role, make_skill

from .catalogues import Words, core, must, nice


def labels(units):
    return [unit.label for unit in units]


class UnitTests(SimpleTestCase):
    def test_an_any_line_is_one_unit_and_an_all_line_one_for_each_skill(self):
        words = Words(
            {"Python": None, "PyTorch": None, "SQL": None, "TensorFlow": None},
            {"Builder": [must("PyTorch", "TensorFlow"), must("SQL", "Python", needs="all", label="Both")]},
        )

        units = words.role("Builder").musts

        self.assertEqual(labels(units), ["PyTorch/TensorFlow", "Python", "SQL"])
        self.assertEqual([words.names(unit.skills) for unit in units], [["PyTorch", "TensorFlow"], ["Python"], ["SQL"]])
        self.assertEqual([unit.part_of for unit in units], ["", "Both", "Both"])

    def test_an_all_line_of_one_skill_keeps_its_own_words(self):
        words = Words({"Python": None}, {"Builder": [must("Python", needs="all", label="Good Python")]})

        self.assertEqual([(unit.label, unit.part_of) for unit in words.role("Builder").musts], [("Good Python", "")])

    def test_must_and_nice_lines_beat_core_and_what_they_miss_out_counts_as_a_must(self):
        words = Words(
            {"Cloud": None, "Python": None, "SQL": None},
            {"Builder": [core("Python"), core("Cloud"), core("SQL"), must("Python"), nice("Cloud")]},
        )

        role = words.role("Builder")

        self.assertEqual((labels(role.musts), labels(role.nices)), (["Python", "SQL"], ["Cloud"]))
        self.assertEqual([unit.origin for unit in role.musts], ["own list", "core skills"])

    def test_a_core_line_of_which_one_skill_is_mentioned_counts_for_no_more(self):
        words = Words(
            {"AWS": None, "Azure": None, "SQL": None, "R": None},
            {"Builder": [core("AWS", "Azure"), core("SQL", "R", needs="all"), nice("Azure"), must("SQL")]},
        )

        self.assertEqual(labels(words.role("Builder").musts), ["SQL", "R"])

    def test_the_lists_of_the_path_hold_unless_the_role_has_its_own(self):
        words = Words(
            {"Python": None, "SQL": None},
            {
                "With": ([must("Python")], "Data"),
                "Without": ([core("Python")], "Data"),
                "With nothing but a wish": ([nice("SQL")], "Data"),
            },
            {"Data": [must("SQL"), core("Python")]},
        )

        self.assertEqual(labels(words.role("With").musts), ["Python"])
        self.assertEqual(labels(words.role("Without").musts), ["SQL", "Python"])
        self.assertEqual(words.role("With nothing but a wish").musts, ())
        self.assertEqual([unit.origin for unit in words.role("Without").musts], ["path’s list", "core skills"])
        self.assertEqual(words.role("Without").path_name, "Data")

    def test_a_line_without_skills_is_left_out(self):
        words = Words({"Python": None}, {"Builder": [must(label="Charm"), must("Python")]})

        self.assertEqual(labels(words.role("Builder").musts), ["Python"])


class SkillTests(SimpleTestCase):
    def test_a_skill_counts_for_its_broader_skills_and_never_the_reverse(self):
        words = Words({"scikit-learn": "Python", "Python": "Python basics", "Python basics": None})

        self.assertEqual(
            words.names(words.catalogue.implied_by(words.pks("scikit-learn"))),
            ["Python", "Python basics", "scikit-learn"],
        )
        self.assertEqual(words.names(words.catalogue.implied_by(words.pks("Python basics"))), ["Python basics"])
        self.assertEqual(
            words.names(words.catalogue.implying(words.pks("Python"))),
            ["Python", "scikit-learn"],
        )

    def test_a_circle_of_broader_skills_has_an_end(self):
        words = Words({"A": "B", "B": "C", "C": "A"})

        self.assertEqual(words.names(words.catalogue.implied_by(words.pks("B"))), ["A", "B", "C"])

    def test_a_merged_skill_is_what_it_was_merged_into_however_many_steps_away(self):
        words = Words(
            {"Python": "Coding", "Coding": None},
            {"Builder": [must("Py three")]},
            merged={"Py": "Python", "Py three": "Py"},
        )
        python = words.keys["Python"]

        self.assertEqual(words.catalogue.target[words.keys["Py three"]], python)
        self.assertEqual(words.names(words.catalogue.implied_by(words.pks("Py"))), ["Coding", "Python"])
        self.assertEqual(words.role("Builder").musts[0].skills, {python})
        self.assertNotIn(words.keys["Py"], words.catalogue.skills)

    def test_a_circle_of_merges_has_an_end(self):
        words = Words({"Python": None}, {"Builder": [must("A"), must("B")]}, merged={"A": "B", "B": "A"})

        first, second = words.role("Builder").musts
        self.assertEqual(first.skills, second.skills)

    def test_skills_that_only_a_narrower_one_implies_are_asked_too(self):
        words = Words(
            {"pandas": "Python", "Python": "Coding", "Coding": None, "Law": None, "SQL": None},
            {"Builder": [nice("pandas")]},
            {"Data": [core("SQL")]},
        )

        self.assertEqual(words.names(words.catalogue.asked), ["Coding", "Python", "SQL", "pandas"])

    def test_one_skill_for_several_units_is_the_plainest(self):
        words = Words(
            {"PostgreSQL": "SQL", "SQL": None, "Law": None},
            {"Analyst": [must("SQL")], "Clerk": [must("SQL"), must("Law")], "Nobody": []},
        )

        skills = {
            name: words.catalogue.one_skill_for(words.role(name).musts) for name in ("Analyst", "Clerk", "Nobody")
        }

        self.assertEqual(skills["Analyst"].name, "SQL")
        self.assertIsNone(skills["Clerk"])
        self.assertIsNone(skills["Nobody"])


class LoadTests(TestCase):
    def make_roles(self, count):
        path = make_path(f"Path {Role.objects.count()}")
        line = Requirement.objects.create(path=path, importance="must", label="Both", detail="well", needs="all")
        line.skills.add(make_skill("Python"), make_skill("SQL"))
        for _ in range(count):
            make_role(core=["Python", "Statistics"], path=path)

    def test_a_hundred_roles_cost_as_many_queries_as_one(self):
        self.make_roles(1)
        with self.assertNumQueries(4):
            Catalogue.load()
        self.make_roles(99)

        with self.assertNumQueries(4):
            catalogue = Catalogue.load()

        self.assertEqual(len(catalogue.roles), 100)

    def test_it_reads_what_a_roles_lists_say(self):
        self.make_roles(1)
        role = Role.objects.get()

        units = Catalogue.load().roles[role.pk]

        lists = role.lists()
        self.assertEqual({unit.line for unit in units.musts}, {lists["must"][0].pk, lists["core"][1].pk})
        self.assertEqual((units.musts[0].label, units.musts[0].more), ("Python", "Part of “Both”: well"))
        self.assertEqual(units.get_absolute_url(), role.get_absolute_url())
        self.assertEqual(units.get_path_url(), role.path.get_absolute_url())

    def test_roles_stand_in_the_editors_order(self):
        for name, order in (("Zoologist", 1), ("analyst", 2), ("Builder", 2)):
            make_role(name, order=order)

        names = [role.name for role in Catalogue.load().roles.values()]

        self.assertEqual(names, ["Zoologist", "analyst", "Builder"])

    def test_merged_skills_are_read_as_their_targets(self):
        role = make_role(core=["Py"])
        Skill.objects.filter(slug="py").update(merged_into=make_skill("Python"))

        catalogue = Catalogue.load()

        self.assertEqual(catalogue.roles[role.pk].musts[0].skills, {Skill.objects.get(slug="python").pk})
