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
    `service` and `charge_category` are as delivered, empty where null.
    """

    rule_id: str | None
    target: Target
    scope: Scope
    service: str
    charge_category: str
    rows: int
    units: int


class Share(NamedTuple):
    """One recipient's part of one pool in one scope: exactly `pool_units` × `weight` / `total_weight`, to 10⁻¹⁸.

    `step` counts from 1 in the order the pools were shared. The shares of a pool and scope sum to `pool_units`.
    """

    step: int
    pool_id: str
    target: Target
    scope: Scope
    units: int
    weight: int
    total_weight: int
    pool_units: int


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


@dataclass(frozen=True, slots=True)
class Allocation:
    """One billing period, allocated. Digests are SHA-256 and pin everything the result depends on."""

    period: BillingPeriod
    cost_basis: CostBasis
    cells: tuple[Cell, ...]
    shares: tuple[Share, ...]
    lines: tuple[Line, ...]
    policy_digest: str
    organization_digest: str
    snapshot_digest: str
