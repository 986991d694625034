"""Two drafts of one article brought together: what one person typed, and what another saved meanwhile.

With the draft that both began from, whatever only one of them changed is that one's; what both changed is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from django.utils.dateparse import parse_datetime

from .differences import HEADS, BlockDifference, FieldDifference, between
from .models.blocks import Item
from .pairing import pairs_of

type Side = Literal["mine", "theirs", "both", ""]


@dataclass(frozen=True)
class Draft:
    """A document and the keys of its blocks, where they are known."""

    document: Mapping[str, Any]
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Head:
    """A value of the article of which there are two."""

    key: str
    difference: FieldDifference
    proposal: Side


@dataclass(frozen=True)
class Place:
    """A place of the merged article: the block there of either draft, or of both, and which of them is proposed."""

    mine: Item | None
    theirs: Item | None
    proposal: Side
    # What differs between the two, from theirs to mine; None where nothing does.
    difference: BlockDifference | None = None

    @property
    def is_settled(self) -> bool:
        return self.difference is None

    def taken(self, side: Side) -> list[Item]:
        """The blocks that stand here when this side is chosen."""
        if side == "both":
            return [item for item in (self.theirs, self.mine) if item]
        item = self.mine if side == "mine" else self.theirs
        return [item] if item else []


@dataclass(frozen=True)
class Merge:
    mine: Draft
    theirs: Draft
    heads: list[Head]
    places: list[Place]
    # The planned moment of publication: mine where I have changed it, else theirs.
    published_at: str | None = None

    def document(self, heads: Mapping[str, Side], places: Mapping[int, Side]) -> dict[str, Any]:
        """The merged document, from a choice for each head by its key and for each unsettled place by its number."""
        values: dict[str, Any] = {"published_at": self.published_at}
        values |= {key: (self.mine if side == "mine" else self.theirs).document[key] for key, side in heads.items()}
        blocks = [
            block
            for number, place in enumerate(self.places)
            for block in place.taken(place.proposal if place.is_settled else places[number])
        ]
        return {**self.theirs.document, **values, "blocks": blocks}


def merge(mine: Draft, theirs: Draft, base: Draft | None) -> Merge:
    """Bring two drafts together. `base` is what both began from; without it whatever differs is asked for."""
    differences = between(theirs.document, mine.document, keys_before=theirs.keys, keys_after=mine.keys)
    keys = [key for key in HEADS if mine.document[key] != theirs.document[key]]
    by_name = {head.name: head for head in differences.heads}
    heads = [
        Head(key, by_name[HEADS[key]], _proposal(*(draft and draft.document[key] for draft in (base, mine, theirs))))
        for key in keys
    ]
    chooser = theirs if base and _moment(mine) == _moment(base) else mine
    published_at = chooser.document["published_at"]
    return Merge(mine, theirs, heads, _places(mine, theirs, base, differences.blocks), published_at)


def _moment(draft: Draft) -> datetime | None:
    return parse_datetime(draft.document["published_at"] or "")


def _proposal(base: Any, mine: Any, theirs: Any) -> Side:
    if mine == theirs or mine == base:
        return "theirs"
    return "mine" if theirs == base else ""


def _places(mine: Draft, theirs: Draft, base: Draft | None, differences: list[BlockDifference]) -> list[Place]:
    my_blocks, their_blocks = mine.document["blocks"], theirs.document["blocks"]
    to_mine = pairs_of(their_blocks, my_blocks, theirs.keys, mine.keys)
    origin_of_mine, origin_of_theirs = ({}, {}) if base is None else (_origins(base, mine), _origins(base, theirs))
    by_place = {(d.before, d.after): d for d in differences}
    places = []
    for i, j in _in_order(
        len(my_blocks), len(their_blocks), to_mine, keeps_order=base is None or _rises(origin_of_theirs)
    ):
        mine_item = None if i is None else my_blocks[i]
        their_item = None if j is None else their_blocks[j]
        origin = origin_of_theirs.get(cast("int", j)) if i is None else origin_of_mine.get(i)
        origin_item = None if origin is None or base is None else base.document["blocks"][origin]
        if mine_item == their_item:
            places.append(Place(mine_item, their_item, "theirs"))
            continue
        difference = by_place[(None if j is None else j + 1, None if i is None else i + 1)]
        if mine_item is not None and their_item is not None:
            proposal = "" if origin_item is None else _proposal(origin_item, mine_item, their_item)
        elif origin_item is None:
            # Only one of the two has it, and neither began with it: it is new, unless nothing is known.
            proposal = "" if base is None else "mine" if their_item is None else "theirs"
        else:
            proposal = _proposal(origin_item, mine_item, their_item)
        places.append(Place(mine_item, their_item, proposal, difference))
    return places


def _origins(base: Draft, draft: Draft) -> dict[int, int]:
    pairs = pairs_of(base.document["blocks"], draft.document["blocks"], base.keys, draft.keys)
    return {place: origin for origin, place in pairs.items()}


def _rises(origins: Mapping[int, int]) -> bool:
    """Whether the blocks stand in the order of the draft that they come from."""
    places = [origins[place] for place in sorted(origins)]
    return places == sorted(places)


def _in_order(
    mine: int, theirs: int, to_mine: Mapping[int, int], *, keeps_order: bool
) -> list[tuple[int | None, int | None]]:
    """The places of the merged article: of each the block's place in mine and in theirs.

    It goes in the order of mine where the others have moved nothing (`keeps_order`), else in theirs; blocks of the
    other draft alone follow the one that they follow there.
    """
    to_theirs = {i: j for j, i in to_mine.items()}
    lead: list[tuple[int | None, int | None]]
    others: list[tuple[int | None, int | None]]
    if keeps_order:
        lead = [(i, to_theirs.get(i)) for i in range(mine)]
        others = [(None, j) for j in range(theirs) if j not in to_mine]
        side = 1
    else:
        lead = [(to_mine.get(j), j) for j in range(theirs)]
        others = [(i, None) for i in range(mine) if i not in to_theirs]
        side = 0
    for other in others:
        own = other[side]
        before = [at for at, place in enumerate(lead) if place[side] is not None and place[side] == own - 1]  # type: ignore[operator]
        lead.insert(before[0] + 1 if before else 0, other)
    return lead
