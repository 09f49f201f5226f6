"""Small invented months, worked out by the same code as real ones, so that no example can be wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.allocate.allocation import Cell, Scope
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.invoice import wording
from apportion.methodology.document import Table, Words
from apportion.money.amount import units
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

CURRENCY = "USD"  # the examples only need one with cents
SCOPE = Scope("", "", "", CURRENCY)
PERIOD = BillingPeriod(2026, 1)
TEAMS = ("Red", "Green", "Blue")
CENTRAL = "Kept central"


class Outcome:
    """What a small month came to."""

    def __init__(self, cells: Sequence[Cell], pools: Sequence[Pool], given: Circumstances) -> None:
        self._shares = share_pools(cells, pools, given).shares
        self._lines = lines(cells, self._shares, given.tree)

    def pays(self, code: str) -> int:
        """What a holder carries, in cents."""
        return sum(line.minor for line in self._lines if _name(line.holder) == code)

    def of_pool(self, pool: str, code: str) -> int:
        """What a holder carries of one pool, in units."""
        return sum(share.units for share in self._shares if share.pool_id == pool and _name(share.target) == code)

    def passed(self, pool: str) -> int:
        """What passed through a pool, in units."""
        return next((share.pool_units for share in self._shares if share.pool_id == pool), 0)


def _name(target: Target) -> str:
    return CENTRAL if target == KEPT_CENTRAL else target.code


def month(
    costs: Mapping[str, str],
    pools: Sequence[Pool],
    *,
    order: PoolOrder = PoolOrder.DERIVED,
    metered: Mapping[str, Mapping[str, str]] | None = None,
    teams: Sequence[str] = TEAMS,
) -> Outcome:
    """A month of one provider: `costs` by team or pool, `metered` quantities by metric and team."""
    codes = {pool.id for pool in pools}

    def target(code: str) -> Target:
        return Target(Holder.POOL if code in codes else Holder.COST_GROUP, code)

    used = (
        Used(metric, target(code), (), units(value))
        for metric, values in (metered or {}).items()
        for code, value in values.items()
    )
    tree = Tree(CostGroup(code, code) for code in teams)
    cells = [Cell(None, target(code), SCOPE, "", "", 1, units(cost)) for code, cost in costs.items()]
    return Outcome(cells, pools, Circumstances(tree, PERIOD, order, Usage(used)))


def cents(minor: int) -> str:
    """``1,200.00``."""
    return wording.grouped(minor, CURRENCY)


def amount(value: int) -> str:
    """Units as an amount, to the cent: ``1,200.00``."""
    return wording.rounded(value, CURRENCY).removesuffix(f" {CURRENCY}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Figures with a name in front of each row."""
    made: tuple[tuple[Words, ...], ...] = tuple(tuple((cell,) for cell in row) for row in rows)
    return Table("", tuple(head), made, frozenset(range(1, len(head))))
