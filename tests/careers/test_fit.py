from urllib.parse import quote

from django.test import SimpleTestCase, TestCase

from careers.fit import check, explain
from careers.models import Requirement, Skill, SkillAlias
from tests.factories import make_path, make_role, make_skill

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


class FitPageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.path = make_path("Data work")
        cls.sql, cls.python = make_skill("SQL", kind="data"), make_skill("Python")
        cls.pandas = make_skill("pandas", broader=cls.python)
        SkillAlias.objects.create(skill=cls.sql, alias="Structured queries")
        line = Requirement.objects.create(path=cls.path, importance="must", label="Querying", detail="large data")
        line.skills.add(cls.sql)
        cls.analyst = make_role("Analyst", path=cls.path)
        cls.builder = make_role("Builder", core=["Python", "SQL"])

    def get(self, query):
        return self.client.get(f"/careers/fit/{query}")

    def assert_leads_to(self, query, target):
        self.assertRedirects(self.get(query), f"/careers/fit/{target}")

    def test_without_a_question_it_offers_skills_and_ranks_nothing(self):
        response = self.get("")

        self.assertContains(response, "No skill is ticked yet, so no role is ranked.")
        self.assertContains(response, 'name="skills" value="python"')
        self.assertNotContains(response, "Analyst")
        self.assertNotContains(response, "noindex")
        self.assertContains(response, '<link rel="canonical" href="http://127.0.0.1:8000/careers/fit/">')

    def test_it_offers_what_lists_ask_for_and_what_is_ticked(self):
        make_skill("Juggling")

        self.assertNotContains(self.get(""), "Juggling")
        self.assertNotContains(self.get(""), 'value="pandas"')
        self.assertContains(self.get("?skills=juggling"), 'value="juggling" checked')

    def test_results_show_what_is_met_what_is_missing_and_where_each_line_comes_from(self):
        response = self.get("?skills=sql")

        self.assertContains(response, "you meet every must of 1 role; 1 is one skill away.")
        for text in (
            "1 of 1</span> musts",
            "1 of 2</span> musts",
            "Large data",
            "Met by SQL",
            'Missing: <a href="/careers/skills/python/">Python</a>',
            "from the list of the path",
            "from its core skills",
            "not a prediction of who gets hired",
        ):
            with self.subTest(text):
                self.assertContains(response, text)
        self.assertContains(response, 'href="/careers/fit/?skills=python,sql"')
        self.assertContains(response, '<meta name="robots" content="noindex">')

    def test_the_next_skill_and_roles_one_skill_away_can_be_added(self):
        response = self.get("?skills=pandas")

        self.assertContains(response, "It would meet 2 more musts in 2 roles.")
        self.assertContains(response, '<a class="button" href="/careers/fit/?skills=pandas,sql">Add SQL</a>', html=True)
        self.assertContains(response, "Met by pandas, which counts for Python")

    def test_ticked_boxes_and_text_lead_to_one_address(self):
        self.assert_leads_to("?know=&skills=sql&skills=python", "?skills=python,sql")
        self.assert_leads_to("?know=PANDAS,+structured+queries", "?skills=pandas,sql")
        self.assert_leads_to("?skills=sql,python,sql", "?skills=python,sql")
        self.assert_leads_to("?know=", "")
        self.assert_leads_to("?skills=,&colour=red", "?colour=red")

    def test_aliases_and_merged_skills_are_understood_in_the_list_of_skills_too(self):
        make_skill("Python 2", merged_into=self.python)

        self.assert_leads_to("?skills=python-2,Structured+Queries", "?skills=python,sql")

    def test_what_is_not_understood_stays_in_the_field_and_is_named(self):
        self.assert_leads_to("?skills=sql,weaving&know=pyhton", "?skills=sql&know=pyhton,+weaving")

        response = self.get("?skills=sql&know=pyhton,+weaving")

        self.assertContains(response, 'value="pyhton, weaving"')
        self.assertContains(response, "“weaving” is not known here.")
        self.assertContains(
            response, 'Did you mean <a href="/careers/fit/?skills=python,sql&amp;know=weaving">Python</a>?'
        )

    def test_other_parameters_are_named_and_survive_the_way_to_the_one_address(self):
        self.assert_leads_to("?skills=sql,python&colour=red&utm_source=x", "?skills=python,sql&colour=red")
        self.assertContains(self.get("?skills=sql&colour=%3Cb%3E&page=-1&cut=2"), "<code>colour=&lt;b&gt;</code>")
        self.assertContains(self.get("?skills=sql&page=-1"), "<code>page=-1</code>")
        self.assertContains(self.get("?skills=sql&cut=2"), "<code>cut=2</code>")
        self.assertNotContains(self.get("?skills=sql&utm_source=x"), "<code>")

    def test_a_text_that_is_too_long_is_cut_and_the_page_says_so(self):
        response = self.client.get("/careers/fit/", {"know": "sql, " + "x, " * 500}, follow=True)

        self.assertEqual(response.redirect_chain, [("/careers/fit/?skills=sql&know=x&cut=1", 302)])
        self.assertContains(response, "Not everything was read.")
        self.assertNotContains(self.get("?skills=sql&know=x"), "Not everything was read.")

    def test_no_more_than_a_hundred_skills_are_taken(self):
        Skill.objects.bulk_create(Skill(slug=f"s{n:03}", name=f"S{n:03}", kind="data") for n in range(110))

        response = self.get("?skills=" + ",".join(f"s{n:03}" for n in range(110)))

        kept = ",".join(f"s{n:03}" for n in range(100))
        self.assertRedirects(response, f"/careers/fit/?skills={kept}&cut=1", fetch_redirect_response=False)
        whole = self.get(f"?skills={kept}")
        self.assertNotContains(whole, 'aria-label="QR code')
        self.assertContains(whole, "The link is too long for a QR code.")

    def test_the_result_can_be_kept_as_a_link_and_as_a_code(self):
        response = self.get("?skills=python,sql&know=weaving&page=1")

        self.assertContains(response, ">http://127.0.0.1:8000/careers/fit/?skills=python,sql</pre>")
        self.assertContains(response, 'role="img" aria-label="QR code of the link to this check"')

    def test_results_come_in_pages_and_one_that_is_not_there_is_named_and_the_first_shown(self):
        for number in range(40):
            make_role(f"Role {number:02}", core=["SQL"], order=number)

        first, last, beyond = (self.get(f"?skills=sql{page}") for page in ("", "&page=3", "&page=999"))

        self.assertContains(first, "Page 1 of 3")
        self.assertContains(first, 'href="?skills=sql&amp;page=2"')
        self.assertContains(last, '<ol class="fit__roles" start="41">')
        self.assertContains(beyond, "Page 1 of 3")
        self.assertContains(beyond, "<code>page=999</code>")
        self.assertNotContains(last, "Not understood")

    def test_the_longest_check_is_no_long_page(self):
        skills = Skill.objects.bulk_create(Skill(slug=f"s{n:03}", name=f"S{n:03}", kind="data") for n in range(110))
        for number in range(30):
            role = make_role(f"Role {number:02}", core=["Law"])
            for place in range(12):
                line = role.requirements.create(importance="must", label=f"Line {place}")
                line.skills.add(*skills[100:104])
        words = ", ".join(f"word{n}" for n in range(90))

        response = self.client.get(
            "/careers/fit/", {"skills": ",".join(s.slug for s in skills), "know": words}, follow=True
        )

        self.assertContains(response, "Page 1 of 2")
        self.assertLess(len(response.content), 450_000)

    def test_the_summary_says_how_much_there_is_and_what_is_nearest(self):
        make_role("Weaver", core=["Weaving", "Spinning", "Dyeing"])

        for query, words in {
            "?skills=weaving,spinning": "2 skills: you come nearest to Weaver, with 2 of 3 musts",
            "?know=juggling": "Nothing of what was typed is known, so no role is ranked.",
            "": "No skill is ticked yet, so no role is ranked.",
        }.items():
            with self.subTest(query):
                self.assertContains(self.client.get(f"/careers/fit/{query}", follow=True), words)

    def test_one_order_of_the_address_leads_to_the_one_address(self):
        response = self.get("?know=weaving&skills=sql")

        self.assertRedirects(response, "/careers/fit/?skills=sql&know=weaving", fetch_redirect_response=False)

    def test_what_other_sites_append_makes_it_no_other_page(self):
        self.assertNotContains(self.get("?utm_source=x"), "noindex")
        self.assertContains(self.get("?skills=sql&utm_source=x"), "noindex")

    def test_lists_beside_the_results_say_what_they_leave_out(self):
        for number in range(10):
            make_role(f"Role {number}", core=["SQL", "Law"])

        response = self.get("?skills=sql")

        self.assertContains(response, "1 skill: you meet every must of 1 role; 11 are one skill away.")
        self.assertContains(response, "It would meet 10 more musts in 10 roles.")
        self.assertContains(response, "And 2 more.")
        self.assertContains(response, "And 3 more, among all roles below.")

    def test_roles_without_musts_are_named_apart(self):
        make_role("Dreamer")

        self.assertContains(self.get("?skills=sql"), 'no musts are known: <a href="/careers/dreamer/">Dreamer</a>.')

    def test_odd_questions_are_answered_calmly(self):
        odd = ["\ud800", "\ufffd", "☃" * 300, "%", "<script>", "a" * 5000, ",;,;", "\u202e", "'\"--", "1" * 5000]
        for text in odd:
            value = quote(text, errors="surrogatepass")
            for name in ("skills", "know", "cut", "page", value[:50] or "x"):
                with self.subTest(text[:10], name=name):
                    response = self.client.get(f"/careers/fit/?{name}={value}&{name}={value}", follow=True)

                    self.assertEqual(response.status_code, 200)
                    self.assertLessEqual(len(response.redirect_chain), 1)

    def test_a_hundred_roles_cost_as_many_queries_as_two(self):
        with self.assertNumQueries(6):
            self.get("?skills=sql&know=weaving")
        for _ in range(98):
            make_role(core=["Python", "RAG", "SQL"], path=self.path)

        with self.assertNumQueries(6):
            self.get("?skills=sql&know=weaving")

    def test_it_is_read_only(self):
        self.assertEqual(self.client.post("/careers/fit/").status_code, 405)
        self.assertEqual(self.client.head("/careers/fit/?skills=sql").status_code, 200)

    def test_nothing_is_stored_and_the_page_says_so(self):
        response = self.get("?skills=sql")

        self.assertFalse(response.cookies)
        self.assertContains(response, "Nothing of this is stored and no cookie is set")
