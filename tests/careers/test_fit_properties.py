"""What holds of the skill check for every catalogue: over random small ones, by brute force."""

from urllib.parse import urlencode, urlsplit

from django.http import QueryDict
from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from careers.catalogue import Catalogue, LineRow, RoleRow, SkillRow
from careers.fit import check, explain
from careers.skill_check import Asked
from careers.skill_names import SkillNames

SKILLS = range(1, 9)
skill_sets = st.sets(st.sampled_from(SKILLS))


@st.composite
def rows(draw):
    """Up to eight skills, some broader than others or merged, in circles too, and a few roles and paths."""
    others = st.none() | st.sampled_from(SKILLS)
    rarely = st.one_of(st.none(), st.none(), st.none(), st.sampled_from(SKILLS))
    skills = [SkillRow(pk, f"s{pk}", f"Skill {pk}", "data", draw(others), draw(rarely)) for pk in SKILLS]
    roles = [
        RoleRow(pk, f"r{pk}", f"Role {pk}", draw(st.integers(0, 1)), draw(st.sampled_from([None, 1])))
        for pk in (1, 2, 3)
    ]
    owners = st.sampled_from([(1, None), (2, None), (3, None), (None, 1)])
    importances, needs = st.sampled_from(["core", "must", "must", "nice"]), st.sampled_from(["any", "all"])
    lines = [
        LineRow(pk, *draw(owners), draw(importances), f"Line {pk}", "", draw(needs), tuple(sorted(draw(skill_sets))))
        for pk in range(1, draw(st.integers(0, 12)) + 1)
    ]
    return skills, roles, lines


def catalogues():
    return rows().map(lambda drawn: Catalogue.of(*drawn))


def by_the_design(skills, roles, lines, had):
    """Musts met, musts, nices met and nices of each role, straight from the words of the design and no code of ours."""
    skills, had = {row.pk: row for row in skills}, set(had)

    def kept(skill):
        seen = []
        while skills[skill].merged_into and skill not in seen:
            seen.append(skill)
            skill = skills[skill].merged_into
        return min(seen[seen.index(skill) :]) if skill in seen else skill

    counted = set()
    for skill in had:
        skill = kept(skill)
        while skill and skill not in counted:
            counted.add(skill)
            skill = skills[skill].broader and kept(skills[skill].broader)

    def things(found):
        """The sets of skills of which one meets a line, or each of its skills by itself."""
        for line in found:
            named = {kept(skill) for skill in line.skills}
            if line.needs == "all":
                yield from ({skill} for skill in named)
            elif named:
                yield named

    def parts(role):
        own = [line for line in lines if line.role == role.pk and line.importance != "core"]
        lists = own or [line for line in lines if role.path and line.path == role.path and line.importance != "core"]
        musts, nices = ([*things(line for line in lists if line.importance == kind)] for kind in ("must", "nice"))
        core = things(line for line in lines if line.role == role.pk and line.importance == "core")
        mentioned = set().union(*musts, *nices)
        return musts + [thing for thing in core if not thing & mentioned], nices

    told = {}
    for role in roles:
        musts, nices = parts(role)
        met = [sum(bool(thing & counted) for thing in of_kind) for of_kind in (musts, nices)]
        told[role.pk] = met[0], len(musts), met[1], len(nices)
    return told


def met_of(catalogue, had):
    """How much of each role is met: musts, nices, and the share of musts."""
    return {
        result.role.pk: (result.musts_met, result.nices_met, result.must_share)
        for result in check(catalogue, had).results
    }


def unmet_musts(catalogue, had):
    """Pairs of role and must that these skills do not meet, each skill tried by itself."""
    return [
        (role.pk, unit)
        for role in catalogue.roles.values()
        for unit in role.musts
        if not any(catalogue.implied_by([skill]) & unit.skills for skill in had)
    ]


class FitPropertyTests(SimpleTestCase):
    @given(rows(), skill_sets.filter(bool))
    def test_it_counts_as_the_design_says(self, drawn, had):
        catalogue = Catalogue.of(*drawn)

        counted = {
            fit.role.pk: (fit.musts_met, len(fit.role.musts), fit.nices_met, len(fit.role.nices))
            for fit in check(catalogue, had).results
        }

        expected = by_the_design(*drawn, had)
        self.assertEqual(counted, {role: counts for role, counts in expected.items() if counts[1]})

    @given(catalogues(), st.lists(st.sampled_from(SKILLS)), st.randoms())
    def test_the_order_of_skills_does_not_matter(self, catalogue, had, random):
        shuffled = random.sample(had, len(had))

        self.assertEqual(check(catalogue, shuffled), check(catalogue, had))

    @given(catalogues(), skill_sets, st.sampled_from(SKILLS))
    def test_a_further_skill_lowers_no_role(self, catalogue, had, further):
        before = met_of(catalogue, had)

        after = met_of(catalogue, had | {further})

        for role, values in before.items():
            self.assertTrue(all(new >= old for new, old in zip(after[role], values, strict=True)))

    @given(catalogues(), skill_sets)
    def test_results_stand_in_their_order(self, catalogue, had):
        results = check(catalogue, had).results

        keys = [(-r.must_share, len(r.missing), -r.nice_share, r.role.order, r.role.name) for r in results]
        self.assertEqual(keys, sorted(keys))

    @given(catalogues(), skill_sets)
    def test_a_merged_skill_is_worth_what_its_target_is(self, catalogue, had):
        targets = {catalogue.target[skill] for skill in had}

        self.assertEqual(check(catalogue, had), check(catalogue, targets))

    @given(catalogues(), st.sampled_from(SKILLS))
    def test_a_broader_skill_meets_nothing_that_a_narrower_one_does_not(self, catalogue, skill):
        narrow = met_of(catalogue, [skill])

        for broader in catalogue.implied_by([skill]):
            for role, values in met_of(catalogue, [broader]).items():
                self.assertTrue(all(less <= more for less, more in zip(values, narrow[role], strict=True)))

    @given(catalogues(), skill_sets.filter(bool))
    def test_no_skill_meets_more_than_the_next_best(self, catalogue, had):
        next_skill = check(catalogue, had).next_skill

        missing = unmet_musts(catalogue, had)
        gains = {skill: len(missing) - len(unmet_musts(catalogue, had | {skill})) for skill in catalogue.skills}
        best = max(gains.values())
        self.assertEqual(best > 0, next_skill is not None)
        if next_skill:
            self.assertEqual(gains[next_skill.skill.pk], best)
            self.assertEqual(next_skill.musts_met, best)

    @given(catalogues(), skill_sets.filter(bool))
    def test_of_equal_next_skills_the_one_stands_that_the_rule_says(self, catalogue, had):
        next_skill = check(catalogue, had).next_skill

        def merits(skill):
            after = check(catalogue, had | {skill})
            return (
                -sum(result.musts_met for result in after.results),
                -len(after.whole),
                -sum(
                    bool(unit.skills & catalogue.implied_by(had | {skill}))
                    for role in catalogue.roles.values()
                    for unit in role.nices
                ),
                len(catalogue.implied_by([skill])),
                catalogue.skills[skill].name,
            )

        if next_skill:
            self.assertEqual(next_skill.skill.pk, min(catalogue.skills, key=merits))

    @given(catalogues(), skill_sets.filter(bool))
    def test_roles_one_skill_away_are_those_that_some_skill_completes(self, catalogue, had):
        fit = check(catalogue, had)

        whole = {result.role.pk for result in fit.whole}
        completed = {}
        for skill in catalogue.skills:
            for result in check(catalogue, had | {skill}).whole:
                if result.role.pk not in whole:
                    completed.setdefault(result.role.pk, []).append(skill)
        self.assertEqual({step.role.pk for step in fit.one_away}, set(completed))
        for step in fit.one_away:
            self.assertEqual(step.skill.pk, min(completed[step.role.pk], key=catalogue.plainness))

    @given(catalogues(), skill_sets)
    def test_what_explains_a_line_is_so(self, catalogue, had):
        had = {catalogue.target[skill] for skill in had}
        for role in catalogue.roles.values():
            for line in explain(catalogue, role.musts + role.nices, had):
                if line.met_by:
                    self.assertIn(line.met_by.pk, had)
                    named = line.counts_for or line.met_by
                    self.assertIn(named.pk, line.unit.skills & catalogue.implied_by([line.met_by.pk]))
                else:
                    self.assertFalse(line.unit.skills & catalogue.implied_by(had))
                    self.assertEqual({skill.pk for skill in line.would_meet}, line.unit.skills)


texts = st.lists(
    st.sampled_from(
        ["s1", "Skill 2", "s-3", "SKILL4", "foo", "and", "bar", ",", ";", "\n", "ﬃ", "é", "Å", "%", "&", "1"]
    )
    | st.text(max_size=8)
).map(" ".join)
parameters = st.lists(
    st.tuples(st.sampled_from(["skills", "know", "cut", "page", "colour", "utm_source"]), st.just("1") | texts)
)


class AddressPropertyTests(SimpleTestCase):
    @given(catalogues(), parameters)
    def test_no_address_leads_on_twice(self, catalogue, pairs):
        names = SkillNames.of(catalogue, [(1, "foo bar"), (2, "é"), (3, "s4")])

        asked = Asked.read(QueryDict(urlencode(pairs)), names)
        again = Asked.read(QueryDict(urlsplit(asked.url).query), names)

        self.assertTrue(again.is_canonical)
        self.assertCountEqual(again.others, asked.others)
        self.assertEqual((again.skills, again.unknown, again.is_cut), (asked.skills, asked.unknown, asked.is_cut))

    @given(catalogues(), st.lists(st.sampled_from(SKILLS)), st.randoms())
    def test_the_order_of_skills_makes_no_other_address(self, catalogue, skills, random):
        names = SkillNames.of(catalogue, [])
        slugs = [f"s{skill}" for skill in skills]
        shuffled = random.sample(slugs, len(slugs))

        urls = {
            Asked.read(QueryDict(query), names).url
            for query in (f"skills={','.join(slugs)}", "&".join(f"skills={slug}" for slug in shuffled))
        }

        self.assertEqual(len(urls), 1)
