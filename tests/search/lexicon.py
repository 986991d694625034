"""Words that no language has, for texts of any length."""

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
# The n-th most common word, from 0 on; "pay" stands in every article.
EVERYWHERE = "pay"


def word(rank: int) -> str:
    """A word of three syllables or more that can be said, a different one for each rank."""
    syllables, rest = [], rank + len(SYLLABLES) ** 2
    while rest:
        rest, place = divmod(rest, len(SYLLABLES))
        syllables.append(SYLLABLES[place])
    return "".join(syllables)
