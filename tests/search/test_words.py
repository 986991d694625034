"""Words, spellings and extracts: what they are made of, whatever the text."""

import unicodedata
from unittest import TestCase

from hypothesis import example, given
from hypothesis import strategies as st

from articles.references import marked, marks_in, with_marks
from veltrix.search.extracts import WIDTH, cut, line_of, pieces
from veltrix.search.spelling import distance, spellings
from veltrix.search.words import LONGEST, fold, spans, stem, stems_of, words_of


class WordTests(TestCase):
    def test_forms_of_a_word_have_one_stem(self):
        for words in ("engineer engineers engineering engineered", "skill skills", "pay paying"):
            assert len(set(stems_of(words))) == 1, words

    def test_words_are_parted_as_readers_part_them(self):
        assert words_of("C++, C#, A/B-tests, 97M: the engineer’s café_au_lait.") == [
            *("cplusplus", "csharp", "a", "b", "tests", "97m", "the"),
            *("engineers", "cafe", "au", "lait"),
        ]

    @given(st.text())
    def test_engines_get_letters_and_digits_alone(self, text):
        for word in (*words_of(text), *stems_of(text)):
            assert word.isalnum()
            assert len(word) <= LONGEST

    @given(st.text())
    def test_what_is_found_stands_where_it_is_said_to_stand(self, text):
        for start, end, word in spans(text):
            assert fold(text[start:end]) == word

    def test_threads_do_not_mix_their_stems_up(self):
        from concurrent.futures import ThreadPoolExecutor

        words = [f"running{letter}s" for letter in "abcdefghijklmnopqrstuvwxyz"] * 20
        stem.cache_clear()
        expected = [stem(word) for word in words]
        stem.cache_clear()
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(stem, words)) == expected


class SpellingTests(TestCase):
    def test_distances_are_those_of_the_literature(self):
        for one, other, number in (
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
            ("pyhton", "python", 1),
            ("", "abc", 3),
            ("same", "same", 0),
        ):
            assert distance(one, other) == distance(other, one) == number

    @given(st.text("abcde", min_size=2, max_size=8), st.integers(0, 6), st.sampled_from("abcdex"))
    def test_every_single_slip_has_a_spelling_in_common_with_the_word(self, word, place, letter):
        place %= len(word)
        left_out = word[:place] + word[place + 1 :]
        swapped = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
        for slip in (
            left_out,
            swapped,
            word[:place] + letter + word[place:],
            word[:place] + letter + word[place + 1 :],
        ):
            assert spellings(slip) & spellings(word), slip


class ExtractTests(TestCase):
    @given(st.text(), st.sets(st.text("abc", min_size=1, max_size=3), max_size=3))
    def test_pieces_are_the_text(self, text, stems):
        assert "".join(piece.text for piece in pieces(text, stems)) == text

    @given(st.text(), st.sets(st.text("abc", min_size=1, max_size=3), max_size=3))
    def test_an_extract_is_short_whatever_the_text(self, text, stems):
        assert len(cut(line_of(text * 20, stems), stems)) <= WIDTH + 2

    @given(st.text("ab-/ ", max_size=400), st.text("ab-/ ", max_size=400))
    @example("a" * 300, "b " * 200)
    @example("a " * 40, "b" * 300)
    def test_an_extract_has_a_word_that_was_looked_for_whatever_stands_around_it(self, before, after):
        extract = cut(f"{before}/zebra/{after}", ["zebra"])

        assert [piece.text for piece in pieces(extract, ["zebra"]) if piece.is_match] == ["zebra"]

    def test_an_extract_ends_in_a_word(self):
        for text in ("ethics / " * 40, "pay, " * 60, "(see (" * 50):
            assert cut(text, set())[-2:] in {"s…", "y…", "e…"}, text

    def test_a_text_without_the_words_is_shown_from_its_beginning(self):
        assert line_of("\n\nFirst line.\nSecond line.", ["zebra"]) == "First line."
        assert line_of("", ["zebra"]) == ""


class MarkTests(TestCase):
    def test_paragraphs_become_lines_and_inline_markup_leaves_no_gap(self):
        assert marked("<h2>One</h2><p>A <strong>bold</strong>, new &amp; &lt;b&gt;</p>").split("\n") == [
            *("", "One", "", "A bold, new & <b>", ""),
        ]

    def test_references_are_kept_as_marks(self):
        text = marked('<p>From <data value="statistic:a"></data> to <data value="statistic:b"></data>.</p>')

        assert marks_in(text) == ["statistic:a", "statistic:b"]
        assert with_marks(text, str.upper).strip() == "From STATISTIC:A to STATISTIC:B."
        assert with_marks(text, lambda _: "").strip() == "From  to ."

    @given(st.text())
    def test_no_text_of_an_editors_passes_for_a_mark(self, text):
        assert marks_in(marked(text.replace("<", ""))) == []
        assert not {unicodedata.category(letter) for letter in with_marks(f"\ue000{text}\ue001", str)} & {"Co"} or any(
            unicodedata.category(letter) == "Co" for letter in text
        )
