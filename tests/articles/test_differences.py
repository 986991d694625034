from django.test import TestCase

from articles.differences import between
from tests.factories import make_author, make_category, make_statistic


def document(*blocks, **values):
    """A document with these blocks; a string is a text."""
    items = [{"type": "rich-text", "html": f"<p>{block}</p>"} if isinstance(block, str) else block for block in blocks]
    head = {
        "format": "veltrix-article/1",
        "number": 1,
        "slug": "one",
        "title": "One",
        "standfirst": "What it is about.",
        "social_text": "",
        "category": None,
        "series": None,
        "headline": None,
        "published_at": None,
        "bylines": [],
    }
    return {**head, "blocks": items, **values}


def sentences(before, after, **keys):
    return [sentence for sentence, _ in between(before, after, **keys).changes]


def marked(paragraphs, mark):
    return [piece.text for paragraph in paragraphs for piece in paragraph.pieces if piece.mark == mark]


class BlocksTests(TestCase):
    def test_two_documents_that_say_the_same_differ_in_nothing(self):
        self.assertEqual(sentences(document("a", "b"), document("a", "b", published_at="2026-01-01")), [])

    def test_a_value_left_out_means_its_default(self):
        short = {"type": "quote", "text": "Words"}

        self.assertEqual(sentences(document(short), document({**short, "attribution": ""})), [])

    def test_blocks_are_added_and_removed_where_they_stand(self):
        before, after = document("one two", "three four"), document("one two", "new here", "three four")

        self.assertEqual(sentences(before, after), ["Block 2 (text) added"])
        self.assertEqual(sentences(after, before), ["Block 2 (text) removed"])

    def test_a_moved_block_is_moved_and_the_others_are_not(self):
        before, after = document("one", "two", "three", "four"), document("two", "three", "four", "one")

        self.assertEqual(sentences(before, after), ["Block 4 (text) moved from place 1"])

    def test_a_block_that_moved_and_changed_is_one_block(self):
        text = "a long enough sentence about some thing or other"
        before, after = document(text, "two", "three"), document("two", "three", f"{text} and more")

        self.assertEqual(sentences(before, after), ["Block 3 (text) changed and moved from place 1"])

    def test_the_words_that_differ_are_marked_on_both_sides(self):
        (block,) = between(document("The quick brown fox runs"), document("The quick red fox runs")).blocks

        (field,) = block.fields
        self.assertEqual(marked(field.before, "removed"), ["brown"])
        self.assertEqual(marked(field.after, "added"), ["red"])
        self.assertEqual(marked(field.after, ""), ["The quick", "fox runs"])

    def test_a_link_that_leads_elsewhere_and_a_word_made_strong_are_seen(self):
        before = document("See <a href='https://a.example/'>this page</a> for all of it")
        after = document("See <a href='https://b.example/'>this page</a> for <strong>all</strong> of it")

        (field,) = between(before, after).blocks[0].fields

        self.assertEqual(marked(field.before, "removed"), ["(https://a.example/)", "all"])
        self.assertEqual(marked(field.after, "added"), ["(https://b.example/)", "all"])

    def test_a_block_with_another_record_names_both_records(self):
        old, new = make_statistic(claim="of people count"), make_statistic(claim="of people guess")
        items = [{"type": "statistic", "statistic": statistic.slug} for statistic in (old, new)]

        (block,) = between(document(items[0]), document(items[1])).blocks

        self.assertEqual(block.sentence, "Block 1 (figure) changed")
        self.assertEqual(marked(block.fields[0].before, "removed"), [f"{old.slug}:", "count"])
        self.assertEqual(marked(block.fields[0].after, "added"), [f"{new.slug}:", "guess"])

    def test_a_record_that_is_gone_is_named_by_its_slug(self):
        (block,) = between(document({"type": "statistic", "statistic": "gone"}), document("x")).blocks[:1]

        self.assertIn("gone (no longer there)", block.summary)

    def test_a_figure_in_a_text_is_named_by_what_it_reads(self):
        figure = make_statistic("97M", claim="of roles")
        before = document("There are many roles")
        after = document(f'There are <data value="statistic:{figure.slug}"></data> roles')

        (field,) = between(before, after).blocks[0].fields

        self.assertEqual(marked(field.after, "added"), ["[97M: of roles]"])

    def test_keys_tell_that_a_block_is_the_same_whatever_it_says_now(self):
        before, after = document("alpha beta"), document("gamma delta")
        other_type = document({"type": "quote", "text": "x"}, "wholly other")

        self.assertEqual(
            sentences(before, after, keys_before=["rich-text:1"], keys_after=["rich-text:1"]),
            ["Block 1 (text) changed"],
        )
        self.assertEqual(
            sentences(before, other_type, keys_before=["rich-text:1"], keys_after=["", "rich-text:1"]),
            ["Block 1 (quotation) added", "Block 2 (text) changed"],
        )

    def test_a_type_that_no_app_has_any_more_is_compared_all_the_same(self):
        self.assertEqual(sentences(document({"type": "carousel"}), document()), ["Block 1 (carousel) removed"])

    def test_hundreds_of_changed_blocks_are_compared_in_a_fixed_number_of_queries(self):
        figures = [make_statistic() for _ in range(2)]
        for count in (2, 300):
            reference = f'<data value="statistic:{figures[0].slug}"></data>'
            before = document(
                *(f"{n} text {reference}" for n in range(count)), {"type": "statistic", "statistic": figures[0].slug}
            )
            after = document(
                *(f"{n} other {reference}" for n in range(count)), {"type": "statistic", "statistic": figures[1].slug}
            )

            with self.subTest(count), self.assertNumQueries(2):
                self.assertEqual(len(between(before, after).changes), count + 1)


class HeadsTests(TestCase):
    def test_values_of_the_article_are_named_and_compared(self):
        make_category("Other")
        make_author("Ada Lovelace")
        before = document(bylines=[{"author": "ada-lovelace", "credit": "Written by"}])
        after = document(title="Two", category="other")

        differences = between(before, after)

        self.assertEqual(
            [sentence for sentence, _ in differences.changes],
            ["Title changed", "Category changed", "Bylines changed"],
        )
        self.assertEqual(marked(differences.heads[1].after, "added"), ["Other"])
        self.assertEqual(marked(differences.heads[2].before, "removed"), ["Written by Ada Lovelace"])
