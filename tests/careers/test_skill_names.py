from django.test import SimpleTestCase, TestCase
from hypothesis import given
from hypothesis import strategies as st

from careers.catalogue import Catalogue
from careers.models import SkillAlias
from careers.skill_names import MAX_TEXT_LENGTH, MOST_PIECES, SkillNames
from tests.factories import make_skill

from .catalogues import Words

SKILLS = ["Python", "scikit-learn", "SQL", "RAG", "CI/CD", "Statistics and probability", "Go", "C", "C++", "C#"]
ALIASES = {"sklearn": "scikit-learn", "postgres": "SQL", "Statistics": "Statistics and probability", "SQL": "Python"}


class SkillNamesTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.words = Words(dict.fromkeys(SKILLS), merged={"Py": "Python"})
        aliases = [(cls.words.keys[skill], alias) for alias, skill in ALIASES.items()]
        cls.names = SkillNames.of(cls.words.catalogue, aliases)

    def read(self, text):
        """The names of the skills that are found, and what is unknown."""
        reading = self.names.read(text)
        return self.words.names(reading.skills), reading.unknown

    def test_names_and_aliases_are_found_between_commas_semicolons_and_line_breaks(self):
        self.assertEqual(self.read("sklearn, postgres;RAG\r\npython"), (["Python", "RAG", "SQL", "scikit-learn"], []))

    def test_the_way_of_writing_does_not_matter(self):
        for text in (
            "scikit learn",
            "SCIKIT-LEARN",
            "Scikit.Learn",
            " scikit_learn ",
            "scikitlearn",
            "（scikit/learn）",
        ):
            with self.subTest(text):
                self.assertEqual(self.read(text), (["scikit-learn"], []))
        self.assertEqual(self.read("cicd, ci / cd"), (["CI/CD"], []))

    def test_a_word_of_a_name_leads_to_the_skills_that_have_it(self):
        guesses = self.names.guesses(["probability", "stat", "scikits", "x", "weaving"])

        named = {words: [skill.name for skill in skills] for words, skills in guesses.items()}
        self.assertEqual(named["probability"], ["Statistics and probability"])
        self.assertEqual(named["stat"], ["Statistics and probability"])
        self.assertEqual(named["scikits"], ["scikit-learn"])
        self.assertEqual(named.keys(), {"probability", "stat", "scikits"})

    def test_plus_signs_and_a_hash_tell_names_apart(self):
        self.assertEqual([self.read(text)[0] for text in ("c", "C++", "c#")], [["C"], ["C++"], ["C#"]])

    def test_a_piece_of_several_names_is_read_by_its_longest_names(self):
        for text in ("python sql rag", "Python and SQL & RAG", "Python and/or SQL, or RAG", "Python+SQL • RAG"):
            with self.subTest(text):
                self.assertEqual(self.read(text), (["Python", "RAG", "SQL"], []))
        self.assertEqual(self.read("statistics and probability and go"), (["Go", "Statistics and probability"], []))

    def test_what_is_not_known_is_named_once_as_it_stands(self):
        self.assertEqual(
            self.read("Node.js and Python basket weaving, SQL, node js, !!!"),
            (["Python", "SQL"], ["Node.js", "basket weaving"]),
        )

    def test_merged_skills_lead_to_what_they_were_merged_into(self):
        self.assertEqual(self.read("py"), (["Python"], []))
        self.assertEqual(self.names.of_slug("py"), self.words.keys["Python"])

    def test_names_go_before_addresses_and_these_before_aliases(self):
        words = Words({"Golang": None, "Go": None, "Gopher": None})
        first, second, third = words.catalogue.rows
        catalogue = Catalogue.of([first._replace(slug="go-2", name="Go!"), second, third._replace(slug="go")], [], [])

        names = SkillNames.of(catalogue, [(third.pk, "Go"), (third.pk, "go 2")])

        self.assertEqual([names.read(text).skills for text in ("go", "go-2")], [{first.pk}, {first.pk}])
        self.assertEqual(names.of_slug("go"), third.pk)

    def test_a_name_of_a_living_skill_goes_before_that_of_a_merged_one(self):
        words = Words({"Python": None, "sql": None}, merged={"S.Q.L.": "Python"})

        names = SkillNames.of(words.catalogue, [])

        self.assertEqual(words.names(names.read("SQL").skills), ["sql"])

    def test_no_more_than_a_thousand_characters_are_read_up_to_the_last_whole_piece(self):
        text = "x" * (MAX_TEXT_LENGTH - 10) + ",sql,python,rag"

        reading = self.names.read(text)

        self.assertEqual(self.words.names(reading.skills), ["SQL"])
        self.assertTrue(reading.is_cut)
        self.assertFalse(self.names.read("x" * MAX_TEXT_LENGTH).is_cut)
        self.assertEqual(self.names.read("x" * 5000).unknown, ["x" * MAX_TEXT_LENGTH])

    def test_no_more_than_a_hundred_pieces_are_read(self):
        reading = self.names.read(",".join(f"x{n}" for n in range(MOST_PIECES)) + ",sql")

        self.assertEqual((len(reading.unknown), reading.skills, reading.is_cut), (MOST_PIECES, frozenset(), True))
        self.assertFalse(self.names.read(",".join(f"x{n}" for n in range(MOST_PIECES))).is_cut)

    def test_near_misses_lead_to_what_may_be_meant(self):
        guesses = self.names.guesses(["pyhton", "scikit-lern", "zzz", "q"])

        self.assertEqual(
            {word: [skill.name for skill in skills] for word, skills in guesses.items()},
            {"pyhton": ["Python"], "scikit-lern": ["scikit-learn"]},
        )

    def test_a_long_text_makes_but_few_guesses(self):
        self.assertEqual(len(self.names.guesses([f"pyton{'!' * n}" for n in range(50)])), 5)

    @given(
        st.lists(st.sampled_from([*SKILLS, *ALIASES, "and", "or", "/", ",", "foo", "ﬁn", "ß", "e\u0301"]) | st.text())
    )
    def test_what_is_unknown_stays_unknown_however_often_it_is_read(self, parts):
        unknown = self.names.read(" ".join(parts)).unknown

        again = self.names.read(", ".join(unknown))

        self.assertEqual(again, (frozenset(), unknown, False))

    @given(st.lists(st.sampled_from([*SKILLS, *ALIASES, "foo", "bar"])), st.randoms())
    def test_the_order_of_pieces_does_not_matter(self, pieces, random):
        shuffled = random.sample(pieces, len(pieces))

        one, other = (self.names.read(", ".join(order)) for order in (pieces, shuffled))

        self.assertEqual((one.skills, set(one.unknown)), (other.skills, set(other.unknown)))


class LoadTests(TestCase):
    def test_aliases_are_read_in_one_query(self):
        skill = make_skill("Python")
        SkillAlias.objects.create(skill=skill, alias="Snake")
        catalogue = Catalogue.load()

        with self.assertNumQueries(1):
            names = SkillNames.load(catalogue)

        self.assertEqual(names.read("snake").skills, {skill.pk})
