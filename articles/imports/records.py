"""Flat records from a table: added, or changed where a row says otherwise."""

from collections import ChainMap
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, ClassVar

import tablib
from django.core.exceptions import ValidationError
from django.db import models

from articles.models import Source
from articles.models.sources import without_resolver
from articles.open_data import SOURCES

from .rows import Row, TableResource, Written, reader_of, reference_to

REPLACES_ITSELF = "An edition cannot replace itself."


class RecordResource(TableResource):
    """Flat records, known by their slug, which never changes."""

    model: ClassVar[type[models.Model]]
    needed = ("slug",)

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.records = self.existing()
        super().before_import(dataset, **kwargs)

    def existing(self) -> dict[str, Any]:
        """Records by slug."""
        raise NotImplementedError

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        fields = [self.model._meta.get_field(name) for name in self.written]
        return {f.name: reader_of(f) for f in fields if isinstance(f, models.Field) and not f.is_relation}

    def shown(self, record: Any) -> Any:
        """What the columns of the open data take for this record."""
        return record

    def save(self, record: models.Model, names: Sequence[str] | None = None) -> None:
        """Write a new record whole, and of one that was there the fields of these names."""
        record.save(update_fields=names)

    def take(self, cells: dict[str, str], row: Row) -> None:
        values = self.values(cells, self.written)
        row.subject = slug = values.pop("slug")
        self.once(slug, row, "slug")
        earlier = self.records.get(slug)
        later = copy(earlier) if earlier else self.model(slug=slug)
        for name, value in values.items():
            setattr(later, name, value)
        if earlier:
            row.compared = [earlier.pk]
            self.guard(cells, self.shown(earlier), self.shown(later))
        names = [name for name in self.written if name != "slug"]
        if earlier and not self.changes_of(earlier, later, names):
            return
        self.check(later)
        row.changes = self.changes_of(earlier, later, names)
        if earlier and not row.changes:
            return
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        self.save(later, [change.column for change in row.changes] if earlier else None)
        self.records[slug] = later
        changed = ", ".join(change.column for change in row.changes)
        row.written = [Written(later, is_new=not earlier, message=changed)]


class SourceResource(RecordResource):
    model = Source
    table = SOURCES
    guarded = ("citation",)
    written = (
        "slug",
        "producer",
        "authors",
        "title",
        "edition",
        "kind",
        "published",
        "url",
        "archive_url",
        "doi",
        "isbn",
        "accessed_on",
        "licence",
        "projection_horizon",
        "newer_edition",
    )

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        # A newer edition may stand in a later row; such references are set when all rows are there.
        slugs = dataset["slug"]
        self.coming: dict[str, models.Model] = {slug: Source(slug=slug) for slug in slugs if slug}
        self.waiting: list[tuple[Source, str]] = []
        super().before_import(dataset, **kwargs)

    def after_import(self, dataset: tablib.Dataset, result: Any, **kwargs: Any) -> None:
        for source, slug in self.waiting:
            source.newer_edition = self.records.get(slug)
            source.save(update_fields=["newer_edition"])

    def save(self, record: Any, names: Sequence[str] | None = None) -> None:
        newer = record.newer_edition
        if newer and newer.slug == record.slug:
            raise ValidationError({"newer_edition": REPLACES_ITSELF})
        if newer and newer.pk is None:
            record.newer_edition = None
            self.waiting.append((record, newer.slug))
        super().save(record, names)

    def existing(self) -> dict[str, Any]:
        sources = Source.objects.select_related("newer_edition").select_for_update(of=("self",))
        return {source.slug: source for source in sources}

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        readers = super().make_readers()
        own = {
            "doi": lambda text: readers["doi"](without_resolver(text)),
            "newer_edition": reference_to("source", ChainMap(self.records, self.coming)),
        }
        return {**readers, **own}
