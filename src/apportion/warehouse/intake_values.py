"""How delivered values become exact decimals and instants, as SQL.

Stricter than the engine's own casts, which take ``+5``, ``1_000`` and blanks for numbers, read ``4/1/25`` as a day of
the year 4, forget the offset of ``+02:00``, and round halves away from zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from apportion.money.amount import units
from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import Column

DECIMAL = engine.DECIMAL
NOTHING = "NULL::VARCHAR"
_EFFECT = "DECIMAL(38,20)"

# A number of FOCUS: digits, a point, a minus, E-notation; no plus, blank, comma or symbol.
_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]-?[0-9]{1,3})?"
_SHORT = r"-?[0-9]{1,20}(?:\.[0-9]{0,18})?"  # what the engine's own cast reads exactly
_PARTS = r"^-?([0-9]*)\.?([0-9]*)(?:[eE](-?[0-9]+))?$"
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)

# In these, `shown` is a number as text; `kept` counts the digits, from the first one on, that stand before the
# nineteenth decimal. `cut` gives them as `head`, and as `tail` what is cut off: up when it is more than a half, or
# exactly a half after an odd digit. The lambdas bind names, so that a long expression is planned once.
_MACROS = rf"""
CREATE OR REPLACE MACRO is_number(shown) AS regexp_full_match(shown, '{_NUMBER}');
CREATE OR REPLACE MACRO is_short(shown) AS regexp_full_match(shown, '{_SHORT}');
CREATE OR REPLACE MACRO kept(whole, exponent) AS
  (length(whole) + coalesce(TRY_CAST(exponent AS INTEGER), 0) + 18)::INTEGER;
CREATE OR REPLACE MACRO head_of(digits, kept) AS
  CASE WHEN kept <= 0 THEN '0' ELSE coalesce(nullif(ltrim(rpad(left(digits, kept), kept, '0'), '0'), ''), '0') END;
CREATE OR REPLACE MACRO tail_of(digits, kept) AS
  rtrim(CASE WHEN kept < 0 THEN repeat('0', least(-kept, 40)) || digits ELSE substr(digits, kept + 1) END, '0');
CREATE OR REPLACE MACRO parts(shown) AS regexp_extract(shown, '{_PARTS}', ['whole', 'fraction', 'exponent']);
CREATE OR REPLACE MACRO cut_at(whole, fraction, kept) AS
  {{'head': head_of(whole || fraction, kept), 'tail': tail_of(whole || fraction, kept)}};
CREATE OR REPLACE MACRO cut(shown) AS
  CASE WHEN is_number(shown) THEN
    list_transform([parts(shown)], lambda p: cut_at(p.whole, p.fraction, kept(p.whole, p.exponent)))[1] END;
CREATE OR REPLACE MACRO is_up(head, tail) AS
  CASE WHEN tail = '5' THEN right(head, 1) IN ('1', '3', '5', '7', '9') ELSE tail > '5' END;
CREATE OR REPLACE MACRO sign_of(shown) AS CASE WHEN starts_with(shown, '-') THEN -1 ELSE 1 END;
CREATE OR REPLACE MACRO number_of(shown, head, tail) AS
  TRY((sign_of(shown) * (TRY_CAST(head AS DECIMAL(38,0)) + is_up(head, tail)::INTEGER)::DECIMAL(38,0)
      )::DECIMAL(38,0) * 0.000000000000000001)::{DECIMAL};
CREATE OR REPLACE MACRO effect_of(shown, head, tail) AS
  CASE WHEN tail <> '' THEN
    sign_of(shown) * (is_up(head, tail)::INTEGER::{_EFFECT} - ('0.' || left(tail, 20))::{_EFFECT}) END;
CREATE OR REPLACE MACRO float_text(value) AS replace(value::VARCHAR, 'e+', 'e');
CREATE OR REPLACE MACRO is_focus_instant(shown) AS shown LIKE '____-__-__T__:__:__Z';
CREATE OR REPLACE MACRO instant_of(shown, is_focus) AS
  CASE WHEN is_focus OR shown LIKE '____-__-__ __:__:__'
       THEN CASE WHEN shown >= '0' THEN TRY_CAST(shown AS TIMESTAMP) END
       WHEN regexp_full_match(shown, '{_INSTANT}') THEN TRY_CAST(shown AS TIMESTAMPTZ)::TIMESTAMP END;
CREATE OR REPLACE MACRO instant(shown) AS instant_of(shown, is_focus_instant(shown));
CREATE OR REPLACE MACRO in_range(value) AS value >= TIMESTAMP '1900-01-01' AND value < TIMESTAMP '3000-01-01';
"""


def prepare(connection: engine.Connection) -> None:
    """Make the macros known that the expressions of this module use."""
    connection.execute(_MACROS)


@dataclass(frozen=True, slots=True)
class Number:
    """SQL over a staged table: a cost as exact decimal, and what is wrong with it.

    `plain` compares like the value, with zero and with other numbers of the same `kind`, at less cost. `effect` is the
    rounded minus the exact value in units of 10⁻¹⁸, NULL where nothing was rounded. None: it cannot happen. `tens`
    says, for a DOUBLE, where it has at most ten decimals and fifteen digits, and how many steps of 10⁻¹⁰ it is then.
    """

    value: str
    plain: str
    kind: str
    missing: str
    unreadable: str | None
    effect: str | None
    tens: tuple[str, str] | None = None

    @property
    def sums(self) -> tuple[str, str]:
        """SQL of two sums as text that make up the sum: in steps of 10⁻¹⁰, and in main units."""
        if self.tens is None:
            return NOTHING, f"sum({self.value})::VARCHAR"
        is_short, steps = self.tens
        return (
            f"sum(CASE WHEN {is_short} THEN {steps}::BIGINT END)::VARCHAR",
            f"sum(CASE WHEN NOT {is_short} THEN {self.value} END)::VARCHAR",
        )

    @property
    def rounded(self) -> str | None:
        """SQL that is true where the value was rounded."""
        return self.effect and f"{self.effect} IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Instant:
    """SQL over a staged table: a date-time as instant in UTC, and what is wrong with it. None: it cannot happen.

    `out_of_range` is for starts, which name a month: only the years 1900 to 2999 are months of a bill.
    """

    value: str
    missing: str
    unreadable: str | None
    out_of_range: str | None
    odd_form: str | None


class Stage:
    """Values worked out once, as columns beside those of a table, for the expressions of a query above it.

    The engine works a repeated expression out again in every branch that uses it. What is kept at one `level` may use
    what is kept at a lower one.
    """

    def __init__(self) -> None:
        self._levels: tuple[dict[str, str], ...] = ({}, {}, {}, {}, {})

    def relation(self, source: str, *used_by: str) -> str:
        """SQL of the table with staged columns beside its own: all, or those that the given SQL uses."""
        wanted = list(used_by)
        levels = []
        for level in reversed(self._levels):
            columns = {name: sql for name, sql in level.items() if not used_by or any(name in sql for sql in wanted)}
            wanted += columns.values()
            levels.append(columns)
        for columns in reversed(levels):
            if columns:
                source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM {source})"
        return source

    def keep(self, name: str, sql: str, level: int = 0) -> str:
        """Stage an expression; gives the column that holds it."""
        quoted = engine.identifier(f"__{name}")
        self._levels[level][quoted] = sql
        return quoted

    def number(self, column: Column) -> Number:
        """Stage a cost column, whatever its engine type."""
        if not column.physical:
            value = f"{engine.literal(column.constant or '')}::{DECIMAL}"
            return Number(value, value, "", "FALSE", None, None)
        raw = engine.raw(column)
        if column.type == "DOUBLE":
            return self._double(column.name, raw)
        if column.type == "FLOAT":
            return self.text_number(column.name, f"float_text({raw})")
        if column.type.startswith("DECIMAL") and _scale(column.type) <= 18:
            if column.type == DECIMAL:
                return Number(raw, raw, column.type, f"{raw} IS NULL", None, None)
            value = self.keep(f"n_{column.name}", f"TRY_CAST({raw} AS {DECIMAL})")
            fits = _width(column.type) - _scale(column.type) <= 20
            return Number(value, raw, column.type, f"{raw} IS NULL", None if fits else _unread(raw, value), None)
        if engine.is_number(column) and not column.type.startswith("DECIMAL"):
            value = self.keep(f"n_{column.name}", f"TRY_CAST({raw} AS {DECIMAL})")
            return Number(value, raw, column.type, f"{raw} IS NULL", _unread(raw, value), None)
        shown = engine.text(column) if column.type == "VARCHAR" else f"{raw}::VARCHAR"
        return self.text_number(column.name, shown)

    def _double(self, name: str, raw: str) -> Number:
        """The shortest decimal that reads back: by proved arithmetic where few digits do, else by the engine's text.

        Below one hundredth the shortest text may have more than 18 decimals; above, never.
        """
        # float: r/10^k with r below 10^15 is the double nearest to that decimal, and no other so short one is
        steps = self.keep(f"d_{name}", f"round({raw} * 1e10)")
        is_short = self.keep(f"s_{name}", f"abs({steps}) < 1e15 AND {steps} / 1e10 = {raw}", 1)
        fewer = " ".join(
            f"WHEN abs(round({raw} * 1e{places})) < 1e15 AND round({raw} * 1e{places}) / 1e{places} = {raw} "
            f"THEN (round({raw} * 1e{places})::BIGINT::DECIMAL(18,0) * 0.{'0' * (places - 1)}1)::{DECIMAL}"
            for places in (13, 16)
        )
        has_16 = f"abs(round({raw} * 1e16)) < 1e15 AND round({raw} * 1e16) / 1e16 = {raw}"
        is_tiny = f"isfinite({raw}) AND abs({raw}) < 0.01 AND {raw} <> 0 AND NOT ({has_16})"
        shown = f"float_text({raw})"
        cut = self.keep(f"c_{name}", f"CASE WHEN {is_short} THEN NULL WHEN {is_tiny} THEN cut({shown}) END", 2)
        value = self.keep(
            f"n_{name}",
            f"CASE WHEN {is_short} THEN ({steps}::BIGINT::DECIMAL(18,0) * 0.0000000001)::{DECIMAL} {fewer} "
            f"WHEN {cut} IS NOT NULL THEN number_of({shown}, {cut}.head, {cut}.tail) "
            f"WHEN isfinite({raw}) AND abs({raw}) < 1e20 THEN TRY_CAST({shown} AS {DECIMAL}) END",
            3,
        )
        effect = self.keep(
            f"e_{name}", f"CASE WHEN {cut} IS NOT NULL THEN effect_of({shown}, {cut}.head, {cut}.tail) END", 3
        )
        unreadable = f"{is_short} IS NOT TRUE AND {_unread(raw, value)}"
        return Number(value, raw, "DOUBLE", f"{raw} IS NULL", unreadable, effect, (is_short, steps))

    def text_number(self, name: str, shown: str) -> Number:
        """Stage a text as exact decimal."""
        is_short = self.keep(f"s_{name}", f"is_short({shown})")
        cut = self.keep(f"c_{name}", f"CASE WHEN NOT {is_short} THEN cut({shown}) END", 1)
        value = self.keep(
            f"n_{name}",
            f"CASE WHEN {is_short} THEN TRY_CAST({shown} AS {DECIMAL}) "
            f"WHEN {cut} IS NOT NULL THEN number_of({shown}, {cut}.head, {cut}.tail) END",
            2,
        )
        effect = self.keep(
            f"e_{name}", f"CASE WHEN {cut} IS NOT NULL THEN effect_of({shown}, {cut}.head, {cut}.tail) END", 2
        )
        return Number(value, value, DECIMAL, f"{shown} IS NULL", _unread(shown, value), effect)

    def instant(self, column: Column) -> Instant:
        """Stage a date-time column, whatever its engine type."""
        if not column.physical:
            value = f"instant({engine.literal(column.constant or '')})"
            return Instant(value, f"{value} IS NULL", None, None, None)
        raw = engine.raw(column)
        if column.type == "TIMESTAMP":
            return Instant(raw, f"{raw} IS NULL", None, f"NOT in_range({raw})", None)
        if column.type.startswith(("TIMESTAMP", "DATE")):
            value = self.keep(f"i_{column.name}", f"{raw}::TIMESTAMP")
            return Instant(value, f"{raw} IS NULL", None, f"NOT in_range({value})", None)
        return self.text_instant(column.name, engine.text(column))

    def text_instant(self, name: str, shown: str) -> Instant:
        """Stage a text as instant."""
        form = self.keep(f"f_{name}", f"is_focus_instant({shown})")
        value = self.keep(f"i_{name}", f"instant_of({shown}, {form})", 1)
        odd_form = f"{value} IS NOT NULL AND NOT {form}"
        return Instant(value, f"{shown} IS NULL", _unread(shown, value), f"NOT in_range({value})", odd_form)


def _unread(shown: str, value: str) -> str:
    return f"{shown} IS NOT NULL AND {value} IS NULL"


def _width(kind: str) -> int:
    return int(kind.removeprefix("DECIMAL(").split(",")[0])


def _scale(kind: str) -> int:
    return int(kind.removesuffix(")").split(",")[1])


def units_of(sums: tuple[str | None, str | None]) -> int:
    """Units of 10⁻¹⁸ of the two sums of `Number.sums`."""
    return int(sums[0] or 0) * 10**8 + units(sums[1] or "0")
