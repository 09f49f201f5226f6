"""Showback documents as quantities on a statistical account: whoever has the documents gives them."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.close.journals.before import DRAFT, Before
from apportion.close.month import posting_accounts
from apportion.ledger.statistical import StatisticalEntry
from apportion.post.journal import Journal
from apportion.post.mapping import BY_CODING, LedgerMapping, Postable
from apportion.post.showback import showback
from apportion.settings import Settings


def counted(
    documents: Sequence[Postable], settings: Settings, known: Sequence[Journal], mapping: LedgerMapping = BY_CODING
) -> Journal | None:
    """The journal that counts one period's documents of cost groups in showback; None where all are counted already.

    `documents` are those in showback and no others. One that a line in `known` names, and that was not taken back, is
    left out. Raises `UnmappedError` without a statistical account, and `InputRefusedError` for several periods.
    """
    before = Before(known)
    done = {(line.ref, line.unit) for entry in before.counted for line in entry.lines}
    waiting = [
        each
        for each in documents
        if any(total.minor and (str(each.number), total.currency) not in done for total in each.totals)
    ]
    if not waiting:
        return None
    entry: StatisticalEntry | None = showback(waiting, DRAFT, posting_accounts(settings), mapping)
    return before.journal(waiting[0].period, (), [entry]) if entry else None
