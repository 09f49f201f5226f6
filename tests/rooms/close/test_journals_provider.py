"""The providers' invoices as payables: each once, what changed on it since, tax apart, and none that is not issued."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion.errors import InputRefusedError, UnmappedError
from apportion.ledger.entry import EntryKind
from apportion.money.currency import units_per_minor
from apportion.post.journal import reversal
from apportion.post.lifecycle import JournalKind
from tests.rooms.close.feeding import NOVEMBER, OCTOBER, Feed, copied, feed, rows

pytestmark = pytest.mark.thorough

BILL = [
    {"BilledCost": "1000.40", "InvoiceId": "N-77"},
    {"BilledCost": "500.10", "InvoiceId": "N-77", "team": "green"},
    {"BilledCost": "285.10", "InvoiceId": "N-77", "ChargeCategory": "Tax", "team": ""},
    {"BilledCost": "40.00", "InvoiceId": "H 1", "InvoiceIssuerName": "Hoshi"},
    {"BilledCost": "-15.00", "InvoiceId": "H-2", "InvoiceIssuerName": "Hoshi", "ChargeCategory": "Credit"},
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    found = feed(tmp_path_factory.mktemp("base") / "northwind")
    found.deliver(OCTOBER, BILL)
    return found


@pytest.fixture
def made(base: Feed, tmp_path: Path) -> Feed:
    return copied(base, tmp_path / "northwind")


def test_each_invoice_is_a_voucher_with_its_tax_apart(made: Feed) -> None:
    journal = made.make(JournalKind.PROVIDER)
    assert rows(journal.entries) == [
        ("2026-10-31", "600100", "9900", 40_00),
        ("2026-10-31", "330000", "", -40_00),
        ("2026-10-31", "600100", "9900", -15_00),
        ("2026-10-31", "330000", "", 15_00),
        ("2026-10-31", "600100", "9900", 1_500_50),
        ("2026-10-31", "157700", "", 285_10),
        ("2026-10-31", "330000", "", -1_785_60),
    ]
    assert [entry.kind for entry in journal.entries] == [EntryKind.VOUCHER, EntryKind.CREDIT, EntryKind.VOUCHER]
    assert [entry.postings[0].ref for entry in journal.entries] == ["H_1", "H-2", "N-77"]
    assert journal.entries[0].id == f"{journal.id}-0001"


def test_the_payables_are_what_the_tie_out_says_that_the_invoices_are(made: Feed) -> None:
    made.make(JournalKind.PROVIDER)
    assert {"EUR": -made.sums("330000") * units_per_minor("EUR")} == made.invoiced_units() != {}


def test_tax_that_is_not_reclaimed_is_cost(made: Feed) -> None:
    made.settings(without="input_tax")
    assert rows(made.make(JournalKind.PROVIDER).entries)[-2:] == [
        ("2026-10-31", "600100", "9900", 1_785_60),
        ("2026-10-31", "330000", "", -1_785_60),
    ]


def test_a_changed_invoice_is_booked_by_its_difference_and_a_voided_one_taken_back(made: Feed) -> None:
    made.make(JournalKind.PROVIDER)
    lines = [{"BilledCost": "1510.50"}, {"BilledCost": "287.00", "ChargeCategory": "Tax"}]
    made.invoice(OCTOBER, lines)
    assert rows(made.make(JournalKind.PROVIDER).entries) == [
        ("2026-10-31", "600100", "9900", 10_00),
        ("2026-10-31", "157700", "", 1_90),
        ("2026-10-31", "330000", "", -11_90),
    ]
    made.invoice(OCTOBER, [{**line, "InvoiceIssueStatus": "Voided"} for line in lines])
    (voided,) = made.make(JournalKind.PROVIDER).entries
    assert [each.amount_minor for each in voided.postings] == [-1_510_50, -287_00, 1_797_50]
    assert made.sums("157700") == 0
    assert made.sums("330000") == -25_00  # Hoshi's two


def test_what_was_reversed_is_made_again_under_other_ids(made: Feed) -> None:
    first = made.make(JournalKind.PROVIDER)
    made.known.append(reversal(first, date(2026, 10, 31)))
    again = made.make(JournalKind.PROVIDER)
    assert rows(again.entries) == rows(first.entries)
    assert {entry.id for entry in again.entries}.isdisjoint(entry.id for entry in first.entries)
    made.known.pop()  # as if it was withdrawn: drawn up again it is the same
    assert made.ask(JournalKind.PROVIDER) == again


def test_an_open_invoice_is_no_payable(made: Feed) -> None:
    made.invoice(OCTOBER, [{"BilledCost": "1785.60", "InvoiceIssueStatus": "Open"}])
    assert {entry.postings[0].ref for entry in made.make(JournalKind.PROVIDER).entries} == {"H_1", "H-2"}


def test_an_invoice_over_two_months_has_its_part_in_each(made: Feed) -> None:
    made.make(JournalKind.PROVIDER)
    made.deliver(NOVEMBER, [{"BilledCost": "8.00", "InvoiceId": "N-77"}])
    made.make(JournalKind.PROVIDER, NOVEMBER)
    assert made.sums("330000") == -1_818_60
    assert made.ask(JournalKind.PROVIDER, OCTOBER) is None


def test_two_providers_may_use_one_number(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    other = {"BilledCost": "2.00", "InvoiceId": "1", "InvoiceIssuerName": "Hoshi"}
    found.deliver(OCTOBER, [{"BilledCost": "1.00", "InvoiceId": "1"}, other])
    assert len(found.make(JournalKind.PROVIDER).entries) == 2


def test_sub_cent_cost_data_is_owed_in_cents(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    found.deliver(
        OCTOBER, [{"BilledCost": "0.123456789", "InvoiceId": "N-1"}, {"BilledCost": "0.004", "InvoiceId": "N-2"}]
    )
    found.make(JournalKind.PROVIDER)
    assert found.sums("330000") == -12


def test_cents_of_conversion_do_not_make_it_twice(made: Feed) -> None:
    (made.root / "rates.csv").write_text("date,from,to,rate\n2026-10-30,EUR,USD,1.0873\n", encoding="utf-8")
    exchange = "{rates: [rates.csv], choose: last day, reporting_currency: EUR}"
    made.settings(ledger='  currencies: {"1000": USD}\n  exchange_rounding: "699910"\n', exchange=exchange)
    made.deliver(OCTOBER, [{**BILL[0], "BilledCost": "10.02"}, {**BILL[2], "BilledCost": "1.04"}])
    (entry,) = made.make(JournalKind.PROVIDER).entries
    # 10.894746 and 1.130792, and their sum, 12.025538
    assert [(each.account, each.local and each.local.amount_minor) for each in entry.postings] == [
        ("600100", 10_89),
        ("157700", 1_13),
        ("330000", -12_03),
        ("699910", 1),
    ]


def test_a_day_in_a_later_month_names_the_period(made: Feed) -> None:
    (entry, *_) = made.make(JournalKind.PROVIDER, posting_on=date(2026, 12, 1)).entries
    assert (entry.posting_on, entry.document_on, entry.belongs_to) == (date(2026, 12, 1), date(2026, 10, 31), OCTOBER)


def test_without_an_account_the_key_is_named(made: Feed) -> None:
    made.settings(without="payables")
    with pytest.raises(UnmappedError, match="'payables'") as refused:
        made.ask(JournalKind.PROVIDER)
    assert refused.value.advice == "Add 'ledger: payables: …' to the settings."


@pytest.mark.parametrize("kind", [JournalKind.TRANSFER, JournalKind.REVERSAL, JournalKind.SHOWBACK])
def test_kinds_that_are_made_otherwise(made: Feed, kind: JournalKind) -> None:
    with pytest.raises(InputRefusedError, match=f"'{kind}' is not made from what the workspace holds"):
        made.ask(kind)


def test_a_month_without_anything_has_no_journal(made: Feed) -> None:
    assert made.ask(JournalKind.PROVIDER, NOVEMBER) is None
    assert made.ask(JournalKind.ACCRUAL, NOVEMBER) is None
    assert made.ask(JournalKind.TRUE_UP, NOVEMBER) is None
