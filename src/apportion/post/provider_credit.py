"""A provider's credit: passed on, kept central, or given to whoever caused the cost that it is for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from apportion.errors import BadValueError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share, pass_on


class CreditGoes(StrEnum):
    """Where a provider's credit goes to; which, is finance's choice."""

    PASSED_ON = "passed_on"
    KEPT_CENTRAL = "kept_central"
    TO_CAUSE = "to_cause"


def credit(
    head: Head,
    minor: int,
    currency: str,
    goes: CreditGoes,
    shares: Sequence[Share],
    accounts: PostingAccounts,
    cause: LedgerAccount | None = None,
) -> Entry | None:
    """The cost transfer of a credit, `minor` below zero; None where it is kept central. The payable is a voucher's.

    Passed on, it is split by the weights that the cost was split by. Raises `BadValueError` for an amount above zero
    and for no cause where it goes to one, and as `pass_on` does.
    """
    if minor >= 0:
        raise BadValueError("A credit is an amount below zero.")
    if goes is CreditGoes.KEPT_CENTRAL:
        return None
    if goes is CreditGoes.TO_CAUSE:
        if cause is None:
            raise BadValueError("Nobody is named who caused what the credit is for.", advice="Name the cost group.")
        shares = [Share(cause, 1)]
    return pass_on(head, EntryKind.CREDIT, minor, currency, shares, accounts.contra)
