"""What a ledger holds beside what was sent: sentences about every difference, none where they are the same."""

from __future__ import annotations

from collections.abc import Mapping

from apportion.money.currency import minor_text
from apportion.post.erp.document import Document, Spot, add, without_zeros
from apportion.post.erp.target import Holding, Standing


def differences(document: Document, expected: Mapping[Spot, int], held: Holding) -> tuple[str, ...]:
    """Of a draft or a posted entry: its day, and the minor units on each account and dimension."""
    found = list(held.problems)
    if held.posting_on != document.posting_on:
        found.append(f"The ledger has it on {held.posting_on}, not on {document.posting_on}.")
    for spot in sorted({*expected, *held.sums}):
        ours, theirs = expected.get(spot, 0), held.sums.get(spot, 0)
        if ours != theirs:
            there, sent = (minor_text(amount, document.currency) for amount in (theirs, ours))
            found.append(f"The ledger has {there} {document.currency} on {_said(spot)}, and {sent} was sent.")
    return tuple(found)


def posted_differences(document: Document, expected: Mapping[Spot, int], held: Holding) -> tuple[str, ...]:
    """The same of an entry that should be posted, with a number."""
    found = differences(document, expected, held)
    if held.standing is not Standing.POSTED or not held.number:
        return (*found, "The ledger does not show it as posted, with a number.")
    return found


def left_over(document: Document, first: Holding, reversal: Holding) -> str:
    """The first place on which an entry and its reversal are not zero together; nothing where all are."""
    left = dict(reversal.sums)
    for spot, amount in first.sums.items():
        add(left, spot, amount)
    for spot, amount in without_zeros(left).items():
        return f"{minor_text(amount, document.currency)} {document.currency} on {_said(spot)}"
    return ""


def _said(spot: Spot) -> str:
    account, codes = spot
    return " / ".join([account, *(code for _, code in codes)])
