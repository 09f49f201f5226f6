"""Averages over orders: the Shapley value, and the older ways to divide a common cost that it is measured against.

Takes players and what each set of them costs, or what came out in each order; gives means as exact fractions. With few
players every order counts; beyond, orders are drawn by a seeded generator, and each mean comes with its standard
error. Methods: Shapley 1953; incremental and stand-alone allocation as in Horngren, *Cost Accounting* (W9 of the worked
examples).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Generic, TypeVar

from apportion.money.split import settle, split

K = TypeVar("K", bound=Hashable)

MOST_PLAYERS = 12  # 4,096 sets of players
SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Averaged(Generic[K]):
    """Means over orders, exact, in the unit of what was averaged.

    `error` is the standard error of each mean, rounded up to a whole unit; zero where every order was looked at.
    """

    mean: Mapping[K, Fraction]
    error: Mapping[K, int]
    orders: int
    is_exact: bool

    def whole(self) -> dict[K, int]:
        """The means in whole units that sum to what the means sum to, by largest remainder."""
        common = math.lcm(*(mean.denominator for mean in self.mean.values()))
        return dict(
            zip(self.mean, settle([int(mean * common) for mean in self.mean.values()], common), strict=True),
        )


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of players: all that there are, or as many as were drawn."""

    orders: tuple[tuple[str, ...], ...]
    is_all: bool


def stand_alone(total: int, alone: Mapping[str, int]) -> dict[str, int]:
    """`total` in proportion to what each would cost alone. Raises what `split` raises."""
    return dict(zip(alone, split(total, list(alone.values())), strict=True))


def incremental(order: Sequence[str], cost: Callable[[frozenset[str]], int]) -> dict[str, int]:
    """What each player adds to the cost of those before it in `order`."""
    found, before = {}, frozenset[str]()
    for player in order:
        found[player] = cost(before | {player}) - cost(before)
        before |= {player}
    return found


def shapley(
    players: Sequence[str],
    cost: Callable[[frozenset[str]], int],
    *,
    most_players: int = MOST_PLAYERS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Averaged[str]:
    """What each player adds on average over all orders; `cost` is asked once for every set of players.

    Beyond `most_players` it is the average over `samples` orders.
    """
    known: dict[frozenset[str], int] = {}

    def cost_of(coalition: frozenset[str]) -> int:
        if coalition not in known:
            known[coalition] = cost(coalition)
        return known[coalition]

    if len(players) > most_players:
        drawn = orders_of(players, most_players=most_players, samples=samples, seed=seed)
        return average([incremental(order, cost_of) for order in drawn.orders], is_exact=False)
    return Averaged(_by_sets(players, cost_of), dict.fromkeys(players, 0), math.factorial(len(players)), is_exact=True)


def _by_sets(players: Sequence[str], cost: Callable[[frozenset[str]], int]) -> dict[str, Fraction]:
    """Each set of the others stands before a player in |set|! × (the rest)! of all orders."""
    count = len(players)
    times = [math.factorial(size) * math.factorial(count - size - 1) for size in range(count)]
    sums = dict.fromkeys(players, 0)
    for chosen in range(2**count):
        inside = [player for place, player in enumerate(players) if chosen >> place & 1]
        whole = frozenset(inside)
        for player in inside:
            sums[player] += times[len(inside) - 1] * (cost(whole) - cost(whole - {player}))
    return {player: Fraction(total, math.factorial(count)) for player, total in sums.items()}


def orders_of(players: Sequence[str], *, most_players: int, samples: int, seed: int) -> Orders:
    """All orders of up to `most_players`; of more, `samples` independent draws of a generator that starts at `seed`."""
    if len(players) <= most_players:
        return Orders(tuple(permutations(players)), is_all=True)
    generator = random.Random(seed)  # noqa: S311 - drawn to be the same again, not to be secret
    return Orders(tuple(tuple(generator.sample(players, len(players))) for _ in range(samples)), is_all=False)


def average(outcomes: Sequence[Mapping[K, int]], *, is_exact: bool) -> Averaged[K]:
    """The mean of each key over outcomes, one for each order; a key that an outcome lacks is zero there.

    Without `is_exact` the outcomes are a sample of independent draws, of which there are at least two.
    """
    keys = tuple(dict.fromkeys(key for outcome in outcomes for key in outcome))
    count = len(outcomes)
    mean, error = {}, {}
    for key in keys:
        values = [outcome.get(key, 0) for outcome in outcomes]
        mean[key] = Fraction(sum(values), count)
        error[key] = 0 if is_exact else _error(values)
    return Averaged(mean, error, count, is_exact)


def _error(values: Sequence[int]) -> int:
    """The standard error of the mean, √(Σ(x − mean)² / (n (n − 1))), up to the next whole number; no float needed."""
    count, total = len(values), sum(values)
    squares = sum((count * value - total) ** 2 for value in values)  # count² times those of the deviations
    variance = -(-squares // (count**3 * (count - 1)))
    root = math.isqrt(variance)
    return root if root * root == variance else root + 1
