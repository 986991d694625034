"""The typed rows of an article.

An app adds a block type with one subclass of `Block`, one template and one migration; the admin, the documents and the
pages find it by itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from content_editor.models import create_plugin_base
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django_prose_editor.fields import ProseEditorField

from articles import references
from articles.prose import EXTENSIONS, INNER_EXTENSIONS, as_safe_html, sanitize, sanitize_inner

from .article import Article
from .statistics import Statistic

if TYPE_CHECKING:
    from articles.pages import SourceNotes

type Item = Mapping[str, Any]


class CheckedText(NamedTuple):
    """A text of a block, and where in the block it stands: “heading”, “row 2”, nothing for its main text."""

    place: str
    text: str
    is_cell: bool = False


class UnknownReferenceError(Exception):
    """A document names a record that this installation does not have. `args[0]` says which."""


class Block(create_plugin_base(Article)):  # type: ignore[misc]
    """A row of an article. In a document it is an object: its `type`, its values, and slugs for its references."""

    type: ClassVar[str]
    # Whether neighbours of this type are shown as one part: a row of figures, a list of questions.
    is_joined: ClassVar[bool] = False
    # Whether it asks readers to subscribe, so that the page need not do so once more at its end.
    is_sign_up: ClassVar[bool] = False
    # Its fields that hold no words by which readers would look for the article.
    unsearched: ClassVar[Collection[str]] = ()

    class Meta:
        abstract = True
        ordering = ["ordering", "pk"]
        constraints = [
            models.CheckConstraint(name="%(app_label)s_%(class)s_is_in_the_article", condition=Q(region="main"))
        ]

    def __str__(self) -> str:
        return self.summary() or f"Empty {self._meta.verbose_name}"

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Check each field; a record that was fetched for a reference need not be looked for again."""
        relations = (f for f in self.content_fields() if isinstance(f, models.ForeignKey))
        found = {f.name for f in relations if f.is_cached(self) and getattr(self, f.name) is not None}
        super().clean_fields({*(exclude or ()), *found})

    def clean(self) -> None:
        super().clean()
        if self.region != "main":
            raise ValidationError("This block stands in no part of the article.")

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Ask the database, but for what `clean` says without it."""
        super().validate_constraints({*(exclude or ()), "region"})

    def summary(self) -> str:
        """A telling line for the block's header in the admin."""
        raise NotImplementedError

    @classmethod
    def content_fields(cls) -> list[models.Field]:
        """The fields of this type's own, in the order of their declaration."""
        return [f for f in cls._meta.concrete_fields if f.name not in {"id", "parent", "region", "ordering"}]

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """What an object of a document means by the values that it leaves out; references are not among them."""
        return {f.name: f.get_default() for f in cls.content_fields() if not isinstance(f, models.ForeignKey)}

    def as_item(self) -> dict[str, Any]:
        """This block as an object of a document; references that are not set are left out."""
        item: dict[str, Any] = {"type": self.type}
        for field in self.content_fields():
            value = getattr(self, field.name)
            if isinstance(field, models.ForeignKey):
                if value is not None:
                    item[field.name] = value.slug
            else:
                item[field.name] = value
        return item

    @classmethod
    def from_items(cls, items: Sequence[Item]) -> list["Block"]:
        """Make unsaved blocks of these objects, with one query for each kind of reference.

        Raises `UnknownReferenceError` for a slug that no record has.
        """
        columns = [cls._column(field, items) for field in cls.content_fields()]
        return [cls(**dict(values)) for values in zip(*columns, strict=True)]

    @classmethod
    def _column(cls, field: models.Field, items: Sequence[Item]) -> list[tuple[str, Any]]:
        if isinstance(field, models.ForeignKey):
            slugs = {item[field.name] for item in items if item.get(field.name)}
            found: dict[str, Any] = field.related_model._default_manager.in_bulk(slugs, field_name="slug")
            if missing := sorted(slugs - found.keys()):
                raise UnknownReferenceError(f"There is no {field.related_model._meta.verbose_name} “{missing[0]}”.")
            return [(field.name, found.get(item.get(field.name) or "")) for item in items]
        return [(field.name, item.get(field.name, field.get_default())) for item in items]

    def references(self) -> Iterable[models.Model]:
        """The records that this block refers to."""
        return self.references_of([self])

    @classmethod
    def references_of(cls, blocks: Sequence["Block"]) -> Iterable[models.Model]:
        """The records that these blocks of this type refer to, in a number of queries that does not grow."""
        fields = [f.name for f in cls.content_fields() if isinstance(f, models.ForeignKey)]
        values = (getattr(block, name) for block in blocks for name in fields)
        return (value for value in values if value is not None)

    @classmethod
    def records_in(cls, items: Sequence[Item]) -> Iterable[models.Model]:
        """The records that these objects of a document refer to. Raises `UnknownReferenceError`."""
        return cls.references_of(cls.from_items(items))

    @classmethod
    def references_in(cls, item: Item) -> list[str]:
        """The references to figures that the texts of this object of a document hold."""
        return []

    @classmethod
    def checked_texts(cls, item: Item) -> Iterable[CheckedText]:
        """The texts of this object of a document in which a figure must not be typed; quotations may hold some."""
        return []

    @classmethod
    def template(cls) -> str:
        return f"{cls._meta.app_label}/blocks/{cls.type}.html"

    @classmethod
    def load(cls, items: Sequence[Item]) -> Any:
        """Fetch what a page needs for all its blocks of this type, in a number of queries that does not grow."""
        return None

    @classmethod
    def context(cls, item: Item, loaded: Any, notes: "SourceNotes") -> dict[str, Any] | None:
        """Give the block's template its values; None leaves the block out. Called in reading order."""
        return {name: as_safe_html(value) if name == "html" else value for name, value in item.items()}


def block_types() -> dict[str, type[Block]]:
    """All block types of the installed apps by their name in documents; those of `articles` come first."""
    types = [model for model in apps.get_models() if issubclass(model, Block)]
    types.sort(key=lambda model: model._meta.app_label != Article._meta.app_label)
    return {model.type: model for model in types}


def _extract(html: str) -> str:
    # A space between paragraphs, none beside a figure.
    words = strip_tags(references.replaced(html, "[figure]").replace("<", " <"))
    return Truncator(words.strip()).chars(90)


class ProseBlock(Block):
    """A block with one field of rich text, which is sanitised however it is saved."""

    html: str
    # A block inside the text (an answer, a call-out) has no headings of its own.
    has_headings: ClassVar[bool] = False

    class Meta(Block.Meta):
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.html = self._sanitized()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        if not self._sanitized():
            raise ValidationError({"html": "Write something here, or remove the block."})

    def _sanitized(self) -> str:
        return sanitize(self.html) if self.has_headings else sanitize_inner(self.html)

    @classmethod
    def from_items(cls, items: Sequence[Item]) -> list[Block]:
        blocks = super().from_items(items)
        if lost := cls.unknown_references(blocks):
            raise UnknownReferenceError(f"There is no figure “{lost[0][1]}”.")
        return blocks

    @classmethod
    def records_in(cls, items: Sequence[Item]) -> Iterable[models.Model]:
        # A reference that has become unknown is left out of the page, and here.
        return cls.references_of(super().from_items(items))

    @classmethod
    def unknown_references(cls, blocks: Sequence[Any]) -> list[tuple[Any, str]]:
        """The references in these blocks that mean no current figure, each after its block."""
        named = [(block, reference) for block in blocks for reference in references.find(block._sanitized())]
        known = references.load(reference for _, reference in named)
        return [(block, reference) for block, reference in named if reference not in known]

    @classmethod
    def references_of(cls, blocks: Sequence[Any]) -> Iterable[models.Model]:
        figures = references.load(reference for block in blocks for reference in references.find(block.html))
        owners = (getattr(figure, name) for figure in figures.values() for name in figure.owner_fields)
        return [*super().references_of(blocks), *owners]

    @classmethod
    def references_in(cls, item: Item) -> list[str]:
        return references.find(sanitize(item["html"])) if "<data" in item["html"] else []

    @classmethod
    def context(cls, item: Item, loaded: Any, notes: "SourceNotes") -> dict[str, Any]:
        return {**item, "html": as_safe_html(item["html"], lambda html: references.shown(html, notes))}

    @classmethod
    def checked_texts(cls, item: Item) -> Iterable[CheckedText]:
        return [CheckedText("", item["html"])]


class RichText(ProseBlock):
    type = "rich-text"
    has_headings = True

    html = ProseEditorField("text", config={"extensions": EXTENSIONS}, sanitize=sanitize)

    class Meta(Block.Meta):
        verbose_name = "text"
        verbose_name_plural = "text"

    def summary(self) -> str:
        return _extract(self.html)


class StatisticBlock(Block):
    type = "statistic"
    is_joined = True

    statistic = models.ForeignKey(Statistic, models.PROTECT, related_name="+")

    class Meta(Block.Meta):
        verbose_name = "figure"

    def summary(self) -> str:
        return str(self.statistic)

    @classmethod
    def load(cls, items: Sequence[Item]) -> dict[str, Statistic]:
        return {s.slug: s for s in Statistic.objects.filter(slug__in={i["statistic"] for i in items}).with_current()}

    @classmethod
    def context(cls, item: Item, loaded: dict[str, Statistic], notes: "SourceNotes") -> dict[str, Any] | None:
        statistic = loaded.get(item["statistic"])
        if statistic is None or (value := statistic.current) is None:
            return None
        anchor = notes.anchor(f"figure-{statistic.slug}")
        return {"value": value, "anchor": anchor, "note": notes.cite(value, anchor)}


class CallOut(ProseBlock):
    type = "call-out"

    heading = models.CharField(max_length=120)
    html = ProseEditorField("text", config={"extensions": INNER_EXTENSIONS}, sanitize=sanitize_inner)

    class Meta(Block.Meta):
        verbose_name = "call-out"

    def summary(self) -> str:
        return self.heading

    @classmethod
    def checked_texts(cls, item: Item) -> Iterable[CheckedText]:
        return [CheckedText("heading", item["heading"]), *super().checked_texts(item)]


class FaqItem(ProseBlock):
    type = "faq-item"
    is_joined = True

    question = models.CharField(max_length=200)
    html = ProseEditorField("answer", config={"extensions": INNER_EXTENSIONS}, sanitize=sanitize_inner)

    class Meta(Block.Meta):
        verbose_name = "question and answer"
        verbose_name_plural = "questions and answers"

    def summary(self) -> str:
        return self.question

    @classmethod
    def checked_texts(cls, item: Item) -> Iterable[CheckedText]:
        return [CheckedText("question", item["question"]), *super().checked_texts(item)]


class Quote(Block):
    type = "quote"

    text = models.TextField(help_text="Without quotation marks: the page sets them.")
    attribution = models.CharField(max_length=200, blank=True)

    class Meta(Block.Meta):
        verbose_name = "quotation"

    def summary(self) -> str:
        return Truncator(self.text).chars(90)


def validate_cells(cells: Any) -> None:
    """A table is a list of rows of text, all of one length, the first of which is the header."""
    if not isinstance(cells, list) or not all(isinstance(row, list) and row for row in cells):
        raise ValidationError("A table is a list of rows.")
    if not all(isinstance(cell, str) and "\x00" not in cell for row in cells for cell in row):
        raise ValidationError("Each cell of a table is text.")
    if len(cells) < 2:
        raise ValidationError("A table needs a header row and at least one row more.")
    for number, row in enumerate(cells, start=1):
        if len(row) != len(cells[0]):
            raise ValidationError(f"Row {number} has {len(row)} cells, but the header has {len(cells[0])}.")
    if not all(cell.strip() for cell in cells[0]):
        raise ValidationError("Every column of a table needs a heading.")
    if len(cells) > 200 or len(cells[0]) > 12:
        raise ValidationError("A table has at most 200 rows and 12 columns.")


class TableBlock(Block):
    type = "table"

    caption = models.CharField(max_length=200)
    cells = models.JSONField(validators=[validate_cells])
    note = models.CharField(max_length=300, blank=True, help_text="Small print beneath the table.")

    class Meta(Block.Meta):
        verbose_name = "table"

    def summary(self) -> str:
        return self.caption

    @classmethod
    def checked_texts(cls, item: Item) -> Iterable[CheckedText]:
        rows = enumerate(item["cells"], start=1)
        return [CheckedText(f"row {number}", cell, is_cell=True) for number, row in rows for cell in row]

    @classmethod
    def context(cls, item: Item, loaded: Any, notes: "SourceNotes") -> dict[str, Any]:
        header, *rows = item["cells"]
        return {"caption": item["caption"], "header": header, "rows": rows, "note": item["note"]}
