"""What was meant by a word that no page has: a word of some page that a slip of the pen makes of it.

Candidates are found by equality (see `SearchWord`), so that their cost does not grow with the vocabulary; their
distance is the optimal string alignment (Damerau–Levenshtein with each letter moved once at most).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from veltrix.models import SearchEntry, SearchWord

from .words import words_of

SHORTEST, LONGEST = 4, 24
# Candidates that are looked at for all words of a search together.
MOST_CANDIDATES = 400
BATCH = 1_000


def learn(entries: Iterable[SearchEntry]) -> None:
    """Know the words of these entries; none is forgotten but by `forget`."""
    words = {word for entry in entries for word in words_in(entry)}
    for batch in _batches(sorted(words)):
        new = set(batch) - known_among(batch)
        SearchWord.objects.bulk_create(
            (SearchWord(word=word, near=near) for word in sorted(new) for near in sorted(spellings(word))),
            batch_size=BATCH,
            ignore_conflicts=True,
        )


def forget(all_but: Collection[str]) -> None:
    """Forget all words but these."""
    words = set(SearchWord.objects.values_list("word", flat=True).distinct())
    for batch in _batches(sorted(words - set(all_but))):
        SearchWord.objects.filter(word__in=batch).delete()


def _batches(words: list[str]) -> Iterable[list[str]]:
    return (words[start : start + BATCH] for start in range(0, len(words), BATCH))


def words_in(entry: SearchEntry) -> set[str]:
    """The words of an entry that are worth knowing."""
    return {word for word in words_of(f"{entry.heading}\n{entry.names}\n{entry.plain_text}") if _is_learned(word)}


def _is_learned(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def known_among(words: Collection[str]) -> set[str]:
    return set(SearchWord.objects.filter(word__in=words).values_list("word", flat=True).distinct())


def spellings(word: str) -> set[str]:
    """The word, and the word with any one of its letters left out."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def meant(words: Collection[str]) -> dict[str, str]:
    """For those of these folded words that no page has, the nearest word that one has: two queries."""
    wrong = sorted({word for word in words if _is_learned(word)} - known_among(words))
    by_spelling: dict[str, set[str]] = defaultdict(set)
    for word in wrong:
        for near in spellings(word):
            by_spelling[near].add(word)
    if not by_spelling:
        return {}
    found = SearchWord.objects.filter(near__in=by_spelling).values_list("near", "word")[:MOST_CANDIDATES]
    candidates: dict[str, set[str]] = defaultdict(set)
    for near, candidate in found:
        for word in by_spelling[near]:
            candidates[word].add(candidate)
    return {word: best for word in wrong if (best := _nearest(word, candidates[word]))}


def _nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate at the smallest distance, two at most; of several one that begins alike."""
    ranked = sorted(
        (distance(word, other), other[0] != word[0], abs(len(other) - len(word)), other) for other in candidates
    )
    return ranked[0][3] if ranked and ranked[0][0] <= 2 else None


def distance(one: str, other: str) -> int:
    """How many letters must be put in, left out, changed or swapped with the next to make one word the other."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, its in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
