"""From documents to codes: rules by charge category and service, dimensions down the tree, each line on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from apportion.allocate.rule import Holder, Target
from apportion.errors import BadValueError, ConservationError, InputRefusedError, UnmappedError
from apportion.invoice.paper import PaperTotal
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.document import DocumentLine, PostableDocument
from apportion.post.journal import Journal, journal
from apportion.post.mapping import AccountRule, LedgerMapping, PostingAccounts, tree_dimensions

OCTOBER = BillingPeriod(2026, 10)
Lines = tuple[tuple[str, str, int], ...]
SHOP: Lines = (("Compute", "Usage", 700), ("Compute", "Tax", 133), ("Storage", "Usage", 67))
MakeDocument = Callable[..., PostableDocument]


def document(count: int, code: str, lines: Lines = SHOP, coding: Coding | None = None) -> PostableDocument:
    whole = sum(minor for *_, minor in lines)
    return PostableDocument(
        number=f"INV-{count}",
        period=OCTOBER,
        holder=Target(Holder.COST_GROUP, code),
        name=code.title(),
        coding=coding or Coding("1000", "0010", "", "600100"),
        totals=(PaperTotal("EUR", whole, whole, 0),),
        policy_digest="p",
        organization_digest="o",
        snapshot_digest="s",
        lines=tuple(
            DocumentLine(number, service, category, "EUR", minor, service)
            for number, (service, category, minor) in enumerate(lines, start=1)
        ),
    )


def rows(made: Journal) -> list[tuple[str, str, int, str]]:
    return [
        (each.account, each.cost_center, each.amount_minor, each.ref)
        for entry in made.entries
        for each in entry.postings
    ]


def test_accounts_go_by_charge_category_and_service(accounts: PostingAccounts) -> None:
    rules = (
        AccountRule("600190", charge_category="Tax"),
        AccountRule("600120", service="Storage"),
        AccountRule("600999", service="Compute", company="2000"),
    )
    documents = [document(1, "shop"), document(2, "search", (("Storage", "Usage", 40), ("Storage", "Tax", 8)))]
    assert rows(journal(documents, accounts, LedgerMapping(rules))) == [
        ("600100", "0010", 700, "INV-1"),
        ("600120", "0010", 107, "INV-1 INV-2"),
        ("600190", "0010", 141, "INV-1 INV-2"),
        ("600199", "9900", -948, ""),
    ]


@pytest.mark.parametrize(
    ("since", "until", "account"),
    [
        (None, None, "600120"),
        (date(2026, 10, 1), date(2026, 11, 1), "600120"),
        (date(2026, 10, 2), None, "600100"),
        (None, date(2026, 10, 1), "600100"),
    ],
)
def test_a_rule_holds_for_its_days(
    accounts: PostingAccounts, since: date | None, until: date | None, account: str
) -> None:
    mapping = LedgerMapping((AccountRule("600120", service="Storage", since=since, until=until),))
    made = journal([document(1, "shop", (("Storage", "Usage", 5),))], accounts, mapping)
    assert rows(made)[0][0] == account


def test_a_group_whose_lines_all_have_an_account_by_rule_needs_none(accounts: PostingAccounts) -> None:
    bare = document(1, "shop", (("Storage", "Usage", 5),), Coding("1000", "0010", "", ""))
    mapping = LedgerMapping((AccountRule("600120", service="Storage"),))
    assert rows(journal([bare], accounts, mapping))[0] == ("600120", "0010", 5, "INV-1")
    mixed = document(2, "labs", coding=Coding("1000", "0010", "", ""))
    with pytest.raises(UnmappedError, match=r"'labs' \(ledger account\)"):
        journal([bare, mixed], accounts, mapping)
    suspended = journal([bare, mixed], replace(accounts, suspense="999999"), mapping)
    assert rows(suspended)[:2] == [("600120", "0010", 5, "INV-1"), ("999999", "0010", 900, "INV-2")]


def test_each_line_can_be_a_posting_of_its_own(accounts: PostingAccounts) -> None:
    made = journal([document(1, "shop")], accounts, LedgerMapping(each_line=True))
    assert rows(made) == [
        ("600100", "0010", 700, "INV-1:1"),
        ("600100", "0010", 133, "INV-1:2"),
        ("600100", "0010", 67, "INV-1:3"),
        ("600199", "9900", -900, ""),
    ]
    assert made.entries[0].postings[2].text == "Cloud cost 2026-10: Shop, Storage"


def test_dimensions_are_attributes_inherited_down_the_tree(accounts: PostingAccounts) -> None:
    tree = Tree(
        [
            CostGroup("group", "Group", attributes=(("land", "DE"), ("wbs", "P-1"))),
            CostGroup("shop", "Shop", "group", attributes=(("wbs", "P-2"),)),
            CostGroup("other", "Other"),
        ]
    )
    found = tree_dimensions(tree, {"region": "land", "project": "wbs"})
    assert found == {
        "group": (("project", "P-1"), ("region", "DE")),
        "shop": (("project", "P-2"), ("region", "DE")),
        "other": (),
    }
    made = journal([document(1, "shop"), document(2, "other")], accounts, LedgerMapping(dimensions=found))
    assert [(each.amount_minor, each.dimensions) for each in made.entries[0].postings] == [
        (900, ()),
        (900, (("project", "P-2"), ("region", "DE"))),
        (-1800, ()),
    ]


def test_a_dimension_named_like_a_code_of_ours_is_refused() -> None:
    tree = Tree([CostGroup("shop", "Shop", attributes=(("wbs", "P-2"),))])
    with pytest.raises(BadValueError, match="not a dimension of a company's own"):
        tree_dimensions(tree, {"account": "wbs"})


def test_the_mapping_is_part_of_the_journals_id(accounts: PostingAccounts) -> None:
    documents = [document(1, "shop")]
    plain = journal(documents, accounts)
    assert journal(documents, accounts, LedgerMapping()).id == plain.id
    others = {
        journal(documents, accounts, LedgerMapping(each_line=True)).id,
        journal(documents, accounts, LedgerMapping((AccountRule("1", service="x"),))).id,
        journal(documents, accounts, LedgerMapping(dimensions={"shop": (("a", "b"),)})).id,
        journal(documents, accounts, posting_on=date(2026, 11, 1)).id,
        plain.id,
    }
    assert len(others) == 5


def test_what_is_posted_late_says_which_period_it_belongs_to(accounts: PostingAccounts) -> None:
    (entry,) = journal([document(1, "shop")], accounts, posting_on=date(2026, 11, 1)).entries
    assert (entry.posting_on, entry.document_on, entry.belongs_to) == (date(2026, 11, 1), date(2026, 10, 31), OCTOBER)
    (inside,) = journal([document(1, "shop")], accounts, posting_on=date(2026, 10, 30)).entries
    assert inside.belongs_to is None


def test_the_same_document_twice_is_refused(accounts: PostingAccounts) -> None:
    with pytest.raises(InputRefusedError, match="INV-1 would be posted twice"):
        journal([document(1, "shop"), document(1, "shop")], accounts)


def test_rules_need_the_lines_of_documents(accounts: PostingAccounts) -> None:
    document_ = document(1, "shop")
    with pytest.raises(ConservationError):
        replace(document_, lines=document_.lines[:1])
    bare = type("Bare", (), {name: getattr(document_, name) for name in document_.__slots__ if name != "lines"})()
    with pytest.raises(InputRefusedError, match="without its lines"):
        journal([bare], accounts, LedgerMapping(each_line=True))
