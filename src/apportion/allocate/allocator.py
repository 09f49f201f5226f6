"""The whole of allocation in one readable function: classify → cells → commitments, pools and uplifts → lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from apportion.allocate import commitments
from apportion.allocate.allocation import Allocation, Cell, Corrected, Scope
from apportion.allocate.carried import carried_on
from apportion.allocate.charges import Charges
from apportion.allocate.corrections import Earlier, Month, allocate_late, without
from apportion.allocate.follow import following
from apportion.allocate.match import Outcome, compile_rules
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.quiet import uncollected
from apportion.allocate.rule import Holder, Target
from apportion.allocate.uplift import uplifted
from apportion.allocate.usage import NO_USAGE, Usage
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import AllocationRefusedError, NotFoundError
from apportion.organization.cost_group import Organization, Tree
from apportion.warehouse import queries
from apportion.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Decision:
    """What an outcome number in the sidecars means: the rule that decided (None: none did) and the target."""

    rule_id: str | None
    target: Target


@uncollected()
def allocate(
    policy: Policy,
    organization: Organization,
    snapshot: Snapshot,
    *,
    sidecars: Path,
    issuer_aliases: Mapping[str, str],
    usage: Usage = NO_USAGE,
    late: Sequence[Earlier] = (),
    left_over: Mapping[Scope, int] | None = None,
    cache: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Allocation, tuple[Decision, ...]]:
    """Allocate one billing period. Sidecars with every charge's decision number are written to `sidecars`.
    `cache` is where a narrow copy of the charges is, or is to be made, for a period that is classified again. `late`
    are the earlier months that corrections are decided by, `left_over` what rounding left of the month before (None:
    nothing is carried from month to month).

    Raises `NotFoundError` for a period without charges or a rule whose cost group is not in the tree,
    `AllocationRefusedError` for a pool that cannot be shared, `ConservationError` if a step lost money.
    """
    found = queries.span(snapshot)
    if found is None:
        raise NotFoundError(
            f"There are no charges for {snapshot.period}.", advice="Load them first: `apportion ingest PATH`."
        )
    first, last = (date.fromisoformat(day) for day in found)
    matching = compile_rules((*(then.rule for then in late), *policy.rules), organization, first, last)
    effective = policy.cost_basis is CostBasis.EFFECTIVE
    cube = queries.classify(
        snapshot, matching.plan, effective=effective, sidecars=sidecars, cache_directory=cache, progress=progress
    )
    tree = organization.during(snapshot.period.starts_on, snapshot.period.ends_on)
    read = _cells(cube, matching.outcomes, issuer_aliases)
    _check_targets(read, matching.outcomes, tree)
    cells = without(read, late)
    own = _own_targets(matching.outcomes, late)
    charges = Charges(snapshot, sidecars, effective, own, issuer_aliases)
    moved = commitments.shares(commitments.eligible(policy, charges), tree)
    given = Circumstances(tree, snapshot.period, policy.pool_order, usage, following(policy.pools, charges), moved)
    shared = share_pools(cells, policy.pools, given)
    shares = (*moved, *shared.shares)
    shares = (*shares, *uplifted(policy.uplifts, cells, shares, tree))
    corrected: tuple[Corrected, ...] = ()
    if late:
        month = Month(snapshot, (first, last), effective, sidecars)
        found_late = allocate_late(late, read, month, given, shares, partial(_cells, issuer_aliases=issuer_aliases))
        cells, shares, corrected = (*cells, *found_late.cells), (*shares, *found_late.shares), found_late.corrected
    made = lines(cells, shares, tree, left_over or {})
    allocation = Allocation(
        period=snapshot.period,
        cost_basis=policy.cost_basis,
        cells=cells,
        shares=shares,
        lines=made,
        policy_digest=policy.digest,
        organization_digest=organization.digest,
        snapshot_digest=snapshot.digest,
        weighed=shared.weighed,
        usage_digest=usage.digest,
        corrected=corrected,
        carried=None if left_over is None else carried_on(made, left_over),
    )
    return allocation, tuple(Decision(*outcome.key) for outcome in matching.outcomes)


def _cells(
    cube: Sequence[queries.CubeRow], outcomes: Sequence[Outcome], issuer_aliases: Mapping[str, str]
) -> tuple[Cell, ...]:
    """Cells by rule, target, scope, service and category; issuers under their one name."""
    sums: dict[tuple[int, Scope, str, str], tuple[int, int]] = {}
    for row in cube:
        issuer = issuer_aliases.get(row.invoice_issuer, row.invoice_issuer)
        scope = Scope(issuer, row.invoice_id, row.billing_account_id, row.currency)
        key = (row.outcome, scope, row.service, row.charge_category)
        rows, units = sums.get(key, (0, 0))
        sums[key] = (rows + row.rows, units + row.units)
    return tuple(
        Cell(*outcomes[outcome].key, scope, service, category, *sums[outcome, scope, service, category])
        for outcome, scope, service, category in sorted(sums)
    )


def _own_targets(outcomes: Sequence[Outcome], late: Sequence[Earlier]) -> Mapping[int, Target]:
    """Where charges go by their outcome, but for corrections of earlier months."""
    aside = {then.aside for then in late}
    return {number: outcome.target for number, outcome in enumerate(outcomes) if outcome.target not in aside}


def _check_targets(cells: Sequence[Cell], outcomes: Sequence[Outcome], tree: Tree) -> None:
    rules = {outcome.rule.id: outcome.rule for outcome in outcomes if outcome.rule}
    for cell in cells:
        if cell.target.holder is Holder.COST_GROUP and cell.target.code not in tree and cell.rule_id is not None:
            raise AllocationRefusedError(
                f"Rule '{cell.rule_id}' charges '{cell.target.code}', which is not in the tree in this period.",
                place=rules[cell.rule_id].place,
                advice="Give the rule an `until` date, or the cost group a longer life.",
            )
