"""What a run tells about the month as a whole, worked out once and kept with the close: for measures and one picture.

Amounts are minor units by currency as billed. What a run cannot tell is missing, never zero: tag coverage where the
policy asks for no tag, commitments where it charges on billed cost. Reads the charges once more; changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import And, ByTag, Condition, Equals, Exists, Field, Holder, Or
from apportion.close.flows import Flow, Node, flows
from apportion.close.run import Run
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.warehouse.measure import Question, measure
from apportion.warehouse.store import Workspace

_USAGE = Equals(Field("ChargeCategory"), ("Usage",), fold=True)
_STATUS = Field("CommitmentDiscountStatus")
_COMMITTED = Or((Exists(_STATUS), Exists(Field("CommitmentDiscountId"))))
_UNUSED = Equals(_STATUS, ("Unused",), fold=True)


def figures(workspace: Workspace, run: Run) -> dict[str, object]:
    """The figures of a run, as JSON can hold them.

    `usage` are pairs of usage cost with a tag that the policy asks for and all usage cost, by currency, and `tags`
    those tags; `commitments` pairs of what was committed and not used, and all that commitments cost; `pools` what
    each pool shared, and `pool_names` their names; `flows` the picture of `close.flows`, one level below the top of
    the tree, as nodes and links between them by their places.

    Raises `ConservationError` where the charges are not those of the run.
    """
    found: dict[str, object] = {
        "pools": _pools(run),
        "pool_names": {pool.id: pool.name or pool.id for pool in run.policy.pools},
        "flows": _picture(flows(run, depth=divisions(run))),
    }
    tags = asked_for(run.policy)
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    snapshot = workspace.snapshot(run.period)
    if snapshot.digest != run.allocation.snapshot_digest or not (tags or effective):
        return found  # charges came since: of those the run says nothing
    tagged = Or(tuple(Exists(Field(key, is_tag=True)) for key in tags)) if tags else None
    usage, commitments = _measured(workspace, run, tagged)
    if tags:
        found |= {"tags": list(tags), "usage": usage}
    if effective:
        found["commitments"] = commitments
    return found


def asked_for(policy: Policy) -> tuple[str, ...]:
    """The keys of the tags by which rules say whose a charge is."""
    targets = (rule.target for rule in policy.rules)
    return tuple(dict.fromkeys(each.field.name for each in targets if isinstance(each, ByTag) and each.field.is_tag))


def divisions(run: Run) -> int:
    """The level of the tree, counted from 1, that has more than one cost group: below a single top, the next."""
    level = 1
    while True:
        here = [code for code in run.tree if len(run.tree.path(code)) == level]
        if len(here) != 1 or not any(len(run.tree.path(code)) > level for code in run.tree):
            return level
        level += 1


def _measured(
    workspace: Workspace, run: Run, tagged: Condition | None
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Usage with its tags and in all, and commitments unused and in all; what was not used can carry no tag."""
    met: list[Condition] = [And((_USAGE, _UNUSED))]
    if tagged is not None:
        met += [And((_USAGE, tagged, _COMMITTED)), And((_USAGE, tagged))]
    met += [And((_USAGE, _COMMITTED)), _USAGE]
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    (answer,) = measure(workspace.snapshot(run.period), run.sidecars, [Question(met=tuple(met))], effective=effective)
    with_tags, committed = ({1, 2}, {0, 1, 3}) if tagged is not None else (set[int](), {0, 1})
    usage: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    commitments: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in answer:
        if row.met:
            usage[row.currency][0] += row.units if row.met in with_tags else 0
            usage[row.currency][1] += row.units
        if row.met in committed:
            commitments[row.currency][0] += row.units if row.met == 0 else 0
            commitments[row.currency][1] += row.units
    return _minor(usage), _minor(commitments)


def _minor(sums: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    return {
        currency: [half_even(units, units_per_minor(currency)) for units in sums[currency]] for currency in sorted(sums)
    }


def _pools(run: Run) -> dict[str, dict[str, int]]:
    """What each pool of the policy shared out, by currency; late corrections are aside."""
    known = {pool.id for pool in run.policy.pools}
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for share in run.allocation.shares:
        if share.pool_id in known and not share.corrects:
            sums[share.scope.currency][share.pool_id] += share.units
    for cell in run.allocation.cells:  # a pool that got charges but shared nothing has still cost
        if cell.target.holder is Holder.POOL and cell.target.code in known and not cell.corrects:
            sums[cell.scope.currency].setdefault(cell.target.code, 0)
    return {
        currency: {pool: half_even(units, units_per_minor(currency)) for pool, units in sorted(sums[currency].items())}
        for currency in sorted(sums)
    }


def _picture(found: Iterable[Flow]) -> dict[str, list[list[object]]]:
    nodes: dict[Node, int] = {}
    links: list[list[object]] = []
    for flow in found:
        places = [nodes.setdefault(node, len(nodes)) for node in (flow.source, flow.target)]
        links.append([*places, flow.currency, flow.minor])
    return {"nodes": [[str(node.column), node.code, node.name, node.is_other] for node in nodes], "links": links}
