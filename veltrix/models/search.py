from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from modelsearch import index

from articles.references import with_marks
from veltrix.search.words import stems_of, words_of

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def token_of(kind: str) -> str:
    """What is indexed with every page of a kind, so that an engine narrows a search down by itself."""
    return f"kind{kind}"


class SearchEntry(index.Indexed, models.Model):
    """A page that readers can find, as they see it now: what is not here cannot be found.

    It is made from the record that it is about, by `veltrix.search.index`, and can be made again at any time. Engines
    are given stems, not text; see `veltrix.search.words`.
    """

    # The kind and the key of the record: “article:60”.
    id = models.CharField(max_length=50, primary_key=True)
    kind = models.CharField(max_length=20)
    key = models.BigIntegerField()
    path = models.CharField(max_length=300)
    heading = models.TextField()
    # Other names, a line each: they count as the heading does.
    names = models.TextField(blank=True)
    # A line for each paragraph, with marks in the place of figures; see `articles.references`.
    text = models.TextField(blank=True)

    # It is entered by `veltrix.search.index`, not by modelsearch's signals.
    search_auto_update = False
    search_fields: ClassVar = [
        index.SearchField("title", boost=4),
        index.SearchField("body"),
        index.AutocompleteField("beginnings"),
        index.FilterField("kind"),
    ]

    class Meta:
        constraints = [models.UniqueConstraint(name="one_search_entry_for_each_record", fields=["kind", "key"])]

    def __str__(self) -> str:
        return f"{self.id}: {self.heading}"

    @property
    def title(self) -> str:
        """The stems of the heading and of other names."""
        return " ".join([*stems_of(f"{self.heading}\n{self.names}"), token_of(self.kind)])

    @property
    def body(self) -> str:
        return " ".join(stems_of(self.plain_text))

    @property
    def beginnings(self) -> str:
        """The whole words of the heading and of other names, for those who have not typed to the end of one."""
        return " ".join(words_of(f"{self.heading}\n{self.names}"))

    @property
    def plain_text(self) -> str:
        """The text without its figures."""
        return with_marks(self.text, lambda _: "")


class SearchMark(models.Model):
    """That the entry of a record is to be made again, from a moment on.

    It is written in the transaction that changes the record, so that no change is forgotten, and always as a row of its
    own: one that is being worked off says nothing of a change that comes after.
    """

    kind = models.CharField(max_length=20)
    key = models.BigIntegerField()
    due_at = models.DateTimeField(default=LONG_AGO, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "key"], name="search_mark_by_record")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key} from {self.due_at:%Y-%m-%d %H:%M}"


class SearchWord(models.Model):
    """A word of some page, and a spelling near it: itself, or itself with one of its letters left out.

    Two words that differ by a slip of the pen have such a spelling in common (“symmetric deletion”), so that the word
    that was meant is found by equality.
    """

    word = models.CharField(max_length=40)
    near = models.CharField(max_length=40, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_search_word_for_each_spelling", fields=["word", "near"])]

    def __str__(self) -> str:
        return f"{self.near} of {self.word}"
