"""Cost before its invoice, two months in a row: accrued, taken back, invoiced, trued up; the account ends at zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from apportion.close import month as closing
from apportion.errors import UnmappedError
from apportion.ledger.auditor import audit
from apportion.ledger.book import Book
from apportion.ledger.entry import EntryKind
from apportion.money.currency import units_per_minor
from apportion.post.journal import reversal
from apportion.post.lifecycle import JournalKind
from tests.rooms.close.feeding import NOVEMBER, OCTOBER, Feed, by_hledger, copied, feed, rows, with_hledger

pytestmark = pytest.mark.thorough

ACCRUAL, TRUE_UP, PROVIDER = JournalKind.ACCRUAL, JournalKind.TRUE_UP, JournalKind.PROVIDER
SEVEN_TENTHS = [{"BilledCost": "6895.00"}, {"BilledCost": "2955.00", "team": "green"}]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    found = feed(tmp_path_factory.mktemp("base") / "northwind")
    found.deliver(OCTOBER, SEVEN_TENTHS)
    return found


@pytest.fixture
def made(base: Feed, tmp_path: Path) -> Feed:
    return copied(base, tmp_path / "northwind")


def by_month(made: Feed, account: str) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for entry in made.entries:
        for each in entry.postings:
            if each.account == account:
                month = f"{entry.posting_on:%Y-%m}"
                sums[month] = sums.get(month, 0) + each.amount_minor
    return sums


def test_accrued_on_the_last_day_and_taken_back_on_the_first(made: Feed) -> None:
    accrued = made.make(ACCRUAL)
    assert rows(accrued.entries) == [
        ("2026-10-31", "600100", "9900", 9_850_00),
        ("2026-10-31", "339000", "", -9_850_00),
    ]
    assert accrued.entries[0].postings[0].ref == "Nimbus/2026-10/EUR"
    (back,) = made.make(TRUE_UP, NOVEMBER).entries
    assert (back.posting_on, back.kind, back.reverses) == (
        date(2026, 11, 1),
        EntryKind.ACCRUAL_REVERSAL,
        accrued.entries[0].id,
    )
    assert made.sums("339000") == 0
    assert made.ask(TRUE_UP, OCTOBER) is None
    assert made.ask(ACCRUAL, OCTOBER) is None  # on 31 October it is still there


def test_example_c_the_invoice_arrives_in_the_second_month(made: Feed) -> None:
    """Accrued 9,850.00, invoiced 10,000.00: November carries the 150.00, and the account of accrued cost nothing."""
    made.make(ACCRUAL)
    transfer = made.transferred()
    made.make(TRUE_UP, NOVEMBER)
    made.invoice(OCTOBER, [{"BilledCost": "10000.00"}])
    bill = made.make(PROVIDER)
    assert rows(bill.entries) == [
        ("2026-11-01", "600100", "9900", 10_000_00),
        ("2026-11-01", "330000", "", -10_000_00),
    ]
    assert bill.entries[0].belongs_to == OCTOBER
    true_up = made.make(TRUE_UP, NOVEMBER)
    assert rows(true_up.entries) == [
        ("2026-11-01", "600100", "0010", 105_00),
        ("2026-11-01", "600100", "0020", 45_00),
        ("2026-11-01", "600199", "9900", -150_00),
    ]
    assert made.known[0].entries[0].id in true_up.entries[0].text
    assert by_month(made, "339000") == {"2026-10": -9_850_00, "2026-11": 9_850_00}
    assert {(at.account, at.cost_center): minor for (at, _), minor in Book(made.entries).balances.items() if minor} == {
        ("600100", "0010"): 7_000_00,
        ("600100", "0020"): 3_000_00,
        ("600100", "9900"): 10_000_00,
        ("600199", "9900"): -10_000_00,
        ("330000", ""): -10_000_00,
    }
    assert len(transfer.entries) == 1
    assert audit(made.entries) == ()


def test_a_new_delivery_of_the_month_leaves_nothing_to_true_up(made: Feed) -> None:
    """The statements hold what changed, so that nothing else may pass it on."""
    made.make(ACCRUAL)
    made.transferred()
    made.deliver(
        OCTOBER,
        [
            {"BilledCost": "7000.00", "InvoiceId": "N-77"},
            {"BilledCost": "3000.00", "InvoiceId": "N-77", "team": "green"},
        ],
    )
    made.make(PROVIDER)
    (back,) = made.make(TRUE_UP, NOVEMBER).entries
    assert back.kind is EntryKind.ACCRUAL_REVERSAL
    assert by_month(made, "600100") == {"2026-10": 9_850_00 + 9_850_00, "2026-11": 150_00}
    assert made.sums("339000") == 0


def test_without_known_transfers_the_difference_stays_with_the_payer(made: Feed) -> None:
    made.make(ACCRUAL)
    made.invoice(OCTOBER, [{"BilledCost": "10000.00"}])
    made.make(PROVIDER)
    made.make(TRUE_UP, NOVEMBER)
    assert by_month(made, "600100") == {"2026-10": 9_850_00, "2026-11": 150_00}


def test_what_waits_longer_is_accrued_again(made: Feed) -> None:
    made.make(ACCRUAL)
    made.make(TRUE_UP, NOVEMBER)
    made.deliver(NOVEMBER, [{"BilledCost": "100.00", "InvoiceId": "N-78"}, {"BilledCost": "7.00"}])
    november = made.make(ACCRUAL, NOVEMBER)
    assert [(each.ref, each.amount_minor) for each in november.entries[0].postings[::2]] == [
        ("Nimbus/2026-10/EUR", 9_850_00),
        ("Nimbus/2026-11/EUR", 7_00),
    ]
    made.invoice(OCTOBER, [{"BilledCost": "9850.00"}])
    assert made.ask(ACCRUAL, NOVEMBER) is None
    made.make(TRUE_UP, NOVEMBER.next)
    bill = made.make(PROVIDER, OCTOBER)
    assert bill.entries[0].posting_on == date(2026, 12, 1)  # not beside the accrual of November
    assert by_month(made, "339000") == {"2026-10": -9_850_00, "2026-11": -7_00, "2026-12": 9_857_00}


def test_an_accrual_that_nobody_took_back_is_not_made_twice(made: Feed) -> None:
    made.make(ACCRUAL)
    made.deliver(NOVEMBER, [{"BilledCost": "100.00", "InvoiceId": "N-78"}])
    assert made.ask(ACCRUAL, NOVEMBER) is None


def test_a_sealed_month_is_not_accrued_again(made: Feed) -> None:
    made.make(ACCRUAL)
    closing.close(made.workspace, OCTOBER)
    made.make(TRUE_UP, NOVEMBER)
    made.deliver(NOVEMBER, [{"BilledCost": "7.00"}])
    assert [each.ref for each in made.make(ACCRUAL, NOVEMBER).entries[0].postings] == ["Nimbus/2026-11/EUR"] * 2


def test_no_journal_spans_two_fiscal_years(made: Feed) -> None:
    made.settings(fiscal_year_starts="11")
    made.make(ACCRUAL)
    hoshi = {"BilledCost": "40.00", "InvoiceId": "H-1", "InvoiceIssuerName": "Hoshi"}
    made.deliver(OCTOBER, [*({**row, "InvoiceId": "N-77"} for row in SEVEN_TENTHS), hoshi])
    days = []
    while journal := made.ask(PROVIDER):
        made.known.append(journal)
        days.append({entry.posting_on for entry in journal.entries})
    assert days == [{date(2026, 10, 31)}, {date(2026, 11, 1)}]
    assert {"EUR": -made.sums("330000") * units_per_minor("EUR")} == made.invoiced_units()


def test_part_of_the_invoices_leaves_the_rest_waiting(made: Feed) -> None:
    made.make(ACCRUAL)
    made.make(TRUE_UP, NOVEMBER)
    made.transferred()
    made.invoice(OCTOBER, [{"BilledCost": "4000.00"}])
    made.make(PROVIDER)
    assert made.ask(TRUE_UP, NOVEMBER) is None
    made.deliver(NOVEMBER, [{"BilledCost": "1.00", "InvoiceId": "N-79"}])
    november = made.make(ACCRUAL, NOVEMBER)
    assert november.entries[0].postings[1].amount_minor == -5_850_00
    made.status(OCTOBER, "Closed")  # no more invoices: 5,850.00 that the cost data held are never asked for
    true_up = made.make(TRUE_UP, NOVEMBER.next)
    assert [(each.cost_center, each.amount_minor) for each in true_up.entries[-1].postings] == [
        ("0010", -4_095_00),
        ("0020", -1_755_00),
        ("9900", 5_850_00),
    ]
    assert made.sums("339000") == 0


def test_more_cost_is_accrued_beside_what_was(made: Feed) -> None:
    made.make(ACCRUAL)
    made.deliver(OCTOBER, [*SEVEN_TENTHS, {"BilledCost": "-50.00"}])
    assert [each.amount_minor for each in made.make(ACCRUAL).entries[0].postings] == [-50_00, 50_00]
    assert len(made.make(TRUE_UP).entries) == 2
    assert made.sums("339000") == 0


def test_a_provider_whose_month_is_open_has_invoiced_nothing(made: Feed) -> None:
    made.deliver(OCTOBER, [{"BilledCost": "60.00", "InvoiceId": "N-77"}])
    made.status(OCTOBER, "Open")
    assert made.ask(PROVIDER) is None
    assert made.make(ACCRUAL).entries[0].postings[0].amount_minor == 60_00


def test_tax_that_is_reclaimed_is_not_accrued(made: Feed) -> None:
    tax = {"BilledCost": "19.00", "ChargeCategory": "Tax", "team": ""}
    made.deliver(OCTOBER, [{"BilledCost": "100.00"}, tax])
    assert made.make(ACCRUAL).entries[0].postings[0].amount_minor == 100_00
    made.settings(without="input_tax")
    made.known.clear()
    assert made.make(ACCRUAL).entries[0].postings[0].amount_minor == 119_00


def test_invoiced_and_accrued_are_all_that_the_tie_out_starts_from(made: Feed) -> None:
    made.deliver(OCTOBER, [*SEVEN_TENTHS, {"BilledCost": "40.00", "InvoiceId": "H-1", "InvoiceIssuerName": "Hoshi"}])
    made.make(ACCRUAL)
    made.make(PROVIDER)
    owed = -made.sums("330000") - made.sums("339000")
    assert {"EUR": owed * units_per_minor("EUR")} == made.invoiced_units()


def test_in_a_closed_month_it_is_taken_back_later(made: Feed) -> None:
    made.make(ACCRUAL)
    (back,) = made.make(TRUE_UP, NOVEMBER, posting_on=date(2026, 12, 1)).entries
    assert back.posting_on == date(2026, 12, 1)
    made.known.pop()
    (back,) = made.make(TRUE_UP, NOVEMBER, posting_on=date(2026, 11, 5)).entries
    assert back.posting_on == date(2026, 11, 1)


def test_a_reversed_accrual_is_made_again(made: Feed) -> None:
    first = made.make(ACCRUAL)
    made.known.append(reversal(first, date(2026, 10, 31)))
    again = made.make(ACCRUAL)
    assert rows(again.entries) == rows(first.entries)
    assert again.id != first.id
    assert len(made.make(TRUE_UP, NOVEMBER).entries) == 1


def test_a_reversed_true_up_is_made_again(made: Feed) -> None:
    """What took the accrual back and passed the difference on is undone, and comes once more under other ids."""
    made.make(ACCRUAL)
    made.transferred()
    made.invoice(OCTOBER, [{"BilledCost": "10000.00"}])
    first = made.make(TRUE_UP, NOVEMBER)
    assert made.sums("339000") == 0
    assert {entry.kind for entry in first.entries} == {EntryKind.ACCRUAL_REVERSAL, EntryKind.TRUE_UP}
    back = reversal(first, date(2026, 11, 1))
    made.known.append(back)
    assert [(entry.kind, entry.reverses) for entry in back.entries] == [
        (EntryKind.ACCRUAL, ""),
        (EntryKind.REVERSAL, first.entries[1].id),
    ]
    assert made.sums("339000") == -9_850_00
    again = made.make(TRUE_UP, NOVEMBER)
    assert rows(again.entries) == rows(first.entries)
    assert again.entries[0].reverses == back.entries[0].id
    assert made.sums("339000") == 0
    assert made.ask(TRUE_UP, NOVEMBER) is None
    (bill,) = made.make(PROVIDER).entries
    assert bill.posting_on == date(2026, 11, 1)
    ids = [entry.id for journal in made.known for entry in journal.entries]
    assert len(set(ids)) == len(ids)


def test_without_an_account_the_key_is_named(made: Feed) -> None:
    made.settings(without="accrued")
    with pytest.raises(UnmappedError, match="'accrued'"):
        made.ask(ACCRUAL)


def test_in_the_payers_own_currency_what_comes_goes(made: Feed) -> None:
    (made.root / "rates.csv").write_text("date,from,to,rate\n2026-10-30,EUR,USD,1.1000\n", encoding="utf-8")
    exchange = "{rates: [rates.csv], choose: last day, reporting_currency: EUR}"
    made.settings(ledger='  currencies: {"1000": USD}\n', exchange=exchange)
    made.allocate(OCTOBER)
    accrued = made.make(ACCRUAL)
    assert [each.local and each.local.amount_minor for each in accrued.entries[0].postings] == [10_835_00, -10_835_00]
    (back,) = made.make(TRUE_UP, NOVEMBER).entries
    assert [each.local and each.local.amount_minor for each in back.postings] == [-10_835_00, 10_835_00]


@pytest.mark.slow
@with_hledger
def test_hledger_accepts_them_all(made: Feed, tmp_path: Path) -> None:
    made.make(ACCRUAL)
    made.transferred()
    made.make(TRUE_UP, NOVEMBER)
    made.invoice(OCTOBER, [{"BilledCost": "10000.00"}])
    made.make(PROVIDER)
    made.make(TRUE_UP, NOVEMBER)
    assert by_hledger(made, tmp_path) == (0, "")
