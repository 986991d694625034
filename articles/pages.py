"""From a document to what a reader's page prints, in a number of queries that does not grow with the document."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Self, cast

from django.utils import timezone

from veltrix.prepared import Prepared

from . import references
from .documents import references_in
from .models import Article, ArticleVersion, Author, Category, Series, Source, Sourced
from .models.blocks import Block, block_types


@dataclass
class Citation:
    """One use of a source: the figure that cites it, and the id of the place where it stands."""

    value: Sourced
    anchor: str


@dataclass
class Use:
    """One figure that cites a source, with the ids of all the places where it does."""

    value: Sourced
    anchors: list[str]


@dataclass
class SourceNote:
    """An entry of the article's numbered list of sources."""

    number: int
    source: Source
    citations: list[Citation] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return f"source-{self.number}"

    @property
    def uses(self) -> list[Use]:
        """The figures in reading order, each once; of a place that shows several, such as a table, the first."""
        first_of_place = [
            citation
            for before, citation in zip([None, *self.citations], self.citations, strict=False)
            if before is None or before.anchor != citation.anchor
        ]
        anchors: dict[Sourced, list[str]] = {}
        for citation in first_of_place:
            anchors.setdefault(citation.value, []).append(citation.anchor)
        return [Use(value, places) for value, places in anchors.items()]


class SourceNotes:
    """The sources that a page cites, numbered in reading order; `figures` are those that its texts refer to."""

    def __init__(self, figures: Mapping[str, Sourced] | None = None) -> None:
        self.figures = figures or {}
        self.values: list[Sourced] = []
        self._notes: dict[int, SourceNote] = {}
        self._anchors: dict[str, int] = defaultdict(int)

    def anchor(self, wanted: str) -> str:
        """An id that the page does not have yet: the wanted one, or with “-2” and so on."""
        self._anchors[wanted] += 1
        times = self._anchors[wanted]
        return wanted if times == 1 else self.anchor(f"{wanted}-{times}")

    def cite(self, value: Sourced, anchor: str) -> SourceNote | None:
        """Note that the page shows this figure, and give the entry of its source; None if it states no source."""
        self.values.append(value)
        if value.source is None:
            return None
        note = self._notes.setdefault(value.source.pk, SourceNote(len(self._notes) + 1, value.source))
        note.citations.append(Citation(value, anchor))
        return note

    def __iter__(self) -> Any:
        return iter(self._notes.values())

    def __len__(self) -> int:
        return len(self._notes)


@dataclass
class Part:
    """A block, or neighbours of one type that are shown together."""

    type: str
    template: str
    items: list[dict[str, Any]]
    is_sign_up: bool = False

    @property
    def plain_templates(self) -> list[str]:
        """For programs that know nothing of this site: a template of its own, or that of the page."""
        return [self.template.replace(".html", ".plain.html"), self.template]


@dataclass
class Correction:
    statement: str
    reason: str
    published_at: datetime


@dataclass
class Page:
    """An article as its template prints it, from a version's document or from the draft's."""

    title: str
    standfirst: str
    number: int
    highest_number: int
    category: Category | None
    series: Series | None
    published_at: datetime | None
    changed_at: datetime | None
    bylines: list[dict[str, Any]]
    parts: list[Part]
    sources: SourceNotes
    corrections: list[Correction]
    has_sign_up: bool
    # What was unresolved when it was published all the same, a sentence each, and why.
    open_points: list[str] = field(default_factory=list)
    open_reason: str = ""

    @classmethod
    def live(cls, article: Article) -> Self:
        """What readers see of a published article; `live_version` should come with it."""
        return cls.all_live([article])[0]

    @classmethod
    def all_live(cls, articles: Sequence[Article]) -> list[Self]:
        """What readers see of these published articles, in as many queries as for one."""
        versions = [_live_version(article) for article in articles]
        records = Records.of([version.document for version in versions])
        pages = [cls._live(article, version, records) for article, version in zip(articles, versions, strict=True)]
        _add_corrections(pages)
        return pages

    @classmethod
    def _live(cls, article: Article, version: ArticleVersion, records: "Records") -> Self:
        published_at = cast("datetime", article.published_at)
        is_changed = timezone.localdate(version.published_at) > timezone.localdate(published_at)
        page = cls._read(version.document, records, published_at)
        page.changed_at = version.published_at if is_changed else None
        page.open_points, page.open_reason = version.open_points, version.open_reason
        return page

    @classmethod
    def of(cls, document: Mapping[str, Any], *, published_at: datetime | None) -> Self:
        """Read a document. References that no longer lead anywhere are left out of the page, never an error."""
        page = cls._read(document, Records.of([document]), published_at)
        _add_corrections([page])
        return page

    @classmethod
    def _read(cls, document: Mapping[str, Any], records: "Records", published_at: datetime | None) -> Self:
        notes = SourceNotes(records.figures)
        parts = _parts(document["blocks"], records.loaded, notes)
        return cls(
            title=document["title"],
            standfirst=document["standfirst"],
            number=document["number"],
            highest_number=max(records.highest_number, document["number"]),
            category=records.categories.get(document["category"]),
            series=records.series.get(document["series"]),
            published_at=published_at,
            changed_at=None,
            bylines=[
                {"author": records.authors[byline["author"]], "credit": byline["credit"]}
                for byline in document["bylines"]
                if byline["author"] in records.authors
            ],
            parts=parts,
            sources=notes,
            corrections=[],
            has_sign_up=any(part.is_sign_up for part in parts),
        )


def _live_version(article: Article) -> ArticleVersion:
    if article.live_version is None or article.published_at is None:
        raise ValueError("The article was never published.")
    return article.live_version


_HIGHEST = Prepared(
    lambda now: Article.objects.published(now).order_by("-number").values_list("number")[:1],
    now=datetime,
)
_AUTHORS = Prepared(lambda slugs: Author.objects.filter(slug__in=slugs), slugs=[str])
_CATEGORIES = Prepared(lambda slugs: Category.objects.filter(slug__in=slugs).select_related("parent"), slugs=[str])
_SERIES = Prepared(lambda slugs: Series.objects.filter(slug__in=slugs), slugs=[str])


@dataclass
class Records:
    """All that documents refer to, read in a number of queries that does not grow with them."""

    figures: Mapping[str, Sourced]
    # What the blocks of a type have loaded for all their objects.
    loaded: Mapping[str, Any]
    authors: Mapping[str, Author]
    categories: Mapping[str, Category]
    series: Mapping[str, Series]
    highest_number: int

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, Any]]) -> Self:
        types = block_types()
        by_type = defaultdict(list)
        for item in (item for document in documents for item in document["blocks"] if item["type"] in types):
            by_type[item["type"]].append(item)
        named = [byline["author"] for document in documents for byline in document["bylines"]]
        return cls(
            figures=references.load(reference for document in documents for reference in references_in(document)),
            loaded={name: types[name].load(items) for name, items in by_type.items()},
            authors=_by_slug(_AUTHORS, named),
            categories=_by_slug(_CATEGORIES, [document["category"] for document in documents]),
            series=_by_slug(_SERIES, [document["series"] for document in documents]),
            highest_number=max((number for (number,) in _HIGHEST.rows(now=timezone.now())), default=0),
        )


def _by_slug(records: Prepared, slugs: Iterable[str | None]) -> dict[str, Any]:
    return {record.slug: record for record in records.objects(slugs={slug for slug in slugs if slug})}


def _parts(items: list[Mapping[str, Any]], loaded: Mapping[str, Any], notes: SourceNotes) -> list[Part]:
    types = block_types()
    shown: list[tuple[type[Block], dict[str, Any]]] = []
    for item in (item for item in items if item["type"] in types):
        block = types[item["type"]]
        context = block.context(item, loaded[item["type"]], notes)
        if context is not None:
            shown.append((block, context))
    parts: list[Part] = []
    for block, group in groupby(shown, key=lambda pair: pair[0]):
        contexts = [context for _, context in group]
        joined = [contexts] if block.is_joined else [[context] for context in contexts]
        parts.extend(Part(block.type, block.template(), together, block.is_sign_up) for together in joined)
    return parts


def _add_corrections(pages: Sequence[Page]) -> None:
    """Tell each page the corrections of its figures, in all their history since it appeared; latest first."""
    since = min((page.published_at for page in pages if page.published_at), default=timezone.now())
    rows = _correcting([value for page in pages for value in page.sources.values], since)
    for page in pages:
        page.corrections = [
            Correction(f"{row.change_text}: {row.subject}", row.why_note, row.published_at)
            for row in rows
            if row.published_at >= (page.published_at or since) and _is_of(row, page.sources.values)
        ]


def _correcting(values: Iterable[Sourced], since: datetime) -> list[Any]:
    """What has corrected or withdrawn a figure of these owners since then, latest first; a query for each kind."""
    by_kind: dict[type[Sourced], list[Sourced]] = defaultdict(list)
    for value in values:
        by_kind[type(value)].append(value)
    rows: list[Any] = []
    for kind, shown in by_kind.items():
        owners = {f"{name}__in": {getattr(value, f"{name}_id") for value in shown} for name in kind.owner_fields}
        corrections = kind._default_manager.corrections().filter(**owners, published_at__gte=since)  # type: ignore[attr-defined]
        rows.extend(corrections.select_related("supersedes", *kind.owner_fields))
    return sorted((row for row in rows if row.supersedes), key=lambda row: row.published_at, reverse=True)


def _is_of(row: Sourced, values: Iterable[Sourced]) -> bool:
    """Whether a row belongs to what one of these figures belongs to."""
    return any(type(value) is type(row) and _owners(value) == _owners(row) for value in values)


def _owners(figure: Sourced) -> list[int]:
    return [getattr(figure, f"{name}_id") for name in figure.owner_fields]
