"""Commitments paid upfront: the purchase becomes an asset, and each month takes its days' part of it back into cost.

The part goes to the payer's cost, where the purchase came from: whoever used the commitment takes it over with the cost
transfer, since documents on effective cost hold it. So nobody is charged twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from apportion.close.journals.before import DRAFT, Asked, last_day
from apportion.close.journals.own_asset import asset_line, in_own_currency_too
from apportion.close.journals.purchases import Prepaid, on_effective_cost, prepaid
from apportion.errors import ConservationError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.currency import minor_text
from apportion.post import prepaid as accounting
from apportion.post.passing_on import Head, Share, pass_on


def entries(asked: Asked) -> list[Entry]:
    """Purchases that are no asset yet, and what is used up of each at the period's end and not taken into cost yet.

    Nothing on billed cost: there the purchase is charged when it is billed. Raises `UnmappedError`, and
    `ConservationError` where an asset would be anything but the part of its price that is not used up.
    """
    found = prepaid(asked)
    if not found or not on_effective_cost(asked):
        return []
    made: list[Entry] = []
    for one in found:
        before = _of(asked, one)
        if any(entry.document_on > asked.last_day for entry in before):
            continue  # a later month took this one's part along
        bought = _purchase(asked, one, before)
        used = _used(asked, one, before)
        _require_unused_part(asked, one, (*before, *bought, *used))
        made += in_own_currency_too(asked, before, bought, used)
    return made


def _of(asked: Asked, one: Prepaid) -> list[Entry]:
    """Entries about a commitment: its id is the reference of the asset's own line."""
    return [
        entry
        for entry in asked.before.standing(EntryKind.PREPAYMENT, EntryKind.AMORTISATION)
        if asset_line(entry).ref == one.commitment.id and entry.postings[0].currency == one.commitment.currency
    ]


def _on_asset(entries: Iterable[Entry], kind: EntryKind) -> int:
    return sum(asset_line(entry).amount_minor for entry in entries if entry.kind is kind)


def _used_before(asked: Asked, one: Prepaid) -> int:
    """What was used up before the first period that there is, of a commitment that is in the ledger already."""
    first = min(asked.workspace.periods(), default=asked.period)
    return one.commitment.used_minor(last_day(first.previous)) if one.is_older else 0


def _require_unused_part(asked: Asked, one: Prepaid, entries: Sequence[Entry]) -> None:
    commitment = one.commitment
    opening = commitment.upfront_minor if one.is_older else _on_asset(entries, EntryKind.PREPAYMENT)
    asset = opening - _used_before(asked, one) + _on_asset(entries, EntryKind.AMORTISATION)
    wanted = 0 if _has_ended(asked, commitment) else commitment.upfront_minor - commitment.used_minor(asked.last_day)
    if asset != wanted or asset < 0:
        raise ConservationError(
            f"Of commitment {commitment.id}, {minor_text(asset, commitment.currency)} {commitment.currency} would be "
            f"prepaid at the end of {asked.period}, and {minor_text(wanted, commitment.currency)} is not used up.",
            advice="Reverse the journals of its purchase and its use, and draw them up again.",
        )


def _has_ended(asked: Asked, commitment: accounting.Commitment) -> bool:
    return commitment.ended_on is not None and commitment.ended_on <= asked.last_day


def _purchase(asked: Asked, one: Prepaid, before: Sequence[Entry]) -> list[Entry]:
    """The asset, or what its price differs from what it was booked at before."""
    if one.is_older:
        return []
    more = one.commitment.upfront_minor - _on_asset(before, EntryKind.PREPAYMENT)
    entry = accounting.purchase(replace(one.commitment, upfront_minor=more), DRAFT, asked.last_day, asked.accounts)
    if entry is None:
        return []
    if one.on_invoice:
        # The invoice is among the payables as a whole: what becomes an asset comes out of its cost.
        asset, _ = entry.postings
        cost = Posting.at(asked.accounts.expense, asset.currency, -more, asset.text, asset.ref)
        entry = replace(entry, postings=(asset, cost))
    return [asked.posted(entry, asked.period, asked.day)]


def _used(asked: Asked, one: Prepaid, before: Sequence[Entry]) -> list[Entry]:
    """What is used up until the period's end, less what is in the journals; and what an early end leaves."""
    commitment = one.commitment
    used = commitment.used_minor(asked.last_day)
    done = _used_before(asked, one) - _on_asset(before, EntryKind.AMORTISATION)
    ended = _has_ended(asked, commitment)
    if done == (commitment.upfront_minor if ended else used):
        return []
    rest = accounting.end_early(commitment, asked.accounts.expense, DRAFT, asked.accounts) if ended else None
    return [asked.posted(entry, asked.period, asked.day) for entry in (_month(asked, one, used - done), rest) if entry]


def _month(asked: Asked, one: Prepaid, minor: int) -> Entry | None:
    """The month's part by the schedule; with the months before it, where they are not in the journals."""
    shares = [Share(asked.accounts.expense, 1)]
    entry = accounting.amortise(one.commitment, asked.period, shares, DRAFT, asked.accounts)
    if entry and -asset_line(entry).amount_minor == minor:
        return entry
    if not minor:
        return None
    id_ = one.commitment.id
    head = Head(DRAFT, asked.last_day, asked.last_day, f"Used up until {asked.period}: {one.commitment.name}")
    prepaid_account = asked.accounts.at("prepaid")
    named = [replace(shares[0], ref=id_)]
    made = pass_on(head, EntryKind.AMORTISATION, minor, one.commitment.currency, named, prepaid_account)
    *cost, asset = made.postings
    return replace(made, postings=(*cost, replace(asset, ref=id_)))
