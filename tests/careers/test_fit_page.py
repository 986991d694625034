"""The page of the skill check."""

from urllib.parse import quote

from django.test import TestCase

from careers.models import Requirement, Skill, SkillAlias
from tests.factories import make_path, make_role, make_skill


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
