"""Published figures from a table: a row that gives another figure than the current one publishes its successor."""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import Any, ClassVar

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils import timezone

from articles.models import Source, Sourced, Statistic, StatisticValue
from articles.open_data import STATISTICS, Record
from articles.succession import EVIDENCE_FIELDS, changed_fields, problems, problems_alone

from .rows import NEEDED, Row, TableResource, Written, reader_of, reference_to, text_of

NO_SUCH_ROW = "There is no published figure of this number. For a new figure leave it empty."
OTHER_OWNER = "Figure {} belongs to {}."
HISTORY = "Figure {} is history, which stays as it is. Change the row of the current figure, number {}."
NOTHING_BEFORE = "There is no figure yet that this one could follow. If the row is right, it is new."
REWORDED = "A published figure keeps its words. They say “{}”; other words are a correction, which is made at the desk."
STALE_REASON = "This is the reason of the figure that is there now. Say why it changes this time."

# Whatever an import can say of the evidence and the reason of a figure.
FIGURE_COLUMNS = (*EVIDENCE_FIELDS, "why", "why_note")


class FigureResource(TableResource):
    """Published figures. A row that gives another figure than the current one publishes its successor."""

    model: ClassVar[type[Sourced]]
    # The columns that name the line of a figure beside its owner.
    line_fields: ClassVar[tuple[str, ...]] = ()
    # The columns that are empty where a figure is withdrawn.
    number_fields: ClassVar[tuple[str, ...]]

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = self.model._default_manager.exclude(published_at=None)
        self.figures: dict[int, Any] = {f.pk: f for f in rows.select_related(*self.model.owner_fields, "source")}
        self.current = {self.line(f): f for f in self.figures.values() if f.superseded_at is None}
        super().before_import(dataset, **kwargs)

    def make_readers(self) -> dict[str, Callable[[str], Any]]:
        names = [name for name in self.written if name not in self.model.owner_fields]
        readers: dict[str, Callable[[str], Any]] = {}
        for model in (self.model, *self.owner_models()):
            fields = {f.name: f for f in model._meta.concrete_fields}
            readers |= {
                name: reader_of(fields[name]) for name in names if name in fields and not fields[name].is_relation
            }
        sources = {source.slug: source for source in Source.objects.all()}
        return {**readers, "id": _number, "source": reference_to("source", sources)}

    def owner_models(self) -> list[type[models.Model]]:
        return []

    def line(self, figure: Any) -> tuple[Any, ...]:
        """What no two current figures have in common."""
        owners = [getattr(figure, f"{name}_id") for name in self.model.owner_fields]
        return (*owners, *(getattr(figure, name) for name in self.line_fields))

    def owners(self, cells: dict[str, str], row: Row, named: Any) -> dict[str, models.Model]:
        """What the figure of this row belongs to, by the names of the owner fields; `named` has its number."""
        raise NotImplementedError

    def complete(self, later: Any) -> None:
        """Fill in what follows from the rest."""

    def take(self, cells: dict[str, str], row: Row) -> None:
        named = self._named(cells)
        owners = self.owners(cells, row, named)
        if named and any(getattr(named, f"{name}_id") != owner.pk for name, owner in owners.items()):
            raise ValidationError({"id": OTHER_OWNER.format(named.pk, named.subject)})
        names = [name for name in (*self.model.figure_fields, *FIGURE_COLUMNS) if name in self.written]
        values = self.values(cells, self._names_to_read(cells, names))
        line = self.line(self.model(**owners, **{name: values[name] for name in self.line_fields if name in values}))
        earlier = named or self.current.get(line)
        row.compared = [earlier.pk] if earlier else []
        if earlier and earlier.superseded_at:
            self._leave(earlier, values)
            return
        self.once(earlier.pk if earlier else line, row, "id" if named else self.needed[0])
        if earlier and not self._is_asked_to_change(earlier, owners, values, cells):
            return
        later = self._later(earlier, owners, values)
        if earlier:
            self.guard(cells, Record(earlier, earlier.pk, None, None), Record(later, earlier.pk, None, None))
            later.why, later.why_note = self._reason(earlier, cells)
        elif cells.get("why", "") not in {"", Sourced.Why.NEW}:
            raise ValidationError({"why": NOTHING_BEFORE})
        self._check(earlier, later)
        row.changes += self.changes_of(earlier, later, names)
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        self._publish(earlier, later, names, row)

    def _named(self, cells: Mapping[str, str]) -> Any:
        """The figure whose number the row gives, current or past; None where it gives none."""
        if not cells.get("id"):
            return None
        number = self.values(cells, ["id"])["id"]
        if number not in self.figures:
            raise ValidationError({"id": NO_SUCH_ROW})
        return self.figures[number]

    def _names_to_read(self, cells: Mapping[str, str], names: list[str]) -> list[str]:
        """All columns, but for those that the row of a withdrawn figure leaves empty."""
        is_empty = not any(cells.get(name) for name in self.number_fields)
        if cells.get("why") == Sourced.Why.RETRACTION and is_empty:
            return [name for name in names if name not in self.number_fields]
        return names

    def _leave(self, past: Any, values: Mapping[str, Any]) -> None:
        """Refuse a row of the history that says something else than the history."""
        wrong = [name for name, value in values.items() if text_of(getattr(past, name)) != text_of(value)]
        if wrong:
            latest = next(f for f in self.figures.values() if f.superseded_at is None and self._is_after(past, f))
            raise ValidationError({name: HISTORY.format(past.pk, latest.pk) for name in wrong})

    def _is_after(self, past: Any, figure: Any) -> bool:
        while figure.pk != past.pk and figure.supersedes_id:
            figure = self.figures[figure.supersedes_id]
        return bool(figure.pk == past.pk)

    def _is_asked_to_change(
        self, earlier: Any, owners: Any, values: Mapping[str, Any], cells: Mapping[str, str]
    ) -> bool:
        is_to_be_withdrawn = cells.get("why") == Sourced.Why.RETRACTION
        if earlier.is_withdrawn:
            return not is_to_be_withdrawn
        return is_to_be_withdrawn or bool(changed_fields(earlier, self._later(earlier, owners, values)))

    def _later(self, earlier: Any, owners: Mapping[str, models.Model], values: Mapping[str, Any]) -> Any:
        later = copy(earlier) if earlier else self.model(**owners)
        for name, value in values.items():
            setattr(later, name, value)
        # As for the form: the rules are those of the published row that it is to become.
        later.published_at, later.superseded_at = timezone.now(), None
        self.complete(later)
        return later

    def _reason(self, earlier: Any, cells: Mapping[str, str]) -> tuple[str, str]:
        """Why the figure changes: what the row says, or what was said for all rows; never the reason of before."""
        why, note = cells.get("why", ""), cells.get("why_note", "")
        is_repeated = (why, note) == (earlier.why, earlier.why_note)
        if self.why and (why in {"", Sourced.Why.NEW} or is_repeated):
            return self.why, self.why_note
        if note and note == earlier.why_note:
            raise ValidationError({"why_note": STALE_REASON})
        # A row that names the figure comes from an export, where its reason stood as well.
        if is_repeated and cells.get("id"):
            raise ValidationError({"why": STALE_REASON})
        return why, note

    def _check(self, earlier: Any, later: Any) -> None:
        found = problems(earlier, later) if earlier else problems_alone(later)
        wrong: dict[str, list[str]] = {}
        for name, sentence in found:
            wrong.setdefault(name or NON_FIELD_ERRORS, []).append(sentence)
        if wrong:
            raise ValidationError(wrong)
        self.check(later)

    def _publish(self, earlier: Any, later: Any, names: Iterable[str], row: Row) -> None:
        if earlier:
            published = earlier.publish_successor(**{name: getattr(later, name) for name in names})
        else:
            later.save(force_insert=True)
            published = later
        row.written.append(Written(published, is_new=not earlier, message=later.get_why_display()))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError("Write the number of a row of the open data, or leave it empty.")
    return int(text)


class StatisticResource(FigureResource):
    """Statistics with their values: a row describes a claim and gives its figure."""

    model = StatisticValue
    table = STATISTICS
    needed = ("statistic",)
    number_fields = StatisticValue.figure_fields
    described = ("claim", "unit", "scope")
    guarded = ("source_citation",)
    written = (
        "id",
        "statistic",
        *described,
        *StatisticValue.figure_fields,
        *FIGURE_COLUMNS,
    )

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.statistics = {statistic.slug: statistic for statistic in Statistic.objects.all()}
        super().before_import(dataset, **kwargs)

    def owner_models(self) -> list[type[models.Model]]:
        return [Statistic]

    def owners(self, cells: dict[str, str], row: Row, named: Any) -> dict[str, models.Model]:
        """The claim, written anew where the row describes it otherwise; a row of the history only names it."""
        slug = self._slug(cells.get("statistic", ""))
        row.subject = slug
        earlier = self.statistics.get(slug)
        if earlier and named and named.superseded_at:
            return {"statistic": earlier}
        values = self.values(cells, self.described)
        later = copy(earlier) if earlier else Statistic(slug=slug)
        for name, value in values.items():
            setattr(later, name, value)
        changes = self.changes_of(earlier, later, self.described)
        if earlier and not changes:
            return {"statistic": earlier}
        if earlier and any(figure.statistic_id == earlier.pk for figure in self.current.values()):
            raise ValidationError({change.column: REWORDED.format(change.before) for change in changes})
        self.check(later)
        later.save()
        self.statistics[slug] = later
        row.changes = changes
        row.import_type = Row.IMPORT_TYPE_UPDATE if earlier else Row.IMPORT_TYPE_NEW
        changed = ", ".join(change.column for change in changes)
        row.written.append(Written(later, is_new=not earlier, message=changed))
        return {"statistic": later}

    def _slug(self, text: str) -> str:
        if not text:
            raise ValidationError({"statistic": NEEDED})
        try:
            return str(reader_of(Statistic._meta.get_field("slug"))(text))
        except ValidationError as error:
            raise ValidationError({"statistic": error.messages}) from error
