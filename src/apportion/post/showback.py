"""Showback in the ledger: who caused how much, counted on a statistical account, and not a cent of money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from apportion.allocate.rule import Holder
from apportion.errors import InputRefusedError
from apportion.ledger.account import tidy
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.post.mapping import BY_CODING, LedgerMapping, Postable, PostingAccounts
from apportion.post.transfer import by_number


def showback(
    documents: Sequence[Postable], entry_id: str, accounts: PostingAccounts, mapping: LedgerMapping = BY_CODING
) -> StatisticalEntry | None:
    """A line for each cost group's document and currency, on the account `statistical`; None where all are zero.

    The quantities are the totals of the documents, so they sum to what chargeback of the same documents would move.
    What is unallocated or kept central is not counted. A group without company or cost center is counted on the
    payer's. Raises `UnmappedError` without such an account, and `InputRefusedError` for several periods or none.
    """
    periods = {document.period for document in documents}
    if len(periods) != 1:
        raise InputRefusedError(f"Showback is counted for one billing period at a time, not {len(periods)}.")
    period = periods.pop()
    account, payer = accounts.code("statistical"), accounts.payer
    lines = tuple(
        StatisticalLine(
            account=account,
            company=document.coding.company or payer.company,
            cost_center=document.coding.cost_center or payer.cost_center,
            department=document.coding.department,
            unit=total.currency,
            quantity_minor=total.minor,
            text=tidy(f"Cloud cost {period}: {document.name}"),
            ref=str(document.number),
            dimensions=mapping.dimensions.get(document.holder.code, ()),
        )
        for document in sorted(documents, key=by_number)
        if document.holder.holder is Holder.COST_GROUP
        for total in document.totals
        if total.minor
    )
    if not lines:
        return None
    last_day = period.ends_on - timedelta(days=1)
    return StatisticalEntry(entry_id, last_day, last_day, f"Cloud cost {period}, showback", lines)
