"""Commitments paid upfront, from their charges: worked example W14 month by month, and what the settings add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apportion.errors import DocumentError, InputRefusedError, NotFoundError, UnmappedError
from apportion.ledger.entry import EntryKind
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal, of_entries, reversal
from apportion.post.lifecycle import JournalKind
from tests.rooms.close.feeding import NOVEMBER, OCTOBER, Feed, by_hledger, copied, feed, rows, with_hledger

pytestmark = pytest.mark.thorough

PREPAID = JournalKind.PREPAID
W14 = (55890, 98631, 101917, 101918, 92055, 101918, 98630, 101918, 98630, 101918, 101917, 98631, 46027)
BOUGHT: Mapping[str, str] = {
    "BilledCost": "12000.00",
    "EffectiveCost": "0",
    "InvoiceId": "N-77",
    "ChargeCategory": "Purchase",
    "ChargeFrequency": "One-Time",
    "ChargePeriodStart": "2026-10-15T00:00:00Z",
    "ChargePeriodEnd": "2027-10-15T00:00:00Z",
    "CommitmentDiscountId": "RI-7",
    "CommitmentDiscountName": "Reserved instances",
    "team": "",
}
DAYS = '"RI-7": {starts: 2026-10-15, ends: 2027-10-14}'


def used(*amounts: str) -> list[dict[str, str]]:
    """Covered usage of red, of green, and what nobody used: billed with the purchase, effective now."""
    return [
        {
            "BilledCost": "0",
            "EffectiveCost": amount,
            "InvoiceId": "N-77",
            "CommitmentDiscountId": "RI-7",
            "CommitmentDiscountStatus": "Used" if team else "Unused",
            "team": team,
        }
        for amount, team in zip(amounts, ("red", "green", ""), strict=True)
    ]


OCTOBERS_USE = used("335.34", "139.73", "83.83")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    found = feed(tmp_path_factory.mktemp("base") / "northwind")
    found.deliver(OCTOBER, [BOUGHT, *OCTOBERS_USE])
    return found


@pytest.fixture
def made(base: Feed, tmp_path: Path) -> Feed:
    return copied(base, tmp_path / "northwind")


def months(first: BillingPeriod, count: int) -> list[BillingPeriod]:
    found = [first]
    while len(found) < count:
        found.append(found[-1].next)
    return found


def asset(journals: list[Journal]) -> int:
    entries = (entry for journal in journals for entry in journal.entries)
    return sum(each.amount_minor for entry in entries for each in entry.postings if each.account == "190000")


def test_example_d_from_its_charges(made: Feed) -> None:
    journal = made.make(PREPAID)
    assert rows(journal.entries) == [
        ("2026-10-31", "190000", "", 12_000_00),
        ("2026-10-31", "600100", "9900", -12_000_00),
        ("2026-10-31", "600100", "9900", 558_90),
        ("2026-10-31", "190000", "", -558_90),
    ]
    assert [entry.kind for entry in journal.entries] == [EntryKind.PREPAYMENT, EntryKind.AMORTISATION]
    assert [entry.text for entry in journal.entries] == [
        "Prepaid: Reserved instances",
        "Used up 2026-10: Reserved instances",
    ]
    assert {each.ref for entry in journal.entries for each in entry.postings} == {"RI-7"}


def test_with_the_invoice_and_the_transfer_only_what_nobody_used_stays_with_the_payer(made: Feed) -> None:
    made.make(JournalKind.PROVIDER)
    made.make(PREPAID)
    made.transferred()
    made.make(JournalKind.REMAINDER)
    sums: dict[tuple[str, str], int] = {}
    for entry in made.entries:
        for each in entry.postings:
            sums[each.account, each.cost_center] = sums.get((each.account, each.cost_center), 0) + each.amount_minor
    assert sums == {
        ("600100", "9900"): 475_07,  # and the same on 600199 below it
        ("600199", "9900"): -475_07,
        ("600100", "9990"): 83_83,
        ("600100", "0010"): 335_34,
        ("600100", "0020"): 139_73,
        ("330000", ""): -12_000_00,
        ("190000", ""): 11_441_10,
    }


@pytest.mark.slow
def test_w14_month_by_month_to_the_last_cent(made: Feed) -> None:
    for period, minor in zip(months(OCTOBER, 13), W14, strict=True):
        if period != OCTOBER:
            made.deliver(period, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
        journal = made.make(PREPAID, period)
        assert journal.entries[-1].postings[-1].amount_minor == -minor
        assert asset(made.known) >= 0
    assert asset(made.known) == 0
    after = BillingPeriod(2027, 11)
    made.deliver(after, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    assert made.ask(PREPAID, after) is None


def test_a_month_that_was_left_out_is_caught_up_and_not_made_afterwards(made: Feed) -> None:
    made.deliver(NOVEMBER, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    november = made.make(PREPAID, NOVEMBER)
    assert rows(november.entries)[-1] == ("2026-11-30", "190000", "", -1_545_21)
    assert november.entries[-1].text == "Used up until 2026-11: Reserved instances"
    assert made.ask(PREPAID, OCTOBER) is None


def test_what_was_reversed_is_made_again(made: Feed) -> None:
    first = made.make(PREPAID)
    made.known.append(reversal(first, date(2026, 10, 31)))
    assert rows(made.make(PREPAID).entries) == rows(first.entries)
    assert asset(made.known) == 11_441_10


def test_a_monthly_fee_is_no_asset(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    fee = {**BOUGHT, "ChargeFrequency": "Recurring", "ChargePeriodEnd": "2026-11-01T00:00:00Z"}
    found.deliver(OCTOBER, [fee])
    assert found.ask(PREPAID) is None
    without = {**fee, "ChargeFrequency": "", "ChargePeriodStart": "2026-10-01T00:00:00Z"}
    found.deliver(OCTOBER, [without])
    assert found.ask(PREPAID) is None


def test_on_billed_cost_the_purchase_is_charged_when_it_is_billed(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind", "billed")
    found.deliver(OCTOBER, [BOUGHT])
    assert found.ask(PREPAID) is None


def test_a_term_that_nobody_says_is_asked_for_and_taken_from_the_settings(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    found.deliver(OCTOBER, [{**BOUGHT, "ChargePeriodEnd": "2026-11-01T00:00:00Z"}])
    with pytest.raises(UnmappedError, match="RI-7 is paid upfront in 2026-10, and its charges do not say") as refused:
        found.ask(PREPAID)
    assert refused.value.advice.startswith('Add \'ledger: commitments: "RI-7"')
    found.settings(ledger=f"  commitments: {{{DAYS}}}\n")
    assert rows(found.make(PREPAID).entries)[-1] == ("2026-10-31", "190000", "", -558_90)


def test_the_settings_may_say_that_only_a_part_is_an_asset(made: Feed) -> None:
    part = DAYS.replace("}", ", upfront: 6000.00, currency: EUR, name: Half of it}")
    made.settings(ledger=f"  commitments: {{{part}}}\n")
    assert rows(made.make(PREPAID).entries)[::3] == [
        ("2026-10-31", "190000", "", 6_000_00),
        ("2026-10-31", "190000", "", -279_45),
    ]
    made.known.clear()
    made.settings(ledger=f"  commitments: {{{DAYS.replace('}', ', upfront: 0, currency: EUR}')}}}\n")
    assert made.ask(PREPAID) is None


def test_one_that_no_charge_names_is_owed_for_itself(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    found.deliver(OCTOBER, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    found.settings(ledger=f"  commitments: {{{DAYS.replace('}', ', upfront: 12000.00, currency: EUR}')}}}\n")
    assert rows(found.make(PREPAID).entries)[:2] == [
        ("2026-10-31", "190000", "", 12_000_00),
        ("2026-10-31", "330000", "", -12_000_00),
    ]


def test_one_that_is_older_than_the_data_is_in_the_ledger_already(tmp_path: Path) -> None:
    found = feed(tmp_path / "northwind")
    found.deliver(NOVEMBER, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    found.settings(ledger=f"  commitments: {{{DAYS.replace('}', ', upfront: 12000.00, currency: EUR}')}}}\n")
    assert rows(found.make(PREPAID, NOVEMBER).entries) == [
        ("2026-11-30", "600100", "9900", 986_31),
        ("2026-11-30", "190000", "", -986_31),
    ]


def test_an_early_end_moves_the_rest_once(made: Feed) -> None:
    made.make(PREPAID)
    made.deliver(NOVEMBER, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    made.settings(ledger=f"  commitments: {{{DAYS.replace('}', ', ended: 2026-11-10}')}}}\n")
    november = made.make(PREPAID, NOVEMBER)
    # 27 of 365 days: 887.67, less October's 558.90; the rest of 12,000.00 is 11,112.33.
    assert [entry.postings[-1].amount_minor for entry in november.entries] == [-328_77, -11_112_33]
    assert asset(made.known) == 0


def test_a_price_that_changed_is_put_right(made: Feed) -> None:
    made.make(PREPAID)
    made.deliver(OCTOBER, [{**BOUGHT, "BilledCost": "12365.00"}, *OCTOBERS_USE])
    # 17 days of 33.876712… are 575.90, and 558.90 was taken.
    assert [each.postings[0].amount_minor for each in made.make(PREPAID).entries] == [365_00, 17_00]
    assert asset(made.known) == 11_789_10


def test_whatever_the_books_hold_the_asset_ends_as_the_unused_part(made: Feed) -> None:
    journal = made.make(PREPAID)
    twice = [*journal.entries, *(replace(entry, id=f"{entry.id}-2") for entry in journal.entries)]
    for held, wanted in (
        (journal.entries[1:], [(12_000_00, -12_000_00)]),
        (journal.entries[:1], [(558_90, -558_90)]),
        (twice, [(-12_000_00, 12_000_00), (-558_90, 558_90)]),
    ):
        made.known[:] = [of_entries(OCTOBER, held)]
        found = made.make(PREPAID)
        assert [tuple(each.amount_minor for each in entry.postings) for entry in found.entries] == wanted
        assert asset(made.known) == 11_441_10


def test_in_the_payers_own_currency_the_asset_goes_at_the_rate_that_it_came_at(made: Feed) -> None:
    rates = "date,from,to,rate\n2026-10-30,EUR,USD,1.1000\n2026-11-30,EUR,USD,1.2000\n"
    (made.root / "rates.csv").write_text(rates, encoding="utf-8")
    exchange = "{rates: [rates.csv], choose: last day, reporting_currency: EUR}"
    made.settings(ledger='  currencies: {"1000": USD}\n', exchange=exchange)
    made.allocate(OCTOBER)
    made.deliver(NOVEMBER, [{"BilledCost": "1.00", "InvoiceId": "N-1"}])
    entries = [*made.make(PREPAID).entries, *made.make(PREPAID, NOVEMBER).entries]
    # 12,000.00, 558.90 and 986.31 at 1.1000.
    found = [each.local.amount_minor for entry in entries for each in entry.postings if each.local]
    assert found == [13_200_00, -13_200_00, 614_79, -614_79, 1_084_94, -1_084_94]


@pytest.mark.slow
@with_hledger
def test_hledger_accepts_them_all(made: Feed, tmp_path: Path) -> None:
    made.make(JournalKind.PROVIDER)
    made.make(PREPAID)
    made.transferred()
    made.make(JournalKind.REMAINDER)
    assert by_hledger(made, tmp_path) == (0, "")


def test_charges_that_changed_since_are_allocated_first(made: Feed) -> None:
    made.deliver(OCTOBER, [{**BOUGHT, "BilledCost": "12001.00"}], allocated=False)
    with pytest.raises(InputRefusedError, match="Since 2026-10 was allocated, its charges changed"):
        made.ask(PREPAID)


def test_a_month_that_is_not_allocated(made: Feed) -> None:
    with pytest.raises(NotFoundError, match="2026-11 has not been allocated"):
        made.ask(PREPAID, NOVEMBER)


def test_without_an_account_the_key_is_named(made: Feed) -> None:
    made.settings(without="prepaid")
    with pytest.raises(UnmappedError, match="'prepaid'"):
        made.ask(PREPAID)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{starts: 2026-10-15, ends: 2026-10-14}", "BAD_ORDER"),
        ("{starts: 2026-10-15, ends: 2027-10-14, ended: 2028-01-01}", "BAD_ORDER"),
        ("{starts: 2026-10-15, ends: 2027-10-14, upfront: 10.00}", "MISSING_KEY"),
        ("{starts: 2026-10-15, ends: 2027-10-14, currency: EUR}", "MISSING_KEY"),
        ("{starts: 2026-10-15, ends: 2027-10-14, upfront: 10.005, currency: EUR}", "BAD_AMOUNT"),
        ("{starts: 2026-10-15, ends: 2027-10-14, upfront: -1.00, currency: EUR}", "BAD_AMOUNT"),
        ("{starts: 2026-10-15, ends: 2027-10-14, upfront: ten, currency: EUR}", "BAD_AMOUNT"),
        ("{starts: 2026-10-15, ends: 2027-10-14, upfront: 1.00, currency: EURO}", "BAD_CURRENCY"),
        ("{starts: 2026-10-15}", "MISSING_KEY"),
    ],
)
def test_what_the_settings_cannot_say_of_a_commitment(made: Feed, said: str, code: str) -> None:
    made.settings(ledger=f'  commitments: {{"RI-7": {said}}}\n')
    with pytest.raises(DocumentError) as refused:
        made.ask(PREPAID)
    (mistake,) = refused.value.mistakes
    assert mistake.code == code
    assert mistake.place.line is not None
