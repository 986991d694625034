"""The page of the skill check: what its address asks, and what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Self
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from articles.asked import MAX_VALUE_LENGTH, MOST_NAMED, is_tracking, named, page_number

from .catalogue import Catalogue, KnownSkill, Origin, RoleUnits, Unit
from .fit import Fit, Line, RoleFit, check, explain
from .models import Skill
from .qr_code import QrCode
from .skill_names import SkillNames

MOST_SKILLS = 100
ROLES_A_PAGE = 20
# How many roles a list beside the results names.
MOST_BESIDE = 8

OWN = ["skills", "know", "cut"]


@dataclass(frozen=True)
class Asked:
    """What a reader can do, sorted by address; the words that were not understood; whether not all was read.

    `others` is what else stands in the address. `is_canonical` says whether `url` is the address that was asked.
    """

    skills: list[KnownSkill]
    unknown: list[str]
    is_cut: bool
    others: list[tuple[str, str]]
    is_canonical: bool

    @classmethod
    def read(cls, data: QueryDict, names: SkillNames) -> Self:
        """Read addresses of skills and whatever else skills are called by, from `skills` and `know` alike."""
        slugs = {slug: names.of_slug(slug) for value in data.getlist("skills") for slug in value.split(",")}
        words = [slug for slug, skill in slugs.items() if skill is None]
        reading = names.read(",".join([*data.getlist("know"), *words]))
        found = reading.skills | {skill for skill in slugs.values() if skill is not None}
        skills = _by_slug(names.catalogue.skills[skill] for skill in found)
        is_cut = reading.is_cut or len(skills) > MOST_SKILLS or "1" in data.getlist("cut")
        given = [(name, value) for name in data for value in data.getlist(name)]
        own = [pair for pair in given if _is_own(pair)]
        others = [pair for pair in given if not _is_own(pair) and not is_tracking(pair[0])][:MOST_NAMED]
        canonical = _parameters(skills[:MOST_SKILLS], reading.unknown, is_cut)
        return cls(
            skills[:MOST_SKILLS],
            reading.unknown,
            is_cut,
            others=[(name[:MAX_VALUE_LENGTH], value[:MAX_VALUE_LENGTH]) for name, value in others],
            is_canonical=own == canonical,
        )

    @property
    def url(self) -> str:
        """The one address of this check. What was not understood stays in it, so that the page can name it."""
        return _address([*_parameters(self.skills, self.unknown, self.is_cut), *self.others])

    @property
    def link(self) -> str:
        """The link under which the result is found again."""
        return settings.SITE_URL + self.path

    @property
    def path(self) -> str:
        return _address(_parameters(self.skills))

    @property
    def page(self) -> int:
        """The page of results: the first one unless another is asked for."""
        pages = [page_number(value) for name, value in self.others if name == "page"]
        return next((page for page in reversed(pages) if page), 1)

    @property
    def beside_page(self) -> str:
        """What stands before `page` in the address of another page of the results."""
        return f"{urlencode(_parameters(self.skills, self.unknown, self.is_cut), safe=',')}&"

    def with_skill(self, skill: KnownSkill, instead_of: str = "") -> str:
        """The address with a further skill, in the place of words that were not understood."""
        unknown = [words for words in self.unknown if words != instead_of]
        return _address(_parameters(_by_slug({*self.skills, skill}), unknown))

    def without_skill(self, skill: KnownSkill) -> str:
        return _address(_parameters([other for other in self.skills if other != skill], self.unknown))


def _by_slug(skills: Iterable[KnownSkill]) -> list[KnownSkill]:
    return sorted(skills, key=lambda skill: skill.slug)


def _is_own(pair: tuple[str, str]) -> bool:
    return pair[0] in {"skills", "know"} or pair == ("cut", "1")


def _parameters(
    skills: Iterable[KnownSkill], unknown: Iterable[str] = (), is_cut: bool = False
) -> list[tuple[str, str]]:
    values = [",".join(skill.slug for skill in skills), ", ".join(unknown), "1" if is_cut else ""]
    return [(name, value) for name, value in zip(OWN, values, strict=True) if value]


def _address(parameters: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(parameters), safe=",")
    return reverse("careers:fit") + (f"?{query}" if query else "")


class Choice(NamedTuple):
    """A skill, and the address of the check with it or, if it is had, without it."""

    skill: KnownSkill
    url: str


class Kind(NamedTuple):
    """A tick list: skills of one kind and whether each is ticked."""

    slug: str
    label: str
    ticks: list[tuple[KnownSkill, bool]]

    @property
    def ticked(self) -> int:
        return sum(is_ticked for _, is_ticked in self.ticks)


class Group(NamedTuple):
    """Lines of one importance from one list."""

    is_must: bool
    origin: Origin
    lines: list[Line]


class Result(NamedTuple):
    fit: RoleFit
    groups: list[Group]

    @property
    def percent(self) -> int:
        return round(100 * self.fit.must_share)


@dataclass(frozen=True)
class SkillCheck:
    """All that the page shows of a check; its lines are explained for one page of roles only."""

    catalogue: Catalogue
    asked: Asked
    # What was not understood, each with what may have been meant.
    unknown: list[tuple[str, list[Choice]]]
    fit: Fit
    page: Page
    # What stood in the address and was not understood, as “name=value”.
    ignored: list[str]

    @classmethod
    def of(cls, asked: Asked, names: SkillNames) -> Self:
        found = check(names.catalogue, [skill.pk for skill in asked.skills])
        guesses = names.guesses(asked.unknown)
        unknown = [
            (words, [Choice(skill, asked.with_skill(skill, instead_of=words)) for skill in guesses.get(words, [])])
            for words in asked.unknown
        ]
        pages = Paginator(found.results, ROLES_A_PAGE)
        page = pages.page(asked.page if asked.page <= pages.num_pages else 1)
        ignored = named(pair for pair in asked.others if pair != ("page", str(page.number)))
        return cls(names.catalogue, asked, unknown, found, page, ignored)

    @property
    def kinds(self) -> list[Kind]:
        """The skills that some list asks for, and those that are ticked, in tick lists."""
        ticked = {skill.pk for skill in self.asked.skills}
        offered = sorted(self.catalogue.asked | ticked, key=lambda pk: self.catalogue.skills[pk].name.casefold())
        lists = {
            kind: [
                (self.catalogue.skills[pk], pk in ticked) for pk in offered if self.catalogue.skills[pk].kind == kind
            ]
            for kind in Skill.Kind
        }
        return [Kind(kind.value, str(kind.label), ticks) for kind, ticks in lists.items() if ticks]

    @property
    def code(self) -> QrCode | None:
        return QrCode.of(self.asked.link)

    @property
    def had(self) -> list[Choice]:
        by_name = sorted(self.asked.skills, key=lambda skill: skill.name.casefold())
        return [Choice(skill, self.asked.without_skill(skill)) for skill in by_name]

    @property
    def results(self) -> list[Result]:
        return [Result(fit, self._groups(fit.role)) for fit in self.page.object_list]

    @property
    def next_choice(self) -> Choice | None:
        return self._choice(self.fit.next_skill.skill) if self.fit.next_skill else None

    @property
    def next_roles(self) -> list[tuple[RoleUnits, list[Unit]]]:
        """The first roles that the next skill would help with, and what it would meet there."""
        return self.fit.next_skill.meets[:MOST_BESIDE] if self.fit.next_skill else []

    @property
    def next_roles_left_out(self) -> int:
        return len(self.fit.next_skill.meets) - len(self.next_roles) if self.fit.next_skill else 0

    @property
    def steps(self) -> list[tuple[RoleUnits, Choice]]:
        """The first roles that are one skill away."""
        return [(step.role, self._choice(step.skill)) for step in self.fit.one_away[:MOST_BESIDE]]

    @property
    def steps_left_out(self) -> int:
        return len(self.fit.one_away) - len(self.steps)

    @property
    def without_musts(self) -> list[RoleUnits]:
        """The first roles that are not ranked."""
        return self.fit.without_musts[:ROLES_A_PAGE]

    @property
    def without_musts_left_out(self) -> int:
        return len(self.fit.without_musts) - len(self.without_musts)

    @property
    def summary(self) -> str:
        """Say in words what was found: “3 skills: you meet every must of 1 role; 2 are one skill away.”"""
        if not self.asked.skills:
            why = "Nothing of what was typed is known" if self.asked.unknown else "No skill is ticked yet"
            return f"{why}, so no role is ranked."
        if not self.fit.results:
            return "No role has a list of musts yet."
        whole, away = len(self.fit.whole), len(self.fit.one_away)
        count = len(self.asked.skills)
        skills = f"{count} skill{'s' if count > 1 else ''}"
        if whole == len(self.fit.results):
            return f"{skills}: you meet every must of every role."
        near = self.fit.results[0]
        if whole:
            met = f"you meet every must of {whole} role{'s' if whole > 1 else ''}"
        else:
            met = f"you come nearest to {near.role.name}, with {near.musts_met} of {len(near.role.musts)} musts"
        if not away:
            return f"{skills}: {met}."
        return f"{skills}: {met}; {away} {'is' if away == 1 else 'are'} one skill away."

    def _groups(self, role: RoleUnits) -> list[Group]:
        lines = explain(self.catalogue, role.musts + role.nices, [skill.pk for skill in self.asked.skills])
        return [
            Group(*key, list(group))
            for key, group in groupby(lines, key=lambda line: (line.unit.is_must, line.unit.origin))
        ]

    def _choice(self, skill: KnownSkill) -> Choice:
        return Choice(skill, self.asked.with_skill(skill))
