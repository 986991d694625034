"""Text as the words that are searched: the same for every engine, so that a search finds the same on each.

Words are folded (no case, no accents) and stemmed by the English Snowball stemmer ("Porter2"), so that "engineers"
finds "engineering". What engines are given holds nothing but letters and digits with spaces between, so that no
operator of any of them is ever in it.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

# A longer word is cut: engines limit them, and nobody means it.
LONGEST = 40

# Letters and digits, with accents that are characters of their own, as Unicode's NFD writes them, and soft hyphens.
_RUN = r"[^\W_]+(?:[\u00ad\u0300-\u036f][^\W_]*)*"
_WORD = re.compile(rf"{_RUN}(?:['’]{_RUN})*(?:\+\+|#)?")
_SIGNS = str.maketrans({"+": "plus", "#": "sharp", "'": None, "’": None})
# Words that say nothing of what is looked for.
STOP_WORDS = frozenset(
    {
        "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does", "for", "from",
        "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "our", "should",
        "so", "than", "that", "the", "their", "there", "these", "they", "this", "to", "was", "we", "were", "what",
        "when", "where", "which", "who", "why", "will", "with", "would", "you", "your"
    }
)  # fmt: skip

_stemmer = snowballstemmer.stemmer("english")
# The stemmer keeps the word that it works on to itself.
_lock = threading.Lock()


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a folded word."""
    with _lock:
        return str(_stemmer.stemWord(word))


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """A word without case, accents and signs: "C++" is "cplusplus", "Café" is "cafe". It may hold nothing then."""
    plain = unicodedata.normalize("NFKD", word.translate(_SIGNS).casefold())
    return "".join(letter for letter in plain if letter.isalnum())[:LONGEST]


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word of a text: where it begins, where it ends, and itself, folded."""
    for match in _WORD.finditer(text):
        if folded := fold(match[0]):
            yield match.start(), match.end(), folded


def words_of(text: str) -> list[str]:
    """The folded words of a text, in its order."""
    return [word for _, _, word in spans(text)]


def stems_of(text: str) -> list[str]:
    """The stems of a text's words, in its order."""
    return [stem(word) for word in words_of(text)]
