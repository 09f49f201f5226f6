"""The checks of tags. Whether tags are JSON is asked of every row; what stands in them, of the first rows of a file."""

from __future__ import annotations

from collections import defaultdict

from apportion.focus import checks
from apportion.focus.checks import EXAMPLES, Check
from apportion.focus.finding import Example
from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import ChargeFile

SAMPLE = 20_000
"""How many rows of a file, from the first on, are looked into."""

_HEAD = f"file_row_number < {SAMPLE}"
_LONGEST_VALUE = 200
_NESTED = (
    "(contains(substr(object, 2), '{') OR contains(object, '[')) "
    "AND len(list_filter(json_extract(object, '$.*'), lambda item: json_type(item) IN ('OBJECT', 'ARRAY'))) > 0"
)
_REPEATED = "len(json_keys(object)) > len(list_distinct(json_keys(object)))"


def broken(connection: engine.Connection, file: ChargeFile) -> list[tuple[Check, int, list[Example]]]:
    """The checks of tags that a file breaks: check, rows, and the first of them."""
    column = file.column("Tags")
    if column is None or not column.physical:
        return []
    raw, rows = engine.raw(column), engine.files([file.path])
    if column.type.startswith("MAP"):
        keys = f"SELECT unnest(map_keys({raw}))::VARCHAR AS key, file_row_number FROM {rows} WHERE {_HEAD}"
        return _similar(connection, keys)
    shown = engine.text(column)
    # Some exports leave out the braces.
    object_ = f"CASE WHEN starts_with(ltrim({shown}), '{{') THEN {shown} ELSE '{{' || {shown} || '}}' END"
    table = f"(SELECT {object_} AS object, {shown} AS shown, file_row_number FROM {rows} WHERE {shown} IS NOT NULL)"
    found = _count(connection, checks.TAGS_MALFORMED, f"FROM {table} WHERE NOT json_valid(object)")
    valid = f"(SELECT * FROM {table} WHERE {_HEAD} AND json_valid(object))"
    found += _count(connection, checks.TAGS_NESTED, f"FROM {valid} WHERE {_NESTED}")
    found += _count(connection, checks.TAG_KEYS_REPEATED, f"FROM {valid} WHERE {_REPEATED}")
    keys = f"SELECT unnest(json_keys(object)) AS key, file_row_number FROM {valid}"
    return found + _similar(connection, keys)


def _count(connection: engine.Connection, check: Check, query: str) -> list[tuple[Check, int, list[Example]]]:
    rows = connection.execute(f"SELECT count(*) {query}").fetchall()[0][0]
    if not rows:
        return []
    connection.execute("SET preserve_insertion_order = true")
    first = connection.execute(
        f"SELECT file_row_number + 1, left(shown, {_LONGEST_VALUE}) {query} LIMIT {EXAMPLES}"
    ).fetchall()
    return [(check, rows, [Example(row, value) for row, value in sorted(first)])]


def _similar(connection: engine.Connection, keys: str) -> list[tuple[Check, int, list[Example]]]:
    """Keys that are the same but for blanks and case: the rows that have any spelling but the usual one."""
    spellings: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    counted = connection.execute(f"SELECT key, count(*), min(file_row_number) + 1 FROM ({keys}) GROUP BY key")
    for key, rows, first in counted.fetchall():
        spellings["".join(key.split()).casefold()].append((rows, first, key))
    rows, examples = 0, []
    for found in spellings.values():
        usual, *others = sorted(found, key=lambda spelling: (-spelling[0], spelling[1]))
        for count, first, key in others:
            rows += count
            examples.append(Example(first, f"{key!r} beside {usual[2]!r}"))
    examples.sort(key=lambda example: (example.row, example.value))
    return [(checks.TAG_KEYS_SIMILAR, rows, examples[:EXAMPLES])] if rows else []
