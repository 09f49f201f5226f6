"""What an allocation is made of: cells that came in, shares between holders, lines that go out.

Amounts are units of 10⁻¹⁸ of the scope's currency unless a name says minor. What there is by the ten thousand is a
named tuple: those are made several times faster than frozen dataclasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Target
from apportion.periods import BillingPeriod


class Scope(NamedTuple):
    """Within which cents are settled: one provider invoice, or one billing period of an issuer.

    On billed cost `invoice_id` is the provider's; where the data carries none it is empty and
    `billing_account_id` stands in. On effective cost both are empty.
    """

    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str


class Cell(NamedTuple):
    """Charges of one rule, scope, service and category, added up by the warehouse.

    `rule_id` is None for what no rule met. `units` is on the policy's cost basis.
    `service` and `charge_category` are as delivered, empty where null. `corrects` is the billing period whose policy
    and tree decided about late corrections (``2026-05``), else empty.
    """

    rule_id: str | None
    target: Target
    scope: Scope
    service: str
    charge_category: str
    rows: int
    units: int
    corrects: str = ""


class Share(NamedTuple):
    """One recipient's part of one pool in one scope: exactly `pool_units` × `weight` / `total_weight`, to 10⁻¹⁸.

    `step` counts from 1 in the order the pools were shared; pools of a solved loop have the same, and their shares
    are exact to as many units as the loop has pools. The shares of a pool and scope sum to `pool_units`. Shares of
    commitments (step 0) and uplifts (after all pools) move cost between holders: `pool_units` is 0, and `weight` what
    the holder is to carry, or what the uplift is taken of.
    """

    step: int
    pool_id: str
    target: Target
    scope: Scope
    units: int
    weight: int
    total_weight: int
    pool_units: int
    corrects: str = ""


class PartTaken(NamedTuple):
    """One part of a pool shared in parts: its size in units, and each recipient's weight in it."""

    units: int
    weights: tuple[tuple[Target, int], ...]


class Weighed(NamedTuple):
    """What is to be said of a pool's basis in one currency where weights alone do not say it.

    `chosen` counts the pool's bases from 0, its own, through those it falls back on; `refused` says of each before
    why it could not be followed. `parts` are those of a mix, in its order.
    """

    step: int
    pool_id: str
    currency: str
    chosen: int
    refused: tuple[str, ...]
    parts: tuple[PartTaken, ...]


class Line(NamedTuple):
    """What one holder carries of one scope: direct cost of a service and category, or a share of a pool.

    `pool_id` is None for direct cost; for a share `service` and `charge_category` are empty. `minor` is the
    settled amount in minor units of the scope's currency; the lines of a scope sum to its rounded total.
    """

    holder: Target
    scope: Scope
    pool_id: str | None
    service: str
    charge_category: str
    units: int
    minor: int
    corrects: str = ""


class Corrected(NamedTuple):
    """Who takes the late corrections of `corrects` (``2025-05``) that were `first` to be carried by somebody then.

    `holder` is the same, or what became of it. `statement` is the number of the first one's statement of that month,
    empty where there was none.
    """

    corrects: str
    first: Target
    holder: Target
    statement: str


class Carried(NamedTuple):
    """What rounding a scope to minor units left over: units from the month before, and units to the month after.

    Units that come in count in the scope's rounded total, and what that does not hold goes out.
    """

    scope: Scope
    units_in: int
    units_out: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """One billing period, allocated. Digests are SHA-256 and pin everything the result depends on.

    `carried` holds every scope that rounding leaves or left something of; None where nothing is carried at all.
    """

    period: BillingPeriod
    cost_basis: CostBasis
    cells: tuple[Cell, ...]
    shares: tuple[Share, ...]
    lines: tuple[Line, ...]
    policy_digest: str
    organization_digest: str
    snapshot_digest: str
    weighed: tuple[Weighed, ...] = ()
    usage_digest: str = ""
    corrected: tuple[Corrected, ...] = ()
    carried: tuple[Carried, ...] | None = None
