"""Postings in a company's own currency: the rate and where it is from, the conversion cent, and realised differences.

Every converted amount is the amount at the rate that stands beside it, rounded half up to minor units, so that anybody
can work it out again; where that leaves cents between an entry's lines and its sum, one visible line takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from apportion.errors import BadValueError, InputRefusedError, MissingRateError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.money.amount import half_even
from apportion.money.currency import exponent
from apportion.money.exchange import Rate, exact_text
from apportion.money.split import to_step
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head

_PLACES = 12


@dataclass(frozen=True, slots=True)
class Quote:
    """A rate into `currency`, a company's own, as decimal text; `inverted`, its day and source as on a `Local`."""

    currency: str
    rate: str
    rate_on: date
    source: str
    inverted: bool = False

    def local(self, amount_minor: int, currency: str) -> Local:
        """An amount of another currency in this one. Raises `BadValueError` for a rate that is none."""
        blank = Local(self.currency, 0, self.rate, self.rate_on, self.source, self.inverted)
        value = blank.value
        return replace(
            blank,
            amount_minor=to_step(
                amount_minor * value.numerator * 10 ** exponent(self.currency),
                value.denominator * 10 ** exponent(currency),
            ),
        )

    def difference(self, amount_minor: int) -> Local:
        """An amount in this currency alone, of which nothing was converted."""
        return Local(self.currency, amount_minor, "", self.rate_on, self.source)


def quote(rate: Rate) -> Quote:
    """A rate of `money.exchange` as it is printed beside amounts: as quoted where it is one published figure.

    A cross rate, a mean, or a figure of more decimals is printed to twelve decimals and used as it is printed.
    """
    legs = rate.legs
    sources = ", ".join(dict.fromkeys(leg.source for leg in legs))
    single = len(legs) == 1
    value = legs[0].quoted if single else rate.value
    inverted = single and legs[0].inverted
    last_on = max(leg.last_on for leg in legs)
    if not single:
        return implied(rate.to_currency, value, last_on, sources)
    return Quote(rate.to_currency, _decimal(value), last_on, sources, inverted)


def implied(currency: str, value: Fraction, rate_on: date, source: str) -> Quote:
    """A rate that nobody published: what others come to, printed to twelve decimals."""
    if value < 1:  # the other way round it has more figures before the last decimal
        return Quote(currency, _decimal(Fraction(value.denominator, value.numerator)), rate_on, source, True)
    return Quote(currency, _decimal(value), rate_on, source)


def _decimal(value: Fraction) -> str:
    text = exact_text(value)
    if "/" not in text and len(text.partition(".")[2]) <= _PLACES:
        return text
    return exact_text(Fraction(half_even(value.numerator * 10**_PLACES, value.denominator), 10**_PLACES))


def in_own_currency(entry: Entry, quotes: Mapping[tuple[str, str], Quote], accounts: PostingAccounts) -> Entry:
    """The entry with every posting also in its company's own currency; `quotes` by (company, the posting's currency).

    Companies for whose postings there is no quote keep their books in that currency. The largest posting of a company
    is the sum that the others add up to, and keeps its amount; cents between them go to the account
    `exchange_rounding`, where the settings name one, else to the largest of the others (the first of equal ones).

    Raises `MissingRateError` where a company has a quote for some of its postings only.
    """
    by_company: dict[str, list[Posting]] = {}
    for posting in entry.postings:
        by_company.setdefault(posting.company, []).append(posting)
    converted = {company: iter(_company(mine, quotes, accounts)) for company, mine in by_company.items()}
    left = {company: len(mine) for company, mine in by_company.items()}
    made: list[Posting] = []
    for posting in entry.postings:  # in the entry's own order, a line for cents behind its company's last
        made.append(next(converted[posting.company]))
        left[posting.company] -= 1
        if not left[posting.company]:
            made.extend(converted[posting.company])
    return replace(entry, postings=tuple(made))


def _company(
    mine: Sequence[Posting], quotes: Mapping[tuple[str, str], Quote], accounts: PostingAccounts
) -> list[Posting]:
    found = {posting.currency: quotes.get((posting.company, posting.currency)) for posting in mine}
    own = {each.currency for each in found.values() if each}
    if not own:
        return list(mine)
    if len(own) > 1 or any(each is None and currency not in own for currency, each in found.items()):
        raise MissingRateError(
            f"Not every posting of company {mine[0].company} has a rate into its own currency.",
            advice="Give one for each currency, all into the same one.",
        )
    made = [
        replace(posting, local=each.local(posting.amount_minor, posting.currency))
        if (each := found[posting.currency])
        else posting
        for posting in mine
    ]
    off = sum(posting.local.amount_minor if posting.local else posting.amount_minor for posting in made)
    return _with_cents(made, off, next(each for each in found.values() if each), accounts) if off else made


def _with_cents(made: list[Posting], off: int, used: Quote, accounts: PostingAccounts) -> list[Posting]:
    header, *others = sorted(range(len(made)), key=lambda place: (-abs(made[place].amount_minor), place))
    if accounts.exchange_rounding:
        whole = made[header]
        at = _at(accounts, whole.company, accounts.exchange_rounding)
        line = Posting.at(at, whole.currency, 0, "Rounding of converted amounts")
        return [*made, replace(line, local=used.difference(-off))]
    for place in others:
        local = made[place].local
        if local:
            made[place] = replace(made[place], local=replace(local, amount_minor=local.amount_minor - off))
            return made
    raise InputRefusedError(
        "No line can take the cents of conversion.", advice="Name an account 'exchange_rounding' in the settings."
    )


def settle(
    head: Head,
    owed: Posting,
    bank: LedgerAccount,
    paid: Quote,
    accounts: PostingAccounts,
    paid_minor: int | None = None,
) -> Entry:
    """The payment of something owed in another currency, and the difference that its rate made.

    `owed` is the open posting with its amount in the own currency (a payable is below zero), `paid` the rate of the
    payment, `paid_minor` how much of it is paid (without a sign; None: all). What was owed goes at its own rate, the
    bank at the payment's, and the difference is a loss or gain in the own currency alone. Raises `BadValueError` for
    something owed without an own currency, or more paid than owed, and `UnmappedError`.
    """
    if owed.local is None or owed.local.currency != paid.currency:
        raise BadValueError(f"What is owed has no amount in {paid.currency}.", advice="Convert its entry first.")
    whole = abs(owed.amount_minor)
    part = whole if paid_minor is None else paid_minor
    if not 0 < part <= whole:
        raise BadValueError(f"{part} is not a part of what is owed, {whole}.")
    sign = 1 if owed.amount_minor > 0 else -1
    booked = replace(owed.local, amount_minor=sign * to_step(abs(owed.local.amount_minor) * part, whole))
    cleared = replace(owed, amount_minor=sign * part, local=booked, text=head.text).mirror()
    payment = replace(
        Posting.at(bank, owed.currency, sign * part, head.text, owed.ref),
        local=paid.local(sign * part, owed.currency),
    )
    off = -booked.amount_minor + (payment.local.amount_minor if payment.local else 0)
    postings = [cleared, payment]
    if off:
        role = "exchange_loss" if off < 0 else "exchange_gain"
        at = _at(accounts, owed.company, accounts.code(role))
        line = Posting.at(at, owed.currency, 0, head.text, owed.ref)
        postings.append(replace(line, local=paid.difference(-off)))
    return head.entry(EntryKind.EXCHANGE_DIFFERENCE, postings)


def _at(accounts: PostingAccounts, company: str, account: str) -> LedgerAccount:
    """An account for what rates leave over: the payer's on its cost center and department, another company's bare."""
    payer = accounts.payer
    codes = (payer.cost_center, payer.department) if company == payer.company else ()
    return LedgerAccount(company, account, *codes)
