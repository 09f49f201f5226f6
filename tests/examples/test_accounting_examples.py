"""The accounting examples S and A to J, posting by posting, as an accountant would check them by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apportion.errors import InputRefusedError, UnbalancedEntryError, UnmappedError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.book import Book
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.periods import BillingPeriod
from apportion.post import accrual, foreign, intercompany, prepaid, provider_credit, remainder, rounding
from apportion.post.journal import journal
from apportion.post.tax import Tax, part_minor
from tests.examples import accounting as books
from tests.examples.accounting import ACCOUNTS, END, FIFTH, FIRST, OCTOBER


def rows(entry: Entry | None) -> list[tuple[str, str, int]]:
    assert entry is not None
    return [(each.account, each.cost_center, each.amount_minor) for each in entry.postings]


def account_sums(entries: Iterable[Entry]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in entries:
        for posting in entry.postings:
            sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    return sums


def test_s_showback_counts_the_same_and_moves_no_money() -> None:
    made = books.s_showback()
    (counted,) = made.statistical
    assert made.entries == ()
    assert [(line.account, line.cost_center, line.quantity_minor) for line in counted.lines] == [
        ("950100", "0010", 512371),
        ("950100", "0020", 301111),
        ("950100", "0030", 186518),
    ]
    charged = [each for entry in books.b_transfer().entries for each in entry.postings if each.ref]
    assert sum(line.quantity_minor for line in counted.lines) == sum(each.amount_minor for each in charged) == 10_000_00


def test_s_showback_is_never_money() -> None:
    with pytest.raises(InputRefusedError, match=r"KES-1000-FY2026-000001, .* is showback"):
        journal(books.documents(showback=True), ACCOUNTS)


def test_a_voucher_with_reverse_charge() -> None:
    entry = books.a_voucher()
    assert rows(entry) == [
        ("600100", "9900", 10_000_00),
        ("157700", "", 1_900_00),
        ("177700", "", -1_900_00),
        ("330000", "", -10_000_00),
    ]
    assert (entry.kind, entry.posting_on) == (EntryKind.VOUCHER, date(2026, 11, 5))
    assert {each.tax_code for each in entry.postings} == {"RC19", ""}


def test_b_cost_transfer() -> None:
    (entry,) = books.b_transfer().entries
    assert rows(entry) == [
        ("600100", "0010", 5_123_71),
        ("600100", "0020", 3_011_11),
        ("600100", "0030", 1_865_18),
        ("600199", "9900", -10_000_00),
    ]
    same = journal(books.documents(), replace(ACCOUNTS, transferred_out="600100"))
    assert account_sums(same.entries) == {"600100": 0}


def test_c_accrual_reversal_invoice_and_true_up() -> None:
    accrued, reversed_, invoice, true_up = books.c_accrual()
    assert rows(accrued) == [("600100", "9900", 9_850_00), ("339000", "", -9_850_00)]
    assert (accrued.posting_on, accrued.kind) == (END, EntryKind.ACCRUAL)
    assert rows(reversed_) == [("600100", "9900", -9_850_00), ("339000", "", 9_850_00)]
    assert (reversed_.posting_on, reversed_.kind, reversed_.reverses) == (FIRST, EntryKind.ACCRUAL_REVERSAL, "C-1")
    assert rows(invoice) == [("600100", "9900", 10_000_00), ("330000", "", -10_000_00)]
    assert rows(true_up) == [
        ("600100", "0010", 76_85),
        ("600100", "0020", 45_17),
        ("600100", "0030", 27_98),
        ("600199", "9900", -150_00),
    ]
    november = account_sums([reversed_, invoice])
    assert november["600100"] == 150_00
    assert Book([accrued, reversed_, invoice]).balance("339000", "EUR") == 0


def test_c_partial_arrival_takes_back_only_what_is_matched() -> None:
    expected = [accrual.Expected("N-77", "EUR", 6_000_00, "Nimbus"), accrual.Expected("H-1", "EUR", 3_850_00, "Hoshi")]
    accrued = accrual.accrue(OCTOBER, expected, "C-1", ACCOUNTS)
    first = accrual.release(accrued, [], [accrual.Arrival("N-77", 4_000_00, is_last=False)], "C-2", FIFTH)
    assert rows(first) == [("600100", "9900", -4_000_00), ("339000", "", 4_000_00)]
    assert first is not None
    book = Book([accrued, first])
    assert book.balance("339000", "EUR") == -5_850_00
    # The last invoice is dearer than what is left of its accrual: never more than that is taken back.
    last = accrual.release(accrued, [first], [accrual.Arrival("N-77", 2_100_00)], "C-3", FIFTH)
    assert rows(last) == [("600100", "9900", -2_000_00), ("339000", "", 2_000_00)]
    assert last is not None
    assert accrual.release(accrued, [first, last], [accrual.Arrival("N-77", 1)], "C-4", FIFTH) is None
    book.append(last)
    assert book.balance("339000", "EUR") == -3_850_00
    with pytest.raises(InputRefusedError, match="Nothing was accrued for X-1"):
        accrual.release(accrued, [], [accrual.Arrival("X-1", 1)], "C-5", FIFTH)


def test_d_prepaid_commitment() -> None:
    bought, october = books.d_prepaid()
    assert rows(bought) == [("190000", "", 12_000_00), ("330000", "", -12_000_00)]
    assert rows(october) == [
        ("600100", "0010", 335_34),
        ("600100", "0020", 139_73),
        ("600100", "9900", 83_83),
        ("190000", "", -558_90),
    ]
    assert (bought.kind, october.kind) == (EntryKind.PREPAYMENT, EntryKind.AMORTISATION)
    assert october.postings[2].text == "unused"


@pytest.mark.parametrize(("upfront", "first"), [(0, 0), (6_000_00, 279_45)])
def test_d_only_what_is_paid_upfront_is_an_asset(upfront: int, first: int) -> None:
    bought = replace(books.COMMITMENT, upfront_minor=upfront)
    assert (prepaid.purchase(bought, "D-1", END, ACCOUNTS) is None) is (upfront == 0)
    assert prepaid.schedule(bought)[0].minor == first
    assert (prepaid.amortise(bought, OCTOBER, books.d_shares(), "D-2", ACCOUNTS) is None) is (upfront == 0)


def test_e_credit_passed_on() -> None:
    note, passed = books.e_credit()
    assert rows(note) == [("600100", "9900", -250_00), ("330000", "", 250_00)]
    assert rows(passed) == [
        ("600100", "0010", -128_09),
        ("600100", "0020", -75_28),
        ("600100", "0030", -46_63),
        ("600199", "9900", 250_00),
    ]
    assert note.kind is passed.kind is EntryKind.CREDIT


def test_e_credit_kept_central_or_to_its_cause() -> None:
    goes, cause = provider_credit.CreditGoes, books.center("0020")
    given = (books.head("E-2", FIFTH), -250_00, "EUR")
    assert provider_credit.credit(*given, goes.KEPT_CENTRAL, books.by_usage(), ACCOUNTS) is None
    caused = provider_credit.credit(*given, goes.TO_CAUSE, books.by_usage(), ACCOUNTS, cause)
    assert rows(caused) == [("600100", "0020", -250_00), ("600199", "9900", 250_00)]


def test_f_intercompany_with_uplift_and_tax() -> None:
    entry = books.f_intercompany()
    assert [(each.company, each.account, each.partner, each.amount_minor) for each in entry.postings] == [
        ("1000", "140000", "2000", 1_249_50),
        ("1000", "820000", "2000", -1_000_00),
        ("1000", "820000", "2000", -50_00),
        ("1000", "177600", "2000", -199_50),
        ("2000", "600150", "1000", 1_000_00),
        ("2000", "600150", "1000", 50_00),
        ("2000", "157600", "1000", 199_50),
        ("2000", "160000", "1000", -1_249_50),
    ]
    amounts = intercompany.charged(1_000_00, "5", books.GERMAN)
    assert (amounts.net_minor, amounts.tax_minor, amounts.due_minor) == (1_050_00, 199_50, 1_249_50)
    assert intercompany.unmatched([entry], ACCOUNTS) == ()


def test_f_elimination_takes_out_all_but_the_tax() -> None:
    made = books.f_elimination()
    assert [(each.account, each.partner, each.amount_minor) for each in made.postings] == [
        ("140000", "1000", -1_249_50),
        ("820000", "1000", 1_050_00),
        ("600150", "2000", -1_050_00),
        ("160000", "2000", 1_249_50),
    ]
    assert {each.company for each in made.postings} == {"ELIM"}
    group = account_sums([books.f_intercompany(), made])
    assert {account: minor for account, minor in group.items() if minor} == {"177600": -199_50, "157600": 199_50}


def test_f_across_a_border_the_buyer_owes_the_tax() -> None:
    entry = books.f_intercompany(Tax("19", "AE", reverse_charge=True))
    assert [(each.company, each.account, each.amount_minor) for each in entry.postings] == [
        ("1000", "140000", 1_050_00),
        ("1000", "820000", -1_000_00),
        ("1000", "820000", -50_00),
        ("2000", "600150", 1_000_00),
        ("2000", "600150", 50_00),
        ("2000", "157600", 199_50),
        ("2000", "177600", -199_50),
        ("2000", "160000", -1_050_00),
    ]


def test_f_a_pair_that_does_not_match_is_named() -> None:
    half = books.head("F-9", END).entry(
        EntryKind.INTERCOMPANY,
        [
            Posting.at(LedgerAccount("1000", "140000", partner="2000"), "EUR", 500, "one side"),
            Posting.at(LedgerAccount("1000", "820000"), "EUR", -500, "one side"),
        ],
    )
    (found,) = intercompany.unmatched([books.f_intercompany(), half], ACCOUNTS)
    assert (found.creditor, found.debtor, found.receivable_minor + found.payable_minor) == ("1000", "2000", 500)


def test_g_tax_is_rounded_once_for_its_rate() -> None:
    assert sum(part_minor(10_03, "19") for _ in range(3)) == 5_73
    assert rows(books.g_tax()) == [("600100", "9900", 30_09), ("157700", "", 5_72), ("330000", "", -35_81)]


def test_h_realised_loss() -> None:
    bill, payment = books.h_bill(), books.h_payment()
    assert [(each.amount_minor, each.local and each.local.amount_minor) for each in bill.postings] == [
        (11_000_00, 10_000_00),
        (-11_000_00, -10_000_00),
    ]
    assert [(each.account, each.amount_minor, each.local and each.local.amount_minor) for each in payment.postings] == [
        ("330000", 11_000_00, 10_000_00),
        ("180000", -11_000_00, -10_185_19),
        ("216000", 0, 185_19),
    ]
    rates = [(each.local.rate, each.local.source, each.local.rate_on) for each in payment.postings if each.local]
    assert rates == [("1.1000", "ECB", END), ("1.0800", "ECB", FIFTH), ("", "ECB", FIFTH)]


def test_h_paid_in_parts_the_whole_debt_is_cleared() -> None:
    owed, bank = books.h_bill().postings[-1], LedgerAccount("1000", "180000")
    half = foreign.settle(books.head("H-4", FIFTH), owed, bank, books.dollars("1.2", FIFTH), ACCOUNTS, 5_500_00)
    assert [(each.account, each.local and each.local.amount_minor) for each in half.postings] == [
        ("330000", 5_000_00),
        ("180000", -4_583_33),
        ("266000", -416_67),
    ]


def test_h_the_conversion_cent_goes_to_the_largest_line_or_its_account() -> None:
    entry = books.h_cent()
    assert [each.local and each.local.amount_minor for each in entry.postings] == [
        3_065_69,
        3_065_69,
        3_065_71,
        -9_197_09,
    ]
    apart = books.h_cent("699910")
    assert [(each.account, each.local and each.local.amount_minor) for each in apart.postings] == [
        ("600100", 3_065_69),
        ("600100", 3_065_69),
        ("600100", 3_065_70),
        ("330000", -9_197_09),
        ("699910", 1),
    ]
    assert apart.postings[-1].amount_minor == 0


def test_i_rounding_is_a_visible_line() -> None:
    assert rows(books.i_rounding())[-2:] == [("600199", "9900", -100_00), ("699900", "9900", 1)]


@pytest.mark.parametrize(("lines", "off", "fits"), [(2, 1, True), (2, 2, False), (200, 100, True), (300, 101, False)])
def test_i_rounding_is_capped(lines: int, off: int, fits: bool) -> None:
    at = books.center("0010")
    postings = [Posting.at(at, "EUR", 0, "line") for _ in range(lines - 1)]
    postings.append(Posting.at(at, "EUR", off, "line"))
    if fits:
        assert rounding.rounded(postings, ACCOUNTS)[-1].amount_minor == -off
    else:
        with pytest.raises(UnbalancedEntryError, match="rounding explains at most"):
            rounding.rounded(postings, ACCOUNTS)


def test_i_without_an_account_nothing_is_rounded() -> None:
    postings = [Posting.at(books.center("0010"), "EUR", minor, "line") for minor in (1, 0)]
    with pytest.raises(UnmappedError, match="'rounding'"):
        rounding.rounded(postings, replace(ACCOUNTS, rounding=""))


def test_j_unallocated_waits_on_its_own_cost_center() -> None:
    assert rows(books.j_suspense()) == [("600100", "9990", 120_00), ("600100", "9900", -120_00)]


def test_j_too_much_without_an_owner_blocks_the_close() -> None:
    stays = books.Stays().rows
    remainder.require_below(stays, {"EUR": 120_00})
    with pytest.raises(InputRefusedError, match=r"120\.00 EUR \(at most 119\.99\)"):
        remainder.require_below(stays, {"EUR": 119_99})
    with pytest.raises(InputRefusedError):
        remainder.require_below(stays, {})


def test_what_nobody_accepted_is_named_and_stays() -> None:
    waiting = remainder.uncollected(books.documents()[1:], "its recipient has not accepted it")
    assert [(each.statement, each.minor) for each in waiting] == [
        ("KES-1000-FY2026-000002", 301111),
        ("KES-1000-FY2026-000003", 186518),
    ]
    entry = remainder.set_apart(books.head("J-2", END), waiting, ACCOUNTS)
    assert rows(entry)[-1] == ("600100", "9900", -487629)


def test_w14_the_whole_table() -> None:
    table = """558.90 558.90, 986.31 1545.21, 1019.17 2564.38, 1019.18 3583.56, 920.55 4504.11, 1019.18 5523.29,
    986.30 6509.59, 1019.18 7528.77, 986.30 8515.07, 1019.18 9534.25, 1019.17 10553.42, 986.31 11539.73,
    460.27 12000.00"""
    wanted = [tuple(int(each.replace(".", "")) for each in row.split()) for row in table.split(",")]
    found = books.months()
    assert [(month.minor, month.cumulative_minor) for month in found] == wanted
    assert [month.days for month in found] == [17, 30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 14]
    assert found[0].period == BillingPeriod(2026, 10)


def test_w14_the_asset_is_the_unexpired_share_at_every_month_end() -> None:
    book = Book([books.d_prepaid()[0]])
    for month, entry in zip(books.months(), books.amortisations(), strict=True):
        book.append(entry)
        left = sum(each.days for each in books.months() if each.period > month.period)
        assert abs(book.balance("190000", "EUR") * 365 - 12_000_00 * left) <= 365
    assert book.balance("190000", "EUR") == 0


@pytest.mark.parametrize("ended_on", [date(2026, 10, 15), date(2027, 2, 10), date(2027, 10, 14)])
def test_w14_an_early_end_moves_the_rest_once(ended_on: date) -> None:
    ended = replace(books.COMMITMENT, ended_on=ended_on)
    moved = prepaid.end_early(ended, ACCOUNTS.expense, "W-E", ACCOUNTS)
    book = Book(each for each in (books.d_prepaid()[0], moved) if each)
    for month in prepaid.schedule(ended):
        entry = prepaid.amortise(ended, month.period, books.d_shares(), f"W-{month.period}", ACCOUNTS)
        assert entry is not None
        book.append(entry)
    assert book.balance("190000", "EUR") == 0
    assert (moved is None) is (ended_on == books.COMMITMENT.ends_on)
    later = BillingPeriod.of(ended_on).next
    assert prepaid.amortise(ended, later, books.d_shares(), "W-L", ACCOUNTS) is None


def test_w14_an_exchange_moves_the_rest_to_what_came_in_its_place() -> None:
    ended = replace(books.COMMITMENT, ended_on=date(2026, 10, 31))
    new = replace(ACCOUNTS.at("prepaid"), dimensions=(("commitment", "RI-8"),))
    moved = prepaid.end_early(ended, new, "W-X", ACCOUNTS)
    assert rows(moved) == [("190000", "", 11_441_10), ("190000", "", -11_441_10)]
    assert moved is not None
    assert [each.dimensions for each in moved.postings] == [(("commitment", "RI-8"),), ()]


@pytest.mark.parametrize("name", ["A", "C", "D", "E", "F", "H", "I", "J"])
def test_the_reference_page_shows_these_entries(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "journal.md"
    assert f"\n\n{books.shown(name)}" in page.read_text(encoding="utf-8")
