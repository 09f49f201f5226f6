"""What reaches no cost group: unallocated, kept central, or not accepted in time; where it waits, and how much may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from apportion.allocate.rule import Holder
from apportion.errors import InputRefusedError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.currency import minor_text
from apportion.post.journal import NotPosted
from apportion.post.mapping import Postable, PostingAccounts
from apportion.post.passing_on import Head


def uncollected(documents: Iterable[Postable], reason: str) -> tuple[NotPosted, ...]:
    """Documents of cost groups that are not in the journal, say because their recipients have not accepted them.

    Their cost stays with the payer until they are; it is named, and never dropped.
    """
    return tuple(
        NotPosted(str(document.number), document.holder.holder, total.currency, total.minor, reason)
        for document in documents
        if document.holder.holder is Holder.COST_GROUP
        for total in document.totals
        if total.minor
    )


def set_apart(head: Head, stays: Sequence[NotPosted], accounts: PostingAccounts) -> Entry | None:
    """Moves what nobody owns, or nobody has accepted, from the payer's cost center to `suspense_cost_center`.

    On the same account, so that the sum of the account stays what it was. Kept central cost stays where it is: that is
    the policy's choice. None where there is nothing. Raises `UnmappedError` where the settings name no such center.
    """
    waiting = [each for each in stays if each.holder is not Holder.KEPT_CENTRAL and each.minor]
    if not waiting:
        return None
    suspense = replace(accounts.expense, cost_center=accounts.code("suspense_cost_center"))
    sums: dict[str, int] = {}
    for each in waiting:
        sums[each.currency] = sums.get(each.currency, 0) + each.minor
    return head.entry(
        EntryKind.COST_TRANSFER,
        [
            *(
                Posting.at(suspense, each.currency, each.minor, f"{each.statement}: {each.reason}", each.statement)
                for each in waiting
            ),
            *(Posting.at(accounts.expense, currency, -minor, head.text) for currency, minor in sums.items()),
        ],
    )


def require_below(stays: Iterable[NotPosted], most_minor: Mapping[str, int]) -> None:
    """Raise `InputRefusedError` where more is unallocated in a currency than `most_minor` says: the close is blocked.

    A currency without a limit may have none at all. Amounts below zero count with their size.
    """
    sums: dict[str, int] = {}
    for each in stays:
        if each.holder is Holder.UNALLOCATED:
            sums[each.currency] = sums.get(each.currency, 0) + abs(each.minor)
    over = [
        f"{minor_text(minor, currency)} {currency} (at most {minor_text(most_minor.get(currency, 0), currency)})"
        for currency, minor in sorted(sums.items())
        if minor > most_minor.get(currency, 0)
    ]
    if over:
        raise InputRefusedError(
            f"Too much has no owner: {', '.join(over)}.", advice="Add rules to the policy, or raise the limit."
        )
