"""What stands on statements: who gets one, its lines, reasons and totals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from apportion.allocate.allocation import Scope, Share
from apportion.allocate.based import Based, counted_in
from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.policy import Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.errors import ConservationError, InputRefusedError, NotFoundError
from apportion.invoice import wording
from apportion.invoice.numbering import Number, read_reference
from apportion.invoice.reasons import share_reason
from apportion.invoice.statement import LineKind, statements
from apportion.money.amount import units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import Tree
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod

if TYPE_CHECKING:
    from tests.rooms.invoice.conftest import Month


def test_every_holder_with_lines_has_a_statement_in_the_order_of_the_tree(month: Month) -> None:
    assert [(str(each.number), str(each.holder)) for each in month.statements] == [
        ("ST-2026-10-0001", "zebra"),
        ("ST-2026-10-0002", "apple"),
        ("ST-2026-10-0003", "idle"),
        ("ST-2026-10-0004", "unallocated"),
        ("ST-2026-10-0005", "kept_central"),
    ]


def test_names_owners_and_coding_are_copied_in(month: Month) -> None:
    zebra = month.statements[0]
    assert zebra.path == (("top", "Top"), ("zebra", "Zebra"))
    assert zebra.owners == Owners("f@x.example", "t@x.example", "b@x.example")
    assert zebra.coding == Coding("1000", "0020", "", "600100")
    assert (month.statements[3].path, month.statements[3].coding) == ((), Coding())


def test_lines_say_what_and_why(month: Month) -> None:
    lines = [
        (line.number, line.kind, line.scope.currency, line.service or line.pool_id, line.reason)
        for line in month.statements[1].lines
    ]
    assert lines == [
        (1, LineKind.DIRECT, "USD", "-Storage", "By rule “Rule 1”"),
        (2, LineKind.DIRECT, "USD", "Compute", "By rules “Rule 1”, “Rule 2”"),
        (3, LineKind.SHARE, "JPY", "late", "Late: even among 3 cost groups"),
        (4, LineKind.SHARE, "USD", "support", "=Support: your direct cost 1,214.56 USD of 1,979.99 USD in total"),
        (5, LineKind.SHARE, "USD", "fixed", "Fixed: fixed share 2 of 3 parts (66.6667 %)"),
    ]
    assert month.statements[1].lines[1].rows == 6


def test_totals_are_by_currency_and_sum_to_the_settled_lines(month: Month) -> None:
    for statement in month.statements:
        own = [line for line in month.allocation.lines if line.holder == statement.holder]
        assert {total.currency: total.minor for total in statement.totals} == {
            currency: sum(line.minor for line in own if line.scope.currency == currency)
            for currency in {line.scope.currency for line in own}
        }


def test_the_order_of_the_allocation_does_not_matter(month: Month) -> None:
    turned = replace(
        month.allocation,
        cells=month.allocation.cells[::-1],
        shares=month.allocation.shares[::-1],
        lines=month.allocation.lines[::-1],
    )
    assert statements(turned, month.tree, month.policy, "ST") == month.statements


def test_a_cost_group_outside_the_tree_is_refused(month: Month) -> None:
    with pytest.raises(NotFoundError, match="'zebra'"):
        statements(month.allocation, Tree([]), month.policy, "ST")


def test_a_pool_that_still_holds_cost_is_refused(month: Month) -> None:
    stuck = month.allocation.lines[0]._replace(holder=Target(Holder.POOL, "late"))
    with pytest.raises(ConservationError, match="pool 'late'"):
        statements(replace(month.allocation, lines=(stuck,)), month.tree, month.policy, "ST")


def test_a_line_that_is_not_what_was_shared_or_charged_is_refused(month: Month) -> None:
    for kind in (True, False):
        place, line = next((n, x) for n, x in enumerate(month.allocation.lines) if (x.pool_id is None) is kind)
        wrong = list(month.allocation.lines)
        wrong[place] = line._replace(units=line.units + 1)
        with pytest.raises(ConservationError):
            statements(replace(month.allocation, lines=tuple(wrong)), month.tree, month.policy, "ST")


def test_a_pool_that_the_policy_lacks_is_refused(month: Month) -> None:
    with pytest.raises(ConservationError, match="the policy does not have"):
        statements(month.allocation, month.tree, replace(month.policy, pools=()), "ST")


def test_wrong_totals_and_gaps_in_line_numbers_are_refused(month: Month) -> None:
    statement = month.statements[0]
    with pytest.raises(ConservationError, match="totals"):
        replace(statement, totals=(replace(statement.totals[0], minor=1), *statement.totals[1:]))
    with pytest.raises(ConservationError, match="numbered"):
        replace(statement, lines=statement.lines[1:])


@pytest.mark.parametrize(
    ("weight", "whole", "holder", "expected"),
    [
        ("1234.56", "98765.43", Holder.COST_GROUP, "your direct cost 1,234.56 USD of 98,765.43 USD in total"),
        ("0.004", "1", Holder.KEPT_CENTRAL, "direct cost 0.00 USD of 1.00 USD in total"),
    ],
)
def test_proportional_shares_are_said_in_money(weight: str, whole: str, holder: Holder, expected: str) -> None:
    assert _said(Cost(), units(weight), units(whole), holder) == expected


@pytest.mark.parametrize(
    ("basis", "weight", "whole", "expected"),
    [
        (Even(), 1, 12, "even among 12 cost groups"),
        (Even(), 1, 1, "the only cost group"),
        (Fixed(()), 45, 100, "fixed share 45 %"),
        (Fixed(()), 3334, 10000, "fixed share 33.34 %"),
        (Fixed(()), 1, 3, "fixed share 1 of 3 parts (33.3333 %)"),
        (Fixed(()), 1, 1, "fixed share 100 %"),
    ],
)
def test_other_shares_are_said_in_parts(basis: Basis, weight: int, whole: int, expected: str) -> None:
    assert _said(basis, weight, whole, Holder.COST_GROUP) == expected


def _said(basis: Basis, weight: int, whole: int, holder: Holder) -> str:
    target = Target(holder, "web" if holder is Holder.COST_GROUP else "")
    share = Share(1, "p", target, Scope("N", "", "", "USD"), 1, weight, whole, 1)
    based = Based(share, Pool("p", "Pool", basis), basis, (), (), counted_in(basis), 1, ())
    return share_reason(based, BillingPeriod(2026, 10), {})


def test_many_rules_are_counted() -> None:
    assert wording.direct_reason(list("abcde")) == "By rules “a”, “b”, “c” and 2 more"
    assert wording.direct_reason([]) == "No rule met these charges"


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("-1234567.5", "USD", "-1,234,567.50"),
        ("0.000000000000000001", "USD", "0.000000000000000001"),
        ("-0.5", "JPY", "-0.5"),
        ("1000", "JPY", "1,000"),
    ],
)
def test_exact_amounts_keep_every_decimal(amount: str, currency: str, expected: str) -> None:
    assert wording.exact(units(amount), currency) == expected


def test_numbers_are_written_and_read() -> None:
    number = Number("ST", BillingPeriod(2026, 10), 7)
    assert str(number) == "ST-2026-10-0007"
    assert Number.parse("ST-2026-10-0007") == number
    assert Number.parse("A-2026-11-2026-10-12345") == Number("A-2026-11", BillingPeriod(2026, 10), 12345)
    assert read_reference("ST-2026-10-0007") == (number, None)
    assert read_reference(" ST-2026-10-0007:12 ") == (number, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ST-2026-10-007",
        "ST-2026-13-0001",
        "ST-2026-10-00001",
        "ST-2026-10-0000",
        "../x-2026-10-0001",
        "S T-2026-10-0001",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputRefusedError):
        read_reference(text)


@pytest.mark.parametrize("text", ["ST-2026-10-0001:", "ST-2026-10-0001:0", "ST-2026-10-0001:1:2", "ST-2026-10-0001:x"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(InputRefusedError):
        read_reference(text)


@pytest.mark.parametrize("prefix", ["", "a/b", "..", "-x", "x" * 17])
def test_a_prefix_must_be_fit_for_a_file_name(month: Month, prefix: str) -> None:
    with pytest.raises(InputRefusedError):
        statements(month.allocation, month.tree, month.policy, prefix)


def test_what_nobody_owns_is_never_invisible(month: Month) -> None:
    assert [statement.name for statement in month.statements if statement.holder in (UNALLOCATED, KEPT_CENTRAL)] == [
        "Unallocated",
        "Kept central",
    ]
