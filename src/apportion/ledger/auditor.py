"""The auditor: a second, independent look at entries, which trusts none of the checks that made them.

It adds up decimal text as exact fractions, entry by entry and over the whole ledger, where the entries themselves were
checked as integers; the two share no arithmetic. Other programs (hledger, beancount) let residues below a minor unit
pass; this does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from apportion.ledger.entry import Entry
from apportion.money.currency import minor_text


@dataclass(frozen=True, slots=True)
class OffBalance:
    """What does not sum to zero: an entry (or the whole ledger, without an id), in one company and currency.

    `amount` is plain decimal text or a fraction; `own` says that it is the sum in the company's own currency.
    """

    entry: str
    company: str
    currency: str
    amount: str
    own: bool = False


def audit(entries: Iterable[Entry]) -> tuple[OffBalance, ...]:
    """Everything that is off by however little; nothing where debits equal credits everywhere."""
    found: list[OffBalance] = []
    whole: dict[tuple[str, str, bool], Fraction] = {}
    for entry in entries:
        sums: dict[tuple[str, str, bool], Fraction] = {}
        own = {posting.company: posting.local.currency for posting in entry.postings if posting.local}
        for posting in entry.postings:
            amount = Fraction(minor_text(posting.amount_minor, posting.currency))
            _add(sums, (posting.company, posting.currency, False), amount)
            if posting.company in own:
                local = posting.local
                said = minor_text(local.amount_minor, local.currency) if local else str(amount)
                currency = local.currency if local else posting.currency
                _add(sums, (posting.company, currency, True), Fraction(said))
        found += [_off(entry.id, key, amount) for key, amount in sums.items() if amount]
        for key, amount in sums.items():
            _add(whole, key, amount)
    return (*found, *(_off("", key, amount) for key, amount in whole.items() if amount))


def _add(sums: dict[tuple[str, str, bool], Fraction], key: tuple[str, str, bool], amount: Fraction) -> None:
    sums[key] = sums.get(key, Fraction(0)) + amount


def _off(entry: str, key: tuple[str, str, bool], amount: Fraction) -> OffBalance:
    company, currency, own = key
    return OffBalance(entry, company, currency, str(amount), own)
