"""Merging of skills: the act by itself, by random skills, and through the admin."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest import mock

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, connections
from django.db.models.signals import pre_save
from django.test import Client, TestCase, TransactionTestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from articles import frozen
from careers.merging import MergeError, merge, settle
from careers.models import Requirement, Role, Skill, SkillAlias
from tests.articles.test_admin import row
from tests.factories import make_path, make_role, make_skill, make_user

LIST = "/admin/careers/skill/"


def ask(*skills, label="A line", **values):
    """A must of a new role, or of the path or role among `values`, that these skills meet."""
    owner = values if {"role", "path"} & values.keys() else {"role": make_role(), **values}
    line = Requirement.objects.create(**{"importance": "must", "label": label, **owner})
    line.skills.set(skills)
    return line


def names(records):
    return [str(record) for record in records]


class MergeTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = make_user("Editor")
        cls.rag = make_skill("RAG")
        cls.old = make_skill("Retrieval augmentation")

    def merge(self, *skills, into=None):
        return merge(skills, into or self.rag, self.editor)

    def test_lines_ask_for_the_skill_that_stays(self):
        line = ask(self.old)

        merged = self.merge(self.old)

        self.assertEqual(merged, [self.old])
        self.assertEqual(names(line.skills.all()), ["RAG"])
        self.old.refresh_from_db()
        self.assertEqual(self.old.merged_into, self.rag)

    def test_a_line_that_asked_for_several_asks_once_and_keeps_its_others(self):
        both = ask(self.old, self.rag, needs="all")
        three = ask(self.old, self.rag, make_skill("Python"))

        self.merge(self.old)

        self.assertEqual(names(both.skills.all()), ["RAG"])
        self.assertEqual(names(three.skills.all()), ["Python", "RAG"])

    def test_names_move_and_become_other_names(self):
        self.old.aliases.create(alias="Grounding")
        self.rag.aliases.create(alias="retrieval AUGMENTATION")

        self.merge(self.old, make_skill("Lookup"))

        self.assertEqual(set(names(self.rag.aliases.all())), {"Grounding", "retrieval AUGMENTATION", "Lookup"})
        self.assertEqual(SkillAlias.objects.count(), 3)

    def test_what_implied_a_merged_skill_implies_the_one_that_stays(self):
        narrower = make_skill("Graph RAG", broader=self.old)

        self.merge(self.old)

        narrower.refresh_from_db()
        self.assertEqual(narrower.broader, self.rag)

    def test_the_skill_that_stays_never_comes_to_imply_itself(self):
        top = make_skill("Top")
        upper = make_skill("Upper", broader=top)
        between = make_skill("Between", broader=upper)
        self.rag.broader = between
        self.rag.save()

        self.merge(upper)

        self.rag.refresh_from_db()
        between.refresh_from_db()
        self.assertEqual((self.rag.broader, between.broader), (top, self.rag))
        self.assertEqual(self.rag.with_narrower(), {self.rag.pk, between.pk})

    def test_a_broader_skill_without_another_above_leaves_none(self):
        self.rag.broader = self.old
        self.rag.save()

        self.merge(self.old)

        self.rag.refresh_from_db()
        self.assertIsNone(self.rag.broader)

    def test_what_led_to_a_merged_skill_leads_on_to_the_one_that_stays(self):
        oldest = make_skill("Oldest")
        self.merge(oldest, into=self.old)

        self.merge(self.old)

        oldest.refresh_from_db()
        self.assertEqual(oldest.merged_into, self.rag)
        self.assertIn("Oldest", names(self.rag.aliases.all()))

    def test_every_record_that_changed_is_logged(self):
        path = make_path("Data work")
        ask(self.old, label="Lookups", path=path)
        ask(self.old, label="Searching", path=path)
        make_skill("Graph RAG", broader=self.old)
        self.merge(make_skill("Oldest"), into=self.old)
        LogEntry.objects.all().delete()

        self.merge(self.old)

        logged = {entry.object_repr: entry.change_message for entry in LogEntry.objects.filter(user=self.editor)}
        self.assertEqual(
            logged,
            {
                "Data work": "Asks for “RAG” in “Lookups” and “Searching”.",
                "RAG": "Took the place of “Retrieval augmentation”.",
                "Retrieval augmentation": "Merged into “RAG”.",
                "Oldest": "Leads on to “RAG”.",
                "Graph RAG": "Implies “RAG”, which took the place of “Retrieval augmentation”.",
            },
        )

    def test_again_it_changes_nothing_but_takes_what_came_since(self):
        self.merge(self.old)
        logged = LogEntry.objects.count()

        self.assertEqual(self.merge(self.old), [])
        self.assertEqual(LogEntry.objects.count(), logged)

        late = ask(self.old)
        self.merge(self.old)
        self.assertEqual(names(late.skills.all()), ["RAG"])

    def test_what_somebody_else_merged_or_deleted_is_refused_and_named(self):
        gone = make_skill("Gone")
        self.merge(self.old, into=make_skill("Search"))
        Skill.objects.filter(pk=gone.pk).delete()

        with self.assertRaisesMessage(MergeError, "“Retrieval augmentation” was merged into “Search”"):
            self.merge(self.old)
        with self.assertRaisesMessage(MergeError, "“Retrieval augmentation” was merged into “Search”"):
            self.merge(self.rag, into=self.old)
        with self.assertRaisesMessage(MergeError, "was deleted"):
            self.merge(gone)
        self.assertEqual(Skill.objects.unmerged().count(), 2)

    def test_the_number_of_queries_does_not_grow(self):
        few, many = make_skill("Asked for twice"), make_skill("Asked for often")
        for skill, number in ((few, 2), (many, 20)):
            for place in range(number):
                ask(skill)
                make_skill(f"{skill} {place}", broader=skill)
        self.merge(self.old)

        for skill in (few, many):
            with self.subTest(str(skill)), self.assertNumQueries(11):
                self.merge(skill)


@st.composite
def houses(draw):
    """Skills as the numbers of what they imply, lines as sets of numbers, and what is merged into which."""
    number = draw(st.integers(2, 7))
    skill = st.integers(0, number - 1)
    broader = [draw(st.none() | st.integers(0, place - 1)) if place else None for place in range(number)]
    lines = draw(
        st.lists(st.tuples(st.sets(skill, min_size=1, max_size=4), st.sampled_from(["any", "all"])), max_size=5)
    )
    merges = draw(st.lists(st.tuples(st.sets(skill, min_size=1, max_size=3), skill), max_size=3))
    return broader, lines, merges


class SettleTests(TestCase):
    def test_lines_that_name_merged_skills_come_to_name_those_that_stay(self):
        kept, other = make_skill("Kept"), make_skill("Other")
        gone = make_skill("Gone", merged_into=make_skill("Between", merged_into=kept))
        role = make_role()
        lines = [ask(gone, other, role=role, label="One"), ask(gone, kept, role=role, label="Two")]

        settle(role.requirements.all())

        self.assertEqual([set(line.skills.all()) for line in lines], [{kept, other}, {kept}])

    def test_saving_a_role_in_the_desk_settles_its_lines(self):
        kept = make_skill("Kept")
        role = make_role()
        line = ask(kept, role=role)
        gone = make_skill("Gone")
        self.client.force_login(make_user("Editor"))
        url = f"/admin/careers/role/{role.pk}/change/"
        form = self.client.get(url).context["adminform"].form
        data = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
        prefixes = {"requirements": 1, "relations": 0, "codes": 0, "salary_ranges": 0}
        data |= {f"{name}-TOTAL_FORMS": count for name, count in prefixes.items()}
        data |= {f"{name}-INITIAL_FORMS": count for name, count in prefixes.items()}
        line_data = {"id": line.pk, "role": role.pk, "importance": "must", "label": "New", "needs": "any", "order": 0}
        data |= {f"requirements-0-{name}": value for name, value in line_data.items()}
        data["requirements-0-skills"] = [gone.pk]

        def merge_in_the_meantime(**kwargs):
            # After the form was checked, before its lists are saved.
            Skill.objects.filter(pk=gone.pk).update(merged_into=kept)

        pre_save.connect(merge_in_the_meantime, sender=Role)
        self.addCleanup(pre_save.disconnect, merge_in_the_meantime, sender=Role)

        response = self.client.post(url, data)

        self.assertEqual(response.status_code, 302, response.context and response.context["errors"])
        self.assertEqual(list(line.skills.all()), [kept])

    def test_one_that_stays_may_take_over_the_name_of_one_that_was_merged(self):
        kept = make_skill("RAG")
        make_skill("Retrieval-augmented generation", merged_into=kept)

        kept.name = "Retrieval-augmented generation"
        kept.full_clean()
        kept.save()

        with self.assertRaises(IntegrityError):
            Skill.objects.create(slug="another", name="retrieval-Augmented generation", kind="llm")


class PropertyTests(PropertyTestCase):
    @settings(max_examples=60, deadline=None)
    @given(houses())
    def test_no_merging_loses_a_line_a_name_or_the_order_of_skills(self, house):
        broader, wanted, merges = house
        skills = []
        for place, above in enumerate(broader):
            above = None if above is None else skills[above]
            skills.append(Skill.objects.create(slug=f"s{place}", name=f"S{place}", kind="data", broader=above))
        # Some order in which what is broader does not always have the smaller key.
        lines = [ask(*(skills[number] for number in meet), needs=needs) for meet, needs in wanted]
        by, stays = make_user(), {skill.pk: skill.pk for skill in skills}

        for chosen, into in merges:
            if stays[skills[into].pk] != skills[into].pk:
                continue
            chosen = [skills[number] for number in chosen if stays[skills[number].pk] == skills[number].pk]
            merge(chosen, skills[into], by)
            moved = {skill.pk for skill in chosen}
            stays = {key: skills[into].pk if place in moved else place for key, place in stays.items()}

        for line, (meet, needs) in zip(lines, wanted, strict=True):
            line.refresh_from_db()
            expected = {stays[skills[number].pk] for number in meet}
            self.assertEqual({skill.pk for skill in line.skills.all()}, expected)
            self.assertEqual(line.needs, needs)
        left = Skill.objects.unmerged()
        self.assertEqual({skill.pk for skill in left}, set(stays.values()))
        self.assertEqual(SkillAlias.objects.count(), len(skills) - len(left))
        for skill in Skill.objects.all():
            self.assertEqual(skill.merged_into_id or skill.pk, stays[skill.pk])
            if skill.broader_id:
                self.assertIn(skill.broader, left)
                self.assertNotIn(skill.broader_id, skill.with_narrower())


class AtOnceTests(TransactionTestCase):
    # The groups come with the migrations; a flush would take them away from the tests that follow.
    serialized_rollback = True

    def _fixture_teardown(self):
        for model in frozen.guarded_models():
            frozen.unguard(connection, model)
        super()._fixture_teardown()
        for model in frozen.guarded_models():
            frozen.guard(connection, model)

    def test_two_people_who_merge_the_same_two_the_other_way_round_leave_one(self):
        first, second = make_skill("First"), make_skill("Second")
        line = ask(first, second)
        people = [make_user("Editor"), make_user("Editor")]
        barrier = Barrier(2)

        def act(number):
            try:
                barrier.wait()
                merge([first, second], [first, second][number], people[number])
            except MergeError as error:
                return str(error)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(act, range(2)))

        self.assertEqual(sum(error is None for error in said), 1)
        self.assertEqual(list(line.skills.all()), list(Skill.objects.unmerged()))


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
        with self.assertNumQueries(12):
            self.client.get(self.url)
        skills = [make_skill(f"Skill {number}") for number in range(50)]
        for skill in skills:
            ask(skill)
            skill.aliases.create(alias=f"Other {skill}")
            make_skill(f"Narrower {skill}", broader=skill)

        with self.assertNumQueries(12):
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
