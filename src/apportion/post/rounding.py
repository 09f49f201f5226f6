"""The account for rounding: visible, capped, and refused beyond the cap."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.errors import UnbalancedEntryError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Posting, sums
from apportion.money.currency import minor_text
from apportion.post.mapping import PostingAccounts

MOST_MINOR = 100  # 1.00 in a currency of two decimals


def rounded(
    postings: Sequence[Posting], accounts: PostingAccounts, most_minor: int = MOST_MINOR
) -> tuple[Posting, ...]:
    """The postings, and for each company and currency that is off a line on the account `rounding` that makes it up.

    It takes at most half a minor unit for each line, and at most `most_minor` in all: more is no rounding. Raises
    `UnbalancedEntryError` beyond that, and `UnmappedError` where the settings name no such account.
    """
    made = list(postings)
    for (company, currency), off in sums(postings).items():
        if not off:
            continue
        lines = sum(1 for each in postings if (each.company, each.currency) == (company, currency))
        if 2 * abs(off) > lines or abs(off) > most_minor:
            most = minor_text(min(lines // 2, most_minor), currency)
            raise UnbalancedEntryError(
                f"{lines} lines are out of balance by {minor_text(off, currency)} {currency}, and rounding explains at "
                f"most {most}.",
                advice="Look for a line that is missing or wrong.",
            )
        payer = accounts.payer
        center = payer.cost_center if company == payer.company else ""
        at = LedgerAccount(company, accounts.code("rounding"), center)
        made.append(Posting.at(at, currency, -off, "Rounding"))
    return tuple(made)
