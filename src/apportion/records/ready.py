"""Queries that nearly every page asks, put into words once.

Django words a query anew each time it is asked, which for a row with its relations takes longer than the database takes
to answer. Here the columns are listed when the process first needs them; rows come back as the same model instances,
with the same relations loaded, as ``select_related`` gives. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection, models

_MOST = 2**63
_Model = TypeVar("_Model", bound=models.Model)
_Convert = tuple[int, tuple[Any, ...], Any]


def fetched(text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query that is asked again and again in the same words.

    PostgreSQL then keeps its plan: to make one takes several times as long as to find a few rows. Not while somebody
    writes down what is asked, which a kept plan no longer says.
    """
    if connection.vendor != "postgresql" or connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return [*cursor.fetchall()]
    from django.db.backends.postgresql.base import ServerBindingCursor

    open_one: Any = connection
    with open_one.wrap_database_errors:
        open_one.ensure_connection()
        made: Any = ServerBindingCursor(open_one.connection)  # type: ignore[call-arg]  # psycopg's own, for its stubs
    with open_one._prepare_cursor(made) as cursor:
        cursor.execute(text, parameters)
        return [*cursor.fetchall()]


class Ready(Generic[_Model]):
    """Rows of a model with some of its relations (to one row each), found by what `rest` says.

    `rest` is SQL: further joins, WHERE and ORDER BY. The row's own table is called by its name there, a relation by the
    name of its field. `extra` are further columns by name; they become attributes of the row; `without` are fields of
    the row that are left for later. Parameters are given in the order in which they stand in the text: those of `extra`
    first.
    """

    def __init__(
        self,
        model: type[_Model],
        relations: Sequence[str],
        rest: str,
        extra: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self._model, self._relations, self._rest, self._extra = model, tuple(relations), rest, dict(extra or {})
        self._without = frozenset(without)
        self._worded = cache(self._words)

    def all(self, parameters: Sequence[Any]) -> list[_Model]:
        """Every row. One query."""
        return list(self._rows(parameters))

    def first(self, parameters: Sequence[Any]) -> _Model | None:
        """The first row, or None. One query."""
        return next(self._rows(parameters), None)

    def _rows(self, parameters: Sequence[Any]) -> Iterator[_Model]:
        if any(isinstance(each, int) and not -_MOST <= each < _MOST for each in parameters):
            return  # no column holds such a number, and SQLite's driver fails over it
        text, parts, converts = self._worded(connection.vendor)
        for values in fetched(text, parameters):
            row = list(values)
            for place, functions, column in converts:
                for function in functions:
                    row[place] = function(row[place], column, connection)
            yield self._made(row, parts)

    def _made(self, row: list[Any], parts: Sequence[tuple[str, type[models.Model], list[str], int]]) -> _Model:
        alias, end = connection.alias, 0
        made: Any = None
        for name, model, fields, key in parts:
            begin, end = end, end + len(fields)
            if made is None:
                made = model.from_db(alias, fields, row[begin:end])
            else:
                there = row[begin + key] is not None
                made._state.fields_cache[name] = model.from_db(alias, fields, row[begin:end]) if there else None
        for name, value in zip(self._extra, row[end:], strict=True):
            setattr(made, name, value)
        return made  # type: ignore[no-any-return]

    def _words(self, vendor: str) -> tuple[str, list[tuple[str, type[models.Model], list[str], int]], list[_Convert]]:
        """The text, where each model's columns are, and what turns a database's values into Python's."""
        quoted, own = connection.ops.quote_name, self._model._meta.db_table
        columns: list[str] = []
        joins: list[str] = []
        parts: list[tuple[str, type[models.Model], list[str], int]] = []
        converts: list[_Convert] = []
        for name in ("", *self._relations):
            model, table = self._model, own
            if name:
                relation: Any = self._model._meta.get_field(name)
                model, table = relation.related_model, name
                here, there = (
                    (relation, relation.target_field)
                    if relation.concrete
                    else (relation.field.target_field, relation.field)
                )
                joins.append(
                    f"LEFT JOIN {quoted(model._meta.db_table)} {quoted(table)} "
                    f"ON {quoted(table)}.{quoted(there.column)} = {quoted(own)}.{quoted(here.column)}"
                )
            fields: list[Any] = [
                field for field in model._meta.concrete_fields if name or field.name not in self._without
            ]
            for field in fields:
                column = field.get_col(table)
                functions = (*connection.ops.get_db_converters(column), *field.get_db_converters(connection))
                if functions:
                    converts.append((len(columns), functions, column))
                columns.append(f"{quoted(table)}.{quoted(field.column)}")
            key = next(place for place, field in enumerate(fields) if field.primary_key)
            parts.append((name, model, [field.attname for field in fields], key))
        columns += [f"({each})" for each in self._extra.values()]
        text = f"SELECT {', '.join(columns)} FROM {quoted(own)} {' '.join(joins)} {self._rest}"
        return text, parts, converts
