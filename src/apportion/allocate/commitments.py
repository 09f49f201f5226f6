"""Who has the benefit of reserved instances, savings plans and committed use, and who pays for what nobody used.

A provider applies a commitment to whatever usage comes first, and its effective cost lands there. A policy moves that
cost between the holders of all usage that could have been covered. What usage would have cost without a commitment
(its *worth*) measures it: contracted cost, else list cost, else its own cost, the first that is there and not zero.

In one scope the covered usage costs E and is worth C; the other usage costs F and is worth U. Whoever gets coverage
worth x of its own usage worth d pays E·x/C + F·(d - x)/U. Coverage and cost are divided by largest remainder, so
every scope conserves to the last digit. Where the usage is worth less than nothing altogether, everything mirrors.
A holder whose covered or other usage is on the wrong side of that (a refund, mostly) keeps what it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from apportion.allocate.allocation import Scope, Share
from apportion.allocate.charges import Charges
from apportion.allocate.policy import Commitment, CommitmentMethod, CostBasis, Policy, Unused
from apportion.allocate.rule import KEPT_CENTRAL, And, Equals, Field, Holder, Target
from apportion.errors import AllocationRefusedError, ConservationError, ZeroBasisError
from apportion.money.split import split
from apportion.organization.cost_group import Tree
from apportion.warehouse.measure import Measured, Question

STEP = 0  # before all pools

_STATUS, _ID = Field("CommitmentDiscountStatus"), Field("CommitmentDiscountId")
_USAGE = Equals(Field("ChargeCategory"), ("Usage",), fold=True)
_WORTH = ("ContractedCost", "ListCost", "EffectiveCost")


class Held(NamedTuple):
    """Usage that a commitment policy is about, in units: cost and worth of what is covered and of what is not, and the
    cost of what was committed and not used.
    """

    covered: int = 0
    covered_worth: int = 0
    uncovered: int = 0
    uncovered_worth: int = 0
    unused: int = 0

    @property
    def units(self) -> int:
        """What it costs altogether."""
        return self.covered + self.uncovered + self.unused

    def plus(self, other: Held) -> Held:
        return Held(*(one + two for one, two in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Eligible:
    """What one commitment policy is about: who holds what in each scope, and what each commitment discount came to.

    `discounts` are by currency and CommitmentDiscountId (empty: the data names none); nothing there is uncovered.
    """

    commitment: Commitment
    held: Mapping[Scope, Mapping[Target, Held]]
    discounts: Mapping[tuple[str, str], Held]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one holder carries of one commitment policy's usage and unused part in one currency, by method.

    `held` is what rules brought it. A method is missing where the policy does not say enough for it, or refuses.
    """

    target: Target
    held: int
    units: Mapping[CommitmentMethod, int]


def eligible(policy: Policy, charges: Charges) -> tuple[Eligible, ...]:
    """Measure what the policy's commitments are about; a charge belongs to the first whose `eligible` it meets.

    Asks nothing where there is no commitment. Raises `AllocationRefusedError` on billed cost.
    """
    if not policy.commitments:
        return ()
    first = policy.commitments[0]
    if policy.cost_basis is CostBasis.BILLED:
        raise AllocationRefusedError(
            f"Commitment '{first.id}' cannot be divided on billed cost: what it covers was billed when it was bought.",
            place=first.place,
            advice="Charge on effective cost (cost_basis: effective), or take the commitments out.",
        )
    met = tuple(And((_USAGE, commitment.eligible)) for commitment in policy.commitments)
    (answer,) = charges.ask([Question(set(charges.targets), (_STATUS, _ID), met, costs=(_WORTH,))])
    held: list[dict[Scope, dict[Target, Held]]] = [defaultdict(lambda: defaultdict(Held)) for _ in met]
    discounts: list[dict[tuple[str, str], Held]] = [defaultdict(Held) for _ in met]
    for each in answer:
        found, holders = _held(each), held[each.met][charges.scope(each)]
        target = charges.targets[each.outcome]
        holders[target] = holders[target].plus(found)
        if found.covered or found.covered_worth or found.unused:
            key = (each.currency, each.values[1] or "")
            discounts[each.met][key] = discounts[each.met][key].plus(found)
    return tuple(
        Eligible(commitment, {scope: dict(found[scope]) for scope in sorted(found)}, dict(sorted(bought.items())))
        for commitment, found, bought in zip(policy.commitments, held, discounts, strict=True)
    )


def _held(found: Measured) -> Held:
    """Covered, unused or neither: by the status, and where there is none by whether a commitment is named."""
    status, commitment_id = found.values
    (worth,) = found.costs
    if status is not None and status.casefold() == "unused":
        return Held(unused=found.units)
    if status is not None or commitment_id is not None:
        return Held(covered=found.units, covered_worth=worth)
    return Held(uncovered=found.units, uncovered_worth=worth)


def shares(found: Iterable[Eligible], tree: Tree) -> tuple[Share, ...]:
    """Shares that move cost between holders so that each carries what the policies say; of a policy and scope they
    sum to zero.

    Raises what `carried` raises, and `ConservationError` if a unit was lost.
    """
    made: list[Share] = []
    for each in found:
        for scope, held in each.held.items():
            whole = sum(one.units for one in held.values())
            to_carry = carried(each.commitment, held, tree, scope.currency)
            if sum(to_carry.values()) != whole:
                raise ConservationError(f"Commitment '{each.commitment.id}' did not conserve {whole} units of {scope}.")
            made += [
                Share(STEP, each.commitment.id, target, scope, moved, units, whole, 0)
                for target, units in to_carry.items()
                if (moved := units - (held[target].units if target in held else 0))
            ]
    return tuple(made)


def carried(commitment: Commitment, held: Mapping[Target, Held], tree: Tree, currency: str) -> dict[Target, int]:
    """What each holder of one scope is to carry, in units, with its part of what was not used.

    Raises `AllocationRefusedError` for a buyer that is needed and not named or not in the tree, `ZeroBasisError` where
    the beneficiaries are to pay for what was not used and there are none.
    """
    _check_buyer(commitment, tree)
    order = sorted(held)
    whole = sum(held[target].covered_worth + held[target].uncovered_worth for target in order)
    sign = -1 if whole < 0 else 1
    taking = {target: held[target] for target in order if _takes_part(held[target], sign)}
    worth = {target: sign * (one.covered_worth + one.uncovered_worth) for target, one in taking.items()}
    coverage = _coverage(commitment, taking, worth, sign, tree)
    to_carry = {target: held[target].covered + held[target].uncovered for target in order}
    if commitment.method is not CommitmentMethod.APPLIED:
        to_carry |= _paid(commitment, taking, worth, coverage)
    for target, units in _unused(commitment, held, coverage, currency):
        to_carry[target] = to_carry.get(target, 0) + units
    return to_carry


def _check_buyer(commitment: Commitment, tree: Tree) -> None:
    if commitment.method is not CommitmentMethod.BUYER_FIRST and commitment.unused is not Unused.BUYER:
        return
    if not commitment.buyer:
        raise AllocationRefusedError(
            f"Commitment '{commitment.id}' needs to know who bought it.",
            place=commitment.place,
            advice="Name the cost group (buyer: …), or give the unused part to others.",
        )
    if commitment.buyer not in tree:
        raise AllocationRefusedError(
            f"'{commitment.buyer}', the buyer of commitment '{commitment.id}', is not in the tree in this period.",
            place=commitment.place,
            advice="Name another buyer, or give the cost group a longer life.",
        )


def _takes_part(held: Held, sign: int) -> bool:
    return sign * held.covered_worth >= 0 and sign * held.uncovered_worth >= 0


def _coverage(
    commitment: Commitment, taking: Mapping[Target, Held], worth: Mapping[Target, int], sign: int, tree: Tree
) -> dict[Target, int]:
    """How much of its usage each holder gets covered, by worth. Nobody gets more than it has.

    A blended rate covers the same part of all usage; where there is an order, each turn takes all it can.
    """
    if commitment.method is CommitmentMethod.APPLIED:
        return {target: sign * held.covered_worth for target, held in taking.items()}
    left = sign * sum(held.covered_worth for held in taking.values())
    coverage: dict[Target, int] = {}
    for turn in _turns(commitment, taking, tree):
        size = sum(worth[target] for target in turn)
        if size:
            given = min(left, size)
            coverage |= zip(turn, split(given, [worth[target] for target in turn]), strict=True)
            left -= given
    return coverage


def _turns(commitment: Commitment, taking: Iterable[Target], tree: Tree) -> Iterator[list[Target]]:
    """Holders in the order in which they are covered: a cost group stands for all below it."""
    first: tuple[str, ...] = ()
    if commitment.method is CommitmentMethod.BUYER_FIRST:
        first = (commitment.buyer,)
    elif commitment.method is CommitmentMethod.PRIORITY:
        first = commitment.priority
    waiting = list(taking)
    for code in first:
        inside = frozenset(tree.below(code)) if code in tree else frozenset()
        turn = [target for target in waiting if target.holder is Holder.COST_GROUP and target.code in inside]
        waiting = [target for target in waiting if target not in turn]
        yield turn
    yield waiting


def _paid(
    commitment: Commitment, taking: Mapping[Target, Held], worth: Mapping[Target, int], coverage: Mapping[Target, int]
) -> dict[Target, int]:
    """What those who take part pay for their usage. What nothing measures stays where it is."""
    covered = {target: held.covered for target, held in taking.items()}
    uncovered = {target: held.uncovered for target, held in taking.items()}
    if commitment.method is CommitmentMethod.BLENDED:
        return _divided({target: held.covered + held.uncovered for target, held in taking.items()}, worth)
    rest = {target: worth[target] - coverage.get(target, 0) for target in taking}
    paid = _divided(covered, {target: coverage.get(target, 0) for target in taking})
    return {target: paid[target] + units for target, units in _divided(uncovered, rest).items()}


def _divided(amounts: Mapping[Target, int], weights: Mapping[Target, int]) -> dict[Target, int]:
    if not any(weights.values()):
        return dict(amounts)
    return dict(zip(weights, split(sum(amounts.values()), list(weights.values())), strict=True))


def _unused(
    commitment: Commitment, held: Mapping[Target, Held], coverage: Mapping[Target, int], currency: str
) -> list[tuple[Target, int]]:
    """Who pays for what was not used; nobody, where it comes to nothing."""
    whole = sum(one.unused for one in held.values())
    if whole == 0:
        return []
    if commitment.unused is Unused.KEPT_CENTRAL:
        return [(KEPT_CENTRAL, whole)]
    if commitment.unused is Unused.BUYER:
        return [(Target(Holder.COST_GROUP, commitment.buyer), whole)]
    if not any(coverage.values()):
        raise ZeroBasisError(
            f"The beneficiaries of commitment '{commitment.id}' are to pay for what was not used in {currency}, but "
            "there are none.",
            place=commitment.place,
            advice="Write `unused: kept_central`, or `unused: buyer`.",
        )
    return list(zip(coverage, split(whole, list(coverage.values())), strict=True))


def effects(found: Eligible, tree: Tree) -> dict[str, tuple[Effect, ...]]:
    """One commitment policy under each method, by currency: who would carry what of the same usage.

    Holders in the tree's order, then pools, kept central and unallocated. Raises nothing for a method that cannot be:
    it is missing then.
    """
    by_currency: dict[str, list[tuple[Scope, Mapping[Target, Held]]]] = defaultdict(list)
    for scope, held in found.held.items():
        by_currency[scope.currency].append((scope, held))
    return {currency: _effects(found.commitment, scopes, tree) for currency, scopes in sorted(by_currency.items())}


def _effects(
    commitment: Commitment, scopes: Sequence[tuple[Scope, Mapping[Target, Held]]], tree: Tree
) -> tuple[Effect, ...]:
    before = _added({target: one.units for target, one in held.items()} for _, held in scopes)
    after: dict[CommitmentMethod, dict[Target, int]] = {}
    for method in CommitmentMethod:
        as_if = replace(commitment, method=method)
        try:
            after[method] = _added(carried(as_if, held, tree, scope.currency) for scope, held in scopes)
        except AllocationRefusedError:
            continue
    codes = {code: place for place, code in enumerate(tree)}
    holders = list(Holder)

    def order(target: Target) -> tuple[int, int, str]:
        return (holders.index(target.holder), codes.get(target.code, 0), target.code)

    everybody = sorted({target for units in (before, *after.values()) for target in units}, key=order)
    return tuple(
        Effect(target, before.get(target, 0), {method: units.get(target, 0) for method, units in after.items()})
        for target in everybody
    )


def _added(parts: Iterable[Mapping[Target, int]]) -> dict[Target, int]:
    sums: dict[Target, int] = defaultdict(int)
    for part in parts:
        for target, units in part.items():
            sums[target] += units
    return dict(sums)
