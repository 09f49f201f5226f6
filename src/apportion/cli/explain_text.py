"""An explanation as text: blocks of parts and their sum, each block below the part that it takes further apart."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import gcd

from apportion.allocate.allocation import Cell
from apportion.allocate.policy import Method, Pool
from apportion.allocate.rule import Holder, Target
from apportion.allocate.trace import LineTrace, PoolTrace, ShareTrace
from apportion.cli.amounts import Aligned, count, percent
from apportion.close.explain import Explanation, Source
from apportion.invoice import wording
from apportion.invoice.statement import StatementLine
from apportion.money.currency import units_per_minor
from apportion.warehouse.sources import SourceRow

_PART, _SUM, _INDENT = "│ ", "╰ ", "  "


@dataclass(frozen=True, slots=True)
class Part:
    """One amount in units, what it is, and further words below."""

    text: str
    units: int
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Parts that sum to `total`, and the blocks that take parts further apart."""

    title: str
    parts: tuple[Part, ...]
    total: Part
    below: list[Block] = field(default_factory=list)


def lines(found: Explanation, line: StatementLine, traced: LineTrace, width: int) -> Iterator[str]:
    """The explanation of one line of `found`'s statement, at most `width` columns wide but for words that are longer.

    In each block the amounts marked ``│`` sum to the one marked ``╰``.
    """
    statement = found.statement
    yield f"{statement.number}, line {line.number}: {statement.name}, {wording.period_name(statement.period)}"
    subject = line.pool_name or ", ".join(
        (line.service or "No service named", line.charge_category or "no charge category")
    )
    yield f"{subject}; {wording.scope_text(line.scope)}; {statement.cost_basis} cost in {line.scope.currency}"
    yield ""
    blocks = _Blocks(found, line, traced).all()
    aligned = Aligned(line.scope.currency, _amounts(blocks))
    for block in blocks:
        yield from _rendered(block, 0, width, aligned)


def _amounts(blocks: Sequence[Block]) -> Iterator[int]:
    for block in blocks:
        yield from (part.units for part in (*block.parts, block.total))
        yield from _amounts(block.below)


def _wrapped(text: str, width: int, *, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Lines of text; names are not cut at their hyphens."""
    return textwrap.wrap(
        text, width, initial_indent=initial_indent, subsequent_indent=subsequent_indent, break_on_hyphens=False
    )


def _rendered(block: Block, depth: int, width: int, aligned: Aligned) -> Iterator[str]:
    margin = _INDENT * depth
    yield from _wrapped(block.title, width, initial_indent=margin, subsequent_indent=margin + _INDENT)
    room = max(width - len(margin) - len(_PART) - aligned.width - 2, 20)
    for mark, part in (*((_PART, part) for part in block.parts), (_SUM, block.total)):
        first, *rest = _wrapped(part.text, room) or [""]
        yield f"{margin}{mark}{first:<{room}}  {aligned.text(part.units)}".rstrip()
        further = "  " if mark == _SUM else _PART
        for text in (*rest, *(line for more in part.more for line in _wrapped(more, room - 2))):
            yield f"{margin}{further}  {text}"
    yield ""
    for other in block.below:
        yield from _rendered(other, depth + 1, width, aligned)


class _Blocks:
    """The blocks of one explanation; a pool that occurs twice is taken apart once."""

    def __init__(self, found: Explanation, line: StatementLine, traced: LineTrace) -> None:
        self._line, self._trace = line, traced
        self._rules = {rule.id: rule.name for rule in found.run.policy.rules}
        self._pools = {pool.id: pool for pool in found.run.policy.pools}
        self._sources = {source.target: source for source in found.sources}
        self._seen: set[str] = set()

    def all(self) -> list[Block]:
        line = self._line
        settled = line.minor * units_per_minor(line.scope.currency)
        cents = "cents settled, so that the lines of this provider invoice sum to it"
        if not line.scope.invoice_id and not line.scope.billing_account_id:
            cents = "cents settled, so that the lines of this issuer and month sum to their total"
        top = Block(
            "The amount on the statement",
            (Part("exact amount", line.units), Part(cents, settled - line.units)),
            Part("amount on the statement", settled),
        )
        if self._trace.cells:
            top.below.append(self._direct(self._trace.cells))
        else:
            top.below.append(self._shares())
        return [top]

    def _direct(self, cells: Sequence[Cell]) -> Block:
        parts = tuple(self._rules_of(cells))
        total = Part("exact amount", sum(cell.units for cell in cells))
        below = [self._source_rows(self._trace.line.holder)]
        return Block("The exact amount: charges that rules brought here", parts, total, below)

    def _rules_of(self, cells: Sequence[Cell]) -> Iterator[Part]:
        """What each rule brought, over all services and categories."""
        for rule_id in dict.fromkeys(cell.rule_id for cell in cells):
            these = [cell for cell in cells if cell.rule_id == rule_id]
            rows = count(sum(cell.rows for cell in these), "row")
            text = f"rule {rule_id}: {rows}" if rule_id is not None else f"no rule met these: {rows}"
            name = _unless_same(self._rules.get(rule_id or ""), rule_id or "")
            yield Part(text, sum(cell.units for cell in these), name)

    def _shares(self) -> Block:
        shares = self._trace.shares
        block = Block(
            "The exact amount: a share of a pool",
            tuple(self._share(part) for part in shares),
            Part("exact amount", sum(part.share.units for part in shares)),
        )
        block.below.extend(self._pool(part.pool) for part in shares)
        return block

    def _share(self, part: ShareTrace) -> Part:
        share = part.share
        return Part(f"step {share.step}: pool {share.pool_id}, {_shown_share(part)}", share.units, (self._how(part),))

    def _how(self, part: ShareTrace) -> str:
        share = part.share
        pool = self._pools[share.pool_id]
        held = wording.exact(share.pool_units, share.scope.currency)
        return f"{method_text(pool)}: {basis_text(part, pool)}; of {held} in the pool"

    def _pool(self, pool: PoolTrace) -> Block:
        name = self._pools[pool.pool_id].name
        title = f"Pool {pool.pool_id}" + "".join(f": {text}" for text in _unless_same(name, pool.pool_id))
        total = Part(f"pool {pool.pool_id} holds", pool.units)
        if pool.pool_id in self._seen:
            return Block(f"{title} (taken apart above)", (Part("as above", pool.units),), total)
        self._seen.add(pool.pool_id)
        parts = (*self._rules_of(pool.cells), *map(self._share, pool.received))
        block = Block(title, parts, total)
        if pool.cells:
            block.below.append(self._source_rows(Target(Holder.POOL, pool.pool_id)))
        block.below.extend(self._pool(part.pool) for part in pool.received)
        return block

    def _source_rows(self, target: Target) -> Block:
        source = self._sources[target]
        shown = tuple(_row(row) for row in source.found.largest)
        rest, units = remainder(source)
        if rest:
            shown = (*shown, Part(f"and {count(rest, 'more row')}", units))
        rules = {cell.rule_id for cell in source.cells}
        into = "that no rule met" if rules == {None} else "of this rule" if len(rules) == 1 else "of these rules"
        return Block(
            f"Source rows {into}, largest first",
            shown,
            Part(f"sum of {count(source.found.rows, 'row')}", source.found.units),
        )


def _row(row: SourceRow) -> Part:
    resource = row.shown.get("ResourceName") or row.shown.get("ResourceId") or row.shown.get("SkuId")
    about = [text for text in (resource, row.shown.get("ChargeDescription")) if text]
    return Part(": ".join([f"{row.file} row {row.row:,}", *([", ".join(about)] if about else [])]), row.units)


def remainder(source: Source) -> tuple[int, int]:
    """How many rows are not shown one by one, and their sum in units."""
    found = source.found
    shown = sum(row.units for row in found.largest)
    return found.rows - len(found.largest), found.units - shown


def fraction(weight: int, total: int) -> str:
    """A share as the smallest exact fraction: ``50/401``."""
    common = gcd(weight, total) or 1
    return f"{weight // common}/{total // common}"


def _shown_share(part: ShareTrace) -> str:
    """The exact fraction, and about how much that is."""
    return f"{share_text(part)} ({percent(part.share.weight, part.share.total_weight)})"


def share_text(part: ShareTrace) -> str:
    """The exact fraction of a share."""
    return fraction(part.share.weight, part.share.total_weight)


def method_text(pool: Pool) -> str:
    """How a pool is shared, in words."""
    return {
        Method.EVEN: "even",
        Method.FIXED: "fixed shares",
        Method.PROPORTIONAL: "in proportion to direct cost",
    }[pool.method]


def basis_text(part: ShareTrace, pool: Pool) -> str:
    """The recipient's basis and that of all recipients: ``12.50 of 100.25``."""
    share = part.share
    if pool.method is Method.PROPORTIONAL:
        currency = share.scope.currency
        return f"{wording.exact(share.weight, currency)} of {wording.exact(share.total_weight, currency)}"
    return f"{share.weight:,} of {share.total_weight:,}"


def _unless_same(name: str | None, identity: str) -> tuple[str, ...]:
    return (name,) if name and name != identity else ()
