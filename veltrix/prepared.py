"""Queries whose SQL is written once a process, for what nearly every page asks.

Django takes 0.3 to 0.8 ms to write the SQL of a queryset, several times as long as the database takes to answer it. The
text never depends on the values in it, so it is kept; of the answers nothing is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import IntegerField, QuerySet


class Prepared:
    """A query by `values_list()` of columns that need no conversion: text and whole numbers.

    `make` gives the queryset from values by name. `samples` are values of their kinds, whole numbers and moments: no
    two alike, and none that the query holds by itself. The values take their places in the SQL.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **samples: int | datetime) -> None:
        self.make = make
        self.samples = samples
        self._written: dict[str, tuple[str, list[Any]]] = {}

    def rows(self, **values: int | datetime) -> list[tuple[Any, ...]]:
        """The answer for these values, which are all that the query asks for."""
        sql, parameters = self._written.get(connection.vendor) or self._write()
        adapted = {name: _adapted(value) for name, value in values.items()}
        with connection.cursor() as cursor:
            cursor.execute(sql, [adapted[value.name] if isinstance(value, _Place) else value for value in parameters])
            return list(cursor.fetchall())

    def _write(self) -> tuple[str, list[Any]]:
        compiler = self.make(**self.samples).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converted = compiler.get_converters([column for column, *_ in compiler.select]).values()
        # Those of whole numbers make them whole numbers.
        if not all(isinstance(column.output_field, IntegerField) for _, column in converted):
            raise TypeError("A prepared query gives text and whole numbers only.")
        places = {_adapted(sample): _Place(name) for name, sample in self.samples.items()}
        if missing := {place.name for place in places.values()} - _named(places, parameters):
            raise TypeError(f"The query does not hold {', '.join(sorted(missing))}.")
        self._written[connection.vendor] = written = sql, [places.get(value, value) for value in parameters]
        return written


class _Place:
    """Where a value is put in."""

    def __init__(self, name: str) -> None:
        self.name = name


def _adapted(value: int | datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _named(places: Mapping[Any, _Place], parameters: Any) -> set[str]:
    return {places[value].name for value in parameters if value in places}
