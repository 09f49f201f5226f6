"""From planned lines to rows in a file: the engine spreads each line over resources and hours, in whole numbers.

The rows of a line share its quantity so that they add up to it exactly; two neighbours differ by what one gives to
the other. A cost is that quantity times a price, an exact product. One thread and a fixed order make the bytes of a
file the same on every run of one engine version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from apportion.demo.line import COST_DECIMALS, PRICE_DECIMALS, QUANTITY_DECIMALS
from apportion.demo.numbers import seed31
from apportion.demo.plan import Bill, Spread
from apportion.warehouse.duckdb import Connection, connect, identifier, literal

ROW_GROUP = 122_880


class Numbers(StrEnum):
    """How a vendor writes numbers, and with them instants."""

    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    TEXT = "TEXT"


class TagStyle(StrEnum):
    """How a vendor writes tags."""

    MAP = "MAP"
    JSON = "JSON"
    BRACELESS = "BRACELESS"


@dataclass(frozen=True, slots=True)
class Style:
    """How a vendor writes its files. `copy` are the options of the engine's COPY."""

    numbers: Numbers
    tags: TagStyle
    copy: str


_COSTS = {
    "ListCost": "listed",
    "ContractedCost": "contracted",
    "BilledCost": "billed",
    "EffectiveCost": "effective",
    "PricingCurrencyEffectiveCost": "effective",
}
_UNIT_PRICES = {
    "ListUnitPrice": "listed",
    "ContractedUnitPrice": "contracted",
    "PricingCurrencyListUnitPrice": "listed",
    "PricingCurrencyContractedUnitPrice": "contracted",
}
_QUANTITIES = ("PricingQuantity", "ConsumedQuantity", "CommitmentDiscountQuantity")
_INSTANTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")

# Neighbours (0 and 1, 2 and 3, …) move up to half of their part between them; the step is drawn by
# shifts and products of whole numbers, so the sum stays. The last of an odd number has no neighbour.
_ROWS = """
WITH every AS (SELECT *, unnest(range(n)) AS k FROM planned),
shared AS (
  SELECT *, quantity // n + CASE WHEN k < quantity % n THEN 1 ELSE 0 END AS part,
    (row_seed + (k // 2) * 40503) % 2147483648 AS mixed0
  FROM every
),
mixed AS (
  SELECT *, xor(mixed1, mixed1 >> 15) * 695872825 % 2147483648 // 65536 AS drawn
  FROM (SELECT *, xor(mixed0, mixed0 >> 15) * 739982445 % 2147483648 AS mixed1 FROM shared)
),
placed AS (
  SELECT *, k // resources AS slot, k % resources AS resource,
    part + CASE WHEN k + 1 - 2 * (k % 2) >= n THEN 0
                ELSE (1 - 2 * (k % 2)) * ((quantity // n) * drawn // 65536) END AS q
  FROM mixed
),
timed AS (
  SELECT *, first_hour + to_hours((slot * turns // slots) * turn_hours) AS started FROM placed
)
SELECT {columns} FROM timed
"""


class Writer:
    """Writes files of charges. Use it as a context; it holds an engine of one thread."""

    def __init__(self) -> None:
        self._connection: Connection = connect(threads=1)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def write(self, path: Path, bill: Bill, spread: Sequence[Spread], columns: Sequence[str], style: Style) -> None:
        """Write the rows of `spread`, which belong to `bill`, with these columns in this order."""
        path.parent.mkdir(parents=True, exist_ok=True)
        known = {name for part in spread for name in part.line.columns}
        shapes = {
            **dict.fromkeys(sorted(known), "VARCHAR"),
            **dict.fromkeys(("key_resource", "key_name"), "VARCHAR"),
            "tags": "MAP(VARCHAR, VARCHAR)" if style.tags is TagStyle.MAP else "VARCHAR",
            **dict.fromkeys(_WHOLE, "BIGINT"),
            "priced": "BOOLEAN",
            "first_hour": "TIMESTAMP",
        }
        values = json.dumps([_values(part, bill, style) for part in spread])
        made = f"SELECT unnest(from_json(?, {literal(json.dumps([shapes]))})) AS line"
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE planned AS SELECT line.* FROM ({made})", [values])
        shown = ", ".join(f"{_expression(name, known, bill, style)} AS {identifier(name)}" for name in columns)
        rows = _ROWS.replace("{columns}", shown)
        self._connection.execute(f"COPY ({rows}) TO {literal(str(path))} ({style.copy})")


_WHOLE = (
    "n", "quantity", "listed", "contracted", "billed", "effective", "commitment", "resources", "slots", "turns",
    "turn_hours", "id_seed", "row_seed",
)  # fmt: skip


def parts_of(spread: Sequence[Spread], most: int) -> Iterator[list[Spread]]:
    """The lines in files of about `most` rows; a line is never divided."""
    part: list[Spread] = []
    rows = 0
    for one in spread:
        if part and rows + one.rows > most:
            yield part
            part, rows = [], 0
        part.append(one)
        rows += one.rows
    yield part


def _values(part: Spread, bill: Bill, style: Style) -> dict[str, object]:
    """One line as the engine gets it: its texts, its whole numbers, and where its rows lie in time."""
    line = part.line
    resources = max(min(line.resources, part.rows), -(-part.rows // line.hours))
    slots = -(-part.rows // resources)
    days = line.hours // 24
    turn_hours = line.hours if slots == 1 else 24 if slots <= days else 1
    return {
        **line.columns,
        "key_resource": line.resource_id,
        "key_name": line.resource_name,
        "tags": _tags(line.tags, style.tags),
        "n": part.rows,
        "quantity": line.quantity,
        "listed": line.prices.listed,
        "contracted": line.prices.contracted,
        "billed": line.prices.billed,
        "effective": line.prices.effective,
        "commitment": line.commitment_price,
        "resources": resources,
        "slots": slots,
        "turns": line.hours // turn_hours,
        "turn_hours": turn_hours,
        "id_seed": seed31("resource", bill.source.name, line.key),
        "row_seed": seed31("row", bill.source.name, line.key, bill.month.place),
        "priced": line.priced,
        "first_hour": line.first.isoformat(sep=" "),
    }


def _tags(tags: object, style: TagStyle) -> object:
    if not tags:
        return None
    if style is TagStyle.MAP:
        return tags
    text = json.dumps(tags, ensure_ascii=False)
    return text[1:-1] if style is TagStyle.BRACELESS else text


def _expression(name: str, known: set[str], bill: Bill, style: Style) -> str:
    """SQL for one column of a row."""
    if name in _COSTS:
        return _number(f"q * {_COSTS[name]}", COST_DECIMALS, style)
    if name in _UNIT_PRICES:
        return _number(f"CASE WHEN priced THEN {_UNIT_PRICES[name]} END", PRICE_DECIMALS, style)
    if name in _QUANTITIES:
        return _quantity(name, known, style)
    if name in _INSTANTS:
        return _instant(name, bill, style)
    if name == "BillingCurrency":
        return literal(bill.source.currency)
    if name == "PricingCurrency":
        return literal(bill.source.currency)
    if name == "InvoiceDetailId":
        return '"InvoiceId" || \'-\' || upper("ChargeCategory")'
    if name == "Tags":
        return "tags"
    constant = identifier(name) if name in known else "NULL::VARCHAR"
    if name == "ResourceId":
        made = "key_resource || format('{:08x}', (id_seed + resource * 2654435761) % 4294967296)"
        return f"CASE WHEN key_resource <> '' THEN {made} ELSE {constant} END"
    if name == "ResourceName":
        return f"CASE WHEN key_name <> '' THEN key_name || format('-{{:02d}}', resource + 1) ELSE {constant} END"
    if name == "PricingUnit":
        return f"CASE WHEN priced THEN {constant} END"
    return constant


def _quantity(name: str, known: set[str], style: Style) -> str:
    if name == "PricingQuantity":
        return _number("CASE WHEN priced THEN q END", QUANTITY_DECIMALS, style)
    if name == "CommitmentDiscountQuantity":
        return _number("CASE WHEN commitment > 0 THEN q * commitment END", COST_DECIMALS, style)
    consumed = '"ConsumedUnit" IS NOT NULL' if "ConsumedUnit" in known else "false"
    return _number(f"CASE WHEN priced AND {consumed} THEN q END", QUANTITY_DECIMALS, style)


def _number(whole: str, decimals: int, style: Style) -> str:
    """SQL for a whole number with the point moved: an exact product, never a quotient."""
    exact = f"({whole})::DECIMAL(38,0) * {'0.' + '0' * (decimals - 1) + '1'}::DECIMAL({decimals + 1},{decimals})"
    if style.numbers is Numbers.DECIMAL:
        return f"({exact})::DECIMAL(38,{decimals})"
    if style.numbers is Numbers.DOUBLE:
        # float: at most fifteen digits, so the double that is nearest to the text reads back as the same decimal
        return f"(({exact})::VARCHAR)::DOUBLE"
    return f"rtrim(rtrim(({exact})::VARCHAR, '0'), '.')"


def _instant(name: str, bill: Bill, style: Style) -> str:
    period = bill.month.period
    shown = {
        "BillingPeriodStart": f"TIMESTAMP '{period.start}'",
        "BillingPeriodEnd": f"TIMESTAMP '{period.end}'",
        "ChargePeriodStart": "started",
        "ChargePeriodEnd": "started + to_hours(turn_hours)",
    }[name]
    return f"strftime({shown}, '%Y-%m-%dT%H:%M:%SZ')" if style.numbers is Numbers.TEXT else shown
