"""Why a holder's total differs from the month before, taken apart into parts that sum to the difference.

Direct cost comes in as effects on resources (a price-volume variance, worked out by the warehouse and exact). Shares of
a pool are taken apart into the pool's own growth, at the former share of it, and a changed share. Late corrections are
a part of their own. All of it is worked out in the currency that was billed, brought into the statement's at the former
rate, and what another rate adds is a part again. Cents are settled once, and what settling of the two statements moved
is rounding. The method, with figures to check by hand: docs/explanation/why-a-total-changed.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from apportion.allocate.allocation import Share
from apportion.allocate.rule import Target
from apportion.errors import ConservationError
from apportion.invoice import wording
from apportion.invoice.paper import Change, Driver, Part
from apportion.invoice.statement import LineKind, Statement
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.money.exchange import shown
from apportion.money.split import settle, to_step

MOST_DRIVERS = 8


class Direct(NamedTuple):
    """A part of the change of a holder's direct cost, in units of 10⁻¹⁸ of the currency that was billed."""

    holder: Target
    currency: str
    part: Part
    units: int


class Cause(NamedTuple):
    """One of the largest reasons, as `Direct`, and what it is about in words."""

    holder: Target
    currency: str
    part: Part
    about: str
    units: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two months: its statements, and all shares of its allocation."""

    statements: Sequence[Statement]
    shares: Sequence[Share]


class _Billed(NamedTuple):
    """What a statement holds of one billed currency: exact units, and what that comes to in the statement's."""

    units: int
    currency: str
    minor: int
    rate: Fraction


_Place = tuple[Target, str]  # a holder, and the currency that was billed
_Pools = Mapping[tuple[str, str], int]


def changes(
    before: Side, after: Side, direct: Iterable[Direct], causes: Iterable[Cause] = (), *, most: int = MOST_DRIVERS
) -> dict[Target, tuple[Change, ...]]:
    """The changes of everybody who has a statement `after`, in each currency of either statement.

    `most` drivers are named, the largest first. Raises `ConservationError` where the parts found are not the
    difference of the statements: the effects are then of other charges.
    """
    former = {statement.holder: statement for statement in before.statements}
    parts: dict[_Place, dict[Part, int]] = defaultdict(lambda: defaultdict(int))
    reasons: dict[_Place, list[Cause]] = defaultdict(list)
    for each in direct:
        parts[each.holder, each.currency][each.part] += each.units
    for cause in causes:
        reasons[cause.holder, cause.currency].append(cause)
    pools = (_sizes(before.shares), _sizes(after.shares))
    found = {}
    for statement in after.statements:
        was = former.get(statement.holder)
        for cause in _beside_direct(was, statement, pools):
            parts[cause.holder, cause.currency][cause.part] += cause.units
            reasons[cause.holder, cause.currency].append(cause)
        found[statement.holder] = _changes(was, statement, parts, reasons, most)
    return found


def _sizes(shares: Iterable[Share]) -> _Pools:
    """What each pool held in each currency, without what corrects earlier months."""
    seen = {(share.pool_id, share.scope): share.pool_units for share in shares if not share.corrects}
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for (pool, scope), units in seen.items():
        sizes[pool, scope.currency] += units
    return sizes


def _beside_direct(was: Statement | None, now: Statement, pools: tuple[_Pools, _Pools]) -> Iterable[Cause]:
    """The parts of shares and of late corrections."""
    holder = now.holder
    corrected: dict[tuple[str, str], int] = defaultdict(int)
    shared: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    names: dict[str, str] = {}
    for place, statement in enumerate((was, now)):
        for line in statement.lines if statement else ():
            if line.corrects:
                corrected[line.corrects, line.scope.currency] += line.units if place else -line.units
            elif line.kind is LineKind.SHARE:
                shared[line.pool_id, line.scope.currency][place] += line.units
                names[line.pool_id] = line.pool_name or line.pool_id
    for (corrects, currency), units in corrected.items():
        yield Cause(holder, currency, Part.CORRECTION, wording.correction(corrects), units)
    for (pool, currency), (units_before, units_after) in shared.items():
        held, holds = (sizes.get((pool, currency), 0) for sizes in pools)
        grown = _grown(units_before, units_after, held, holds)
        yield Cause(holder, currency, Part.POOL, names[pool], grown)
        yield Cause(holder, currency, Part.ALLOCATION, f"Share of {names[pool]}", units_after - units_before - grown)


def _grown(units_before: int, units_after: int, held: int, holds: int) -> int:
    """What the pool's own growth makes of the difference, at the former share of it.

    Where the pool held nothing before, all of it: there was no share. What commitments and uplifts move holds nothing
    itself, and is agreed on: none of it.
    """
    if held:
        amount = (holds - held) * units_before
        return half_even(amount if held > 0 else -amount, abs(held))
    return units_after - units_before if holds else 0


def _billed(statement: Statement | None) -> dict[str, _Billed]:
    found: dict[str, _Billed] = {}
    for line in statement.lines if statement else ():
        billed = line.scope.currency
        stated = line.stated
        rate = line.charged.rate.value if line.charged else Fraction(1)
        held = found.get(billed, _Billed(0, stated.currency, 0, rate))
        found[billed] = held._replace(units=held.units + line.units, minor=held.minor + stated.minor)
    return found


class _Sum:
    """One currency of a statement, as it is added up: parts and drivers in units."""

    def __init__(self) -> None:
        self.before = self.after = 0
        self.parts: dict[Part, int] = defaultdict(int)
        self.causes: list[tuple[Part, str, int]] = []

    def add(self, part: Part, about: str, units: int) -> None:
        self.parts[part] += units
        self.causes.append((part, about, units))


def _changes(
    was: Statement | None,
    now: Statement,
    parts: Mapping[_Place, Mapping[Part, int]],
    reasons: Mapping[_Place, Sequence[Cause]],
    most: int,
) -> tuple[Change, ...]:
    sums: dict[str, _Sum] = defaultdict(_Sum)
    sides = _billed(was), _billed(now)
    for billed in sorted({*sides[0], *sides[1]}):
        old, new = (side.get(billed) for side in sides)
        if old:
            sums[old.currency].before += old.minor
        if new:
            sums[new.currency].after += new.minor
        place = (now.holder, billed)
        found = parts.get(place, {})
        difference = (new.units if new else 0) - (old.units if old else 0)
        if sum(found.values()) != difference:
            raise ConservationError(
                f"The change of '{now.holder}' in {billed} is {difference} units, its parts {sum(found.values())}.",
                advice="Files of the workspace may have been touched; allocate both months again.",
            )
        if old and new and old.currency != new.currency:
            about = f"Statement in {new.currency}, before in {old.currency}"
            sums[old.currency].add(Part.EXCHANGE, about, -_times(old.units, old.rate))
            sums[new.currency].add(Part.EXCHANGE, about, _times(new.units, new.rate))
        else:
            _convert(sums, old, new, found, reasons.get(place, ()))
    return tuple(_settled(currency, sums[currency], most) for currency in sorted(sums))


def _convert(
    sums: Mapping[str, _Sum], old: _Billed | None, new: _Billed | None, found: Mapping[Part, int], why: Sequence[Cause]
) -> None:
    """Everything at the former rate, and what another rate makes of the later amount beside it."""
    known = old or new
    if known is None:
        return
    here = sums[known.currency]
    for part, units in found.items():
        here.parts[part] += _times(units, known.rate)
    here.causes += [(cause.part, cause.about, _times(cause.units, known.rate)) for cause in why]
    if old and new and old.rate != new.rate:
        about = f"Rate of exchange {shown(new.rate)}, before {shown(old.rate)}"
        here.add(Part.EXCHANGE, about, _times(new.units, new.rate - old.rate))


def _times(units: int, rate: Fraction) -> int:
    return half_even(units * rate.numerator, rate.denominator)


def _settled(currency: str, held: _Sum, most: int) -> Change:
    """Parts in minor units; what they lack of the statements' difference is rounding."""
    step = units_per_minor(currency)
    order = [part for part in Part if held.parts.get(part)]
    minors = dict(zip(order, settle([held.parts[part] for part in order], step), strict=True))
    minors[Part.ROUNDING] = held.after - held.before - sum(minors.values())
    merged: dict[tuple[Part, str], int] = defaultdict(int)
    for part, about, units in held.causes:
        merged[part, about] += units
    drivers = [Driver(part, about, to_step(units, step)) for (part, about), units in merged.items()]
    drivers.sort(key=lambda driver: (-abs(driver.minor), driver.part, driver.about))
    return Change(
        currency,
        held.before,
        held.after,
        tuple((part, minor) for part, minor in minors.items() if minor),
        tuple(driver for driver in drivers[:most] if driver.minor),
    )
