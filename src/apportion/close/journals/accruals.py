"""Cost without a provider's invoice: accrued at the end of a month, taken back on the first of the next, and trued up.

What still waits a month later is accrued again, under the same reference. So at every month's end the account of
accrued cost holds what no provider has invoiced, and nothing else. Of a sealed month nothing can be delivered any more:
it is taken back and not accrued again, and its invoice is a matter of the ledger's own payables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from apportion.close.journals.before import DRAFT, Asked, counterpart
from apportion.close.journals.invoiced import Bill, Invoiced, accrual_ref, invoiced, minor
from apportion.errors import ConservationError
from apportion.ledger.account import LedgerAccount, tidy
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.split import split
from apportion.periods import BillingPeriod
from apportion.post.accrual import Expected, accrue, reverse, true_up
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share


@dataclass(frozen=True, slots=True)
class _Accrued:
    """What one reference of an accrual is about."""

    bill: Bill
    period: BillingPeriod


def accrued(asked: Asked) -> list[Entry]:
    """What waits for its invoice at the period's end, of this period and of earlier ones that were accrued before.

    Only what the account of accrued cost does not hold on that day already. Raises `UnmappedError`.
    """
    day = max(asked.day, asked.last_day)
    held = _held(asked, day)
    expected: list[Expected] = []
    for period in _periods(asked):
        waiting = invoiced(asked, period).waiting
        for bill, units in sorted(waiting.items()):
            ref = accrual_ref(bill.issuer, str(period), bill.currency)
            more = minor(units, bill.currency) - held.get((ref, bill.currency), 0)
            if more:
                expected.append(Expected(ref, bill.currency, more, f"{tidy(bill.issuer)} {period}"))
    if not expected:
        return []
    entry = accrue(asked.period, expected, DRAFT, asked.accounts)
    return [asked.posted(entry, asked.period, day)]


def taken_back(asked: Asked) -> list[Entry]:
    """Every accrual up to the period that nothing takes back yet, mirrored on the first of the month after it.

    Beside it the difference, where the provider's invoice is another than the cost data that statements are made of:
    nothing else would pass it on. It goes by the weights of the cost transfers among the known journals of the month
    that the cost is of; where there are none, the whole difference stays with the payer. Raises `UnmappedError`.
    """
    made: list[Entry] = []
    accruals = [entry for entry in asked.before.standing(EntryKind.ACCRUAL) if entry.document_on <= asked.last_day]
    for entry in accruals:
        day = asked.before.due_back_on(entry)
        if asked.posting_on and BillingPeriod.of(asked.posting_on) > BillingPeriod.of(day):
            day = asked.posting_on  # the ledger has closed the month that it should be in
        made.append(replace(reverse(entry), posting_on=day))
    _require_zero(accruals, made)
    return [*made, *_differences(asked, made)]


def _periods(asked: Asked) -> tuple[BillingPeriod, ...]:
    """This period, and the earlier ones of which something was accrued and whose invoices can still be delivered."""
    earlier = {each.period for _, each in _references(asked) if each.period < asked.period}
    return (*(each for each in sorted(earlier) if asked.workspace.sealed(each) is None), asked.period)


def _references(asked: Asked) -> Iterator[tuple[str, _Accrued]]:
    """The references of all accruals so far, each once. The text beside one is the issuer's name and the period."""
    seen: set[str] = set()
    for entry in asked.before.all(EntryKind.ACCRUAL):
        for posting in entry.postings:
            issuer, _, month = posting.text.rpartition(" ")
            if posting.ref not in seen and posting.ref == accrual_ref(issuer, month, posting.currency):
                seen.add(posting.ref)
                yield posting.ref, _Accrued(Bill(issuer, posting.currency), BillingPeriod.parse(month))


def _held(asked: Asked, day: date) -> dict[tuple[str, str], int]:
    """What the account of accrued cost holds on a day, by reference and currency, as cost above zero."""
    found: dict[tuple[str, str], int] = {}
    for entry in asked.before.all(EntryKind.ACCRUAL, EntryKind.ACCRUAL_REVERSAL):
        if entry.posting_on <= day:
            for posting in entry.postings[1::2]:  # cost and its counterpart take turns
                key = (posting.ref, posting.currency)
                found[key] = found.get(key, 0) - posting.amount_minor
    return found


def _require_zero(accruals: Sequence[Entry], made: Sequence[Entry]) -> None:
    sums: dict[tuple[LedgerAccount, str, str], int] = {}
    for entry in (*accruals, *made):
        for posting in entry.postings:
            key = (posting.ledger_account, posting.currency, posting.ref)
            sums[key] = sums.get(key, 0) + posting.amount_minor
    if any(sums.values()):
        raise ConservationError("What takes the accruals back does not bring their accounts to zero.")


def _differences(asked: Asked, made: Sequence[Entry]) -> Iterator[Entry]:
    taken = {entry.reverses for entry in made}
    done = [
        entry
        for entry in asked.before.all(EntryKind.ACCRUAL)
        if entry.id in taken or asked.before.taken_back_on(entry) is not None
    ]
    months: dict[BillingPeriod, Invoiced] = {}
    for ref, what in _references(asked):
        accruals = [entry for entry in done if any(posting.ref == ref for posting in entry.postings)]
        if not accruals:
            continue
        if what.period not in months:
            months[what.period] = invoiced(asked, what.period)
        entry = _difference(asked, ref, what, months[what.period], accruals[-1])
        if entry:
            yield entry


def _difference(asked: Asked, ref: str, what: _Accrued, month: Invoiced, accrual: Entry) -> Entry | None:
    bill = _spelled(month, what.bill)
    if bill in month.waiting or bill not in month.invoiced:
        return None  # not all of it is there
    shares, others = _weights(asked, what)
    if not shares:
        return None
    currency = bill.currency
    cost, owed = minor(month.cost.get(bill, 0), currency), minor(month.invoiced[bill], currency)
    passed_on, _ = split(owed - cost, [sum(share.weight for share in shares), others])
    before = sum(
        -counterpart(entry).amount_minor
        for entry in asked.before.standing(EntryKind.TRUE_UP)
        if any(posting.ref == ref for posting in entry.postings)
    )
    day = max(asked.before.due_back_on(accrual), asked.posting_on or accrual.posting_on)
    head = Head(DRAFT, day, day, f"True-up of {accrual.id}: {what.bill.issuer} {what.period}")
    named = [replace(share, ref=ref) for share in shares]
    return true_up(head, cost + before, cost + passed_on, currency, named, asked.accounts)


def _spelled(month: Invoiced, bill: Bill) -> Bill:
    """The bill under the issuer's name as delivered: a journal keeps no double blanks."""
    named = {Bill(tidy(each.issuer), each.currency): each for each in (*month.cost, *month.invoiced)}
    return named.get(bill, bill)


def _weights(asked: Asked, what: _Accrued) -> tuple[list[Share], int]:
    """Who took cost of that month and currency over by known transfers, and how much went to other companies."""
    sums: dict[LedgerAccount, int] = {}
    for entry in asked.before.standing(EntryKind.COST_TRANSFER):
        if _period(entry) == what.period:
            for posting in entry.postings:
                if posting.currency == what.bill.currency and _is_passed_on(asked.accounts, posting):
                    at = posting.ledger_account
                    sums[at] = sums.get(at, 0) + posting.amount_minor
    company = asked.accounts.payer.company
    others = sum(minor for at, minor in sums.items() if at.company != company and minor > 0)
    return [Share(at, minor) for at, minor in sums.items() if at.company == company and minor > 0], others


def _is_passed_on(accounts: PostingAccounts, posting: Posting) -> bool:
    """Is it a cost group's side of a transfer? Neither the payer's nor what stands between companies is."""
    return bool(posting.ref) and not posting.partner and posting.cost_center != accounts.suspense_cost_center


def _period(entry: Entry) -> BillingPeriod:
    return entry.belongs_to or BillingPeriod.of(entry.document_on)
