"""Merging of skills in the admin, and merged skills there."""

from unittest import mock

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client, TestCase

from careers.merging import merge
from careers.models import Skill
from tests.articles.article_forms import row
from tests.factories import make_skill, make_user
from veltrix.models import AuditEntry

from .test_merging import ask, names

LIST = "/admin/careers/skill/"


class AdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.rag, cls.old = make_skill("RAG"), make_skill("Retrieval")
        cls.line = ask(cls.rag, label="RAG systems")
        cls.editor = make_user("Editor")
        cls.url = f"{LIST}merge/?skills={cls.rag.pk},{cls.old.pk}"

    def setUp(self):
        self.client.force_login(self.editor)

    def choose(self, *skills):
        return self.client.post(LIST, {"action": "merge_skills", "_selected_action": [skill.pk for skill in skills]})

    def test_the_chosen_skills_are_shown_with_what_they_have_and_the_most_asked_one_is_named(self):
        response = self.choose(self.old, self.rag)

        self.assertRedirects(response, f"{LIST}merge/?skills={self.rag.pk}%2C{self.old.pk}")
        page = self.client.get(response.url)
        self.assertContains(page, "“RAG systems” (must have)")
        self.assertContains(page, "RAG</label> <span>asked for most</span>")
        self.assertNotContains(page, "checked")

    def test_one_button_merges_them(self):
        response = self.client.post(self.url, {"into": self.old.pk}, follow=True)

        self.assertContains(response, "“RAG” is part of “Retrieval” now.")
        self.assertEqual(names(self.line.skills.all()), ["Retrieval"])
        self.assertRedirects(self.client.get("/careers/skills/rag/"), "/careers/skills/retrieval/", status_code=301)
        self.assertEqual(AuditEntry.objects.get().words, "“RAG” merged into it.")

    def test_a_second_press_of_the_button_changes_nothing(self):
        self.client.post(self.url, {"into": self.old.pk})
        logged = LogEntry.objects.count()

        response = self.client.post(self.url, {"into": self.old.pk}, follow=True)

        self.assertContains(response, "Choose at least two skills that are not merged yet.")
        self.assertEqual(LogEntry.objects.count(), logged)

    def test_nothing_or_a_stranger_is_no_skill_that_stays(self):
        stranger = make_skill("Stranger")
        for into, message in (("", "Choose the skill that stays."), (stranger.pk, "is one of those that are merged")):
            with self.subTest(into):
                response = self.client.post(self.url, {"into": into})

                self.assertContains(response, message)
        self.assertEqual(Skill.objects.unmerged().count(), 3)

    def test_one_skill_unknown_ones_and_odd_words_are_too_few(self):
        for skills in ("", str(self.rag.pk), f"{self.rag.pk},999999", "x,-1,²,\ud800", "9" * 400, "1," * 1000):
            with self.subTest(skills[:20]):
                response = self.client.get(f"{LIST}merge/", {"skills": skills.encode("utf-8", "replace")}, follow=True)

                self.assertContains(response, "Choose at least two skills that are not merged yet.")

    def test_a_crowd_is_refused(self):
        crowd = [make_skill(f"Skill {number}") for number in range(51)]

        response = self.choose(*crowd)

        self.assertContains(self.client.get(LIST), "Merge at most 50 skills at once.")
        self.assertEqual(response.status_code, 302)

    def test_what_somebody_else_did_between_the_look_and_the_lock_is_said(self):
        search = make_skill("Search")

        def merge_late(skills, into, by):
            merge([self.rag], search, by)
            return merge(skills, into, by)

        with mock.patch("careers.admin_merging.merge", merge_late):
            response = self.client.post(self.url, {"into": self.old.pk}, follow=True)

        self.assertContains(response, "“RAG” was merged into “Search” in the meantime. Nothing was merged.")

    def test_who_may_only_read_change_or_delete_is_refused(self):
        changer, deleter = make_user(), make_user()
        for user, act in ((changer, "change"), (deleter, "delete")):
            user.user_permissions.set(Permission.objects.filter(codename__in=["view_skill", f"{act}_skill"]))
        people = {"author": make_user("Author"), "may change": changer, "may delete": deleter}
        for who, user in people.items():
            client = Client()
            client.force_login(user)
            with self.subTest(who):
                self.assertNotContains(client.get(LIST), "merge_skills")
                client.post(LIST, {"action": "merge_skills", "_selected_action": [self.rag.pk, self.old.pk]})
                self.assertEqual(client.get(self.url).status_code, 403)
                self.assertEqual(client.post(self.url, {"into": self.rag.pk}).status_code, 403)
        with self.subTest("nobody"):
            self.assertTrue(Client().post(self.url).url.startswith("/admin/login/"))
        self.assertEqual(Skill.objects.unmerged().count(), 2)
        for group in ("Editor", "Chief editor", "Administrator"):
            with self.subTest(group):
                self.client.force_login(make_user(group))
                self.assertContains(self.client.get(LIST), "merge_skills")
                self.assertEqual(self.client.get(self.url).status_code, 200)

    def test_the_page_costs_as_many_queries_for_fifty_skills_as_for_two(self):
        self.client.get(self.url)
        with self.assertNumQueries(14):
            self.client.get(self.url)
        skills = [make_skill(f"Skill {number}") for number in range(50)]
        for skill in skills:
            ask(skill)
            skill.aliases.create(alias=f"Other {skill}")
            make_skill(f"Narrower {skill}", broader=skill)

        with self.assertNumQueries(14):
            self.client.get(f"{LIST}merge/?skills={','.join(str(skill.pk) for skill in skills)}")


class MergedSkillTests(TestCase):
    """A merged skill in the admin: to be read, and to be asked for nowhere."""

    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.rag, cls.old = make_skill("RAG"), make_skill("Retrieval")
        merge([cls.old], cls.rag, cls.editor)

    def setUp(self):
        self.client.force_login(self.editor)

    def test_the_list_says_into_what_and_can_be_narrowed(self):
        self.assertContains(self.client.get(LIST), '<td class="field-merged_into nowrap">', count=2)
        self.assertNotContains(self.client.get(f"{LIST}?merged=no"), ">Retrieval</a>")
        merged = self.client.get(f"{LIST}?merged=yes")
        self.assertContains(merged, ">Retrieval</a>")
        self.assertNotContains(merged, '/change/?_changelist_filters=merged%3Dyes">RAG</a>')

    def test_its_form_is_read_only_and_names_the_one_that_stayed(self):
        url = f"{LIST}{self.old.pk}/change/"

        page = self.client.get(url)

        self.assertNotContains(page, 'name="_save"')
        self.assertContains(page, "Merged into")
        self.assertEqual(self.client.post(url, {"name": "X", "kind": "data"}).status_code, 403)

    def test_it_is_kept_for_its_address(self):
        url = f"{LIST}{self.old.pk}/delete/"

        self.assertContains(self.client.get(url), "“Retrieval” leads readers on to “RAG”")
        self.client.post(url, {"post": "yes"})

        self.assertTrue(Skill.objects.filter(pk=self.old.pk).exists())

    def test_it_is_offered_nowhere(self):
        for model, field in (("requirement", "skills"), ("skill", "broader")):
            with self.subTest(model):
                asked = {"app_label": "careers", "model_name": model, "field_name": field, "term": "R"}

                found = self.client.get("/admin/autocomplete/", asked).json()["results"]

                self.assertEqual([result["text"] for result in found], ["RAG"])

    def test_a_forged_request_for_it_is_refused_with_the_reason(self):
        line = {"importance": "must", "label": "x", "needs": "any", "order": 0}
        path = {"slug": "x", "name": "X", "order": 0}
        skill = {"slug": "x", "name": "X", "kind": "data"} | row("aliases")
        forged = [
            ("/admin/careers/careerpath/add/", path | row("requirements", line | {"skills": [self.old.pk]})),
            ("/admin/careers/skill/add/", skill | {"broader": self.old.pk}),
        ]
        good = [
            ("/admin/careers/careerpath/add/", path | row("requirements", line | {"skills": [self.rag.pk]})),
            ("/admin/careers/skill/add/", skill | {"broader": self.rag.pk}),
        ]

        for url, data in forged:
            with self.subTest(url):
                self.assertContains(self.client.post(url, data), "This skill was merged into another one, or is gone.")
        for url, data in good:
            with self.subTest(url):
                self.assertEqual(self.client.post(url, data).status_code, 302)

    def test_what_was_typed_before_a_merge_does_not_undo_it(self):
        stale = Skill.objects.get(pk=self.rag.pk)
        Skill.objects.filter(pk=self.rag.pk).update(merged_into=make_skill("Search"))
        data = {"name": "Retrieval first", "kind": "data"} | row("aliases")

        with mock.patch("careers.admin.SkillAdmin.get_object", return_value=stale):
            self.client.post(f"{LIST}{stale.pk}/change/", data)

        stale.refresh_from_db()
        self.assertEqual((stale.name, str(stale.merged_into)), ("Retrieval first", "Search"))
