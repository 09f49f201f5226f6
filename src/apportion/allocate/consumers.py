"""Who used what: consumers of usage to cost groups and pools, by the policy's rules over usage.

Takes the rows of a period, gives `Usage` and what no rule knows. Rules are compiled and met as those for charges are,
so a condition means the same in both; what no rule meets goes to the cost group or pool that it is the code of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from apportion.allocate import cluster_usage
from apportion.allocate.basis import meters, quantities
from apportion.allocate.match import compile_rules
from apportion.allocate.policy import Policy
from apportion.allocate.rule import UNALLOCATED, Field, Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.errors import AllocationRefusedError
from apportion.organization.cost_group import Organization, Tree
from apportion.periods import BillingPeriod
from apportion.warehouse import usage_match
from apportion.warehouse.usage import UsageRow


class Unknown(NamedTuple):
    """A consumer that no rule knows: of one metric, how many rows and how much in all (units of 10⁻¹⁸)."""

    metric: str
    consumer: str
    rows: int
    value: int


class Mapped(NamedTuple):
    """Usage by cost groups and pools, and the consumers that are none of them; sorted by metric and consumer."""

    usage: Usage
    unknown: tuple[Unknown, ...]


def meters_anything(policy: Policy) -> bool:
    """Whether a pool of the policy follows usage at all."""
    return any(quantities(basis) for pool in policy.pools for basis in pool.bases)


def mapped(rows: Iterable[UsageRow], policy: Policy, tree: Tree, period: BillingPeriod, digest: str = "") -> Mapped:
    """Map the rows of a period. `tree` is that of the period, and rules are in force on its last day, as the tree is.

    Idle capacity of a cluster that no rule sends anywhere is shared among those who use the cluster. The order of rows
    makes no difference. Raises `AllocationRefusedError` for a rule whose cost group is not in the tree.
    """
    made = cluster_usage.prepared(sorted(rows))
    targets = _Targets(policy, tree, period).of(made)
    asked = _dimensions_asked_for(policy)
    used: list[Used] = []
    idle: list[UsageRow] = []
    unknown: list[UsageRow] = []
    for row, target in zip(made, targets, strict=True):
        if target is not None:
            used.append(Used(row.metric, target, row.dimensions, row.value))
        else:
            (idle if cluster_usage.is_idle(row) else unknown).append(row)
    found, left = cluster_usage.shared(used, idle)
    sums: dict[tuple[str, Target, tuple[tuple[str, str], ...]], int] = defaultdict(int)
    for one in found:
        dimensions = tuple((name, value) for name, value in one.dimensions if name in asked)
        sums[one.metric, one.target, dimensions] += one.value
    usage = Usage((Used(*key, sums[key]) for key in sorted(sums)), digest, {row.metric for row in made})
    return Mapped(usage, _counted([*unknown, *left]))


def _dimensions_asked_for(policy: Policy) -> frozenset[str]:
    """Names of dimensions that some basis looks at; whatever else was delivered is added up."""
    return frozenset(
        name.lower()
        for pool in policy.pools
        for basis in pool.bases
        for quantity in quantities(basis)
        for meter in meters(quantity)
        for name, _ in meter.where
    )


def _counted(rows: Iterable[UsageRow]) -> tuple[Unknown, ...]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counted = sums[row.metric, row.consumer]
        counted[0] += 1
        counted[1] += row.value
    return tuple(Unknown(*key, *sums[key]) for key in sorted(sums))


class _Targets:
    """Where rows of usage go; each different set of values is looked up once."""

    def __init__(self, policy: Policy, tree: Tree, period: BillingPeriod) -> None:
        self._tree = tree
        self._policy = policy
        day = period.ends_on - timedelta(days=1)
        groups = (replace(tree[code], valid_from=None, valid_until=None) for code in tree)
        self._matching = compile_rules(policy.consumers, Organization(tuple(groups), ""), day, day)
        named = [
            *((pool.id, Target(Holder.POOL, pool.id)) for pool in policy.pools),
            *((code, Target(Holder.COST_GROUP, code)) for code in tree),
        ]
        self._codes: Mapping[str, Target] = dict(named)
        self._folded: Mapping[str, Target] = {code.lower(): target for code, target in named}

    def of(self, rows: Sequence[UsageRow]) -> list[Target | None]:
        """The target of each row; None for a consumer that nobody knows."""
        if not self._policy.consumers:
            return [self._named(row.consumer) for row in rows]
        fields = usage_match.fields(self._matching.plan)
        keys = [_values(row, fields) for row in rows]
        different = list(dict.fromkeys(keys))
        outcomes = dict(zip(different, usage_match.outcomes(self._matching.plan, different), strict=True))
        return [self._target(row, outcomes[key]) for row, key in zip(rows, keys, strict=True)]

    def _target(self, row: UsageRow, outcome: int) -> Target | None:
        rule, target = self._matching.outcomes[outcome].rule, self._matching.outcomes[outcome].target
        if rule is None or target == UNALLOCATED:
            return self._named(row.consumer)
        if target.holder is Holder.COST_GROUP and target.code not in self._tree:
            raise AllocationRefusedError(
                f"Rule '{rule.id}' gives usage to '{target.code}', which is not in the tree in this period.",
                place=rule.place,
                advice="Give the rule an `until` date, or the cost group a longer life.",
            )
        return target

    def _named(self, consumer: str) -> Target | None:
        return self._codes.get(consumer) or self._folded.get(consumer.lower())


def _values(row: UsageRow, fields: Sequence[Field]) -> tuple[str | None, ...]:
    """What a rule finds in a row: consumer, metric, source, dimensions; a tag is the dimension ``tag.KEY``."""
    dimensions = dict(row.dimensions)
    own = {"consumer": row.consumer, "metric": row.metric}

    def value(field: Field) -> str | None:
        name = field.name.lower()
        if field.is_tag:
            return dimensions.get(f"tag.{name}", dimensions.get(f"label.{name}"))
        if name in own:
            return own[name]
        return dimensions.get(name, row.source if name == "source" else None)

    return tuple(value(field) for field in fields)
