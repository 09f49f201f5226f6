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
_NOT_USED, _USED_WITH_COMMITMENT, _USED = range(3)  # what `_measured` tells apart


def figures(workspace: Workspace, run: Run) -> dict[str, object]:
    """The figures of a run, as JSON can hold them.

    `usage` are pairs of usage cost with a tag that the policy asks for and all usage cost, by currency, and `tags`
    those tags; `tagged` the same of each cost group's whole direct cost, by currency and its code: a large table;
    `commitments` pairs of what was committed and not used, and all that commitments cost; `pools` what each pool
    shared, and `pool_names` their names; `flows` the picture of `close.flows`, one level below the top of the tree, as
    nodes and links between them by their places.

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
    usage, commitments, of_groups = _measured(workspace, run, tagged)
    if tags:
        found |= {"tags": list(tags), "usage": usage, "tagged": of_groups}
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


_Pairs = dict[str, list[int]]


def _measured(
    workspace: Workspace, run: Run, tagged: Condition | None
) -> tuple[_Pairs, _Pairs, dict[str, dict[str, list[int]]]]:
    """Usage with its tags and in all, commitments unused and in all, and direct cost with its tags and in all by group.

    Of usage, what was not used can carry no tag.
    """
    met: list[Condition] = [And((_USAGE, _UNUSED)), And((_USAGE, _COMMITTED)), _USAGE]
    if tagged is not None:  # each of them first with a tag, then whatever else has one
        met = [each for both in met for each in (And((both, tagged)), both)] + [tagged]
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    (answer,) = measure(workspace.snapshot(run.period), run.sidecars, [Question(met=tuple(met))], effective=effective)
    usage: _Pairs = defaultdict(lambda: [0, 0])
    commitments: _Pairs = defaultdict(lambda: [0, 0])
    with_tag: dict[tuple[str, str], int] = defaultdict(int)
    for row in answer:
        what, has_tag = (row.met // 2, row.met % 2 == 0) if tagged is not None else (row.met, False)
        if what in {_USED_WITH_COMMITMENT, _USED}:
            usage[row.currency][0] += row.units if has_tag else 0
            usage[row.currency][1] += row.units
        if what in {_NOT_USED, _USED_WITH_COMMITMENT}:
            commitments[row.currency][0] += row.units if what == _NOT_USED else 0
            commitments[row.currency][1] += row.units
        target = run.decisions[row.outcome].target
        if has_tag and target.holder is Holder.COST_GROUP:
            with_tag[row.currency, target.code] += row.units
    return _minor(usage), _minor(commitments), _of_groups(run, with_tag)


def _of_groups(run: Run, with_tag: Mapping[tuple[str, str], int]) -> dict[str, dict[str, list[int]]]:
    """Pairs of direct cost with a tag and all direct cost, by currency and cost group; late corrections are aside."""
    direct: dict[tuple[str, str], int] = defaultdict(int)
    for cell in run.allocation.cells:
        if cell.target.holder is Holder.COST_GROUP and not cell.corrects:
            direct[cell.scope.currency, cell.target.code] += cell.units
    found: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for currency, code in sorted(direct):
        units = units_per_minor(currency)
        found[currency][code] = [
            half_even(with_tag.get((currency, code), 0), units),
            half_even(direct[currency, code], units),
        ]
    return dict(found)


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
