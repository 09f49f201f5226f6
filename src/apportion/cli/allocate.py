"""``apportion allocate``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apportion.cli.arguments import Period
from apportion.cli.face import Face, option
from apportion.cli.usage import show_unknown, unknown_documents

if TYPE_CHECKING:
    from apportion.allocate.allocation import Allocation
    from apportion.close.run import Run
    from apportion.periods import BillingPeriod
    from apportion.warehouse.store import Workspace

VERSION = 1
_NAMES = {"cost_group": "Cost groups", "kept_central": "Kept central", "unallocated": "Unallocated"}


@dataclass(frozen=True, slots=True)
class Held:
    """What one kind of holder carries in one currency, settled, in minor units."""

    currency: str
    holder: str
    direct_minor: int
    shared_minor: int

    @property
    def minor(self) -> int:
        return self.direct_minor + self.shared_minor


@dataclass(frozen=True, slots=True)
class Shared:
    """What came out of one pool in one currency, to how many holders, in minor units."""

    currency: str
    pool_id: str
    holders: int
    minor: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What a commitment or an uplift moved between holders in one currency, in minor units."""

    currency: str
    id: str
    holders: int
    added_minor: int
    taken_off_minor: int

    @property
    def minor(self) -> int:
        """Not zero where pools gave or took as well."""
        return self.added_minor + self.taken_off_minor


def run(face: Face, period: Period) -> None:
    """Allocate a period: charges to cost groups and pools.

    Each charge goes to the cost group or pool that the first matching rule names; then the pools are shared.

    The result stays until the period is allocated again; the same files give the same result. A sealed period is
    replayed from what it was sealed with, and has to come out the same.

    \b
    Example:
      apportion allocate 2026-10
    """
    workspace = face.workspace()
    done = allocated(face, workspace, period)
    sealed = workspace.sealed(period) is not None
    allocation = done.allocation
    held, shared = holdings(allocation), pools(allocation)
    face.give(
        {
            "document": "allocate",
            "version": VERSION,
            "period": str(period),
            "sealed": sealed,
            "run_digest": done.digest,
            "cost_basis": str(allocation.cost_basis),
            "rows": charges(allocation),
            "holders": [_held_document(each) for each in held],
            "pools": [_shared_document(each) for each in shared],
            "policy_digest": allocation.policy_digest,
            "organization_digest": allocation.organization_digest,
            "snapshot_digest": allocation.snapshot_digest,
            "usage_digest": allocation.usage_digest,
            "unknown_usage": unknown_documents(done.unknown_usage),
        }
    )
    if not face.as_json:
        _show(face, done, held, shared, sealed=sealed)
        show_unknown(face, done.unknown_usage)
        where = option(workspace)
        face.say()
        face.say(f"Next: apportion {where}statements {period}, or all that follows: apportion {where}close {period}")


def allocated(face: Face, workspace: Workspace, period: BillingPeriod) -> Run:
    """The new run of a period, with progress while it is made."""
    from apportion.cli.progress import rows_done
    from apportion.close import run as runs

    total = sum(file.rows for file in workspace.snapshot(period).files)
    with rows_done(face, f"Allocating {period}", total) as progress:
        return runs.allocate(workspace, period, progress)


def charges(allocation: Allocation) -> int:
    """How many charges were allocated."""
    return sum(cell.rows for cell in allocation.cells)


def holdings(allocation: Allocation) -> list[Held]:
    """Who carries what, by currency and kind of holder; kinds that carry nothing are left out."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for line in allocation.lines:
        key = (line.scope.currency, str(line.holder.holder))
        direct, shared = sums.get(key, (0, 0))
        sums[key] = (direct, shared + line.minor) if line.pool_id else (direct + line.minor, shared)
    order = list(_NAMES)
    return [Held(*key, *sums[key]) for key in sorted(sums, key=lambda key: (key[0], order.index(key[1])))]


def pools(allocation: Allocation) -> list[Shared]:
    """What each pool brought to holders, in the order in which pools were shared."""
    order = {share.pool_id: share.step for share in allocation.shares}
    found: dict[tuple[str, str], tuple[set[object], int]] = {}
    for line in allocation.lines:
        if line.pool_id:
            holders, minor = found.get((line.scope.currency, line.pool_id), (set(), 0))
            found[line.scope.currency, line.pool_id] = (holders | {line.holder}, minor + line.minor)
    keys = sorted(found, key=lambda key: (key[0], order[key[1]]))
    return [Shared(*key, len(found[key][0]), found[key][1]) for key in keys]


def moves(done: Run) -> list[Moved]:
    """What commitments and uplifts moved between holders, in the order in which they were applied."""
    policies = (done.policy, *done.former.values())
    known = {each.id for policy in policies for each in policy.commitments}
    known |= {each.id for policy in policies for each in policy.uplifts}
    found = []
    for each in pools(done.allocation):
        if each.pool_id in known:
            amounts = [
                line.minor
                for line in done.allocation.lines
                if (line.pool_id, line.scope.currency) == (each.pool_id, each.currency)
            ]
            added, taken = sum(minor for minor in amounts if minor > 0), sum(minor for minor in amounts if minor < 0)
            found.append(Moved(each.currency, each.pool_id, each.holders, added, taken))
    return found


def currencies(held: Iterable[Held]) -> list[str]:
    """The currencies that something is held in, in order."""
    return sorted({each.currency for each in held})


def unallocated(held: Sequence[Held]) -> str:
    """How much found no owner: ``3.3 % of EUR and 0.1 % of USD unallocated``."""
    from apportion.cli.amounts import listed, percent
    from apportion.invoice.wording import grouped

    shares = []
    for each in held:
        if each.holder == "unallocated" and each.minor:
            whole = sum(other.minor for other in held if other.currency == each.currency)
            share = percent(each.minor, whole) or grouped(each.minor, each.currency)
            shares.append(f"{share} of {each.currency}")
    return f"{listed(shares)} unallocated" if shares else "nothing unallocated"


def _show(face: Face, done: Run, held: list[Held], shared: list[Shared], *, sealed: bool) -> None:
    from apportion.cli.amounts import count, percent
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    allocation = done.allocation
    rows = count(charges(allocation), "charge")
    face.say(f"Allocated {done.period} on {allocation.cost_basis} cost: {rows}.", "bold")
    if sealed:
        face.say("The period is sealed; it was replayed and came out the same.")
    moved = moves(done)
    columns = [
        Column("Direct", is_number=True),
        Column("From pools, moved" if moved else "From pools", is_number=True),
        Column("Together", is_number=True),
    ]
    for currency in currencies(held):
        these = [each for each in held if each.currency == currency]
        total = Held(currency, "", sum(each.direct_minor for each in these), sum(each.shared_minor for each in these))

        def line(name: str, of: Held, total: Held = total) -> list[str]:
            amounts = (of.direct_minor, of.shared_minor, of.minor)
            return [name, *(grouped(each, of.currency) for each in amounts), percent(of.minor, total.minor)]

        face.say()
        lines = [line(_NAMES[each.holder], each) for each in these]
        head = [Column(currency), *columns, Column("", is_number=True)]
        face.show(table(head, lines, sums=[line("Together", total)]))
        these_moved = [each for each in moved if each.currency == currency]
        apart = {each.id for each in these_moved}
        _show_pools(face, [each for each in shared if each.currency == currency and each.pool_id not in apart])
        _show_moves(face, these_moved)


def _show_pools(face: Face, shared: Sequence[Shared]) -> None:
    """Pools of one currency."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    if shared:
        currency = shared[0].currency
        face.say()
        lines = [[each.pool_id, f"{each.holders:,}", grouped(each.minor, currency)] for each in shared]
        head = [Column(f"Pool ({currency})"), Column("Holders", is_number=True), Column("Shared", is_number=True)]
        sums = [["Together", "", grouped(sum(each.minor for each in shared), currency)]]
        face.show(table(head, lines, sums=sums))


def _show_moves(face: Face, moved: Sequence[Moved]) -> None:
    """Commitments and uplifts of one currency."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    if moved:
        currency = moved[0].currency

        def line(name: str, holders: str, *minor: int) -> list[str]:
            return [name, holders, *(grouped(each, currency) for each in minor)]

        lines = [
            line(each.id, f"{each.holders:,}", each.added_minor, each.taken_off_minor, each.minor) for each in moved
        ]
        numbers = ("Holders", "Added", "Taken off", "Together")
        head = [Column(f"Moved between holders ({currency})"), *(Column(name, is_number=True) for name in numbers)]
        added, taken = sum(each.added_minor for each in moved), sum(each.taken_off_minor for each in moved)
        face.say()
        face.show(table(head, lines, sums=[line("Together", "", added, taken, added + taken)]))


def _held_document(held: Held) -> dict[str, object]:
    from apportion.money.currency import minor_text

    return {
        "currency": held.currency,
        "holder": held.holder,
        "direct": minor_text(held.direct_minor, held.currency),
        "from_pools": minor_text(held.shared_minor, held.currency),
        "amount": minor_text(held.minor, held.currency),
    }


def _shared_document(shared: Shared) -> dict[str, object]:
    from apportion.money.currency import minor_text

    return {
        "currency": shared.currency,
        "pool": shared.pool_id,
        "holders": shared.holders,
        "amount": minor_text(shared.minor, shared.currency),
    }
