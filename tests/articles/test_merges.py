from django.test import TestCase

from articles.merges import Draft, merge
from tests.articles.test_differences import document


def draft(*blocks, **values):
    """A draft whose blocks are known by the first word of each."""
    made = document(*blocks, **values)
    keys = [block.split()[0] if isinstance(block, str) else block["type"] for block in blocks]
    return Draft(made, keys)


def texts(made):
    return [block["html"][3:-4] for block in made["blocks"]]


class MergeTests(TestCase):
    base = draft("a one", "b two", "c three")

    def settled(self, mine, theirs, base=None):
        """The texts that are proposed where nothing has to be asked."""
        merged = merge(mine, theirs, base or self.base)
        places = {number: place.proposal for number, place in enumerate(merged.places) if not place.is_settled}
        self.assertNotIn("", places.values())
        return texts(merged.document({head.key: head.proposal for head in merged.heads}, places))

    def test_what_only_one_of_two_changed_is_that_ones(self):
        self.assertEqual(
            self.settled(draft("a mine", "b two", "c three"), draft("a one", "b theirs", "c three")),
            ["a mine", "b theirs", "c three"],
        )

    def test_the_planned_moment_is_that_of_whoever_changed_it(self):
        friday, same = "2027-01-01T09:00:00+01:00", "2027-01-01T08:00:00+00:00"

        def moment(mine, theirs, base):
            made = (draft("a one", published_at=value) for value in (mine, theirs, base))
            return merge(*made).document({}, {})["published_at"]

        self.assertEqual(moment(friday, None, None), friday)
        self.assertEqual(moment(friday, "2027-02-02T00:00:00+00:00", same), "2027-02-02T00:00:00+00:00")
        self.assertIsNone(moment(None, same, same))

    def test_blocks_that_either_added_stay_after_the_one_that_they_follow(self):
        self.assertEqual(
            self.settled(draft("a one", "m mine", "b two", "c three"), draft("a one", "b two", "t theirs", "c three")),
            ["a one", "m mine", "b two", "t theirs", "c three"],
        )

    def test_blocks_that_either_removed_are_gone(self):
        self.assertEqual(self.settled(draft("b two", "c three"), draft("a one", "b two")), ["b two"])

    def test_the_order_of_whoever_moved_something_is_kept(self):
        moved = draft("c three", "a one", "b two")

        self.assertEqual(self.settled(moved, draft("a one", "b theirs", "c three")), ["c three", "a one", "b theirs"])
        self.assertEqual(self.settled(draft("a one", "b mine", "c three"), moved), ["c three", "a one", "b mine"])

    def test_what_both_changed_is_asked_for_and_both_can_stay(self):
        merged = merge(draft("a mine", "b two", "c three"), draft("a theirs", "b two", "c three"), self.base)

        self.assertEqual([place.proposal for place in merged.places], ["", "theirs", "theirs"])
        self.assertEqual(texts(merged.document({}, {0: "mine"}))[0], "a mine")
        self.assertEqual(texts(merged.document({}, {0: "theirs"}))[0], "a theirs")
        self.assertEqual(texts(merged.document({}, {0: "both"}))[:2], ["a theirs", "a mine"])

    def test_what_one_changed_and_the_other_removed_is_asked_for(self):
        merged = merge(draft("a mine", "b two", "c three"), draft("b two", "c three"), self.base)

        (place,) = [place for place in merged.places if not place.is_settled]
        self.assertEqual((place.proposal, place.theirs), ("", None))
        number = merged.places.index(place)
        self.assertEqual(texts(merged.document({}, {number: "theirs"})), ["b two", "c three"])
        self.assertEqual(texts(merged.document({}, {number: "mine"})), ["a mine", "b two", "c three"])

    def test_values_of_the_article_are_merged_likewise(self):
        base = draft("a one", title="Old", standfirst="Old", social_text="Old")
        mine = draft("a one", title="Mine", standfirst="Old", social_text="Mine")
        theirs = draft("a one", title="Old", standfirst="Theirs", social_text="Theirs")

        merged = merge(mine, theirs, base)

        proposals = {head.key: head.proposal for head in merged.heads}
        self.assertEqual(proposals, {"title": "mine", "standfirst": "theirs", "social_text": ""})
        made = merged.document(proposals | {"social_text": "mine"}, {})
        self.assertEqual((made["title"], made["standfirst"], made["social_text"]), ("Mine", "Theirs", "Mine"))

    def test_without_what_both_began_from_every_difference_is_asked_for(self):
        merged = merge(draft("a mine", "b two", "m new"), draft("a theirs", "b two"), None)

        self.assertEqual([p.proposal for p in merged.places if not p.is_settled], ["", ""])

    def test_two_that_changed_the_same_in_the_same_way_agree(self):
        both = draft("a both", "b two", "c three")

        self.assertTrue(all(place.is_settled for place in merge(both, both, self.base).places))
