"""From statements to the canonical journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from apportion.allocate.rule import Holder
from apportion.errors import BadValueError, InputRefusedError, UnmappedError
from apportion.ledger.book import Book
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal, journal, not_posted
from apportion.post.mapping import PostingAccounts

if TYPE_CHECKING:
    from tests.rooms.post.conftest import MakeStatement


def rows(made: Journal) -> list[tuple[str, str, str, str, int, str]]:
    return [
        (each.company, each.account, each.cost_center, each.currency, each.amount_minor, each.ref)
        for entry in made.entries
        for each in entry.postings
    ]


def test_each_currency_is_an_entry_of_its_own(statement: MakeStatement, accounts: PostingAccounts) -> None:
    made = journal([statement(1, "shop", EUR=500, JPY=7), statement(2, "search", EUR=-200)], accounts)
    assert rows(made) == [
        ("1000", "600100", "0010", "EUR", 500, "ST-2026-10-0001"),
        ("1000", "600100", "0020", "EUR", -200, "ST-2026-10-0002"),
        ("1000", "600199", "9900", "EUR", -300, ""),
        ("1000", "600100", "0010", "JPY", 7, "ST-2026-10-0001"),
        ("1000", "600199", "9900", "JPY", -7, ""),
    ]
    assert [entry.id for entry in made.entries] == [f"{made.id}-0001", f"{made.id}-0002"]
    assert {entry.posting_on for entry in made.entries} == {date(2026, 10, 31)}
    assert {each.department for entry in made.entries for each in entry.postings} == {"", "HQ"}


def test_statements_with_one_coding_share_a_line(statement: MakeStatement, accounts: PostingAccounts) -> None:
    coding = Coding("1000", "0010", "", "600100")
    four = [statement(count, f"team {count}", coding, EUR=count) for count in range(1, 5)]
    made = journal(four[::-1], accounts)
    assert rows(made)[0] == (
        "1000",
        "600100",
        "0010",
        "EUR",
        10,
        "ST-2026-10-0001 ST-2026-10-0002 ST-2026-10-0003 ST-2026-10-0004",
    )
    assert made.entries[0].postings[0].text == "Cloud cost 2026-10: 4 cost groups"
    assert journal(four[:2], accounts).entries[0].postings[0].text == "Cloud cost 2026-10: Team 1, Team 2"


def test_lines_of_zero_are_left_out(statement: MakeStatement, accounts: PostingAccounts) -> None:
    coding = Coding("1000", "0010", "", "600100")
    made = journal(
        [
            statement(1, "a", coding, EUR=5),
            statement(2, "b", coding, EUR=-5),
            statement(3, "c", Coding("2000", "0030", "", "600100"), EUR=9),
            statement(4, "d", Coding("2000", "0040", "", "600100"), EUR=-9),
            statement(5, "e", EUR=0),
        ],
        accounts,
    )
    # Nothing for a and b, no contra and no intercompany lines for c and d, nothing for e.
    assert rows(made) == [
        ("2000", "600100", "0030", "EUR", 9, "ST-2026-10-0003"),
        ("2000", "600100", "0040", "EUR", -9, "ST-2026-10-0004"),
    ]


def test_another_company_is_balanced_by_receivable_and_payable(
    statement: MakeStatement, accounts: PostingAccounts
) -> None:
    made = journal(
        [statement(1, "labs", Coding("2000", "0300", "", "600150"), USD=1000), statement(2, "shop", USD=1)], accounts
    )
    assert rows(made) == [
        ("1000", "600100", "0020", "USD", 1, "ST-2026-10-0002"),
        ("1000", "600199", "9900", "USD", -1, ""),
        ("2000", "600150", "0300", "USD", 1000, "ST-2026-10-0001"),
        ("2000", "160000", "", "USD", -1000, ""),
        ("1000", "140000", "", "USD", 1000, ""),
        ("1000", "600199", "9900", "USD", -1000, ""),
    ]
    book = Book(made.entries)
    assert book.balance("140000", "USD") + book.balance("160000", "USD") == 0
    assert {key.partner: amount for (key, _), amount in book.balances.items() if key.partner} == {
        "1000": -1000,
        "2000": 1000,
    }


def test_what_nobody_owns_stays_with_the_payer(statement: MakeStatement, accounts: PostingAccounts) -> None:
    three = [
        statement(1, "shop", EUR=5),
        statement(2, "unallocated", EUR=7, JPY=1),
        statement(3, "kept_central", EUR=9),
    ]
    assert rows(journal(three, accounts)) == rows(journal(three[:1], accounts))
    assert [(each.statement, each.holder, each.currency, each.minor) for each in not_posted(three)] == [
        ("ST-2026-10-0002", Holder.UNALLOCATED, "EUR", 7),
        ("ST-2026-10-0002", Holder.UNALLOCATED, "JPY", 1),
        ("ST-2026-10-0003", Holder.KEPT_CENTRAL, "EUR", 9),
    ]
    assert all(each.reason for each in not_posted(three))


def test_nothing_to_post_is_an_empty_journal(statement: MakeStatement) -> None:
    made = journal([statement(1, "unallocated", EUR=5)], PostingAccounts(Coding(), ""))
    assert made.entries == ()


def test_missing_codes_are_all_named_at_once(statement: MakeStatement, accounts: PostingAccounts) -> None:
    groups = [
        statement(1, "shop", Coding("1000", "0010", "", ""), EUR=5),
        statement(2, "search", Coding("", "", "D1", "600100"), EUR=5),
        statement(3, "quiet", Coding(), EUR=0),
    ]
    with pytest.raises(UnmappedError) as refused:
        journal(groups, accounts)
    assert "2 cost groups: 'shop' (ledger account); 'search' (company, cost center)." in str(refused.value)


def test_a_suspense_account_takes_what_lacks_a_code(statement: MakeStatement, accounts: PostingAccounts) -> None:
    made = journal(
        [statement(1, "shop", Coding("", "", "D1", ""), EUR=5), statement(2, "search", EUR=6)],
        replace(accounts, suspense="999999"),
    )
    assert rows(made) == [
        ("1000", "600100", "0020", "EUR", 6, "ST-2026-10-0002"),
        ("1000", "999999", "9900", "EUR", 5, "ST-2026-10-0001"),
        ("1000", "600199", "9900", "EUR", -11, ""),
    ]


def test_a_payer_without_companies_needs_none(statement: MakeStatement) -> None:
    made = journal(
        [statement(1, "shop", Coding("", "0010", "", "600100"), EUR=5)],
        PostingAccounts(Coding(cost_center="9900"), "600199"),
    )
    assert [row[0] for row in rows(made)] == ["", ""]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transferred_out": ""}, "ledger account for cost transferred out"),
        ({"payer": Coding("1000")}, "cost center of the payer"),
        ({"intercompany_payable": ""}, "company 2000, but the settings name no intercompany payable"),
    ],
)
def test_missing_accounts_of_the_payer_are_named(
    statement: MakeStatement, accounts: PostingAccounts, change: dict[str, str], message: str
) -> None:
    with pytest.raises(UnmappedError, match=message):
        journal([statement(1, "labs", Coding("2000", "0300", "", "600150"), EUR=5)], replace(accounts, **change))  # type: ignore[arg-type]


def test_the_same_statements_give_the_same_ids_and_others_do_not(
    statement: MakeStatement, accounts: PostingAccounts
) -> None:
    first = journal([statement(1, "shop", EUR=5)], accounts)
    assert journal([statement(1, "shop", EUR=5)], accounts) == first
    assert journal([statement(1, "shop", EUR=6)], accounts).id != first.id
    assert journal([statement(1, "shop", EUR=5)], replace(accounts, suspense="9")).id != first.id
    assert first.id == f"JN-2026-10-{first.source_hash[:12]}"


def test_a_journal_made_again_has_an_id_of_its_own(statement: MakeStatement, accounts: PostingAccounts) -> None:
    red = statement(1, "red", Coding("1000", "0010", "", "600100"), EUR=100)
    first = journal([red], accounts)
    assert journal([red], accounts, taken={"JN-2026-10-000000000000"}) == first
    second = journal([red], accounts, taken={first.id})
    third = journal([red], accounts, taken={first.id, second.id})
    assert len({first.id, second.id, third.id}) == len({each.source_hash for each in (first, second, third)}) == 3
    assert journal([red], accounts, taken={second.id, first.id}) == third
    assert rows(second) == rows(first)
    assert [entry.id for entry in third.entries] == [f"{third.id}-0001"]


def test_statements_of_two_months_or_none_are_refused(statement: MakeStatement, accounts: PostingAccounts) -> None:
    november = statement(1, "shop", period=BillingPeriod(2026, 11), EUR=5)
    for wrong in ([], [statement(1, "shop", EUR=5), november]):
        with pytest.raises(InputRefusedError):
            journal(wrong, accounts)


def test_names_are_tidied_for_the_ledger(statement: MakeStatement, accounts: PostingAccounts) -> None:
    made = journal([statement(1, "shop", name="Shop \x1b[31m\n two", EUR=5)], accounts)
    assert made.entries[0].postings[0].text == "Cloud cost 2026-10: Shop [31m two"


def test_an_entry_id_stands_in_a_journal_once(statement: MakeStatement, accounts: PostingAccounts) -> None:
    made = journal([statement(1, "shop", EUR=5)], accounts)
    with pytest.raises(BadValueError):
        replace(made, entries=made.entries * 2)
    with pytest.raises(BadValueError):
        replace(made, id="a\nb")
