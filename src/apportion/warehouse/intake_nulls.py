"""Nulls that are spelled: read as null, and remembered by column and spelling in a few integers for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apportion.focus.checks import EXAMPLES
from apportion.focus.finding import Example
from apportion.warehouse import duckdb as engine

_BITS = 60  # of one integer


@dataclass(frozen=True, slots=True)
class SpelledNulls:
    """The text columns of a table, and the words that stand for null in them.

    A column has a code in each row: 0 where it spells no null, else the place of the word, from 1 on. Codes lie side by
    side in the integers ``__nulls_0``, ``__nulls_1``, ...
    """

    names: tuple[str, ...]
    nulls: tuple[str, ...]

    @property
    def _width(self) -> int:
        return len(self.nulls).bit_length()

    @property
    def _in_a_word(self) -> int:
        return _BITS // self._width

    @property
    def words(self) -> list[str]:
        """The names of the integers."""
        if not self.nulls:
            return []
        return [f"__nulls_{place}" for place in range(-(-len(self.names) // self._in_a_word))]

    def cleaned(self, relation: str) -> str:
        """SQL of the table with nulls where nulls are spelled, and the integers beside its columns."""
        if not self.nulls:
            return relation
        codes, replaced, terms = [], [], []
        cases = " ".join(f"WHEN {engine.literal(word)} THEN {place}" for place, word in enumerate(self.nulls, start=1))
        for place, name in enumerate(self.names):
            quoted = engine.identifier(name)
            codes.append(f"CASE {quoted} {cases} ELSE 0 END::BIGINT AS __code_{place}")
            replaced.append(f"CASE WHEN __code_{place} = 0 THEN {quoted} END AS {quoted}")
            terms.append(f"(__code_{place} << {place % self._in_a_word * self._width})")
        size = self._in_a_word
        words = [
            f"({' + '.join(terms[place * size : (place + 1) * size])}) AS {name}"
            for place, name in enumerate(self.words)
        ]
        return (
            f"(SELECT * REPLACE ({', '.join(replaced)}), {', '.join(words)} "
            f"FROM (SELECT *, {', '.join(codes)} FROM {relation}))"
        )

    def found(self, connection: engine.Connection, table: str) -> Iterator[tuple[str, int, list[Example]]]:
        """For each column of a table that spelled null: its name, how many rows did, and the first of them.

        `table` is SQL of the table as it was written, with its integers.
        """
        if not self.nulls:
            return
        used = ", ".join(f"bit_or({word})" for word in self.words)
        together = [bits or 0 for bits in connection.execute(f"SELECT {used} FROM {table}").fetchall()[0]]
        mask = (1 << self._width) - 1
        for place, name in enumerate(self.names):
            word, offset = self.words[place // self._in_a_word], place % self._in_a_word * self._width
            if together[place // self._in_a_word] >> offset & mask:
                yield name, *_first(connection, table, f"(({word} >> {offset}) & {mask})", self.nulls)


def _first(connection: engine.Connection, table: str, code: str, nulls: Sequence[str]) -> tuple[int, list[Example]]:
    rows = connection.execute(f"SELECT count(*) FROM {table} WHERE {code} <> 0").fetchall()[0][0]
    connection.execute("SET preserve_insertion_order = true")
    first = connection.execute(
        f"SELECT file_row_number + 1, {code} FROM {table} WHERE {code} <> 0 LIMIT {EXAMPLES}"
    ).fetchall()
    return rows, [Example(row, nulls[spelling - 1]) for row, spelling in sorted(first)]
