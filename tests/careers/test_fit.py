from django.test import SimpleTestCase

from careers.fit import check, explain

from .catalogues import Words, core, must, nice

SKILLS = {
    "scikit-learn": "Python",
    "Python": "Python basics",
    "Python basics": None,
    "SQL": None,
    "PostgreSQL": "SQL",
    "PyTorch": None,
    "TensorFlow": None,
    "Law": None,
    "Ethics": None,
}


def results_of(words, *had):
    """Name, musts met of all, nices met of all, for each role in order."""
    return [
        (result.role.name, result.musts_met, len(result.role.musts), result.nices_met, len(result.role.nices))
        for result in check(words.catalogue, words.pks(*had)).results
    ]


def explained(words, role, *had):
    """Label, what meets it, what it counts for and what would meet it, for each must."""
    lines = explain(words.catalogue, words.role(role).musts, words.pks(*had))
    return [
        (
            line.unit.label,
            line.met_by and line.met_by.name,
            line.counts_for and line.counts_for.name,
            [skill.name for skill in line.would_meet],
        )
        for line in lines
    ]


class CheckTests(SimpleTestCase):
    def test_a_skill_counts_for_its_broader_skills_and_never_the_reverse(self):
        words = Words(SKILLS, {"Scientist": [must("scikit-learn"), must("Python"), must("Python basics")]})

        self.assertEqual(results_of(words, "scikit-learn"), [("Scientist", 3, 3, 0, 0)])
        self.assertEqual(results_of(words, "Python"), [("Scientist", 2, 3, 0, 0)])
        self.assertEqual(results_of(words, "Python basics"), [("Scientist", 1, 3, 0, 0)])

    def test_an_any_line_is_met_by_either_skill_and_an_all_line_in_parts(self):
        words = Words(SKILLS, {"Builder": [must("PyTorch", "TensorFlow"), must("Python", "SQL", needs="all")]})

        self.assertEqual(results_of(words, "PyTorch"), [("Builder", 1, 3, 0, 0)])
        self.assertEqual(results_of(words, "TensorFlow", "PyTorch"), [("Builder", 1, 3, 0, 0)])
        self.assertEqual(results_of(words, "SQL"), [("Builder", 1, 3, 0, 0)])

    def test_core_skills_count_as_musts_where_no_list_mentions_them(self):
        words = Words(SKILLS, {"Builder": [core("Law"), core("SQL"), core("Python"), must("Law"), nice("SQL")]})

        self.assertEqual(results_of(words, "SQL", "Python"), [("Builder", 1, 2, 1, 1)])

    def test_results_stand_by_share_then_missing_then_nice_share_then_order_then_title(self):
        words = Words(
            SKILLS,
            {
                "Third of four": [must("Law"), must("SQL"), must("PyTorch"), must("Python")],
                "Whole": [must("SQL")],
                "Half of two": [must("SQL"), must("Law")],
                "Half of four": [must("SQL"), must("Python"), must("Law"), must("Ethics")],
                "Half with a nice one": [must("SQL"), must("Law"), nice("Python"), nice("Ethics")],
                "Half with no nice met": [must("SQL"), must("Law"), nice("Ethics")],
                "None": [must("Law")],
            },
        )

        names = [name for name, *_ in results_of(words, "SQL", "Python")]

        self.assertEqual(
            names,
            [
                "Whole",
                "Half with a nice one",
                "Half of two",
                "Half with no nice met",
                "Third of four",
                "Half of four",
                "None",
            ],
        )

    def test_without_a_skill_nothing_is_ranked_and_nothing_advised(self):
        words = Words(SKILLS, {"Analyst": [must("SQL")]})

        found = check(words.catalogue, [])

        self.assertEqual((found.results, found.next_skill, found.one_away), ([], None, []))

    def test_roles_without_musts_are_named_apart(self):
        words = Words(SKILLS, {"Dreamer": [nice("SQL")], "Analyst": [must("SQL")]})

        found = check(words.catalogue, words.pks("SQL"))

        self.assertEqual([role.name for role in found.without_musts], ["Dreamer"])
        self.assertEqual([result.role.name for result in found.results], ["Analyst"])


class ExplanationTests(SimpleTestCase):
    def test_a_met_line_names_the_readers_skill_and_what_it_counts_for(self):
        words = Words(SKILLS, {"Builder": [must("Python"), must("Python basics", "Law"), must("SQL")]})

        self.assertEqual(
            explained(words, "Builder", "scikit-learn", "SQL", "PostgreSQL"),
            [
                ("Python", "scikit-learn", "Python", []),
                ("Python basics/Law", "scikit-learn", "Python basics", []),
                ("SQL", "SQL", None, []),
            ],
        )

    def test_the_nearest_skill_is_named_where_several_are_implied(self):
        words = Words(SKILLS, {"Builder": [must("Python basics", "Python")]})

        self.assertEqual(
            explained(words, "Builder", "scikit-learn"), [("Python basics/Python", "scikit-learn", "Python", [])]
        )

    def test_a_missing_line_names_each_skill_that_would_meet_it(self):
        words = Words(SKILLS, {"Builder": [must("TensorFlow", "PyTorch")]})

        self.assertEqual(
            explained(words, "Builder", "SQL"), [("TensorFlow/PyTorch", None, None, ["PyTorch", "TensorFlow"])]
        )


class AdviceTests(SimpleTestCase):
    def test_the_next_skill_is_the_one_that_would_meet_the_most_musts(self):
        words = Words(
            SKILLS,
            {
                "Builder": [must("PyTorch", "TensorFlow"), must("Python")],
                "Coder": [must("Python basics"), must("Ethics")],
                "Lawyer": [must("Law"), must("SQL")],
            },
        )

        found = check(words.catalogue, words.pks("SQL")).next_skill

        self.assertEqual((found.skill.name, found.musts_met), ("Python", 2))
        self.assertEqual([skill.name for skill in found.brings], ["Python basics"])
        self.assertEqual(
            [(role.name, [unit.label for unit in units]) for role, units in found.meets],
            [("Builder", ["Python"]), ("Coder", ["Python basics"])],
        )

    def test_of_equal_next_skills_the_one_that_completes_a_role_comes_first(self):
        words = Words(SKILLS, {"Judge": [must("Ethics"), must("PyTorch")], "Lawyer": [must("Law"), must("SQL")]})

        self.assertEqual(check(words.catalogue, words.pks("SQL")).next_skill.skill.name, "Law")

    def test_then_the_one_that_meets_more_nices_then_the_plainest_then_by_name(self):
        roles = {"Judge": [must("Ethics"), must("Law"), must("SQL")]}
        with_nice = roles | {"Clerk": [must("PyTorch"), nice("Law")]}

        self.assertEqual(check(*_of(Words(SKILLS, roles), "TensorFlow")).next_skill.skill.name, "Ethics")
        self.assertEqual(check(*_of(Words(SKILLS, with_nice), "PyTorch")).next_skill.skill.name, "Law")
        only_sql = Words(SKILLS, {"Analyst": [must("SQL")]})
        self.assertEqual(check(*_of(only_sql, "Law")).next_skill.skill.name, "SQL")

    def test_nothing_is_advised_to_whoever_meets_all(self):
        words = Words(SKILLS, {"Analyst": [must("SQL")]})

        self.assertIsNone(check(words.catalogue, words.pks("PostgreSQL")).next_skill)

    def test_roles_one_skill_away_are_named_with_the_plainest_skill_that_completes_them(self):
        words = Words(
            SKILLS,
            {
                "Whole": [must("Law")],
                "Coder": [must("Python basics"), must("Python")],
                "Analyst": [must("Law"), must("SQL")],
                "Far": [must("SQL"), must("Ethics")],
            },
        )

        steps = check(words.catalogue, words.pks("Law")).one_away

        self.assertEqual(
            [(step.role.name, step.skill.name) for step in steps], [("Analyst", "SQL"), ("Coder", "Python")]
        )


def _of(words, *had):
    return words.catalogue, words.pks(*had)
