"""One pass over a file of charges: what its rows add up to, and which checks they break.

The rows are grouped by what totals are kept for and by their flags, so that loaded and quarantined rows, every sum and
every count come out of the same scan. Examples and quarantined rows are fetched afterwards, where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apportion.focus import checks
from apportion.focus.checks import EXAMPLES, Check
from apportion.focus.columns import COSTS, VALUES
from apportion.focus.finding import Example
from apportion.money.currency import CODES
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake_flags
from apportion.warehouse import intake_translate as translate
from apportion.warehouse.intake_conditions import CheckedFile
from apportion.warehouse.intake_values import NOTHING, Stage, units_of
from apportion.warehouse.snapshot import ChargeFile

_DATES = ("BillingPeriodStart", "ChargePeriodStart", "BillingPeriodEnd", "ChargePeriodEnd")
_KEPT_ASIDE = (
    *COSTS, "BillingCurrency", *_DATES, "ChargeCategory", "InvoiceIssuerName", "InvoiceId", "SubAccountId",
    "ServiceName", "ResourceId",
)  # fmt: skip
_LONGEST_VALUE = 200
_LONG = 1 << 62  # above all bits of checks: the row has a double with many digits

SAMPLE = 20_000
"""How many rows, from the first on, are looked at where looking at all of them would cost too much."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows alike in all that totals are kept for, and in their flags. Amounts are in units of 10⁻¹⁸.

    `start` is BillingPeriodStart as text, or the first instant of the charge's month; None where neither is known.
    A sum is None where the file has no such column. `effect` is the effect of rounding on the four costs, as decimal
    text in the same unit.
    """

    start: str | None
    invoice_issuer: str
    provider: str | None
    billing_account_id: str
    invoice_id: str | None
    currency: str | None
    charge_category: str | None
    commitment: str
    flags: int
    rows: int
    sums: tuple[int | None, ...]
    effect: str

    @property
    def is_refused(self) -> bool:
        """Whether these rows cannot be charged."""
        return bool(self.flags & intake_flags.REFUSED)


class Sweep:
    """The checks of one file of charges as expressions, and the queries built from them.

    A `translated` file has the marks of its translation beside its columns; so has a `repaired` one for ragged rows.
    """

    def __init__(self, file: ChargeFile, *, translated: bool = False, repaired: bool = False) -> None:
        self._file = file
        self._translated, self._repaired = translated, repaired
        self._stage = Stage()
        self._numbers = {name: self._stage.number(column) for name in COSTS if (column := file.column(name))}
        self._instants = {name: self._stage.instant(column) for name in _DATES if (column := file.column(name))}
        self._checked = CheckedFile(file, self._numbers, self._instants, translated=translated)
        self._conditions = conditions = dict(self._checked.conditions())
        self._flags = self._marked(intake_flags.total(conditions))
        # Where all doubles have few digits nothing can be wrong with them, and their sums are those of small integers.
        doubles = {name: number.tens[0] for name, number in self._numbers.items() if number.tens}
        quick = {
            flag: sql
            for flag, sql in conditions.items()
            if flag[1] not in doubles or flag[0] not in (checks.NUMBER_UNREADABLE, checks.NUMBER_ROUNDED)
        }
        is_long = " OR ".join(f"NOT {is_short}" for is_short in doubles.values())
        self._quick_flags = (
            f"(CASE WHEN {is_long} THEN {_LONG} ELSE {intake_flags.total(quick)} END)" if doubles else ""
        )

    def _marked(self, flags: str) -> str:
        """The marks of the translation count too. A ragged row is nothing but ragged: it has no values to be wrong."""
        flags = f"({flags} | {translate.FLAGS})" if self._translated else flags
        if self._repaired:
            ragged = intake_flags.bit(checks.ROW_RAGGED, "")
            return f"(CASE WHEN {translate.RAGGED} IS NOT NULL THEN {ragged} ELSE {flags} END)"
        return f"({flags})"

    def groups(self, connection: engine.Connection) -> list[Group]:
        """Everything that the file's rows add up to."""
        found = self._quick_groups(connection) or self._groups(connection, self._flags, quick=False)
        if self._file.column("BillingCurrency") and any(group.currency not in CODES for group in found):
            # Hardly ever: so rows are only asked for their currency once the groups have shown a strange one.
            shown = self._text("BillingCurrency")
            unknown = f"{shown} IS NULL OR {shown} NOT IN {engine.literals(sorted(CODES))}"
            self._conditions[checks.CURRENCY_UNKNOWN, "BillingCurrency"] = unknown
            self._flags = self._marked(intake_flags.total(self._conditions))
            found = self._groups(connection, self._flags, quick=False)
        return found

    def _quick_groups(self, connection: engine.Connection) -> list[Group]:
        """The groups of a file of doubles with few digits; none for any other."""
        if not self._quick_flags:
            return []
        head = connection.execute(
            f"SELECT count(*) FROM {self._relation(self._quick_flags)} "
            f"WHERE file_row_number < 2048 AND {self._quick_flags} = {_LONG}"
        ).fetchall()
        if head[0][0]:
            return []
        found = self._groups(connection, self._quick_flags, quick=True)
        return [] if any(group.flags == _LONG for group in found) else found

    def _groups(self, connection: engine.Connection, flags: str, *, quick: bool) -> list[Group]:
        keys = {
            "k_start": self._start(),
            "k_issuer": engine.issuer(self._file),
            "k_provider": self._provider(),
            "k_account": f"coalesce({self._text('BillingAccountId')}, '')",
            "k_invoice": self._text("InvoiceId"),
            "k_currency": self._text("BillingCurrency"),
            "k_category": self._text("ChargeCategory"),
            "k_commitment": self._commitment(),
            "k_flags": flags,
        }
        sums = [sql for number in self._numbers.values() for sql in number.sums]
        effect = self._effect()
        if quick:
            pairs = [(number.sums[0], NOTHING) if number.tens else number.sums for number in self._numbers.values()]
            sums = [sql for pair in pairs for sql in pair]
            effect = "NULL::INTEGER"
        inner = ", ".join(f"{sql} AS {name}" for name, sql in keys.items())
        listed = ", ".join(f"{name}::VARCHAR" if name == "k_start" else name for name in keys)
        used = [inner, effect, *sums]
        found = connection.execute(
            f"SELECT {listed}, count(*), sum({effect})::VARCHAR, {', '.join(sums)} "
            f"FROM (SELECT *, {inner} FROM {self._relation(*used)}) GROUP BY {', '.join(keys)}"
        ).fetchall()
        return [self._group(row) for row in found]

    def _group(self, row: Sequence[Any]) -> Group:
        sums = self._sums(row[len(row) - 2 * len(self._numbers) :])
        start, issuer, provider, account, invoice, currency, category, commitment, flags, rows, effect = row[:11]
        return Group(
            start,
            issuer,
            provider,
            account,
            invoice,
            currency,
            category,
            commitment,
            flags,
            rows,
            sums,
            str(effect or 0),
        )

    def independent(self, connection: engine.Connection) -> tuple[int, tuple[int | None, ...]]:
        """Rows and sums of the whole file, added up once more without groups, flags or quarantine."""
        sums = [sql for number in self._numbers.values() for sql in number.sums]
        row = connection.execute(f"SELECT count(*), {', '.join(sums)} FROM {self._relation(*sums)}").fetchall()[0]
        return row[0], self._sums(row[1:])

    def _sums(self, found: Sequence[Any]) -> tuple[int | None, ...]:
        """Units of each cost, from what the two sums of each column gave."""
        pairs = dict(zip(self._numbers, zip(found[::2], found[1::2], strict=True), strict=True))
        return tuple(units_of(pairs[name]) if name in pairs else None for name in COSTS)

    def sampled(self, connection: engine.Connection) -> list[tuple[Check, str, int, list[Example]]]:
        """Checks of the first `SAMPLE` rows only: check, column, rows that break it, and the first of them."""
        conditions = list(self._checked.sampled())
        if not conditions:
            return []
        head = f"file_row_number < {SAMPLE}"
        counts = ", ".join(f"count(*) FILTER (WHERE {sql})" for _, sql in conditions)
        found = connection.execute(f"SELECT {counts} FROM {self._relation(counts)} WHERE {head}").fetchall()[0]
        return [
            (check, column, count, self.where(connection, f"{head} AND {sql}", [column, *_beside(check, column)]))
            for ((check, column), sql), count in zip(conditions, found, strict=True)
            if count
        ]

    # Rows by what they break.

    def breaking(self, check: Check, column: str) -> str:
        """SQL that is true in rows that break a check."""
        condition = self._conditions.get((check, column), "FALSE")
        if self._translated:
            condition = f"({condition}) OR {translate.FLAGS} & {intake_flags.bit(check, column)} <> 0"
        if self._repaired and check is not checks.ROW_RAGGED:
            condition = f"({condition}) AND {translate.RAGGED} IS NULL"
        return f"({condition})"

    def examples(self, connection: engine.Connection, check: Check, column: str) -> list[Example]:
        """The first rows that break a check, with the value of its column, and of what it is compared with."""
        return self.where(connection, self.breaking(check, column), [column, *_beside(check, column)])

    def where(self, connection: engine.Connection, condition: str, columns: Sequence[str]) -> list[Example]:
        """The first rows that meet a condition over the file's columns, with the values of `columns`."""
        there = [name for name in columns if self._file.column(name)]
        shown = [
            f"left(coalesce({self._shown(name)}, 'null'), {_LONGEST_VALUE})"
            if place == 0
            else f"{engine.literal(f', {name} ')} || left(coalesce({self._shown(name)}, 'null'), {_LONGEST_VALUE})"
            for place, name in enumerate(there)
        ]
        if self._repaired and not there:
            shown = [f"left({translate.RAGGED}, {_LONGEST_VALUE})"]
        shown = shown or ["''"]
        connection.execute("SET preserve_insertion_order = true")
        rows = connection.execute(
            f"SELECT file_row_number + 1, concat({', '.join(shown)}) FROM {self._relation(condition, *shown)} "
            f"WHERE {condition} LIMIT {EXAMPLES}"
        ).fetchall()
        return [Example(row, value) for row, value in sorted(rows)]

    def text_is(self, name: str, value: str | None) -> str:
        """SQL that is true in rows in which a text column has this value."""
        if value is None:
            return f"{self._text(name)} IS NULL"
        return f"{self._text(name)} = {' || chr(0) || '.join(engine.literal(part) for part in value.split(chr(0)))}"

    def starts_at(self, start: str) -> str:
        """SQL that is true in rows whose billing period starts at an instant."""
        return f"{self._start()} = TIMESTAMP {engine.literal(start)}"

    def wrong_values(self, connection: engine.Connection, name: str) -> list[tuple[str, int]]:
        """The values of a text column that FOCUS does not allow, with how many rows have each."""
        column = self._file.column(name)
        if column is None or not column.physical:
            return []
        raw = engine.raw(column)
        allowed = engine.literals([*VALUES[name], *column.nulls])
        return connection.execute(
            f"SELECT {raw}::VARCHAR, count(*) FROM {engine.files([self._file.path])} "
            f"WHERE {raw} NOT IN {allowed} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100"
        ).fetchall()

    def set_aside(self, connection: engine.Connection, target: Path) -> int:
        """Write the rows that cannot be charged: their number from 0, why, and the text of their main columns."""
        names = [name for name in _KEPT_ASIDE if self._file.column(name)]
        why = ", ".join(
            f"CASE WHEN {self.breaking(check, column)} THEN {engine.literal(f'{check.code} {column}'.strip())} END"
            for check, column in intake_flags.broken(intake_flags.REFUSED)
        )
        shown = [f"{self._shown(name)} AS {engine.identifier(name)}" for name in names]
        if self._repaired:
            shown.append(f"{translate.RAGGED} AS {engine.identifier('Row')}")
        condition = f"{self._flags} & {intake_flags.REFUSED} <> 0"
        connection.execute("SET preserve_insertion_order = true")
        written = connection.execute(
            f'COPY (SELECT file_row_number AS "row", concat_ws(\', \', {why}) AS "why", {", ".join(shown)} '
            f"FROM {self._relation(condition, why, *shown)} WHERE {condition}) "
            f"TO {engine.literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        return int(written[0][0])

    # Expressions.

    def _relation(self, *used_by: str) -> str:
        source = f"(SELECT *, file_row_number FROM {engine.files([self._file.path])})"
        return self._stage.relation(source, *used_by)

    def _text(self, name: str) -> str:
        return f"({engine.text(self._file.column(name))})"

    def _shown(self, name: str) -> str:
        column, shown = self._file.column(name), self._text(name)
        if self._translated and (name in COSTS or name in _DATES) and column and column.physical:
            return f"coalesce({translate.raw_text(name)}, {shown})"
        return shown

    def _start(self) -> str:
        billing, charge = self._instants.get("BillingPeriodStart"), self._instants.get("ChargePeriodStart")
        month = f"date_trunc('month', {charge.value})::TIMESTAMP" if charge else "NULL::TIMESTAMP"
        return f"coalesce({billing.value}, {month})" if billing else month

    def _provider(self) -> str:
        names = [name for name in ("ServiceProviderName", "ProviderName") if self._file.column(name)]
        return self._text(names[0]) if names else "NULL::VARCHAR"

    def _commitment(self) -> str:
        status, commitment = self._text("CommitmentDiscountStatus"), self._text("CommitmentDiscountId")
        purchase = f"{self._text('ChargeCategory')} = 'Purchase' AND {commitment} IS NOT NULL"
        return f"coalesce({status}, CASE WHEN {purchase} THEN 'purchase' END, '')"

    def _effect(self) -> str:
        if self._translated:
            return translate.EFFECT
        effects = [f"coalesce({number.effect}, 0)" for number in self._numbers.values() if number.effect]
        return " + ".join(effects) or "NULL::INTEGER"


def _beside(check: Check, column: str) -> list[str]:
    """The columns that a check compares with one column: not those for which it is a check of its own."""
    if any(other != column and intake_flags.has_bit(check, other) for other in check.looks_at):
        return []
    return [name for name in check.looks_at if name != column]
