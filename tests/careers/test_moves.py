from django.test import SimpleTestCase

from careers.moves import missing, moves_from, moves_into

from .catalogues import Words, must, nice

SKILLS = {"scikit-learn": "Python", "Python": None, "R": None, "SQL": None, "Law": None, "Ethics": None}


def shown(moves):
    return [(move.role.name, move.met, move.total, [unit.label for unit in move.missing]) for move in moves]


class MovesTests(SimpleTestCase):
    def test_a_skill_brings_its_broader_skill_and_never_the_reverse(self):
        words = Words(SKILLS, {"Scientist": [must("scikit-learn")], "Builder": [must("Python")]})
        scientist, builder = words.role("Scientist"), words.role("Builder")

        self.assertEqual(missing(words.catalogue, scientist, builder), [])
        self.assertEqual(missing(words.catalogue, builder, scientist), list(scientist.musts))

    def test_a_choice_vouches_only_where_either_of_its_skills_would_do(self):
        words = Words(
            SKILLS,
            {
                "Either": [must("Python", "R")],
                "Wider": [must("SQL", "R", "Python")],
                "Narrower": [must("Python")],
                "Implied": [must("scikit-learn", "R")],
            },
        )
        either, wider, narrower, implied = (words.role(name) for name in ("Either", "Wider", "Narrower", "Implied"))

        self.assertEqual(missing(words.catalogue, either, wider), [])
        self.assertEqual(missing(words.catalogue, either, narrower), list(narrower.musts))
        self.assertEqual(missing(words.catalogue, narrower, either), [])
        self.assertEqual(missing(words.catalogue, implied, either), [])

    def test_what_is_nice_to_have_brings_nothing_and_is_not_missed(self):
        words = Words(SKILLS, {"Clerk": [must("Law"), nice("SQL")], "Analyst": [must("SQL"), nice("R")]})

        left = missing(words.catalogue, words.role("Clerk"), words.role("Analyst"))

        self.assertEqual([unit.label for unit in left], ["SQL"])

    def test_the_nearest_roles_come_first_in_both_directions(self):
        words = Words(
            SKILLS,
            {
                "Clerk": [must("Law")],
                "Analyst": [must("SQL"), must("R")],
                "Scientist": [must("SQL"), must("R"), must("Python")],
                "Lawyer": [must("Law"), must("Ethics"), must("SQL")],
                "Dreamer": [nice("SQL")],
            },
        )

        self.assertEqual(
            shown(moves_from(words.catalogue, words.role("Analyst"))),
            [
                ("Scientist", 2, 3, ["Python"]),
                ("Lawyer", 1, 3, ["Law", "Ethics"]),
            ],
        )
        self.assertEqual(
            shown(moves_into(words.catalogue, words.role("Analyst"))),
            [
                ("Scientist", 2, 2, []),
                ("Lawyer", 1, 2, ["R"]),
            ],
        )

    def test_where_nothing_comes_along_it_is_no_move(self):
        words = Words(SKILLS, {"Clerk": [must("Law")], "Analyst": [must("SQL")]})

        self.assertEqual(moves_from(words.catalogue, words.role("Analyst")), [])
        self.assertEqual(moves_into(words.catalogue, words.role("Analyst")), [])

    def test_equal_moves_keep_the_editors_order_and_no_more_than_asked_are_given(self):
        words = Words(SKILLS, {name: [must("SQL"), must("R")] for name in ("D", "A", "C", "B")})

        self.assertEqual([move.role.name for move in moves_from(words.catalogue, words.role("C"), 2)], ["D", "A"])
        self.assertEqual([move.role.name for move in moves_into(words.catalogue, words.role("D"), 2)], ["A", "C"])

    def test_the_one_skill_that_would_do_is_named(self):
        words = Words(
            SKILLS,
            {
                "Clerk": [must("Law")],
                "Analyst": [must("Law"), must("Python", "R"), must("Python")],
                "Judge": [must("Law"), must("Ethics"), must("SQL")],
            },
        )

        moves = {move.role.name: move.skill for move in moves_from(words.catalogue, words.role("Clerk"))}

        self.assertEqual(moves["Analyst"].name, "Python")
        self.assertIsNone(moves["Judge"])

    def test_a_role_without_musts_leads_nowhere(self):
        words = Words(SKILLS, {"Dreamer": [nice("SQL")], "Clerk": [must("Law")]})

        self.assertEqual(moves_from(words.catalogue, words.role("Dreamer")), [])
        self.assertEqual(moves_into(words.catalogue, words.role("Dreamer")), [])
        self.assertEqual(moves_from(words.catalogue, words.role("Clerk")), [])
