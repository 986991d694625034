"""Which blocks of one document of an article are in another one, too, and which of them have kept their order.

Blocks are paired by their keys where these are known, and by what they say.
"""

import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher

from .models.blocks import Item

# How alike two texts are that count as one text before and after.
ALIKE = 0.4
# More pairs of blocks than these are not compared by their words; they are paired in their order.
MOST_PAIRS = 4_000


def pairs_of(
    before: Sequence[Item], after: Sequence[Item], keys_before: Sequence[str] = (), keys_after: Sequence[str] = ()
) -> dict[int, int]:
    """Places in `after` of the blocks of `before` that are there too, both from 0."""
    return _Pairing(before, after, keys_before, keys_after).pairs


class _Pairing:
    """Which block of the earlier document is which of the later one: by key, by sameness, by likeness, by place."""

    def __init__(
        self, before: Sequence[Item], after: Sequence[Item], keys_before: Sequence[str], keys_after: Sequence[str]
    ) -> None:
        self.before, self.after = before, after
        self.pairs: dict[int, int] = {}
        self._taken: set[int] = set()
        if len(keys_before) == len(before) and len(keys_after) == len(after):
            places = {key: place for place, key in enumerate(keys_after) if key}
            for place, key in enumerate(keys_before):
                if key in places:
                    self._pair(place, places[key])
        self._pair_the_same()
        self._pair_the_alike()
        self._pair_neighbours()

    def _pair(self, origin: int, place: int) -> None:
        if origin not in self.pairs and place not in self._taken:
            self.pairs[origin] = place
            self._taken.add(place)

    def _open(self) -> tuple[list[int], list[int]]:
        return (
            [place for place in range(len(self.before)) if place not in self.pairs],
            [place for place in range(len(self.after)) if place not in self._taken],
        )

    def _pair_the_same(self) -> None:
        origins, places = self._open()
        old = [json.dumps(self.before[i], sort_keys=True) for i in origins]
        new = [json.dumps(self.after[j], sort_keys=True) for j in places]
        for i, j, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            for step in range(size):
                self._pair(origins[i + step], places[j + step])
        # What is the same elsewhere has moved.
        elsewhere: dict[str, list[int]] = defaultdict(list)
        for text, place in zip(new, places, strict=True):
            if place not in self._taken:
                elsewhere[text].append(place)
        for text, origin in zip(old, origins, strict=True):
            if origin not in self.pairs and elsewhere[text]:
                self._pair(origin, elsewhere[text].pop(0))

    def _pair_the_alike(self) -> None:
        origins, places = self._open()
        if len(origins) * len(places) > MOST_PAIRS:
            return
        bags = {("before", i): _bag(self.before[i]) for i in origins} | {
            ("after", j): _bag(self.after[j]) for j in places
        }
        found = []
        for i in origins:
            for j in places:
                if self.before[i]["type"] == self.after[j]["type"]:
                    likeness = _likeness(bags["before", i], bags["after", j])
                    found.append((-likeness, abs(i - j), i, j))
        for likeness, _, i, j in sorted(found):
            if -likeness >= ALIKE:
                self._pair(i, j)

    def _pair_neighbours(self) -> None:
        """Blocks of one type between the same neighbours are one block whose contents are other ones."""
        ends = [*sorted(self.pairs.items()), (len(self.before), len(self.after))]
        start = (-1, -1)
        for origin, place in ends:
            if place > start[1]:
                gap = [j for j in range(start[1] + 1, place) if j not in self._taken]
                for i in range(start[0] + 1, origin):
                    same_type = [j for j in gap if self.after[j]["type"] == self.before[i]["type"]]
                    if i not in self.pairs and same_type:
                        self._pair(i, same_type[0])
                        gap.remove(same_type[0])
                start = (origin, place)


def _bag(item: Item) -> set[str]:
    values = (value if isinstance(value, str) else json.dumps(value) for key, value in item.items() if key != "type")
    return {word for value in values for word in re.findall(r"\w+", re.sub(r"</?[a-z0-9]+[^<>]*>", " ", value))}


def _likeness(one: set[str], other: set[str]) -> float:
    """The share of words that two texts have in common (Sørensen and Dice), from 0 to 1."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


def longest_rise(numbers: Sequence[int]) -> set[int]:
    """The longest run of numbers that rise, others left out between them: what has kept its order."""
    ends: list[int] = []
    ends_at: list[int] = []
    previous: list[int | None] = []
    for at, number in enumerate(numbers):
        place = bisect_left(ends, number)
        previous.append(ends_at[place - 1] if place else None)
        ends[place : place + 1] = [number]
        ends_at[place : place + 1] = [at]
    rise = set()
    step = ends_at[-1] if ends_at else None
    while step is not None:
        rise.add(numbers[step])
        step = previous[step]
    return rise
