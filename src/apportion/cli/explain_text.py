"""An explanation as text: blocks of parts and their sum, each block below the part that it takes further apart."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd

from apportion.allocate.allocation import Cell, Share
from apportion.allocate.based import Based, PartBased, WeightIn, counted_in
from apportion.allocate.basis import Cost, Mix
from apportion.allocate.policy import Commitment, Pool, Uplift
from apportion.allocate.rule import Holder, Target
from apportion.allocate.trace import LineTrace, PoolTrace, ShareTrace
from apportion.cli.amounts import Aligned, count, percent
from apportion.close.explain import Explanation, Source
from apportion.invoice import reasons, wording
from apportion.invoice.rates import charged_text
from apportion.invoice.render.sections import why
from apportion.invoice.statement import StatementLine
from apportion.money.amount import SCALE
from apportion.money.currency import units_per_minor
from apportion.warehouse.sources import SourceRow

_PART, _SUM, _INDENT = "│ ", "╰ ", "  "
_MOST_DIGITS, _WHOLE_DIGITS = 9, 4  # of the numbers of a fraction that a person can read; before the point otherwise
MOST_SHARES = 20  # of other pools, for each pool; more only where more rows are asked for


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
    if line.corrects:
        subject = f"{wording.correction(line.corrects)}: {subject}"
    yield f"{subject}; {wording.scope_text(line.scope)}; {statement.cost_basis} cost in {line.scope.currency}"
    because = why(line)
    yield from wrapped(f"{because[:1].upper()}{because[1:]}.", width)
    yield from wrapped(charged_text(line), width)
    yield ""
    yield from blocks_text(_Blocks(found, line, traced).all(), line.scope.currency, width)


def blocks_text(blocks: Sequence[Block], currency: str, width: int) -> Iterator[str]:
    """Blocks one below the other, all amounts in one column."""
    aligned = Aligned(currency, _amounts(blocks))
    for block in blocks:
        yield from _rendered(block, 0, width, aligned)


def _amounts(blocks: Sequence[Block]) -> Iterator[int]:
    for block in blocks:
        yield from (part.units for part in (*block.parts, block.total))
        yield from _amounts(block.below)


def wrapped(text: str, width: int, *, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Lines of text; names are not cut at their hyphens."""
    return textwrap.wrap(
        text, width, initial_indent=initial_indent, subsequent_indent=subsequent_indent, break_on_hyphens=False
    )


def _rendered(block: Block, depth: int, width: int, aligned: Aligned) -> Iterator[str]:
    margin = _INDENT * depth
    yield from wrapped(block.title, width, initial_indent=margin, subsequent_indent=margin + _INDENT)
    room = max(width - len(margin) - len(_PART) - aligned.width - 2, 20)
    for mark, part in (*((_PART, part) for part in block.parts), (_SUM, block.total)):
        first, *rest = wrapped(part.text, room) or [""]
        yield f"{margin}{mark}{first:<{room}}  {aligned.text(part.units)}".rstrip()
        further = "  " if mark == _SUM else _PART
        for text in (*rest, *(line for more in part.more for line in wrapped(more, room - 2))):
            yield f"{margin}{further}  {text}"
    yield ""
    for other in block.below:
        yield from _rendered(other, depth + 1, width, aligned)


class _Blocks:
    """The blocks of one explanation: the amount, what it is made of, and then every pool on the way, each once."""

    def __init__(self, found: Explanation, line: StatementLine, traced: LineTrace) -> None:
        self._line, self._trace, self._most = line, traced, max(found.most, MOST_SHARES)
        policy = found.run.former.get(line.corrects, found.run.policy)
        self._rules = {rule.id: rule.name for rule in policy.rules}
        self._names = names(found, line.corrects)
        self._sources = {source.target: source for source in found.sources}

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
        top.below.append(self._direct() if self._trace.cells else self._shares())
        return [top]

    def _direct(self) -> Block:
        cells = self._trace.cells
        parts = tuple(self._rules_of(cells))
        total = Part("exact amount", sum(cell.units for cell in cells))
        below = list(self._source_rows(self._trace.line.holder))
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
        is_share = self._kind(self._line.pool_id) == "pool"
        block = Block(
            "The exact amount: a share of a pool" if is_share else "The exact amount: moved between holders",
            tuple(self._share(part) for part in shares),
            Part("exact amount", sum(part.share.units for part in shares)),
        )
        block.below.extend(self._mixed(part) for part in shares if part.parts)
        block.below.extend(self._pool(pool) for pool in self._trace.pools)
        return block

    def _share(self, part: ShareTrace) -> Part:
        share, kind = part.share, self._kind(part.share.pool_id)
        if kind != "pool":
            return Part(f"step {share.step}: {kind} {share.pool_id}", share.units, moved_words(share, kind))
        about = _about(share.weight, share.total_weight) if part.based else shown(share.weight, share.total_weight)
        return Part(f"step {share.step}: pool {share.pool_id}, {about}", share.units, how(part))

    def _kind(self, pool_id: str) -> str:
        return self._names.get(pool_id, ("pool", ""))[0]

    def _mixed(self, part: ShareTrace) -> Block:
        share = part.share
        based = part.based
        return Block(
            f"The share of pool {share.pool_id} in its parts",
            tuple(_part(each, based) for each in part.parts if based),
            Part(f"share of pool {share.pool_id}", share.units),
        )

    def _pool(self, pool: PoolTrace) -> Block:
        name = self._names.get(pool.pool_id, ("pool", ""))[1]
        title = f"Pool {pool.pool_id}" + "".join(f": {text}" for text in _unless_same(name, pool.pool_id))
        if pool.loop:
            others = ", ".join(self._names.get(code, ("", code))[1] for code in pool.loop if code != pool.pool_id)
            title += f" (gross: solved together with {others}, with what came back from them)"
        # The largest, so that a person finds the end of hundreds of pools that serve each other.
        received = sorted(pool.received, key=lambda part: -abs(part.share.units))
        shown, rest = received[: self._most], received[self._most :]
        parts = [*self._rules_of(pool.cells), *map(self._share, sorted(shown, key=pool.received.index))]
        if rest:
            text = f"and {count(len(rest), 'more share')} of other pools"
            parts.append(Part(text, sum(part.share.units for part in rest)))
        block = Block(title, tuple(parts), Part(f"pool {pool.pool_id} holds", pool.units))
        if pool.cells:
            block.below.extend(self._source_rows(Target(Holder.POOL, pool.pool_id)))
        return block

    def _source_rows(self, target: Target) -> Iterator[Block]:
        source = self._sources[target]
        shown = tuple(_row(row) for row in source.found.largest)
        rest, units = remainder(source)
        if rest:
            shown = (*shown, Part(f"and {count(rest, 'more row')}", units))
        rules = {cell.rule_id for cell in source.cells}
        into = "that no rule met" if rules == {None} else "of this rule" if len(rules) == 1 else "of these rules"
        yield Block(
            f"Source rows {into}, largest first",
            shown,
            Part(f"sum of {count(source.found.rows, 'row')}", source.found.units),
        )


def _row(row: SourceRow) -> Part:
    about = row_text(row.shown)
    return Part(": ".join([f"{row.file} row {row.row:,}", *([about] if about else [])]), row.units)


def row_text(shown: Mapping[str, str]) -> str:
    """What a row is for: its resource and description, as far as there are any."""
    resource = shown.get("ResourceName") or shown.get("ResourceId") or shown.get("SkuId")
    return ", ".join(text for text in (resource, shown.get("ChargeDescription")) if text)


def remainder(source: Source) -> tuple[int, int]:
    """How many rows are not shown one by one, and their sum in units."""
    found = source.found
    shown = sum(row.units for row in found.largest)
    return found.rows - len(found.largest), found.units - shown


def fraction(weight: int, total: int) -> str:
    """A share as the smallest exact fraction: ``50/401``; nothing where the total is zero."""
    if total == 0:
        return ""
    common = gcd(weight, total) or 1
    sign = -1 if total < 0 else 1
    return f"{sign * weight // common}/{sign * total // common}"


def shown(weight: int, total: int) -> str:
    """The exact share, and about how much that is: ``50/401 (12.5 %)``, ``1,752.6 of 4,438.6867547387 (39.5 %)``."""
    weight, total = _above_zero(weight, total)
    text, about = fraction(weight, total), percent(weight, total)
    if _is_long(total, weight):
        text = exact_ratio(weight, total)
    return f"{text} ({about})" if about else text


def _above_zero(weight: int, total: int) -> tuple[int, int]:
    """The same share of a whole that is not below zero: a credit is shared like a cost."""
    return (-weight, -total) if total < 0 else (weight, total)


def exact_ratio(weight: int, total: int) -> str:
    """A share as two numbers: as they are, or where they are long, with decimals and still exact.

    Where the decimals begin depends on the total alone, so that the parts of one whole are said alike.
    """
    digits = len(str(abs(total)))
    places = 0
    if digits > _MOST_DIGITS:
        places = SCALE if SCALE < digits <= SCALE + _MOST_DIGITS else digits - _WHOLE_DIGITS
    return f"{_with_decimals(weight, places)} of {_with_decimals(total, places)}"


def _is_long(total: int, weight: int) -> bool:
    """Whether a fraction, as small as it gets, is too long to read."""
    return len(str(abs(total) // (gcd(weight, total) or 1))) > _MOST_DIGITS


def _with_decimals(number: int, places: int) -> str:
    digits = str(abs(number)).zfill(places + 1)
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return f"{'-' if number < 0 else ''}{int(whole):,}{f'.{decimals}' if decimals else ''}"


def _about(weight: int, total: int) -> str:
    """A share for a line with the exact weights below it: the fraction where a person can read it."""
    about = percent(*_above_zero(weight, total))
    return about if about and _is_long(total, weight) else shown(weight, total)


def how(part: ShareTrace) -> tuple[str, ...]:
    """How a pool came to be shared so: the method, the basis and what the pool held; why not otherwise; its limits."""
    share, based = part.share, part.based
    held = wording.exact(share.pool_units, share.scope.currency)
    if based is None:
        return (f"as it was shared then; of {held} in the pool",)
    method = reasons.basis_words(based.basis)
    if based.is_limited:
        method = f"{method}, {reasons.limit_words(based.pool)}"
    weights = basis_text(share, based)
    # Where the weights are parts of the pool itself, what it holds is said already.
    is_said = _is_of_pool(based) and share.total_weight == share.pool_units
    held = " in the pool" if is_said else f"; of {held} in the pool"
    return (f"{method}: {weights}{held}", *reasons.refused_words(based))


def _is_of_pool(based: Based) -> bool:
    """Whether weights are amounts that the pool itself comes to, not those of some other cost."""
    return based.weight_in is WeightIn.AMOUNT and (based.is_limited or not isinstance(based.basis, Cost))


def moved_words(share: Share, kind: str) -> tuple[str, ...]:
    """What a share that moves cost between holders is made of: for a commitment it adds up, for an uplift it is a
    part of what is there.
    """
    currency = share.scope.currency
    if kind == "commitment":
        carried, before = wording.exact(share.weight, currency), wording.exact(share.weight - share.units, currency)
        return (f"to carry {carried}, where rules brought {before}",)
    return (f"on {wording.exact(share.weight, currency)}",)


def basis_text(share: Share, based: Based) -> str:
    """The recipient's basis and that of all recipients, exact: ``12.50 of 100.25``."""
    return _weights(share.weight, share.total_weight, based.weight_in, share.scope.currency)


def _weights(weight: int, total: int, weight_in: WeightIn, currency: str) -> str:
    if weight_in is WeightIn.PARTS:
        return exact_ratio(weight, total)
    own, whole = (reasons.exact_weight(each, weight_in, currency) for each in (weight, total))
    return f"{own} of {whole}"


def _part(part: PartBased, based: Based | None) -> Part:
    """One part of a mix: its size, its fraction, and the basis in it."""
    if based is None or not isinstance(based.basis, Mix):
        raise TypeError("only a mix has parts")
    weights = _weights(part.weight, part.total_weight, counted_in(part.part.basis), based.share.scope.currency)
    text = f"{reasons.size_words(part.part, based.basis)} {reasons.basis_words(part.part.basis)}"
    return Part(
        f"{text}, {_about(part.weight, part.total_weight)} of it",
        part.units,
        (f"{weights}; the part of the pool: {shown(*part.size.as_integer_ratio())}",),
    )


def names(found: Explanation, corrects: str = "") -> Mapping[str, tuple[str, str]]:
    """What each id is (pool, commitment or uplift) and its name."""
    policy = found.run.former.get(corrects, found.run.policy)
    kinds: tuple[tuple[str, Sequence[Pool | Commitment | Uplift]], ...] = (
        ("commitment", policy.commitments),
        ("uplift", policy.uplifts),
        ("pool", policy.pools),
    )
    return {each.id: (kind, each.name) for kind, of_kind in kinds for each in of_kind}


def _unless_same(name: str | None, identity: str) -> tuple[str, ...]:
    return (name,) if name and name != identity else ()
