"""What a delivery would move, and the guards that refuse it before anything has moved.

Reads the catalog inside the transaction that will do the moving, gives a `Move`; changes nothing itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from apportion.errors import DuplicateDeliveryError, SealedPeriodError, ShrinkingDeliveryError
from apportion.periods import BillingPeriod
from apportion.warehouse.catalog import Held, current_in, current_with_file, sealed_periods
from apportion.warehouse.record import Dataset, Delivery, Mode

NO_PERIOD = ""
"""The period, as text, of a delivery that is of no single billing period, such as a list of commitments."""


@dataclass(frozen=True, slots=True)
class Move:
    """The pointers that a delivery sets and those that it takes away."""

    joins: tuple[Held, ...]
    leaves: tuple[Held, ...]

    @property
    def is_nothing(self) -> bool:
        return not self.joins and not self.leaves


def rows_held(delivery: Delivery) -> Mapping[str, int]:
    """Rows that a delivery brings, by period as text: charges loaded, provider invoices, statuses and usage.

    Zero where all rows of a period were kept aside.
    """
    periods = {*delivery.totals, *delivery.invoices, *delivery.statuses, *delivery.quarantined, *delivery.usage}
    if not periods:
        return {NO_PERIOD: sum(file.rows for file in delivery.files)}
    return {
        str(period): sum(total.rows for total in delivery.totals.get(period, ()))
        + len(delivery.invoices.get(period, ()))
        + len(delivery.statuses.get(period, ()))
        + (delivery.usage[period].rows if period in delivery.usage else 0)
        for period in sorted(periods)
    }


def plan(connection: sqlite3.Connection, delivery: Delivery, *, allow_shrink: bool) -> Move:
    """The move that makes a delivery current, after all guards have agreed.

    A period of which every row was kept aside is only joined: it must not wipe what is there. Raises
    `SealedPeriodError`, `DuplicateDeliveryError` and `ShrinkingDeliveryError`.
    """
    sealed = sealed_periods(connection)
    joins: list[Held] = []
    leaves: list[Held] = []
    for period, rows in rows_held(delivery).items():
        if period in sealed and delivery.dataset is Dataset.BILLING_PERIOD:
            continue  # lists of statuses name old months for ever; that of a sealed month stays as it was
        there = current_in(connection, delivery.source, delivery.dataset, period)
        others = [held for held in there if held.delivery_id != delivery.id]
        replaced = others if delivery.mode is Mode.OVERWRITE and rows else []
        joining = len(others) == len(there)
        if (replaced or joining) and period in sealed:
            raise _sealed(delivery, period, rows, sealed)
        if replaced and not allow_shrink:
            _refuse_shrinking(delivery.source, period, rows, sum(held.rows for held in there))
        leaves += replaced
        if joining:
            joins.append(Held(delivery.id, delivery.source, period, rows))
    move = Move(tuple(joins), tuple(leaves))
    if not move.is_nothing:
        _refuse_double(connection, delivery, leaves)
    return move


def _sealed(delivery: Delivery, period: str, rows: int, sealed: frozenset[str]) -> SealedPeriodError:
    following = next_open(BillingPeriod.parse(period), sealed)
    if delivery.dataset is Dataset.USAGE:
        return SealedPeriodError(
            f"Billing period {period} is sealed, and this delivery of source '{delivery.source}' has {_rows(rows)} of "
            "usage for it.",
            advice=f"Its bases stay as they were: leave {period} out, and deliver what is missing under {following}, "
            "the next open period.",
        )
    return SealedPeriodError(
        f"Billing period {period} is sealed, and this delivery of source '{delivery.source}' has {_rows(rows)} for it.",
        advice=f"Ask the provider to correct in a later billing period, or deliver these charges under {following}, "
        f"the next open one, and leave {period} out.",
    )


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def next_open(after: BillingPeriod, sealed: frozenset[str]) -> BillingPeriod:
    """The first period after `after` that is not sealed."""
    period = after.next
    while str(period) in sealed:
        period = period.next
    return period


def _refuse_shrinking(source: str, period: str, rows: int, rows_there: int) -> None:
    if 2 * rows >= rows_there:
        return
    what = f"for {period} " if period else ""
    raise ShrinkingDeliveryError(
        f"Source '{source}' has {_rows(rows_there)} {what}and this delivery would put {rows:,} in their place.",
        advice="Deliver the month whole, leave stray rows of it out, or allow the shrinking (--allow-shrink) "
        "if it really became so small.",
    )


def _refuse_double(connection: sqlite3.Connection, delivery: Delivery, leaves: list[Held]) -> None:
    """A file may be current once in each period: in another delivery that stays, its rows would count twice."""
    periods = rows_held(delivery).keys()
    gone = {(held.delivery_id, held.period) for held in leaves}
    for content, name in delivery.contents:
        for held in current_with_file(connection, content):
            stays = held.delivery_id != delivery.id and (held.delivery_id, held.period) not in gone
            if stays and held.period in periods:
                raise DuplicateDeliveryError(
                    f"{_what(delivery, name)} is already loaded{f' for {held.period}' if held.period else ''}, as part "
                    f"of delivery {held.delivery_id} of source '{held.source}': its rows would count twice.",
                    advice="Leave the file out, or deliver under the same source name in mode overwrite.",
                )


def _what(delivery: Delivery, name: str) -> str:
    return "The same usage" if delivery.dataset is Dataset.USAGE else f"The file '{name}'"
