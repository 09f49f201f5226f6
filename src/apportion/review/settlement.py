"""What an upheld dispute does with the money: it moves to other holders, and not a cent is lost or made.

Takes what is upheld of lines, and where it goes; gives a `Settlement` of moves that cancel out within each line, and so
within each provider invoice and billed currency: the tie-out with the provider holds as before. Decides nothing.

A line that is stated in another currency than it was billed in moves in both. What is taken whole takes the whole of
both amounts; of a part, the billed amount is divided by the stated parts, and what remains stays. Whoever is stated in
the line's own currency takes their part of the stated amount, so that it cancels out too; everybody else takes their
part of the billed amount at the rate that their own document was frozen with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from apportion.allocate.allocation import Scope
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.errors import ApportionError, ConservationError, MissingRateError
from apportion.invoice.paper import PaperLine, PaperLineKind
from apportion.invoice.rates import rate_text
from apportion.money.currency import minor_text, units_per_minor
from apportion.money.exchange import Rate
from apportion.money.split import settle, split, to_step


class SettlementError(ApportionError):
    """A way to settle that the line does not allow."""

    code = "SETTLEMENT_REFUSED"


class NobodyElseError(SettlementError):
    """A line of which nobody else carries a part."""

    code = "NOBODY_ELSE"


class SameHolderError(SettlementError):
    """Money that would go where it comes from."""

    code = "SAME_HOLDER"


class Where(StrEnum):
    """Where the money goes."""

    COST_GROUP = "cost_group"
    OTHERS = "others"  # the other recipients of the same pool, in proportion of their shares
    KEPT_CENTRAL = "kept_central"
    UNALLOCATED = "unallocated"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken off a line of the disputed document, of the sign of the line: stated, and as it was billed."""

    line: PaperLine
    minor: int
    billed_minor: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """In which currency a holder's documents are, and the frozen rates into it, by the currency billed in."""

    currency: str
    rates: Mapping[str, Rate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """What a holder carries more (or, below zero, less) because of a line of the disputed document.

    `billed_minor` is in the line's billed currency, `minor` in `currency`, that of the holder's documents.
    """

    holder: Target
    line: PaperLine
    billed_minor: int
    currency: str
    minor: int
    rate: str = ""

    @property
    def scope(self) -> Scope:
        """Within which the moves cancel out."""
        return Scope(
            self.line.invoice_issuer, self.line.invoice_id, self.line.billing_account_id, self.line.billed_currency
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """All moves of one decision. Raises `ConservationError` where those of a line do not cancel out as billed or, if
    all of them are in one currency, as stated.
    """

    holder: Target
    moves: tuple[Move, ...]

    def __post_init__(self) -> None:
        by_line: dict[int, list[Move]] = {}
        for move in self.moves:
            by_line.setdefault(move.line.number, []).append(move)
        for number, moves in by_line.items():
            one = len({move.currency for move in moves}) == 1
            if sum(move.billed_minor for move in moves) or (one and sum(move.minor for move in moves)):
                raise ConservationError(f"What is settled of line {number} does not cancel out.")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a holder's bill comes to in one currency before and after, in minor units."""

    holder: Target
    currency: str
    before_minor: int
    after_minor: int

    @property
    def minor(self) -> int:
        """By how much it moves."""
        return self.after_minor - self.before_minor


def taken(lines: Sequence[PaperLine], upheld_minor: int) -> tuple[Taken, ...]:
    """What is taken off each line, where so much is upheld of all of them together.

    `lines` are in one currency, with what remains of them. All of it takes each line whole; a part is divided in
    proportion of the lines by largest remainder, never past a line's own amount. Zero takes nothing.
    """
    minors = [line.minor for line in lines]
    total = sum(minors)
    if len({line.currency for line in lines}) > 1:
        raise SettlementError("Lines in different currencies are settled one currency after the other.")
    if not min(total, 0) <= upheld_minor <= max(total, 0):
        currency = lines[0].currency if lines else ""
        raise SettlementError(f"{_amount(upheld_minor, currency)} is more than there is to take.")
    if not upheld_minor:
        return ()
    if upheld_minor == total:
        return tuple(Taken(line, line.minor, line.billed_minor) for line in lines if line.minor or line.billed_minor)
    parts = settle([minor * abs(upheld_minor) for minor in minors], abs(total), upheld_minor)
    return tuple(Taken(line, part, _billed(line, part)) for line, part in zip(lines, parts, strict=True) if part)


def others(line: PaperLine, holder: Target, lines: Iterable[tuple[Target, PaperLine]]) -> dict[Target, int]:
    """What the other recipients of the line's pool carry of it, as billed on the same provider invoice.

    `lines` are those of the period's other documents with their holders; what has the other sign than the line does not
    count. Empty for direct cost.
    """
    found: dict[Target, int] = {}
    if line.kind is not PaperLineKind.SHARE:
        return found
    for whose, each in lines:
        if whose != holder and each.kind is PaperLineKind.SHARE and _pooled(each) == _pooled(line):
            found[whose] = found.get(whose, 0) + each.billed_minor
    return {whose: minor for whose, minor in sorted(found.items()) if minor * (line.billed_minor or line.minor) > 0}


def settlement(
    holder: Target,
    what: Sequence[Taken],
    where: Where,
    *,
    cost_group: str = "",
    recipients: Mapping[Target, Recipient] | None = None,
    sharing: Mapping[int, Mapping[Target, int]] | None = None,
) -> Settlement:
    """The moves that take `what` off the disputing holder and bring it there.

    `cost_group` is the code of the one that takes it. `sharing` says for each line number what the others carry (see
    `others`). Holders that are not in `recipients`, and what is kept central or unallocated, are in the currency that
    was billed. Raises a `SettlementError`, or `MissingRateError` for a recipient without a rate.
    """
    moves: list[Move] = []
    for each in what:
        weights = _weights(holder, each.line, where, cost_group, sharing or {})
        moves.append(Move(holder, each.line, -each.billed_minor, each.line.currency, -each.minor, each.line.rate))
        moves += _given(each, weights, recipients or {})
    return Settlement(holder, tuple(moves))


def counterfactual(made: Settlement, before: Mapping[tuple[Target, str], int] | None = None) -> tuple[Difference, ...]:
    """Whose bill moves by how much if it is upheld: the disputing holder first, then the largest moves.

    `before` are the bills as they are, by holder and currency, in minor units; what is not in it is zero.
    """
    sums: dict[tuple[Target, str], int] = {}
    for move in made.moves:
        key = (move.holder, move.currency)
        sums[key] = sums.get(key, 0) + move.minor
    bills = before or {}
    rows = [
        Difference(holder, currency, bills.get((holder, currency), 0), bills.get((holder, currency), 0) + minor)
        for (holder, currency), minor in sums.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.holder != made.holder, -abs(row.minor), row.holder, row.currency)))


def _amount(minor: int, currency: str) -> str:
    return f"{minor_text(minor, currency)} {currency}" if currency else "That"


def _billed(line: PaperLine, part: int) -> int:
    if part == line.minor:
        return line.billed_minor
    return split(line.billed_minor, [abs(part), abs(line.minor - part)])[0]


def _pooled(line: PaperLine) -> tuple[str, ...]:
    return (
        line.pool_id,
        line.invoice_issuer,
        line.invoice_id,
        line.billing_account_id,
        line.billed_currency,
        line.corrects,
    )


def _weights(
    holder: Target, line: PaperLine, where: Where, cost_group: str, sharing: Mapping[int, Mapping[Target, int]]
) -> Mapping[Target, int]:
    """Who takes it, and in which proportion."""
    if where is Where.OTHERS:
        found = {
            whose: abs(minor) for whose, minor in sharing.get(line.number, {}).items() if whose != holder and minor
        }
        if not found:
            what = f"its share of pool '{line.heading}'" if line.kind is PaperLineKind.SHARE else "direct cost"
            raise NobodyElseError(
                f"Line {line.number} is {what}, and nobody else carries a part of it.",
                advice="Choose a cost group, keep it central, or leave it unallocated.",
            )
        return found
    if where is Where.COST_GROUP and not cost_group:
        raise SettlementError("No cost group is named.", advice="Choose the one that takes the amount.")
    target = {
        Where.COST_GROUP: Target(Holder.COST_GROUP, cost_group),
        Where.KEPT_CENTRAL: KEPT_CENTRAL,
        Where.UNALLOCATED: UNALLOCATED,
    }[where]
    if target == holder:
        raise SameHolderError(f"'{holder}' disputes it and would get it back.", advice="Choose another cost group.")
    return {target: 1}


def _given(each: Taken, weights: Mapping[Target, int], recipients: Mapping[Target, Recipient]) -> list[Move]:
    """What each recipient takes of it; ties of cents go by the order of kinds and codes."""
    line = each.line
    order = sorted(weights)
    billed = split(each.billed_minor, [weights[whose] for whose in order])
    stated = split(each.minor, [weights[whose] for whose in order])
    moves = []
    for whose, part, own in zip(order, billed, stated, strict=True):
        to = recipients.get(whose) or Recipient(line.billed_currency)
        if whose.holder is not Holder.COST_GROUP or to.currency == line.billed_currency:
            move = Move(whose, line, part, line.billed_currency, part)
        elif to.currency == line.currency:
            move = Move(whose, line, part, line.currency, own, line.rate)
        else:
            move = _converted(whose, line, part, to)
        if move.billed_minor or move.minor:
            moves.append(move)
    return moves


def _converted(whose: Target, line: PaperLine, part: int, to: Recipient) -> Move:
    rate = to.rates.get(line.billed_currency)
    if rate is None or rate.to_currency != to.currency:
        raise MissingRateError(
            f"'{whose}' is stated in {to.currency}, and its document has no rate from {line.billed_currency}.",
            advice="Choose another way to settle, or issue the month with rates for both currencies.",
        )
    numerator, denominator = rate.value.numerator, rate.value.denominator
    minor = to_step(
        part * units_per_minor(line.billed_currency) * numerator, units_per_minor(to.currency) * denominator
    )
    return Move(whose, line, part, to.currency, minor, rate_text(rate))
