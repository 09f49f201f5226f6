"""A prepaid asset in the payer's own currency: used up as the part of it that the price is used up, never by rates.

What is used up so far is what the asset was booked at × what is used up of the price ÷ the price, rounded half up; an
entry takes that, less what entries before it took. Were each converted by itself, cents would stay on the asset, or
more would be taken than it was booked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from apportion.close.journals.before import Asked, counterpart
from apportion.close.journals.own_currency import with_own_amounts
from apportion.errors import ConservationError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.money.currency import exponent, minor_text
from apportion.money.split import to_step
from apportion.post.foreign import Quote, implied


def asset_line(entry: Entry) -> Posting:
    """The asset's own line of an entry of its purchase or its use."""
    return entry.postings[0] if entry.kind is EntryKind.PREPAYMENT else counterpart(entry)


def in_own_currency_too(
    asked: Asked, before: Sequence[Entry], bought: Sequence[Entry], used: Sequence[Entry]
) -> list[Entry]:
    """New entries of one commitment's purchase and use, in the payer's own currency where the asset is known in it.

    `before` are those that stand in the journals. A purchase goes at the rate of the period's run; what its price falls
    by, and a purchase that is drawn up again while instalments of it stand, at the rate that the asset came at. Entries
    are given back as they are where an asset was not booked in that currency: it was in the ledger before, or the
    settings did not name the currency then. Raises as `with_own_amounts` does, and `ConservationError` where more would
    be taken than the asset was booked at.
    """
    held = _Held.of(before)
    purchases = [_purchase(asked, before, each, held, is_last=not used) for each in bought]
    every = [*before, *purchases]
    if not any(entry.kind is EntryKind.PREPAYMENT for entry in every) or not _is_known(every):
        return [*purchases, *used]
    held = _Held.of(every)
    rate = _rate([each for each in every if each.kind is EntryKind.PREPAYMENT])
    made: list[Entry] = []
    for entry in used:
        made.append(_given(entry, rate, held.next(entry)))
        held = _Held.of([*every, *made])
    if made and (held.left < 0 or (held.left and held.used == held.price)):
        reference, currency = asset_line(made[-1]).ref, rate.currency
        raise ConservationError(
            f"Of commitment {reference}, {minor_text(held.left, currency)} {currency} would be left at the end of "
            f"{asked.period} in the company's own currency.",
            advice="Reverse the journals of its purchase and its use, and draw them up again.",
        )
    return [*purchases, *made]


@dataclass(frozen=True, slots=True)
class _Held:
    """Price and use of an asset in entries, in the commitment's currency and in the own one; minor units."""

    price: int = 0
    used: int = 0
    booked: int = 0
    taken: int = 0

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> _Held:
        purchases = [each for each in entries if each.kind is EntryKind.PREPAYMENT]
        uses = [each for each in entries if each.kind is not EntryKind.PREPAYMENT]
        return cls(
            sum(asset_line(each).amount_minor for each in purchases),
            -sum(asset_line(each).amount_minor for each in uses),
            sum(map(_own, purchases)),
            -sum(map(_own, uses)),
        )

    @property
    def left(self) -> int:
        return self.booked - self.taken

    def next(self, entry: Entry) -> int:
        """What an entry of use puts on the asset in the own currency: below zero where something is used up.

        Never on the other side than in the commitment's currency, as ledgers want it, if entries after this one can
        make up for it: instalments that were converted by themselves may have taken cents too many.
        """
        minor = asset_line(entry).amount_minor
        used = self.used - minor
        own = self.taken - to_step(self.booked * used, self.price)
        if own * minor < 0 and used != self.price and 0 <= self.left <= self.booked:
            return 0
        return own


def _purchase(asked: Asked, before: Sequence[Entry], entry: Entry, held: _Held, *, is_last: bool) -> Entry:
    """A purchase, or what its price changed by, in the own currency; with `is_last` no entry of use comes after it.

    The asset is never booked below zero by it, nor below what was taken of it where nothing comes that could settle
    that: reversals of single journals may leave a part standing that came at quite another rate.
    """
    entry = _converted(asked, before, entry, held)
    every = [*before, entry]
    if not before or not _is_known(every):
        return entry
    booked = held.booked + _own(entry)
    least = held.taken if is_last else 0
    is_used_up = is_last and held.used == held.price + asset_line(entry).amount_minor
    return _given(entry, _rate([entry]), least - held.booked) if is_used_up or booked < least else entry


def _converted(asked: Asked, before: Sequence[Entry], entry: Entry, held: _Held) -> Entry:
    line = asset_line(entry)
    purchases = [each for each in before if each.kind is EntryKind.PREPAYMENT]
    if not before or not _is_known(before) or (held.price and line.amount_minor > 0):
        return with_own_amounts(asked, [entry])[0]
    rate = _rate(purchases or before[:1])
    if not held.price:
        return _given(entry, rate, rate.local(line.amount_minor, line.currency).amount_minor)
    own = to_step(held.booked * (held.price + line.amount_minor), held.price) - held.booked
    return _given(entry, rate, own)


def _is_known(entries: Sequence[Entry]) -> bool:
    """Are all of them in one own currency?"""
    found = {line.local.currency if line.local else "" for line in map(asset_line, entries)}
    return len(found) == 1 and "" not in found


def _own(entry: Entry) -> int:
    """What an entry puts on the asset in the own currency, a difference of rates included."""
    line = asset_line(entry)
    return sum(each.local.amount_minor for each in entry.postings if each.local and _is_same(each, line))


def _is_same(one: Posting, other: Posting) -> bool:
    return (one.ledger_account, one.ref) == (other.ledger_account, other.ref)


def _rate(entries: Sequence[Entry]) -> Quote:
    """The rate that an asset came at: the one of its purchases, or what they come to together."""
    lines = list(map(asset_line, entries))
    locals_ = [line.local for line in lines if line.local]
    first = locals_[0]
    price, booked = sum(line.amount_minor for line in lines), sum(each.amount_minor for each in locals_)
    if len({(each.rate, each.inverted) for each in locals_}) == 1 or price <= 0 or booked <= 0:
        return Quote(first.currency, first.rate, first.rate_on, first.source, first.inverted)
    value = Fraction(booked * 10 ** exponent(lines[0].currency), price * 10 ** exponent(first.currency))
    return implied(first.currency, value, max(each.rate_on for each in locals_), _sources(locals_))


def _sources(locals_: Sequence[Local]) -> str:
    return ", ".join(dict.fromkeys(each.source for each in locals_))


def _given(entry: Entry, rate: Quote, own_minor: int) -> Entry:
    """The entry with `own_minor` on the asset in the own currency, and its opposite on the other line.

    Where that is on the other side than in the commitment's currency, lines of zero have it, as for any difference of
    rates: ledgers refuse a line that is a debit in one currency and a credit in the other.
    """
    asset = asset_line(entry)
    plain = [each for each in entry.postings if each.amount_minor]
    whole = own_minor if own_minor * asset.amount_minor >= 0 else 0
    postings = [
        replace(
            each,
            local=replace(
                rate.local(each.amount_minor, each.currency), amount_minor=whole if _is_same(each, asset) else -whole
            ),
        )
        for each in plain
    ]
    if off := own_minor - whole:
        postings += [
            replace(each, amount_minor=0, local=rate.difference(off if _is_same(each, asset) else -off))
            for each in plain
        ]
    return replace(entry, postings=tuple(postings))
