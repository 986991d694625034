"""Merging of skills: the act by itself, by random skills, and while lines are saved."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connections
from django.db.models.signals import pre_save
from django.test import TestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from careers.merging import MergeError, merge, settle
from careers.models import Requirement, Role, Skill, SkillAlias
from tests.committed import CommittedTestCase
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
            with self.subTest(str(skill)), self.assertNumQueries(12):
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
    @settings(max_examples=60)
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


class AtOnceTests(CommittedTestCase):
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
