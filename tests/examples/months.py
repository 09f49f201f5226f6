"""Small months through the real engine: rows and a policy in, who carries what out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apportion.allocate.allocation import Allocation
from apportion.allocate.allocator import Decision, allocate
from apportion.allocate.charges import Charges
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL, Equals, Field, Holder, Rule, Target
from apportion.allocate.usage import NO_USAGE, Usage
from apportion.money.amount import plain
from apportion.organization.cost_group import CostGroup, Organization, Tree
from apportion.warehouse.snapshot import Snapshot
from tests.charges import PERIOD, TYPES, Row, snapshot

COSTS = {**TYPES, "ContractedCost": "DECIMAL(38,18)", "ListCost": "DECIMAL(38,18)"}


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def pool(code: str) -> Target:
    return Target(Holder.POOL, code)


def to(target: Target, column: str, *values: str) -> Rule:
    """A rule that brings charges with one of these values in a column to a target."""
    return Rule(f"{target}-{column}-{'-'.join(values)}", "", Equals(Field(column), values), target)


def by_account(*codes: str) -> tuple[Rule, ...]:
    """A rule for each cost group, pool (``pool:…``) or ``central``: the charges of the account of that name."""
    named = {"central": KEPT_CENTRAL}
    return tuple(
        to(named.get(code) or (pool(code.removeprefix("pool:")) if ":" in code else group(code)), "SubAccountId", code)
        for code in codes
    )


@dataclass(frozen=True)
class Month:
    """One allocated month, and what it was made of."""

    allocation: Allocation
    decisions: tuple[Decision, ...]
    policy: Policy
    tree: Tree
    snapshot: Snapshot
    sidecars: Path

    @property
    def charges(self) -> Charges:
        targets = {number: decision.target for number, decision in enumerate(self.decisions)}
        effective = self.policy.cost_basis is CostBasis.EFFECTIVE
        return Charges(self.snapshot, self.sidecars, effective, targets, {})

    def carried(self, currency: str = "USD") -> dict[str, str]:
        """What each holder carries in a currency, exact."""
        sums: dict[str, int] = defaultdict(int)
        for line in self.allocation.lines:
            if line.scope.currency == currency:
                sums[str(line.holder)] += line.units
        return {holder: plain(units) for holder, units in sums.items()}

    def moved(self, id_: str, currency: str = "USD") -> dict[str, str]:
        """What a pool, commitment or uplift moved to each holder in a currency, exact."""
        sums: dict[str, int] = defaultdict(int)
        for share in self.allocation.shares:
            if share.pool_id == id_ and share.scope.currency == currency:
                sums[str(share.target)] += share.units
        return {holder: plain(units) for holder, units in sums.items()}

    def cents(self, currency: str = "USD") -> dict[str, int]:
        """What each holder carries, settled."""
        sums: dict[str, int] = defaultdict(int)
        for line in self.allocation.lines:
            if line.scope.currency == currency:
                sums[str(line.holder)] += line.minor
        return dict(sums)


def allocated(
    directory: Path,
    rows: Sequence[Row],
    policy: Policy,
    groups: Sequence[str | CostGroup],
    usage: Usage = NO_USAGE,
) -> Month:
    """Allocate the rows over a tree of these cost groups."""
    versions = tuple(CostGroup(code, code) if isinstance(code, str) else code for code in groups)
    organization = Organization(versions, "organization")
    sidecars = directory / "sidecars"
    sidecars.mkdir(parents=True)
    found = snapshot(directory, rows, COSTS)
    made, decisions = allocate(policy, organization, found, sidecars=sidecars, issuer_aliases={}, usage=usage)
    tree = organization.during(PERIOD.starts_on, PERIOD.ends_on)
    return Month(made, decisions, policy, tree, found, sidecars)
