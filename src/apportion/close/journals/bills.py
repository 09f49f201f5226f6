"""The providers' invoices of a period among the payables, each once; what changed on one since is another entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apportion.close.journals.before import DRAFT, Asked, counterpart, ref
from apportion.close.journals.invoiced import accrual_ref, invoiced, minor
from apportion.errors import ConservationError
from apportion.ledger.account import tidy
from apportion.ledger.entry import Entry, EntryKind
from apportion.money.currency import minor_text, units_per_minor
from apportion.periods import BillingPeriod
from apportion.post.voucher import ProviderBill, voucher
from apportion.reconcile.provider_invoice import ProviderInvoice


@dataclass(frozen=True, slots=True)
class _Booked:
    """What is owed for one invoice, and the tax that is part of it; minor units."""

    owed: int = 0
    tax: int = 0


def entries(asked: Asked) -> list[Entry]:
    """A voucher for each issued invoice of the period that is not booked, or for what it differs from what is.

    A voided invoice takes back what was booked for it. Tax is on `input_tax` where the settings name that account, and
    part of the cost where they do not. An invoice whose cost was accrued is posted when the accrual is taken back, not
    before: else both would stand in one month. Raises `UnmappedError`, and `ConservationError` where the books would
    not owe what the invoices ask for.
    """
    booked = _booked(asked)
    made: list[Entry] = []
    owed: dict[str, int] = {}
    asked_for: dict[str, tuple[int, int]] = {}
    for invoice in invoiced(asked, asked.period).issued:
        before = booked.get(_key(invoice), _Booked())
        bill = _bill(asked, invoice, before)
        currency = bill.currency
        units, count = asked_for.get(currency, (0, 0))
        asked_for[currency] = (units + invoice.units, count + 1)
        owed[currency] = owed.get(currency, 0) + before.owed + bill.net_minor + bill.tax_minor
        if bill.net_minor or bill.tax_minor:
            day = _until(asked, invoice)
            made.append(asked.posted(voucher(bill, DRAFT, day, asked.accounts), asked.period, day))
    _require_same(owed, asked_for)
    return made


def _bill(asked: Asked, invoice: ProviderInvoice, before: _Booked) -> ProviderBill:
    """What is still to be booked of an invoice."""
    key = invoice.key
    tax = minor(invoice.tax_units, key.currency) if asked.reclaims_tax else 0
    whole = minor(invoice.units, key.currency)
    more, more_tax = whole - before.owed, tax - before.tax
    net = more - more_tax if more else 0
    return ProviderBill(
        issuer=tidy(key.invoice_issuer),
        number=ref(key.invoice_id),
        dated_on=asked.last_day,
        currency=key.currency,
        net=((net, None),),
        tax_minor=more_tax if more else 0,
    )


def _key(invoice: ProviderInvoice) -> tuple[str, str, str]:
    number = ref(invoice.key.invoice_id)
    return (number, f"{tidy(invoice.key.invoice_issuer)} {number}", invoice.key.currency)


def _booked(asked: Asked) -> dict[tuple[str, str, str], _Booked]:
    """What stands in the journals already, by reference, text and currency: two providers may use one number."""
    found: dict[tuple[str, str, str], _Booked] = {}
    for entry in asked.before.standing(EntryKind.VOUCHER, EntryKind.CREDIT):
        if BillingPeriod.of(entry.document_on) != asked.period:
            continue  # a number may stand on the bills of two months, and each has its part
        payable = counterpart(entry)
        key = (payable.ref, payable.text, payable.currency)
        old = found.get(key, _Booked())
        tax = sum(each.amount_minor for each in entry.postings if each.account == asked.accounts.input_tax)
        found[key] = _Booked(old.owed - payable.amount_minor, old.tax + tax)
    return found


def _until(asked: Asked, invoice: ProviderInvoice) -> date:
    """The day to post an invoice on: never before the accrual of its cost is taken back."""
    accrued = accrual_ref(invoice.key.invoice_issuer, str(asked.period), invoice.key.currency)
    days = (
        asked.before.taken_back_on(entry) or asked.before.due_back_on(entry)
        for entry in asked.before.all(EntryKind.ACCRUAL)
        if any(posting.ref == accrued for posting in entry.postings)
    )
    return max([asked.day, *days])


def _require_same(owed: dict[str, int], asked_for: dict[str, tuple[int, int]]) -> None:
    """Both sums must agree but for half a minor unit for each invoice, where its cost data has more decimals."""
    for currency, (units, count) in asked_for.items():
        off = owed[currency] * units_per_minor(currency) - units
        if 2 * abs(off) > count * units_per_minor(currency):
            raise ConservationError(
                f"The books would owe {minor_text(owed[currency], currency)} {currency}, which is not what the "
                "providers' invoices ask for."
            )
