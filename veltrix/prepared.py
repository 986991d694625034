"""Queries whose SQL is written once a process, for what nearly every page asks.

Django takes 0.3 to 0.8 ms to write the SQL of a queryset, several times as long as the database takes to answer it. The
text never depends on the values in it, so it is kept; of the answers nothing is.
"""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

from django.db import connection
from django.db.models import IntegerField, QuerySet
from django.db.models.sql.compiler import SQLCompiler

type Single = int | str | datetime
type Value = Single | Collection[int] | Collection[str]
type Kind = type[Single] | list[type[int]] | list[type[str]]


class Prepared:
    """A query by values that are given each time.

    `make` gives the queryset from values by name, `kinds` tells what each of them is: `int`, `str`, `datetime`, or a
    list of one of the first two, such as `[int]`, for `IN`. A list's places are filled up with NULL, so that some
    lengths serve all; it must not stand under a negation. Nothing but values may depend on the values.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **kinds: Kind) -> None:
        self.make = make
        self.kinds = kinds
        self._written: dict[tuple[Any, ...], _Written] = {}

    def rows(self, **values: Value) -> list[tuple[Any, ...]]:
        """The answer of a query by `values_list()` of columns that need no conversion: text and whole numbers."""
        written, parameters = self._filled(values)
        if not written.is_plain:
            raise TypeError("Rows are of text and whole numbers only.")
        with connection.cursor() as cursor:
            cursor.execute(written.sql, parameters)
            return list(cursor.fetchall())

    def objects(self, **values: Value) -> list[Any]:
        """The answer of a query for objects, with what `select_related()` and `prefetch_related()` name.

        Of nothing but empty lists nothing is asked.
        """
        lists = [name for name, kind in self.kinds.items() if isinstance(kind, list)]
        if lists and not any(values[name] for name in lists):
            return []
        written, parameters = self._filled(values)
        compiler = copy(written.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *args, **options: (written.sql, parameters)  # type: ignore[method-assign]
        queryset = written.queryset.all()
        queryset.query.get_compiler = lambda *args, **options: compiler  # type: ignore[method-assign]
        return list(queryset)

    def _filled(self, values: Mapping[str, Value]) -> "tuple[_Written, tuple[Any, ...]]":
        given = {name: _given(values[name], kind) for name, kind in self.kinds.items()}
        lengths = {name: _room(value) for name, value in given.items() if isinstance(value, list)}
        key = connection.vendor, *lengths.values()
        written = self._written.get(key)
        if written is None:
            self._written[key] = written = _write(self.make, self.kinds, lengths)
        return written, tuple(each.value_of(given) if isinstance(each, _Place) else each for each in written.filling)


def _given(value: Any, kind: Kind) -> Any:
    """A list of any collection; a moment as the database takes it."""
    return list(value) if isinstance(kind, list) else _adapted(value)


def _room(values: list[Any]) -> int:
    """The power of two that holds them."""
    return 1 << max(len(values) - 1, 0).bit_length()


@dataclass(frozen=True)
class _Place:
    """Where a value is put in, or one of a list."""

    name: str
    index: int | None = None

    def value_of(self, given: Mapping[str, Any]) -> Any:
        value = given[self.name]
        if self.index is None:
            return value
        return value[self.index] if self.index < len(value) else None


@dataclass(frozen=True)
class _Written:
    queryset: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    # Places, and what is the same each time.
    filling: list[Any]
    is_plain: bool


def _write(make: Callable[..., QuerySet[Any, Any]], kinds: Mapping[str, Kind], lengths: Mapping[str, int]) -> _Written:
    samples, places = _samples(kinds, lengths)
    queryset = make(**samples)
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    filling = [places.get(value, value) for value in parameters]
    if missing := set(places.values()).difference(each for each in filling if isinstance(each, _Place)):
        raise TypeError(f"The query does not hold {', '.join(sorted({place.name for place in missing}))}.")
    converted = compiler.get_converters([column for column, *_ in compiler.select]).values()
    # Those of whole numbers make them whole numbers.
    is_plain = all(isinstance(column.output_field, IntegerField) for _, column in converted)
    return _Written(queryset, compiler, sql, filling, is_plain)


def _samples(kinds: Mapping[str, Kind], lengths: Mapping[str, int]) -> tuple[dict[str, Any], dict[Any, _Place]]:
    """Values of these kinds, no two alike and none that a query holds by itself, and the place each stands for."""
    numbers = count(999_999_101)
    samples: dict[str, Any] = {}
    places: dict[Any, _Place] = {}
    for name, kind in kinds.items():
        if isinstance(kind, list):
            samples[name] = [_sample(kind[0], number) for number in islice(numbers, lengths[name])]
            places |= {value: _Place(name, index) for index, value in enumerate(samples[name])}
        else:
            samples[name] = _sample(kind, next(numbers))
            places[_adapted(samples[name])] = _Place(name)
    return samples, places


def _sample(kind: type[Single], number: int) -> Single:
    return datetime.fromtimestamp(number, UTC) if issubclass(kind, datetime) else kind(number)


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
