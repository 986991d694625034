from django.http import QueryDict
from django.test import TestCase

from careers.catalogue import Catalogue
from careers.models import Requirement, Skill
from careers.side_by_side import Chosen, SideBySide, suggestions
from tests.factories import make_markets, make_path, make_role, make_salary, make_skill


def add_line(role, importance, label, *skills, needs="any"):
    line = Requirement.objects.create(role=role, importance=importance, label=label, needs=needs)
    line.skills.set([make_skill(name) for name in skills or [label]])


def beside(*slugs):
    return SideBySide.of(Catalogue.load(), Chosen(list(slugs)))


def told(side_by_side):
    """Each group with its lines and what each role says of them."""
    return {
        group.title: {line.label: [cell.words for cell in line.cells] for line in group.lines}
        for group in side_by_side.groups
    }


class SideBySideTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.analyst = make_role("Analyst", pay={"GB": (40_000, 60_000)}, order=1)
        cls.builder = make_role("Builder", pay={"GB": (50_000, 70_000), "US": (90_000, 120_000, True)}, order=2)
        cls.chemist = make_role("Chemist", order=3)
        for label in ("SQL", "Statistics"):
            add_line(cls.analyst, "must", label)
        add_line(cls.builder, "must", "Databases", "SQL")
        add_line(cls.builder, "nice", "Statistics")
        add_line(cls.builder, "must", "Python")
        add_line(cls.chemist, "must", "Programming")
        add_line(cls.chemist, "must", "SQL")
        Skill.objects.filter(slug="python").update(broader=make_skill("Programming"))

    def test_four_roles_are_told_the_same_whatever_others_there_are(self):
        on_path = make_role("Driller", path=make_path("Drills"), order=4)
        add_line(on_path, "must", "SQL")
        Requirement.objects.create(path=on_path.path, importance="nice", label="Python").skills.set([make_skill()])
        add_line(make_role("Engraver"), "must", "Engraving")
        chosen = Chosen(["analyst", "builder", "chemist", "driller"])

        few = chosen.catalogue()

        whole = SideBySide.of(Catalogue.load(), chosen)
        self.assertEqual([role.name for role in few.roles.values()], ["Analyst", "Builder", "Chemist", "Driller"])
        self.assertEqual(told(SideBySide.of(few, chosen)), told(whole))
        self.assertEqual(SideBySide.of(few, chosen).ways, whole.ways)
        self.assertEqual(len(Chosen(["analyst"]).catalogue().roles), 5)

    def test_two_roles_are_told_apart_line_by_line(self):
        self.assertEqual(
            told(beside("analyst", "builder")),
            {
                "Both ask for": {"SQL": ["Must have", "Must have"], "Statistics": ["Must have", "Nice to have"]},
                "One asks for": {"Python": ["", "Must have"]},
            },
        )

    def test_of_three_some_may_share_a_line(self):
        groups = told(beside("analyst", "builder", "chemist"))

        self.assertEqual(list(groups), ["All ask for", "Some ask for", "One asks for"])
        self.assertEqual(groups["Some ask for"], {"Statistics": ["Must have", "Nice to have", ""]})

    def test_a_line_that_another_must_brings_along_says_so(self):
        self.assertEqual(
            told(beside("builder", "chemist"))["One asks for"]["Programming"], ["Comes with Python", "Must have"]
        )

    def test_a_line_is_called_as_the_first_role_calls_it_and_others_say_how_they_do(self):
        line = beside("analyst", "builder").groups[0].lines[0]

        self.assertEqual([(cell.label, cell.is_must) for cell in line.cells], [("", True), ("Databases", True)])

    def test_a_move_says_what_comes_along_and_what_is_missing_in_each_direction(self):
        ways = beside("analyst", "builder").ways

        moves = [(way.role.name, move.role.name, move.met, move.total) for way in ways for move in way.moves]
        self.assertEqual(moves, [("Analyst", "Builder", 1, 2), ("Builder", "Analyst", 1, 2)])
        self.assertEqual([unit.label for unit in ways[0].moves[0].missing], ["Python"])

    def test_it_suggests_the_nearest_roles_while_there_is_room(self):
        catalogue = Catalogue.load()

        self.assertEqual(next(c.roles for c in suggestions(catalogue, Chosen(["analyst"]))), "analyst,builder")
        self.assertEqual(len(suggestions(catalogue, Chosen([]))), 3)
        self.assertEqual(suggestions(catalogue, Chosen(["a", "b", "c", "d"])), [])


class PageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        for number, letter in enumerate("abcde"):
            make_role(f"Role {letter}", slug=letter, pay={"GB": (40_000 + number, 60_000)}, core=["SQL"], order=number)

    def test_it_shows_pay_requirements_and_moves(self):
        response = self.client.get("/careers/compare/?roles=b,a")

        self.assertContains(response, '<h1 class="beside__title">Role b and Role a</h1>', html=True)
        for text in ("£40,001–£60K", "No figure", "Both ask for", "From Role b to Role a", "1 of 1"):
            self.assertContains(response, text)
        self.assertContains(response, 'href="?roles=a">Remove')
        self.assertContains(response, 'href="/careers/charts/gb.png?roles=b,a"')
        self.assertContains(response, 'href="?roles=b,a,c"')
        self.assertContains(response, '<meta name="robots" content="noindex">')
        self.assertContains(response, 'rel="canonical" href="http://127.0.0.1:8000/careers/compare/"')

    def test_ticked_boxes_and_commas_mean_the_same(self):
        ticked = self.client.get("/careers/compare/?roles=a&roles=b")

        self.assertEqual(ticked.content, self.client.get("/careers/compare/?roles=a,b").content)

    def test_more_than_four_are_named_and_left_out(self):
        response = self.client.get("/careers/compare/?roles=a,b,c,d,e")

        self.assertContains(response, "Role a, Role b, Role c and Role d")
        self.assertContains(response, "At most four roles stand side by side. Left out: Role e.")
        self.assertNotContains(response, "Not understood")

    def test_what_is_not_known_is_named_and_fewer_than_two_are_told_what_to_do(self):
        response = self.client.get("/careers/compare/?roles=a,<x>,a&colour=red&utm_source=y")

        self.assertContains(response, "roles=&lt;x&gt;")
        self.assertContains(response, "colour=red")
        self.assertNotContains(response, "utm_source")
        self.assertContains(response, "One role is chosen. It takes two.")
        self.assertContains(self.client.get("/careers/compare/"), 'href="?roles=a"')

    def test_pay_is_that_of_today_with_its_notes_and_withdrawn_figures_say_so(self):
        role = make_role("Withdrawn role", slug="w")
        salary = make_salary(role, make_markets()["GB"])
        salary.publish_successor(why="retraction", why_note="Made up.")

        response = self.client.get("/careers/compare/?roles=a,w")

        self.assertContains(response, "Withdrawn<span")
        self.assertContains(response, "Made up.")
        self.assertContains(response, 'id="pay-note-a"')

    def test_its_queries_grow_neither_with_roles_nor_with_lists(self):
        with self.assertNumQueries(12):
            self.client.get("/careers/compare/?roles=a,b")
        for number in range(30):
            make_role(f"Another {number}", pay={"GB": (1, 2), "US": (3, 4)}, core=["Python", f"Skill {number}"])

        with self.assertNumQueries(12):
            self.client.get("/careers/compare/?roles=a,b,another-1,another-2")

    def test_hostile_values_are_harmless(self):
        for value in ("%ED%A0%80", "," * 5000, "a," * 3000, "x" * 7000, "%00"):
            with self.subTest(value[:10]):
                self.assertLess(self.client.get(f"/careers/compare/?roles={value}").status_code, 500)
        self.assertEqual(Chosen.read(QueryDict("roles=,,,")).slugs, [])
