from io import StringIO

from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import TestCase

from careers.comparison import roles_requiring
from careers.merging import merge
from careers.models import Requirement, Skill
from careers.skill_pages import SkillPage
from tests.factories import make_path, make_role, make_skill, make_user


def ask(importance, *skills, label=None, **values):
    line = Requirement.objects.create(importance=importance, label=label or " or ".join(skills), **values)
    line.skills.set([make_skill(skill) for skill in skills])
    return line


def said(lists):
    """What the lists say in short: the roles or the path of each line, by importance."""
    return {
        importance: [", ".join(role.name for role in asking.roles) or str(asking.line.path) for asking in askings]
        for importance, askings in lists.items()
    }


class SkillTests(TestCase):
    def test_it_shows_what_the_skill_is_and_who_asks_for_it_in_which_list(self):
        skill = make_skill("PyTorch", broader=make_skill("Python"), kind="machine-learning")
        skill.aliases.create(alias="torch")
        make_skill("Lightning", broader=skill)
        path = make_path("Data work")
        make_role("Data Scientist", path=path)
        role = make_role("ML Engineer", core=["PyTorch"])
        ask("must", "PyTorch", "TensorFlow", path=path, label="Deep learning framework")
        ask("nice", "PyTorch", label="Frameworks", role=role)

        response = self.client.get("/careers/skills/pytorch/")

        for text in (
            "<h1>PyTorch</h1>",
            "Machine learning",
            "torch",
            '<a href="/careers/skills/python/">Python</a>',
            '<a href="/careers/skills/lightning/">Lightning</a>',
            '<a href="/careers/data-scientist/">Data Scientist</a>',
            '<a href="/careers/ml-engineer/">ML Engineer</a>',
            'List of the path <a href="/careers/paths/data-work/">Data work</a>: “Deep learning framework”, or <a',
            '<a href="/careers/skills/tensorflow/">TensorFlow</a>',
            "In the table: “PyTorch”",
            "The role’s own list: “Frameworks”",
            'href="/careers/?skill=pytorch"',
            'href="/careers/fit/?skills=pytorch"',
        ):
            with self.subTest(text):
                self.assertContains(response, text)

    def test_lines_stand_by_importance_the_gravest_first(self):
        role, path = make_role("Analyst", core=["SQL"]), make_path("Bare path")
        ask("nice", "SQL", role=role)
        ask("must", "SQL", path=path)

        page = SkillPage.of(make_skill("SQL"))

        self.assertEqual(
            list(said(page.asked).items()),
            [
                ("Must have", ["Bare path"]),
                ("Core skill in the comparison", ["Analyst"]),
                ("Nice to have", ["Analyst"]),
            ],
        )

    def test_a_line_that_needs_all_names_what_goes_with_it(self):
        ask("must", "Python", "LLM APIs", needs="all", label="Python and LLM APIs", role=make_role())

        response = self.client.get("/careers/skills/python/")

        self.assertContains(response, ', together with <a href="/careers/skills/llm-apis/">LLM APIs</a>')

    def test_a_paths_list_speaks_for_no_role_with_lists_of_its_own(self):
        path = make_path()
        follower, loner = make_role("Follower", path=path), make_role("Loner", path=path)
        ask("must", "SQL", path=path)
        ask("must", "Python", role=loner)

        self.assertEqual(said(SkillPage.of(make_skill("SQL")).asked), {"Must have": [follower.name]})

    def test_what_asks_for_an_implied_skill_stands_apart_by_that_skill(self):
        basics = make_skill("Python basics")
        python = make_skill("Python", broader=basics)
        pandas = make_skill("pandas", broader=python)
        ask("must", "Python basics", role=make_role("Beginner"))
        ask("must", "Python", role=make_role("Coder"))
        ask("must", "pandas", "Python", label="Either", role=make_role("Analyst"))

        page = SkillPage.of(pandas)
        response = self.client.get("/careers/skills/pandas/")

        self.assertEqual(said(page.asked), {"Must have": ["Analyst"]})
        self.assertEqual(
            [(skill, said(lists)) for skill, lists in page.counts_for],
            [(python, {"Must have": ["Coder"]}), (basics, {"Must have": ["Beginner"]})],
        )
        self.assertContains(response, 'Also counts for <a href="/careers/skills/python-basics/">Python basics</a>')

    def test_what_asks_for_a_narrower_skill_is_not_met_by_this_one(self):
        cloud = make_skill("Cloud")
        make_skill("AWS", broader=cloud)
        ask("core", "AWS", label="Cloud (AWS)", role=make_role("ML Engineer"))

        page = SkillPage.of(cloud)
        response = self.client.get("/careers/skills/cloud/")

        self.assertEqual((page.asked, page.counts_for), ({}, []))
        self.assertContains(response, "No role or path asks for it by name.")
        self.assertContains(response, "Cloud alone does not meet these.")
        self.assertContains(response, '“Cloud (AWS)”, met by <a href="/careers/skills/aws/">AWS</a>')

    def test_a_skill_without_anything_has_a_page_too(self):
        make_skill("Lonely")

        response = self.client.get("/careers/skills/lonely/")

        self.assertContains(response, "None recorded")
        self.assertNotContains(response, "does not meet these")

    def test_unknown_and_odd_addresses_are_not_found(self):
        for slug in ("none", "a" * 3000, "%F0%9F%92%A5", "%ED%A0%80"):
            with self.subTest(slug[:20]):
                self.assertEqual(self.client.get(f"/careers/skills/{slug}/").status_code, 404)

    def test_what_an_address_says_besides_is_left_aside(self):
        make_skill("Python")

        self.assertEqual(self.client.get("/careers/skills/python/?skill=x&skill=%FF").status_code, 200)
        self.assertEqual(self.client.post("/careers/skills/python/").status_code, 405)

    def test_its_queries_do_not_grow(self):
        def grow(number):
            for place in range(number):
                path = make_path(f"Path {place} of {number}")
                make_role(path=path, core=["Python"])
                make_skill(f"Narrower {place} of {number}", broader=skill).aliases.create(alias=f"{place} of {number}")
                ask("must", "Python", f"Other {place}", path=path)
                ask("nice", "Basics", path=path)

        skill = make_skill("Python", broader=make_skill("Basics"))
        grow(2)
        with self.assertNumQueries(9):
            self.client.get(skill.get_absolute_url())
        grow(30)

        with self.assertNumQueries(9):
            self.client.get(skill.get_absolute_url())


class MergedSkillTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.rag, cls.old, cls.oldest = (make_skill(name) for name in ("RAG", "Retrieval", "Lookup"))
        editor = make_user("Editor")
        merge([cls.oldest], cls.old, editor)
        merge([cls.old], cls.rag, editor)

    def test_its_address_leads_on_for_ever(self):
        for slug in ("retrieval", "lookup"):
            for ask_for in (self.client.get, self.client.head):
                with self.subTest(slug, method=ask_for.__name__):
                    response = ask_for(f"/careers/skills/{slug}/")

                    self.assertRedirects(response, "/careers/skills/rag/", status_code=301)
                    self.assertFalse(response.cookies)

    def test_a_chain_is_followed_to_its_end_in_one_step(self):
        Skill.objects.filter(pk=self.oldest.pk).update(merged_into=self.old)

        with self.assertNumQueries(4):
            response = self.client.get("/careers/skills/lookup/")

        self.assertEqual(response.url, "/careers/skills/rag/")

    def test_a_circle_ends_in_not_found(self):
        Skill.objects.filter(pk=self.old.pk).update(merged_into=self.oldest)
        Skill.objects.filter(pk=self.oldest.pk).update(merged_into=self.old)

        self.assertEqual(self.client.get("/careers/skills/lookup/").status_code, 404)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Skill.objects.filter(pk=self.old.pk).update(merged_into=self.old)

    def test_no_list_of_readers_shows_it(self):
        ask("must", "RAG", role=make_role())

        for path in ("/careers/skills/", "/careers/", "/careers/skills/rag/"):
            with self.subTest(path):
                self.assertNotContains(self.client.get(path), 'retrieval"')
        # By its old name it is still found.
        self.assertContains(self.client.get("/careers/skills/rag/"), "Lookup, Retrieval")

    def test_files_name_the_skill_that_stayed_and_have_changed(self):
        line = ask("must", "Search", role=make_role("Engineer"), label="Finding things")
        search = line.skills.get()
        before = self.client.get("/careers/roles.json")

        merge([search], self.rag, make_user("Editor"))

        after = self.client.get("/careers/roles.json")
        self.assertIn('"search"', before.text)
        (asked,) = after.json()["roles"][0]["requirements"]["must"]
        self.assertEqual((asked["label"], asked["skills"]), ("Finding things", ["rag"]))
        self.assertNotEqual(before.headers["ETag"], after.headers["ETag"])


class SkillsTests(TestCase):
    def counts(self):
        """What the list says of each skill, by its slug."""
        kinds = self.client.get("/careers/skills/").context["kinds"]
        return {entry.skill.slug: entry.role_count for _, entries in kinds for entry in entries}

    def test_skills_that_count_stand_by_kind_with_the_roles_that_require_them(self):
        cloud = make_skill("Cloud", kind="cloud")
        make_skill("Azure", kind="cloud", broader=cloud)
        make_skill("Unused", kind="cloud")
        make_skill("Prompting", kind="llm", broader=make_skill("Writing", kind="llm"))
        make_role("Analyst", core=["SQL", "Cloud"])
        ask("nice", "Prompting", role=make_role())

        response = self.client.get("/careers/skills/")

        self.assertEqual(self.counts(), {"cloud": 1, "azure": 0, "sql": 1, "prompting": 0, "writing": 0})
        for text in ('Cloud</a> <span class="skills__count">1 role<', "Implies Cloud<", "Nice to have<"):
            with self.subTest(text):
                self.assertContains(response, text)
        self.assertLess(response.text.index("Language models"), response.text.index('rail">Cloud'))

    def test_a_role_counts_as_it_does_in_the_comparison(self):
        call_command("load_launch_content", stdout=StringIO())
        path = make_path("Another path")
        ask("must", "AWS", path=path)
        ask("must", "Python", role=make_role(path=path))

        counts = self.counts()

        self.assertEqual(counts["python"], 5)
        for skill in Skill.objects.all():
            with self.subTest(skill.slug):
                self.assertEqual(counts[skill.slug], len(roles_requiring(skill)))

    def test_it_opens_without_any_skill(self):
        self.assertContains(self.client.get("/careers/skills/"), "No role asks for a skill yet.")

    def test_two_thousand_skills_cost_as_many_queries_as_two(self):
        make_role(core=["Python", "SQL"])
        with self.assertNumQueries(4):
            self.client.get("/careers/skills/")
        Skill.objects.bulk_create(Skill(slug=f"s{n}", name=f"Skill {n}", kind="data") for n in range(2000))
        role = make_role()
        for number in range(3):
            line = Requirement.objects.create(role=role, importance="must", label=f"Line {number}")
            line.skills.set(Skill.objects.filter(kind="data"))

        with self.assertNumQueries(4):
            response = self.client.get("/careers/skills/")

        self.assertContains(response, "Skill 1999")

    def test_it_answers_get_and_head_only(self):
        self.assertEqual(self.client.head("/careers/skills/").status_code, 200)
        self.assertEqual(self.client.post("/careers/skills/").status_code, 405)
