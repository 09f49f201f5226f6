"""The tests, tested: allocators that are broken on purpose, each of which laws and worked examples must catch.

A mutant takes the place of one part of the engine, and the same tests run that run on every change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from apportion.allocate import limits, reciprocal, waterfall, weigh
from apportion.allocate.allocation import Cell
from apportion.allocate.order import served as real_served
from apportion.allocate.order import stages as real_stages
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.usage import Usage
from apportion.allocate.waterfall import Circumstances, Shared
from apportion.errors import ApportionError, ZeroBasisError
from apportion.money.split import split as real_split
from apportion.money.split import to_step
from tests.examples import sharing, test_methods, test_orders_of_pools
from tests.laws import test_sharing_laws as laws

Patch = tuple[object, str, object]
real_share_pools, real_limited = waterfall.share_pools, limits.limited


def drops_a_pool_without_basis(cells: Sequence[Cell], pools: Sequence[Pool], given: Circumstances) -> Shared:
    """Where a pool cannot be shared, its money is forgotten (as in a published product: W2)."""
    left = list(pools)
    while True:
        try:
            return real_share_pools(cells, left, given)
        except ZeroBasisError as error:
            left = [pool for pool in left if f"'{pool.id}'" not in error.sentence]
            kept = {pool.id for pool in left}
            cells = [cell for cell in cells if cell.target.holder != "pool" or cell.target.code in kept]


def rounds_each_line(amounts: Sequence[int], step: int, whole: int | None = None) -> list[int]:
    """Every line to the nearest cent on its own."""
    return [to_step(amount, step) for amount in amounts]


def cuts_loops(pools: Sequence[Pool], into: dict[str, tuple[str, ...]], order: PoolOrder) -> object:
    """A loop is broken where it closes, instead of being refused or solved."""
    seen: list[str] = []
    for pool in pools:
        into[pool.id] = tuple(code for code in into[pool.id] if code not in (*seen, pool.id))
        seen.append(pool.id)
    return real_stages(pools, into, order)


def divides_in_floats(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts by floating point, the difference left to the first."""
    total = sum(weights)
    parts = [round(amount * (weight / total)) for weight in weights]  # float: the mutant
    return [parts[0] + amount - sum(parts), *parts[1:]]


def floors_and_gives_the_rest_to_the_first(amount: int, weights: Sequence[int]) -> list[int]:
    """The flagged remainder of W11, which does not mirror for credits."""
    total = sum(weights)
    parts = [amount * weight // total for weight in weights]
    return [parts[0] + amount - sum(parts), *parts[1:]]


def forgets_the_last_recipient(amount: int, weights: Sequence[int]) -> list[int]:
    """The last recipient gets nothing, and its part is lost."""
    return [*real_split(amount, weights)[:-1], 0]


def takes_the_size_of_a_negative_basis(*arguments: object) -> weigh.Weights:
    """A credit counts as if it were a charge."""
    _, found, taking, _ = arguments
    return tuple((target, abs(found.get(target, 0))) for target in taking)  # type: ignore[attr-defined]


def loses_what_is_beyond_a_limit(pool: Pool, currency: str, weights: weigh.Weights, amount: int) -> weigh.Weights:
    """What nobody may pay is neither passed on nor kept."""
    return tuple((target, weight) for target, weight in real_limited(pool, currency, weights, amount) if target.code)


def ignores_usage_of_pools(pools: Sequence[Pool], order: PoolOrder, usage: Usage | None = None) -> object:
    """Pools never receive, whatever the order says."""
    return real_served(pools, PoolOrder.DIRECT)


def counts_a_loop_once(self: reciprocal.Loop, held: Sequence[int]) -> list[int]:
    """One round through the loop instead of the solution."""
    return list(held)


def shares_one_pool_twice(cells: Sequence[Cell], pools: Sequence[Pool], given: Circumstances) -> Shared:
    """The first share is booked a second time."""
    made = real_share_pools(cells, pools, given)
    return made._replace(shares=(*made.shares, *made.shares[:1]))


def rounds_shares_to_cents(amount: int, weights: Sequence[int]) -> list[int]:
    """Every step of the waterfall settles its cents, instead of the last one only."""
    cents = real_split(to_step(amount, 10**16), weights)
    return [cents[0] * 10**16 + amount - sum(cents) * 10**16, *(cent * 10**16 for cent in cents[1:])]


SPLIT = (waterfall, "split")
MUTANTS: dict[str, tuple[Patch, ...]] = {
    "drops a pool without basis": (
        (laws, "share_pools", drops_a_pool_without_basis),
        (sharing, "share_pools", drops_a_pool_without_basis),
        (test_methods, "share_pools", drops_a_pool_without_basis),
    ),
    "rounds each line": ((waterfall, "settle", rounds_each_line),),
    "cuts loops": ((waterfall, "stages", cuts_loops),),
    "divides in floats": ((*SPLIT, divides_in_floats),),
    "floors and gives the rest to the first": ((*SPLIT, floors_and_gives_the_rest_to_the_first),),
    "forgets the last recipient": ((*SPLIT, forgets_the_last_recipient),),
    "takes the size of a negative basis": ((weigh, "_above_zero", takes_the_size_of_a_negative_basis),),
    "loses what is beyond a limit": ((weigh, "limited", loses_what_is_beyond_a_limit),),
    "ignores usage of pools": ((waterfall, "served", ignores_usage_of_pools),),
    "counts a loop once": ((reciprocal.Loop, "gross", counts_a_loop_once),),
    "shares one pool twice": (
        (laws, "share_pools", shares_one_pool_twice),
        (sharing, "share_pools", shares_one_pool_twice),
    ),
    "rounds shares to cents": ((*SPLIT, rounds_shares_to_cents),),
}


def _tests() -> Iterator[Callable[[], object]]:
    """The worked examples, then the laws: whatever catches a mutant first is enough."""
    examples = [
        getattr(made, name)
        for module in (test_orders_of_pools, test_methods)
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        for made in [kind()]
        for name in dir(made)
        if name.startswith("test_") and not getattr(getattr(made, name), "pytestmark", ())
    ]
    yield from examples
    yield test_orders_of_pools.test_w10_dual_rate
    yield partial(test_methods.test_a_credit_mirrors_a_charge_to_the_last_unit, "1000")
    for name, law in vars(laws).items():
        if name.startswith("test_"):
            yield law


@contextmanager
def replaced(patches: Sequence[Patch]) -> Iterator[None]:
    """The engine with a mutant in it."""
    with pytest.MonkeyPatch.context() as patching:
        for owner, name, mutant in patches:
            patching.setattr(owner, name, mutant)
        yield


def caught_by() -> str | None:
    """The first test that fails, and how."""
    for test in _tests():
        try:
            test()
        except (AssertionError, ApportionError, pytest.fail.Exception, BaseExceptionGroup) as error:
            return f"{getattr(test, '__name__', test)}: {type(error).__name__}"
    return None


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_allocator_is_caught(mutant: str) -> None:
    with replaced(MUTANTS[mutant]):
        assert caught_by(), f"no law and no example notices an allocator that {mutant}"


@pytest.mark.slow
def test_the_allocator_as_it_is_passes() -> None:
    assert caught_by() is None


def test_a_mutant_changes_what_it_says() -> None:
    """Each one takes the place of something that is there, and is used."""
    for patches in MUTANTS.values():
        for owner, name, mutant in patches:
            assert getattr(owner, name) is not mutant
