"""Moves between roles: what somebody in the one already brings to the other, and what is missing."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from .catalogue import Catalogue, KnownSkill, RoleUnits, Unit


class Move(NamedTuple):
    """A role that is moved to or comes from, and which of the target's musts the move leaves to be met."""

    role: RoleUnits
    met: int
    total: int
    missing: list[Unit]
    # The one skill that would meet all that is missing.
    skill: KnownSkill | None


def missing(catalogue: Catalogue, from_: RoleUnits, to: RoleUnits) -> list[Unit]:
    """The musts of a role that no must of another vouches for."""
    return [unit for unit in to.musts if not any(vouches(catalogue, own.skills, unit.skills) for own in from_.musts)]


def move(catalogue: Catalogue, from_: RoleUnits, to: RoleUnits) -> Move:
    """What somebody in a role has and lacks for another, which is the role of the move."""
    left = missing(catalogue, from_, to)
    return Move(to, len(to.musts) - len(left), len(to.musts), left, catalogue.one_skill_for(left))


def moves_from(catalogue: Catalogue, role: RoleUnits, most: int = 5) -> list[Move]:
    """The roles to which somebody in this one has the least way to go; roles without musts are left out."""

    @cache
    def is_brought(asked: frozenset[int]) -> bool:
        return any(vouches(catalogue, own.skills, asked) for own in role.musts)

    others = _others(catalogue, role)
    ways = [(other, other, [unit for unit in other.musts if not is_brought(unit.skills)]) for other in others]
    return _nearest(catalogue, ways, most)


def moves_into(catalogue: Catalogue, role: RoleUnits, most: int = 5) -> list[Move]:
    """The roles from which somebody has the least way to go to this one; roles without musts are left out."""

    @cache
    def brought_by(own: frozenset[int]) -> frozenset[frozenset[int]]:
        return frozenset(unit.skills for unit in role.musts if vouches(catalogue, own, unit.skills))

    ways = []
    for other in _others(catalogue, role):
        brought = frozenset().union(*(brought_by(own.skills) for own in other.musts))
        ways.append((other, role, [unit for unit in role.musts if unit.skills not in brought]))
    return _nearest(catalogue, ways, most)


def vouches(catalogue: Catalogue, own: frozenset[int], asked: frozenset[int]) -> bool:
    """Whether somebody who meets a must by any of its own skills has one that is asked, by name or by implication."""
    return all(not catalogue.implied[skill].isdisjoint(asked) for skill in own)


def _others(catalogue: Catalogue, role: RoleUnits) -> list[RoleUnits]:
    """The roles that this one can be compared with: none if its own musts are not known."""
    return [other for other in catalogue.roles.values() if other.musts and other.pk != role.pk] if role.musts else []


def _nearest(catalogue: Catalogue, ways: Iterable[tuple[RoleUnits, RoleUnits, list[Unit]]], most: int) -> list[Move]:
    """Of triples of role, target and what is missing there, those with the fewest missing; where all is, it is no move.

    Of equals those of which more is met, as a share; then the editors' order; then the title.
    """
    brought = (way for way in ways if len(way[2]) < len(way[1].musts))
    nearest = sorted(brought, key=lambda way: (len(way[2]), len(way[2]) / len(way[1].musts), way[0].place))[:most]
    return [
        Move(role, len(target.musts) - len(left), len(target.musts), left, catalogue.one_skill_for(left))
        for role, target, left in nearest
    ]
