"""Reads what somebody typed as a list of skills: “sklearn, postgres, RAG”."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from .catalogue import Catalogue, KnownSkill
from .models import SkillAlias

MAX_TEXT_LENGTH = 1_000
MOST_PIECES = 100
# Near misses are looked for among many names, so not for every word of a long text.
MOST_GUESSED = 5
LONGEST_GUESSED = 40
GUESSES = 2

PIECE_END = re.compile(r"[,;\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# All else parts words. What ends in two plus signs or a hash is not what it is without: C, C++, C#.
WORD = re.compile(r"[^\W_]+(?:\+\+|#)?")
JOINERS = {"and", "or"}


class Reading(NamedTuple):
    """What a text was understood as: keys of skills, what is not known, and whether some of it was not read."""

    skills: frozenset[int]
    unknown: list[str]
    is_cut: bool


@dataclass(frozen=True)
class SkillNames:
    """Which skill goes by which name. Names go before addresses, and these before aliases."""

    catalogue: Catalogue
    _by_slug: dict[str, int]
    _by_key: dict[str, int]
    # The words of each name.
    _by_name: dict[tuple[str, ...], int]
    _longest: int

    @classmethod
    def load(cls, catalogue: Catalogue) -> Self:
        """Read the aliases, in one query."""
        return cls.of(catalogue, SkillAlias.objects.order_by("pk").values_list("skill_id", "alias"))

    @classmethod
    def of(cls, catalogue: Catalogue, aliases: Iterable[tuple[int, str]]) -> Self:
        """Aliases come as the skill's key and the alias; of equal names the first one counts."""
        # What is still a skill of its own goes before what was merged.
        rows = sorted(catalogue.rows, key=lambda row: (catalogue.target[row.pk] != row.pk, row.pk))
        names = [*((row.pk, row.name) for row in rows), *((row.pk, row.slug) for row in rows), *aliases]
        by_key: dict[str, int] = {}
        for skill, name in names:
            if (key := _key(_normal(name))) and skill in catalogue.target:
                by_key.setdefault(key, catalogue.target[skill])
        by_slug = {row.slug: catalogue.target[row.pk] for row in rows}
        by_name = {
            tuple(WORD.findall(_normal(name).casefold())): catalogue.target[skill]
            for skill, name in names
            if skill in catalogue.target
        }
        return cls(catalogue, by_slug, by_key, by_name, max(map(len, by_key), default=0))

    def of_slug(self, slug: str) -> int | None:
        """The skill at exactly this address, or what it was merged into."""
        return self._by_slug.get(slug)

    def read(self, text: str) -> Reading:
        """Look up the pieces of a text; in a piece, from the left, the longest run of words that is a name.

        What is unknown, put together by commas and read again, is all of it unknown again.
        """
        text, is_cut = _cut(_normal(text))
        pieces = [piece for piece in PIECE_END.split(text) if WORD.search(piece)]
        found: set[int] = set()
        unknown: dict[str, str] = {}
        for piece in pieces[:MOST_PIECES]:
            skills, left_over = self._read_piece(piece)
            found |= skills
            for words in left_over:
                unknown.setdefault(_key(words), words)
        kept = list(unknown.values())[:MOST_PIECES]
        while len(", ".join(kept)) > MAX_TEXT_LENGTH:
            kept.pop()
        return Reading(frozenset(found), kept, is_cut or len(pieces) > MOST_PIECES or len(kept) < len(unknown))

    def _read_piece(self, piece: str) -> tuple[set[int], list[str]]:
        words = list(WORD.finditer(piece))
        found: set[int] = set()
        runs: list[list[re.Match[str]]] = [[]]
        place = 0
        while place < len(words):
            length, skill = self._longest_run([word[0] for word in words[place:]])
            if skill is not None:
                found.add(skill)
                runs.append([])
            elif words[place][0].casefold() in JOINERS:
                runs.append([])
            else:
                runs[-1].append(words[place])
            place += length
        return found, [piece[run[0].start() : run[-1].end()] for run in runs if run]

    def _longest_run(self, words: Sequence[str]) -> tuple[int, int | None]:
        """How many of the words, from the first one, are a name, and whose; one word of nobody’s if none."""
        best: tuple[int, int | None] = (1, None)
        key = ""
        for length, word in enumerate(words, start=1):
            key += _key(word)
            if len(key) > self._longest:
                break
            if key in self._by_key:
                best = length, self._by_key[key]
        return best

    def guesses(self, unknown: Iterable[str]) -> dict[str, list[KnownSkill]]:
        """For the first few of these words the skills that may be meant, most likely first.

        Those whose names are nearly the same; where there are none, those in whose names the word stands.
        """
        guesses = {words: self._guess(_key(words)) or self._named(words) for words in list(unknown)[:MOST_GUESSED]}
        return {words: skills for words, skills in guesses.items() if skills}

    def _guess(self, key: str) -> list[KnownSkill]:
        if len(key) < 3 or len(key) > LONGEST_GUESSED:
            return []
        near = [name for name in self._by_key if abs(len(name) - len(key)) <= 2]
        skills = (self._by_key[name] for name in difflib.get_close_matches(key, near, n=2 * GUESSES, cutoff=0.75))
        return [self.catalogue.skills[skill] for skill in dict.fromkeys(skills)][:GUESSES]

    def _named(self, words: str) -> list[KnownSkill]:
        """Skills, plainest first, one of whose names has these words in it, or begins a word with them."""
        asked = [word.casefold() for word in WORD.findall(_normal(words))]
        if not asked or sum(map(len, asked)) < 2:
            return []
        skills = {
            skill
            for name, skill in self._by_name.items()
            if all(any(own.startswith(word.removesuffix("s") or word) for own in name) for word in asked)
        }
        plainest = sorted(skills, key=self.catalogue.plainness)
        return [self.catalogue.skills[skill] for skill in plainest[: 2 * GUESSES]]


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _key(text: str) -> str:
    """What is the same in all ways of writing a name."""
    return "".join(WORD.findall(text.casefold()))


def _cut(text: str) -> tuple[str, bool]:
    """The text, shortened to the last whole piece if it is too long."""
    if len(text) <= MAX_TEXT_LENGTH:
        return text, False
    ends = [match.start() for match in PIECE_END.finditer(text, 0, MAX_TEXT_LENGTH + 1)]
    return text[: ends[-1] if ends else MAX_TEXT_LENGTH], True
