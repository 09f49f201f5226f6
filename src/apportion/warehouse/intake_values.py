"""How delivered values become exact decimals and instants, as SQL.

Stricter than the engine's own casts, which take ``+5``, ``1_000`` and blanks for numbers, read ``4/1/25`` as a day of
the year 4, forget the offset of ``+02:00``, and round halves away from zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import Column

FLOATS = ("DOUBLE", "FLOAT")
DECIMAL = engine.DECIMAL
_EFFECT = "DECIMAL(38,20)"

# A number of FOCUS: digits, a point, a minus, E-notation; no plus, blank, comma or symbol.
_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]-?[0-9]{1,3})?"
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
CREATE OR REPLACE MACRO is_short(shown) AS
  NOT contains(shown, 'e') AND NOT contains(shown, 'E')
  AND (strpos(shown, '.') = 0 OR length(shown) - strpos(shown, '.') <= 18);
CREATE OR REPLACE MACRO kept(whole, exponent) AS
  (length(whole) + coalesce(TRY_CAST(exponent AS INTEGER), 0) + 18)::INTEGER;
CREATE OR REPLACE MACRO head_of(digits, kept) AS
  CASE WHEN kept <= 0 THEN '0' ELSE coalesce(nullif(ltrim(rpad(left(digits, kept), kept, '0'), '0'), ''), '0') END;
CREATE OR REPLACE MACRO tail_of(digits, kept) AS
  rtrim(CASE WHEN kept < 0 THEN repeat('0', least(-kept, 40)) || digits ELSE substr(digits, kept + 1) END, '0');
CREATE OR REPLACE MACRO cut(shown) AS
  list_transform(
    list_transform([regexp_extract(shown, '{_PARTS}', ['whole', 'fraction', 'exponent'])],
      lambda part: {{'digits': part.whole || part.fraction, 'kept': kept(part.whole, part.exponent)}}),
    lambda part: {{'head': head_of(part.digits, part.kept), 'tail': tail_of(part.digits, part.kept)}});
CREATE OR REPLACE MACRO is_up(head, tail) AS
  CASE WHEN tail = '5' THEN right(head, 1) IN ('1', '3', '5', '7', '9') ELSE tail > '5' END;
CREATE OR REPLACE MACRO sign_of(shown) AS CASE WHEN starts_with(shown, '-') THEN -1 ELSE 1 END;
CREATE OR REPLACE MACRO long_number(shown) AS
  list_transform(cut(shown), lambda part:
    TRY((sign_of(shown) * (TRY_CAST(part.head AS DECIMAL(38,0)) + is_up(part.head, part.tail)::INTEGER)::DECIMAL(38,0)
        )::DECIMAL(38,0) * 0.000000000000000001)::{DECIMAL})[1];
CREATE OR REPLACE MACRO number(shown) AS
  CASE WHEN NOT is_number(shown) THEN NULL
       WHEN is_short(shown) THEN TRY_CAST(shown AS {DECIMAL})
       ELSE long_number(shown) END;
CREATE OR REPLACE MACRO effect(shown) AS
  CASE WHEN NOT is_short(shown) AND is_number(shown) THEN
    list_transform(cut(shown), lambda part: CASE WHEN part.tail <> '' THEN
      sign_of(shown) * (is_up(part.head, part.tail)::INTEGER::{_EFFECT} - ('0.' || left(part.tail, 20))::{_EFFECT})
    END)[1] END;
CREATE OR REPLACE MACRO float_text(value) AS replace(value::VARCHAR, 'e+', 'e');
CREATE OR REPLACE MACRO instant(shown) AS
  CASE WHEN regexp_full_match(shown, '{_INSTANT}')
       THEN CASE WHEN length(shown) <= 20 AND (length(shown) < 20 OR ends_with(shown, 'Z')) AND NOT contains(shown, '+')
                  AND strpos(substr(shown, 11), '-') = 0
                 THEN TRY_CAST(shown AS TIMESTAMP)
                 ELSE TRY_CAST(shown AS TIMESTAMPTZ)::TIMESTAMP END END;
CREATE OR REPLACE MACRO in_range(value) AS value >= TIMESTAMP '1900-01-01' AND value < TIMESTAMP '3000-01-01';
CREATE OR REPLACE MACRO is_focus_instant(shown) AS shown LIKE '____-__-__T__:__:__Z';
"""


def prepare(connection: engine.Connection) -> None:
    """Make the macros known that the expressions of this module use."""
    connection.execute(_MACROS)


@dataclass(frozen=True, slots=True)
class Number:
    """SQL of one cost column: its exact value (NULL where unreadable), and what can be wrong with it.

    `plain` is a cheaper expression that compares like the value with zero and with other numbers of its type.
    `effect` is the rounded minus the exact value in units of 10⁻¹⁸, NULL where nothing was rounded. A part is None
    where the engine type excludes it.
    """

    value: str
    plain: str
    missing: str
    unreadable: str | None
    effect: str | None


def number(column: Column) -> Number:
    """How a column is read as exact decimal, whatever its engine type."""
    if not column.physical:
        value = f"number({engine.literal(column.constant or '')})"
        return Number(value, value, "FALSE", None, None)
    raw = engine.raw(column)
    if column.type in FLOATS:
        return _float(raw)
    if column.type.startswith("DECIMAL"):
        return _decimal(raw, column.type)
    if engine.is_number(column):
        value = f"TRY_CAST({raw} AS {DECIMAL})"
        return Number(value, raw, f"{raw} IS NULL", f"{raw} IS NOT NULL AND {value} IS NULL", None)
    shown = engine.text(column) if column.type == "VARCHAR" else f"{raw}::VARCHAR"
    return text_number(f"({shown})")


def text_number(shown: str) -> Number:
    """How a text is read as exact decimal."""
    value = f"number({shown})"
    return Number(
        value, value, f"{shown} IS NULL", f"{shown} IS NOT NULL AND {value} IS NULL", f"effect({shown})"
    )


def _float(raw: str) -> Number:
    """The shortest decimal that reads back: by proved arithmetic where few digits do, else by the engine's text.

    Below one hundredth the shortest text may have more than 18 decimals; above, never.
    """
    steps = []
    for places in (10, 13, 16):
        # float: r/10^k with r below 10^15 is the double nearest to that decimal, and no other so short one is
        digits = f"round({raw} * 1e{places})"
        step = "0." + "0" * (places - 1) + "1"
        steps.append(
            f"WHEN abs({digits}) < 1e15 AND {digits} / 1e{places} = {raw} "
            f"THEN ({digits}::BIGINT::DECIMAL(18,0) * {step})::{DECIMAL}"
        )
    is_long = f"isfinite({raw}) AND abs({raw}) < 0.01 AND {raw} <> 0"
    value = (
        f"CASE {' '.join(steps)} WHEN {is_long} THEN number(float_text({raw})) "
        f"WHEN isfinite({raw}) AND abs({raw}) < 1e20 THEN TRY_CAST(float_text({raw}) AS {DECIMAL}) END"
    )
    fits = f"abs(round({raw} * 1e16)) < 1e15 AND round({raw} * 1e16) / 1e16 = {raw}"
    effect = f"CASE WHEN {is_long} AND NOT ({fits}) THEN effect(float_text({raw})) END"
    unreadable = f"NOT isfinite({raw}) OR abs({raw}) >= 1e20"
    return Number(value, raw, f"{raw} IS NULL", unreadable, effect)


def _decimal(raw: str, kind: str) -> Number:
    width, scale = (int(part) for part in kind.removeprefix("DECIMAL(").removesuffix(")").split(","))
    missing = f"{raw} IS NULL"
    if scale > 18:
        shown = f"{raw}::VARCHAR"
        value = f"number({shown})"
        return Number(value, raw, missing, None, f"effect({shown})")
    if width - scale <= 20:
        return Number(raw if kind == DECIMAL else f"{raw}::{DECIMAL}", raw, missing, None, None)
    value = f"TRY_CAST({raw} AS {DECIMAL})"
    return Number(value, raw, missing, f"{raw} IS NOT NULL AND {value} IS NULL", None)


@dataclass(frozen=True, slots=True)
class Instant:
    """SQL of one date-time column: the instant in UTC, and what can be wrong. A part is None where it cannot be."""

    value: str
    missing: str
    unreadable: str | None
    odd_form: str | None


def instant(column: Column) -> Instant:
    """How a column is read as an instant, whatever its engine type. Instants lie in the years 1900 to 2999."""
    if not column.physical:
        value = f"instant({engine.literal(column.constant or '')})"
        return Instant(value, f"{value} IS NULL", None, None)
    raw = engine.raw(column)
    if column.type == "VARCHAR":
        return text_instant(f"({engine.text(column)})")
    if not column.type.startswith(("TIMESTAMP", "DATE")):
        return text_instant(f"({raw}::VARCHAR)")
    value = raw if column.type == "TIMESTAMP" else f"{raw}::TIMESTAMP"
    return Instant(value, f"{raw} IS NULL", f"NOT in_range({value})", None)


def text_instant(shown: str) -> Instant:
    """How a text is read as an instant."""
    value = f"instant({shown})"
    unreadable = f"{shown} IS NOT NULL AND ({value} IS NULL OR NOT in_range({value}))"
    return Instant(value, f"{shown} IS NULL", unreadable, f"{value} IS NOT NULL AND NOT is_focus_instant({shown})")
