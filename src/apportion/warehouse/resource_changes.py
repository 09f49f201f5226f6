"""Why charges of one month differ from those of another, resource by resource: price, usage, new, gone, moved.

Takes two months added up by resource (`resource_sums`), gives exact sums for each place, currency and service, and the
resources behind the largest of them. The engine joins, filters and adds; what has to be divided, the former cost of a
quantity at its new size, is streamed out and divided by `money`, rounded once to 10⁻¹⁸. Price is what is left, so the
effects always sum to the difference.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from apportion.money.amount import half_even
from apportion.warehouse import duckdb as engine
from apportion.warehouse.resource_sums import Selection, add_up

_CHUNK = 50_000


class Effect(StrEnum):
    """What made the difference. MOVED: the resource came from, or went to, another place."""

    PRICE = "price"
    USAGE = "usage"
    NEW = "new"
    GONE = "gone"
    MOVED = "moved"


class Summed(NamedTuple):
    """One effect on one place's charges of a service and currency, in units of 10⁻¹⁸."""

    place: int
    currency: str
    service: str
    effect: Effect
    units: int


class Behind(NamedTuple):
    """A resource behind an effect. `resource` is its name, else its id, else what stands in for it."""

    place: int
    currency: str
    service: str
    effect: Effect
    resource: str
    units: int


@dataclass(frozen=True, slots=True)
class Effects:
    """All sums that are not zero, and of each place and currency the resources with the largest effects."""

    sums: tuple[Summed, ...]
    largest: tuple[Behind, ...]


# Of each place: in which months it has a resource. Of each resource: whether anybody has it in a month, and whether
# anybody lost or gained it. What ResourceId names has moved if another place had it before. A sub account's use of a
# SKU, which many may share, has moved only if somebody lost it.
_HELD = """
CREATE TABLE held AS SELECT place, key, bool_or(has_id) AS has_id, bool_or(month = 0) AS was, bool_or(month = 1) AS is_
FROM (SELECT DISTINCT place, key, has_id, 0 AS month FROM before
      UNION ALL SELECT DISTINCT place, key, has_id, 1 AS month FROM after) GROUP BY place, key
"""
_FATE = """
CREATE TABLE fate AS SELECT key,
  CASE WHEN bool_or(has_id) THEN bool_or(was) ELSE bool_or(was AND NOT is_) END AS came,
  CASE WHEN bool_or(has_id) THEN bool_or(is_) ELSE bool_or(is_ AND NOT was) END AS went
FROM held WHERE key IN (SELECT key FROM held WHERE was <> is_) GROUP BY key
"""
_PAIRED = """
CREATE TABLE paired AS
SELECT place, key, item, coalesce(a.currency, b.currency) AS currency, coalesce(a.service, b.service) AS service,
  coalesce(a.cost, 0) AS c0, coalesce(b.cost, 0) AS c1, a.quantity AS q0, b.quantity AS q1,
  a.item IS NOT NULL AS was, b.item IS NOT NULL AS is_
FROM before a FULL JOIN after b USING (place, key, item)
WHERE coalesce(a.cost, 0) <> coalesce(b.cost, 0) OR a.quantity IS DISTINCT FROM b.quantity
"""
_NEW_OR_GONE = """
CASE WHEN NOT h.was THEN CASE WHEN coalesce(f.came, false) THEN 'moved' ELSE 'new' END
     WHEN NOT h.is_ THEN CASE WHEN coalesce(f.went, false) THEN 'moved' ELSE 'gone' END
     WHEN NOT p.was THEN CASE WHEN p.q1 IS NOT NULL THEN 'usage' ELSE 'price' END
     WHEN NOT p.is_ THEN CASE WHEN p.q0 IS NOT NULL THEN 'usage' ELSE 'price' END
     WHEN p.q0 > 0 AND p.q1 >= 0 AND p.q0 <> p.q1 THEN 'divided'
     ELSE 'price' END
"""
_EFFECTS = f"""
CREATE TABLE effects AS SELECT p.place, p.key, p.currency, p.service, p.c0, p.c1, p.q0, p.q1, {_NEW_OR_GONE} AS effect
FROM paired p JOIN held h USING (place, key) LEFT JOIN fate f USING (key)
"""


def changed(before: Selection, after: Selection, directory: Path, *, most: int) -> Effects:
    """Compare the charges of two months, whose `places` number the same holders. `directory` is empty, and is filled.

    Of each place and currency the `most` largest effects of single resources are named. An item that only one of the
    months has, of a resource that both have, counts as usage where it has a quantity; one without, and one whose
    former quantity was not above zero, counts as price.
    """
    tables = {
        name: add_up(selection, directory, name, described=("ResourceName",))
        for name, selection in (("before", before), ("after", after))
    }
    with closing(engine.connect(directory)) as connection:
        connection.execute("SET preserve_insertion_order = false")
        for name, table in tables.items():
            connection.execute(
                f"CREATE TABLE {name} AS SELECT place, key, item, has_id, currency, service, sum(cost) AS cost, "
                f"sum(quantity) AS quantity FROM {table} GROUP BY ALL"
            ).fetchall()
        for query in (_HELD, _FATE, _PAIRED):
            connection.execute(query).fetchall()
        for name in tables:
            connection.execute(f"DROP TABLE {name}").fetchall()
        connection.execute(_EFFECTS).fetchall()
        connection.execute("DROP TABLE paired").fetchall()
        found = _Found(most)
        found.add_sums(connection)
        found.add_divided(connection)
        return Effects(found.sums, _named(connection, tables, found.largest))


_Key = tuple[int, str]  # place and currency
_Row = tuple[int, str, str, Effect, str, int]  # place, currency, service, effect, the resource's key, units


class _Found:
    def __init__(self, most: int) -> None:
        self._most = most
        self._sums: dict[tuple[int, str, str, Effect], int] = defaultdict(int)
        self._largest: dict[_Key, list[tuple[int, str, str, str, int]]] = defaultdict(list)

    def add_sums(self, connection: engine.Connection) -> None:
        """What needs no division, and of it the largest."""
        source = "(SELECT *, c1 - c0 AS units FROM effects WHERE effect <> 'divided')"
        for place, currency, service, effect, units in connection.execute(
            f"SELECT place, currency, service, effect, sum(units)::VARCHAR FROM {source} GROUP BY ALL"
        ).fetchall():
            self._sums[place, currency, service, Effect(effect)] += engine.units(units)
        by_resource = f"SELECT place, currency, service, effect, key, sum(units) AS units FROM {source} GROUP BY ALL"
        largest = connection.execute(
            f"SELECT place, currency, service, effect, key::VARCHAR, units::VARCHAR FROM ({by_resource}) "
            "QUALIFY row_number() OVER (PARTITION BY place, currency "
            f"ORDER BY abs(units) DESC, service, effect, key) <= {self._most:d}"
        )
        for place, currency, service, effect, key, units in _rows(largest):
            self._offer((place, currency, service, Effect(effect), key, engine.units(units)))

    def add_divided(self, connection: engine.Connection) -> None:
        """Usage and price of items that both months have a quantity of, a resource at a time."""
        here: tuple[int, str, str, str] | None = None
        usage = whole = 0
        rows = connection.execute(
            "SELECT place, currency, service, key::VARCHAR, c0::VARCHAR, c1::VARCHAR, q0::VARCHAR, q1::VARCHAR "
            "FROM effects WHERE effect = 'divided' ORDER BY place, currency, service, key"
        )
        for place, currency, service, key, cost_before, cost_after, quantity_before, quantity_after in _rows(rows):
            if (place, currency, service, key) != here:
                self._close(here, usage, whole)
                here, usage, whole = (place, currency, service, key), 0, 0
            was, now = int(quantity_before.replace(".", "")), int(quantity_after.replace(".", ""))
            cost = engine.units(cost_before)
            usage += half_even(cost * (now - was), was)
            whole += engine.units(cost_after) - cost
        self._close(here, usage, whole)

    def _close(self, resource: tuple[int, str, str, str] | None, usage: int, whole: int) -> None:
        if resource is None:
            return
        place, currency, service, key = resource
        for effect, units in ((Effect.USAGE, usage), (Effect.PRICE, whole - usage)):
            self._sums[place, currency, service, effect] += units
            self._offer((place, currency, service, effect, key, units))

    def _offer(self, row: _Row) -> None:
        place, currency, service, effect, key, units = row
        if not units:
            return
        heap = self._largest[place, currency]
        entry = (abs(units), service, effect.value, key, units)
        if len(heap) < 2 * self._most:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    @property
    def sums(self) -> tuple[Summed, ...]:
        return tuple(Summed(*key, units) for key, units in sorted(self._sums.items()) if units)

    @property
    def largest(self) -> list[_Row]:
        """The same effect of one resource may have come from both ways, and is one."""
        chosen: list[_Row] = []
        for (place, currency), heap in sorted(self._largest.items()):
            merged: dict[tuple[str, str, str], int] = defaultdict(int)
            for _, service, effect, key, units in heap:
                merged[service, effect, key] += units
            order = sorted(merged.items(), key=lambda each: (-abs(each[1]), each[0]))
            chosen += [
                (place, currency, service, Effect(effect), key, units)
                for (service, effect, key), units in order[: self._most]
                if units
            ]
        return chosen


def _rows(result: Any) -> Iterator[Any]:
    while rows := result.fetchmany(_CHUNK):
        yield from rows


def _named(connection: engine.Connection, tables: dict[str, str], largest: Iterable[_Row]) -> tuple[Behind, ...]:
    """The largest with the names of their resources, of the later month where it has one."""
    rows = list(largest)
    keys = sorted({row[4] for row in rows})
    if not keys:
        return ()
    connection.execute("CREATE TABLE wanted AS SELECT unnest($1::UUID[]) AS key", [keys]).fetchall()
    name = (
        "CASE WHEN resource IS NOT NULL THEN coalesce(nullif(ResourceName, ''), resource) "
        "ELSE concat_ws(', ', account, sku, region) END"
    )
    names: dict[str, str] = {}
    for table in (tables["before"], tables["after"]):
        found = connection.execute(
            f"SELECT key::VARCHAR, min({name}) FROM {table} JOIN wanted USING (key) GROUP BY key"
        )
        names.update((key, shown or "") for key, shown in found.fetchall())
    return tuple(Behind(*row[:4], names.get(row[4], ""), row[5]) for row in rows)
