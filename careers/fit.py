"""The skill check: what somebody meets of every role's list. A checklist, not a prediction of who is hired."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from .catalogue import Catalogue, KnownSkill, RoleUnits, Unit


class RoleFit(NamedTuple):
    role: RoleUnits
    missing: list[Unit]
    nices_met: int

    @classmethod
    def of(cls, role: RoleUnits, counted: frozenset[int]) -> Self:
        return cls(role, unmet(role.musts, counted), len(met(role.nices, counted)))

    @property
    def musts_met(self) -> int:
        return len(self.role.musts) - len(self.missing)

    @property
    def must_share(self) -> float:
        """Of the musts, which a ranked role has, the part that is met: from 0 to 1."""
        return self.musts_met / len(self.role.musts)

    @property
    def nice_share(self) -> float:
        return self.nices_met / len(self.role.nices) if self.role.nices else 0.0

    @property
    def rank(self) -> tuple[float, int, float, tuple[int, str, str]]:
        """What results are sorted by: must share, fewer missing, nice share, the editors' order, title."""
        return -self.must_share, len(self.missing), -self.nice_share, self.role.place


class NextSkill(NamedTuple):
    """The one skill that would meet the most musts, and the roles with those that it would meet."""

    skill: KnownSkill
    # The skills that it implies and that are not had yet, the nearest first.
    brings: list[KnownSkill]
    meets: list[tuple[RoleUnits, list[Unit]]]

    @property
    def musts_met(self) -> int:
        return sum(len(units) for _, units in self.meets)


class Step(NamedTuple):
    """A role and the one skill that would meet all that is missing."""

    role: RoleUnits
    skill: KnownSkill


class Fit(NamedTuple):
    """What a check found. Without any skill nothing is ranked, and nothing advised."""

    results: list[RoleFit]
    # Roles that no must is known of.
    without_musts: list[RoleUnits]
    next_skill: NextSkill | None
    one_away: list[Step]

    @property
    def whole(self) -> list[RoleFit]:
        return [result for result in self.results if not result.missing]


def check(catalogue: Catalogue, had: Collection[int]) -> Fit:
    """Hold these skills, whatever their order, against every role."""
    counted = catalogue.implied_by(had)
    without_musts = [role for role in catalogue.roles.values() if not role.musts]
    if not counted:
        return Fit([], without_musts, None, [])
    results = [RoleFit.of(role, counted) for role in catalogue.roles.values() if role.musts]
    results.sort(key=lambda result: result.rank)
    short = [result for result in results if result.missing]
    return Fit(results, without_musts, _next_skill(catalogue, counted, short), _one_away(catalogue, short))


def unmet(units: Iterable[Unit], counted: frozenset[int]) -> list[Unit]:
    """Units that none of these skills meets, among which is what they imply."""
    return [unit for unit in units if unit.skills.isdisjoint(counted)]


def met(units: Iterable[Unit], counted: frozenset[int]) -> list[Unit]:
    return [unit for unit in units if not unit.skills.isdisjoint(counted)]


def _next_skill(catalogue: Catalogue, counted: frozenset[int], short: Sequence[RoleFit]) -> NextSkill | None:
    """The skill that would meet the most unmet musts of all roles together, with what it implies.

    Of several the one that completes more roles; then that meets more unmet nices; then the plainest.
    """
    gains = _gains(catalogue, (unit for result in short for unit in result.missing))
    if not gains:
        return None
    most = max(gains.values())
    tied = {skill for skill, gain in gains.items() if gain == most}
    best = tied.pop() if len(tied) == 1 else _best_of(tied, catalogue, counted, short)
    brought = catalogue.implied_by([best])
    meets = ((result.role, met(result.missing, brought)) for result in short)
    return NextSkill(
        catalogue.skills[best],
        [
            catalogue.skills[skill]
            for skill in sorted(brought - counted - {best}, key=catalogue.plainness, reverse=True)
        ],
        [(role, units) for role, units in meets if units],
    )


def _best_of(tied: set[int], catalogue: Catalogue, counted: frozenset[int], short: Sequence[RoleFit]) -> int:
    completes = Counter(
        skill
        for result in short
        for skill in tied.intersection(*(catalogue.implying(unit.skills) for unit in result.missing))
    )
    nices = _gains(catalogue, unmet((unit for role in catalogue.roles.values() for unit in role.nices), counted))
    return min(tied, key=lambda skill: (-completes[skill], -nices[skill], catalogue.plainness(skill)))


def _gains(catalogue: Catalogue, units: Iterable[Unit]) -> Counter[int]:
    """How many of these units each skill would meet, with what it implies; skills that would meet none left out."""
    gains: Counter[int] = Counter()
    # Many roles ask for the same, so that there are far fewer sets of skills than units.
    for skills, count in Counter(unit.skills for unit in units).items():
        for skill in catalogue.implying(skills):
            gains[skill] += count
    return gains


def _one_away(catalogue: Catalogue, short: Sequence[RoleFit]) -> list[Step]:
    """Roles of which one skill alone would meet all that is missing, with the plainest such skill."""
    steps = ((result.role, catalogue.one_skill_for(result.missing)) for result in short)
    return [Step(role, skill) for role, skill in steps if skill]


class Line(NamedTuple):
    """A unit explained: the reader's skill that meets it, or the skills of which any one would."""

    unit: Unit
    met_by: KnownSkill | None
    # The skill of the unit that `met_by` counts for, where it is not itself named there.
    counts_for: KnownSkill | None
    would_meet: list[KnownSkill]


def explain(catalogue: Catalogue, units: Iterable[Unit], had: Collection[int]) -> list[Line]:
    """Say of each unit why it is met or not.

    Of several skills that meet it the one is named that the unit names itself; then the plainest.
    """
    reach = {skill: catalogue.implied_by([skill]) for skill in sorted(had, key=catalogue.plainness)}
    return [_explained(catalogue, unit, reach) for unit in units]


def _explained(catalogue: Catalogue, unit: Unit, reach: Mapping[int, frozenset[int]]) -> Line:
    meeting = [skill for skill, implied in reach.items() if not unit.skills.isdisjoint(implied)]
    if not meeting:
        would_meet = sorted(unit.skills, key=lambda skill: catalogue.plainness(skill)[1:])
        return Line(unit, None, None, [catalogue.skills[skill] for skill in would_meet])
    named = [skill for skill in meeting if skill in unit.skills]
    if named:
        return Line(unit, catalogue.skills[named[0]], None, [])
    # The nearest of what it implies implies the most itself.
    counts_for = max(unit.skills & reach[meeting[0]], key=catalogue.plainness)
    return Line(unit, catalogue.skills[meeting[0]], catalogue.skills[counts_for], [])
