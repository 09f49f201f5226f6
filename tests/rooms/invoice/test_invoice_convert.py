"""Statements in other currencies: which cents go where, what stays as it is, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import lines
from apportion.errors import BadValueError, ConservationError, MissingRateError
from apportion.invoice.convert import convert, needed
from apportion.invoice.render import json_text
from apportion.invoice.statement import Statement, statement, statements
from apportion.money.amount import plain, units
from apportion.money.currency import minor_text
from apportion.money.exchange import Choice, Exchange, Table
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

OCTOBER = BillingPeriod(2026, 10)
USD = Scope("Nimbus", "N-1", "", "USD")
POLICY = Policy("P", CostBasis.BILLED, (Rule("r", "Rule", None, KEPT_CENTRAL),), (), "p")

Charge = tuple[str, Scope, str]  # cost group, scope, amount


def exchange(**rates: str) -> Exchange:
    """Agreed rates by pair: ``USDEUR="0.9"``."""
    agreed = {(pair[:3], pair[3:]): {"2026-10": rate} for pair, rate in rates.items()}
    return Exchange([Table("agreed", {}, agreed)], Choice.parse("agreed"), date(2026, 10, 1), date(2026, 10, 31))


def tree(*groups: tuple[str, str]) -> Tree:
    return Tree(CostGroup(code, code, currency=currency) for code, currency in groups)


def allocated(charges: Sequence[Charge], groups: Tree) -> Allocation:
    others = {"kept": KEPT_CENTRAL, "": UNALLOCATED}
    cells = tuple(
        Cell("r", others.get(code) or Target(Holder.COST_GROUP, code), scope, f"S{place}", "Usage", 1, units(amount))
        for place, (code, scope, amount) in enumerate(charges)
    )
    return Allocation(OCTOBER, CostBasis.BILLED, cells, (), lines(cells, (), groups), "p", "o", "s")


def stated(charges: Sequence[Charge], groups: Tree, rates: Exchange) -> tuple[Statement, ...]:
    allocation = allocated(charges, groups)
    return convert(statements(allocation, groups, POLICY, "ST"), allocation.lines, groups, rates)


def said(made: Sequence[Statement]) -> dict[str, list[str]]:
    """What each statement's lines come to, as stated."""
    return {
        str(each.holder): [
            f"{minor_text(line.stated.minor, line.stated.currency)} {line.stated.currency}" for line in each.lines
        ]
        for each in made
    }


def test_three_thirds_of_an_invoice() -> None:
    """10,000.00 USD at 1.0873 USD for one euro are 9,197.09 EUR. Each line alone would be rounded to 3,065.69,
    3,065.69 and 3,065.70, a cent less; the first of the two that are closest to the next cent takes it.
    """
    groups = tree(("a", "EUR"), ("b", "EUR"), ("c", "EUR"))
    made = stated(
        [("a", USD, "3333.33"), ("b", USD, "3333.33"), ("c", USD, "3333.34")], groups, exchange(EURUSD="1.0873")
    )
    assert said(made) == {"a": ["3065.70 EUR"], "b": ["3065.69 EUR"], "c": ["3065.70 EUR"]}


def test_credits_mirror_charges() -> None:
    groups = tree(("a", "EUR"), ("b", "EUR"), ("c", "EUR"))
    made = stated(
        [("a", USD, "-3333.33"), ("b", USD, "-3333.33"), ("c", USD, "-3333.34")], groups, exchange(EURUSD="1.0873")
    )
    assert said(made) == {"a": ["-3065.70 EUR"], "b": ["-3065.69 EUR"], "c": ["-3065.70 EUR"]}


def test_holders_first_then_their_lines() -> None:
    """At 0.5, a has 0.03 and 0.03 (0.015 each, 0.03 together), b 0.03 (0.015). 0.09 USD are 0.045: 0.05 EUR in all."""
    groups = tree(("a", "EUR"), ("b", "EUR"))
    made = stated([("a", USD, "0.03"), ("a", USD, "0.03"), ("b", USD, "0.03")], groups, exchange(USDEUR="0.5"))
    assert said(made) == {"a": ["0.02 EUR", "0.01 EUR"], "b": ["0.02 EUR"]}


def test_each_group_in_its_own_currency_or_none() -> None:
    """Everything charged in one currency is rounded together: 1.005 CHF for x, not with y's euro."""
    groups = tree(("x", "CHF"), ("y", "EUR"), ("z", ""))
    charges = [("x", USD, "1.5"), ("y", USD, "2.25"), ("z", USD, "3"), ("kept", USD, "4"), ("", USD, "5")]
    made = stated(charges, groups, exchange(USDCHF="0.67", USDEUR="0.9"))
    assert said(made) == {
        "x": ["1.01 CHF"],
        "y": ["2.03 EUR"],  # 2.025
        "z": ["3.00 USD"],
        "unallocated": ["5.00 USD"],
        "kept_central": ["4.00 USD"],
    }
    assert [line.charged for line in made[2].lines] == [None]


def test_a_currency_is_inherited_and_its_own_needs_no_rate() -> None:
    groups = Tree([CostGroup("top", "Top", currency="USD"), CostGroup("below", "Below", "top")])
    made = stated([("below", USD, "1.10")], groups, exchange())
    assert said(made) == {"below": ["1.10 USD"]}
    assert made[0].lines[0].charged is None
    assert made[0].billed_elsewhere == ()


def test_a_statement_adds_up_what_was_billed_in_its_currency_and_what_was_converted() -> None:
    groups = tree(("a", "EUR"))
    euro = Scope("Europa", "E-1", "", "EUR")
    (made,) = stated([("a", USD, "10"), ("a", euro, "5.005")], groups, exchange(USDEUR="0.9"))
    assert [(each.currency, each.minor) for each in made.totals] == [("EUR", 900 + 501)]
    assert [(each.currency, each.minor) for each in made.billed] == [("EUR", 501), ("USD", 1000)]
    assert made.billed_elsewhere == made.billed


def test_minor_units_of_any_size() -> None:
    """333 JPY at 0.0021 are 0.6993 KWD, three decimals: 0.699; 0.699 KWD at 500 are 349.5 JPY, none: 350."""
    yen, dinar = Scope("Hoshi", "H", "", "JPY"), Scope("Gulf", "G", "", "KWD")
    assert said(stated([("a", yen, "333")], tree(("a", "KWD")), exchange(JPYKWD="0.0021"))) == {"a": ["0.699 KWD"]}
    assert said(stated([("a", dinar, "0.699")], tree(("a", "JPY")), exchange(KWDJPY="500"))) == {"a": ["350 JPY"]}


def test_the_exact_amount_is_converted_beside_the_settled_one() -> None:
    """1.0049 USD are settled to 1.00 and charged 0.33 EUR (a third); exactly it is 0.334966666666666667."""
    (made,) = stated([("a", USD, "1.0049")], tree(("a", "EUR")), exchange(EURUSD="3"))
    charged = made.lines[0].charged
    assert charged is not None
    assert (charged.minor, plain(charged.units)) == (33, "0.334966666666666667")


def test_a_part_of_the_statements_comes_out_as_in_all_of_them() -> None:
    """One statement can be made alone, as `explain` does, and has the same cents."""
    groups = tree(("a", "EUR"), ("b", "EUR"), ("c", "EUR"))
    charges = [("a", USD, "0.33"), ("b", USD, "0.33"), ("c", USD, "0.34"), ("b", USD, "0.01")]
    allocation, rates = allocated(charges, groups), exchange(USDEUR="0.5")
    everything = convert(statements(allocation, groups, POLICY, "ST"), allocation.lines, groups, rates)
    for whole in everything:
        mine = tuple(line for line in allocation.lines if line.holder == whole.holder)
        cells = tuple(cell for cell in allocation.cells if cell.target == whole.holder)
        alone = statement(replace(allocation, lines=mine, cells=cells), groups, POLICY, whole.number)
        assert convert([alone], allocation.lines, groups, rates) == (whole,)


def test_lines_that_were_not_allocated_are_no_statement() -> None:
    groups = tree(("a", "EUR"))
    allocation = allocated([("a", USD, "1")], groups)
    made = statements(allocation, groups, POLICY, "ST")
    more = (*allocation.lines, allocation.lines[0])
    with pytest.raises(ConservationError, match="ST-2026-10-0001 are not what was allocated"):
        convert(made, more, groups, exchange(USDEUR="0.9"))


def test_a_missing_rate_names_the_group() -> None:
    groups = tree(("a", "USD"), ("b", "EUR"))
    allocation = allocated([("a", USD, "1"), ("b", USD, "1")], groups)
    needed(allocation.lines, groups, exchange(USDEUR="0.9"), "EUR")
    needed([line for line in allocation.lines if line.holder.code == "a"], groups, exchange())
    with pytest.raises(
        MissingRateError, match=r"cost group 'b' is in EUR\. There is no rate of exchange from USD to EUR"
    ):
        needed(allocation.lines, groups, exchange())
    with pytest.raises(MissingRateError, match="no rate of exchange from USD to CHF"):
        needed(allocation.lines[:1], groups, exchange(), "CHF")
    with pytest.raises(MissingRateError, match="no rate of exchange from USD to EUR"):
        convert(statements(allocation, groups, POLICY, "ST"), allocation.lines, groups, exchange())


def test_a_converted_statement_is_read_back_from_json() -> None:
    groups = tree(("a", "EUR"))
    rates = exchange(USDCHF="0.9", EURCHF="0.93")
    (made,) = stated([("a", USD, "12.345"), ("a", USD, "-0.1")], groups, rates)
    text = json_text.render(made)
    assert json_text.parse(text) == made
    assert '"rate": "30/31"' in text
    for old, new in (('"rate": "30/31"', '"rate": "31/30"'), ('"quoted": "0.93"', '"quoted": "0.94"')):
        assert old in text
        with pytest.raises(BadValueError):
            json_text.parse(text.replace(old, new))
