"""The draft that an article's form holds, saved or not: its document, and what of it is not fit to be shown yet."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst

from articles.documents import document_of
from articles.drafts import keys_of
from articles.merges import Draft
from articles.models import Article, Block, Byline
from articles.models.blocks import ProseBlock

# Fields of the form that are no part of the draft.
OUTSIDE = {"csrfmiddlewaretoken", "_save", "_continue", "_publish", "_addanother"}
# Errors of a row that say nothing against what stands in it: its block is gone since the form was opened.
HARMLESS = {"id"}


@dataclass
class Problem:
    """What cannot be shown as it stands: the id of its place in the form, and why, in a sentence."""

    anchor: str
    sentence: str


@dataclass
class FormDraft:
    article: Article
    document: dict[str, Any]
    keys: list[str]
    # The id of each block's place in the form, in the order of the document.
    anchors: list[str]
    problems: list[Problem] = field(default_factory=list)

    @property
    def draft(self) -> Draft:
        return Draft(self.document, self.keys)


def as_posted(request: HttpRequest, fields: QueryDict) -> HttpRequest:
    """The request as if it had sent these fields, for what the admin makes of a form; nothing is saved by this."""
    posted = copy(request)
    posted.method = "POST"
    posted.POST = fields  # type: ignore[assignment]
    posted._files = MultiValueDict()  # type: ignore[attr-defined]
    return posted


def as_fields(pairs: Iterable[Iterable[str]]) -> QueryDict:
    fields = QueryDict(mutable=True)
    for name, value in pairs:
        fields.appendlist(name, value)
    return fields


def pairs_of_form(fields: QueryDict) -> list[tuple[str, str]]:
    """What a form sent, as pairs of name and value."""
    pairs = [(name, value) for name, values in fields.lists() if name not in OUTSIDE for value in values]
    # PostgreSQL keeps no NUL, and no field takes one.
    return [(name.replace("\x00", ""), value.replace("\x00", "")) for name, value in pairs]


def draft_in_form(model_admin: ModelAdmin, request: HttpRequest, article: Article | None) -> FormDraft:
    """Read the draft that a posted request holds; `article` is a row of its own, which is written to but not saved."""
    article = article or Article()
    is_new = article.pk is None
    form = model_admin.get_form(request, None if is_new else article, change=not is_new)(
        request.POST, request.FILES, instance=article
    )
    form.asks_who_saved = False  # type: ignore[attr-defined]
    problems = [
        Problem(f"id_{name}", f"{_label(form, name)}{' '.join(map(str, errors))}")
        for name, errors in form.errors.items()
    ]
    rows: list[tuple[int, str, int, Block, str]] = []
    bylines: list[Byline] = []
    for formset in model_admin._create_formsets(request, article, change=not is_new)[0]:  # type: ignore[attr-defined]
        formset.full_clean()
        for index, row in enumerate(formset.forms):
            if formset._should_delete_form(row) or not (row.instance.pk or row.has_changed()):
                continue
            anchor = f"{formset.prefix}-{index}"
            errors = {name: found for name, found in row.errors.items() if name not in HARMLESS}
            if errors:
                name = capfirst(formset.model._meta.verbose_name)
                words = " ".join(f"{_label(row, name)}{' '.join(found)}" for name, found in errors.items())
                problems.append(Problem(anchor, f"{name}: {words}"))
            elif isinstance(row.instance, Byline):
                bylines.append(row.instance)
            elif isinstance(row.instance, Block):
                block = row.instance
                if isinstance(block, ProseBlock):
                    block.html = block._sanitized()
                rows.append((block.ordering or 0, block._meta.label, block.pk or 0, block, anchor))
    rows.sort(key=lambda entry: entry[:3])
    bylines.sort(key=lambda byline: (byline.order, byline.pk or 0))
    # What has no number or address yet is shown without a real one.
    article.number = article.number or Article.objects.all().highest_number() + 1
    blocks = [entry[3] for entry in rows]
    return FormDraft(article, document_of(article, blocks, bylines), keys_of(blocks), [e[4] for e in rows], problems)


def is_sound(formset: Any) -> bool:
    """Whether a set of rows has no error but those of rows that are gone since the form was opened."""
    rows = [row for row in formset.forms if not formset._should_delete_form(row)]
    return not formset.non_form_errors() and all(row.errors.keys() <= HARMLESS for row in rows)


def saved_draft(article: Article, blocks: list[Block]) -> FormDraft:
    """The draft as it is saved, with the places that its form gives to its blocks."""
    counts: dict[type[Block], int] = {}
    anchors = []
    for block in blocks:
        index = counts[type(block)] = counts.get(type(block), -1) + 1
        anchors.append(f"{block._meta.app_label}_{block._meta.model_name}_set-{index}")
    return FormDraft(article, document_of(article, blocks), keys_of(blocks), anchors)


def _label(row: Any, name: str) -> str:
    return f"{capfirst(row.fields[name].label)}: " if name in row.fields and row.fields[name].label else ""
