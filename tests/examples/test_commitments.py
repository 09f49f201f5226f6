"""Commitments: one month under each method, and every way the unused part can go, checked by hand.

Team a's usage is worth 100 and was covered, at 0.60 for each 1.00: it cost 60. Team b used 40 and c 20 at full price.
So 100 of a worth of 160 is covered, and the usage costs 120 together. 30 were committed and not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apportion.allocate import commitments
from apportion.allocate.basis import Cost
from apportion.allocate.policy import Commitment, CommitmentMethod, CostBasis, Policy, Pool, Recipients, Unused
from apportion.allocate.rule import And, Equals, Field, Rule
from apportion.errors import AllocationRefusedError, ZeroBasisError
from apportion.money.amount import plain
from apportion.organization.cost_group import CostGroup
from tests.charges import Row
from tests.examples.months import Month, allocated, by_account, pool, to

pytestmark = pytest.mark.thorough

COMPUTE = Equals(Field("ServiceName"), ("Compute",))
RULES = by_account("a", "b", "c", "central")
PLAN = Commitment("plan", "Savings plan", COMPUTE, CommitmentMethod.APPLIED, unused=Unused.KEPT_CENTRAL)


def covered(account: str, cost: str, worth: str, **more: str | None) -> Row:
    row = {"SubAccountId": account, "EffectiveCost": cost, "BilledCost": "0", "ContractedCost": worth}
    return {**row, "CommitmentDiscountId": "sp-1", "CommitmentDiscountStatus": "Used", **more}


def uncovered(account: str, cost: str, **more: str | None) -> Row:
    row = {"SubAccountId": account, "EffectiveCost": cost, "ContractedCost": cost}
    return {**row, "CommitmentDiscountId": None, "CommitmentDiscountStatus": None, **more}


def unused(account: str, cost: str, **more: str | None) -> Row:
    return covered(account, cost, "0", CommitmentDiscountStatus="Unused", **more)


BOUGHT: Row = {
    "SubAccountId": "central", "BilledCost": "9000", "EffectiveCost": "0", "ContractedCost": "9000",
    "ChargeCategory": "Purchase", "CommitmentDiscountId": "sp-1",
}  # fmt: skip
USED = (covered("a", "60", "100"), uncovered("b", "40"), uncovered("c", "20"), BOUGHT)
ROWS = (*USED, unused("central", "30"))


def policy(*plans: Commitment, basis: CostBasis = CostBasis.EFFECTIVE, pools: tuple[Pool, ...] = ()) -> Policy:
    return Policy("P", basis, RULES, pools, "p", commitments=plans)


def month(directory: Path, rows: Sequence[Row], *plans: Commitment, groups: Sequence[str | CostGroup] = "abc") -> Month:
    return allocated(directory, rows, policy(*plans), groups)


class TestWhoHasTheBenefit:
    def test_as_the_provider_applied_it(self, tmp_path: Path) -> None:
        made = month(tmp_path, ROWS, PLAN)
        assert made.carried() == {"a": "60", "b": "40", "c": "20", "kept_central": "30"}
        assert made.allocation.shares == ()

    def test_all_usage_at_one_rate(self, tmp_path: Path) -> None:
        """120 for a worth of 160 is 0.75 for each 1.00, whoever used it."""
        made = month(tmp_path, ROWS, replace(PLAN, method=CommitmentMethod.BLENDED))
        assert made.carried() == {"a": "75", "b": "30", "c": "15", "kept_central": "30"}
        assert made.moved("plan") == {"a": "15", "b": "-10", "c": "-5"}

    def test_the_buyer_first(self, tmp_path: Path) -> None:
        """b bought: its 40 are covered (24). Of the 60 left, a gets 50 and c 10, in proportion to 100 and 20:
        a pays 50 × 0.6 + 50 = 80, and c 10 × 0.6 + 10 = 16.
        """
        made = month(tmp_path, ROWS, replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="b"))
        assert made.carried() == {"a": "80", "b": "24", "c": "16", "kept_central": "30"}

    def test_in_the_agreed_order(self, tmp_path: Path) -> None:
        """c is covered (20 × 0.6), then b (40 × 0.6); a gets the 40 left: 40 × 0.6 + 60."""
        made = month(tmp_path, ROWS, replace(PLAN, method=CommitmentMethod.PRIORITY, priority=("c", "b")))
        assert made.carried() == {"a": "84", "b": "24", "c": "12", "kept_central": "30"}

    def test_an_order_that_is_longer_than_the_coverage(self, tmp_path: Path) -> None:
        """a takes all 100; nothing is left for b and c."""
        made = month(tmp_path, ROWS, replace(PLAN, method=CommitmentMethod.PRIORITY, priority=("a", "b")))
        assert made.carried() == {"a": "60", "b": "40", "c": "20", "kept_central": "30"}

    def test_a_cost_group_stands_for_all_below_it(self, tmp_path: Path) -> None:
        """b and c are of one division that bought: both are covered in full, as if in one turn."""
        below = [CostGroup(code, code, parent="division") for code in "bc"]
        plan = replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="division")
        assert month(tmp_path, ROWS, plan, groups=["a", "division", *below]).carried() == {
            "a": "84", "b": "24", "c": "12", "kept_central": "30",
        }  # fmt: skip


class TestWhoPaysForWhatIsNotUsed:
    def test_the_buyer(self, tmp_path: Path) -> None:
        made = month(tmp_path, ROWS, replace(PLAN, unused=Unused.BUYER, buyer="c"))
        assert made.carried() == {"a": "60", "b": "40", "c": "50", "kept_central": "0"}

    def test_the_centre(self, tmp_path: Path) -> None:
        rows = [*USED, unused("b", "30")]
        assert month(tmp_path, rows, PLAN).carried() == {"a": "60", "b": "40", "c": "20", "kept_central": "30"}

    @pytest.mark.parametrize(
        ("plan", "parts"),
        [
            (PLAN, {"a": "30"}),
            (replace(PLAN, method=CommitmentMethod.BLENDED), {"a": "18.75", "b": "7.5", "c": "3.75"}),
            (replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="b"), {"a": "15", "b": "12", "c": "3"}),
            (replace(PLAN, method=CommitmentMethod.PRIORITY, priority=("c", "b")), {"a": "12", "b": "12", "c": "6"}),
        ],
        ids=lambda value: str(value.method) if isinstance(value, Commitment) else "",
    )
    def test_the_beneficiaries(self, tmp_path: Path, plan: Commitment, parts: dict[str, str]) -> None:
        """By the coverage that each method gives: 100; 100 : 40 : 20; 50 : 40 : 10; 40 : 40 : 20."""
        without = month(tmp_path / "kept", ROWS, plan).allocation
        made = month(tmp_path / "passed", ROWS, replace(plan, unused=Unused.BENEFICIARIES)).allocation
        before = {str(line.holder): 0 for line in (*without.lines, *made.lines)}
        after = dict(before)
        for sums, lines in ((before, without.lines), (after, made.lines)):
            for line in lines:
                sums[str(line.holder)] += line.units
        more = {code: plain(after[code] - before[code]) for code in after if after[code] != before[code]}
        assert more == {**parts, "kept_central": "-30"}


class TestWhatUsageIsWorth:
    @pytest.mark.parametrize(
        ("contracted", "listed", "blended"),
        [("100", "300", "75"), (None, "100", "75"), ("0", "100", "75"), (None, None, "60"), ("0", "0", "60")],
    )
    def test_contracted_cost_else_list_cost_else_its_own(
        self, tmp_path: Path, contracted: str | None, listed: str | None, blended: str
    ) -> None:
        """Without any price, a's usage is worth the 60 that it cost: half of 120."""
        rows = [{**covered("a", "60", "0"), "ContractedCost": contracted, "ListCost": listed}, *USED[1:]]
        made = month(tmp_path, rows, replace(PLAN, method=CommitmentMethod.BLENDED))
        assert made.carried()["a"] == blended

    def test_usage_that_cost_less_than_it_is_worth_keeps_its_price(self, tmp_path: Path) -> None:
        """b and c paid 30 for a worth of 60. With b first: 40 × 0.6 = 24; c: 10 × 0.6 + 10 × 0.5 = 11; a: 30 + 25."""
        rows = [
            USED[0],
            {**uncovered("b", "20"), "ContractedCost": "40"},
            {**uncovered("c", "10"), "ContractedCost": "20"},
        ]
        made = month(tmp_path, rows, replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="b"))
        assert made.carried() == {"a": "55", "b": "24", "c": "11"}

    def test_only_usage_that_meets_the_condition_counts(self, tmp_path: Path) -> None:
        """Storage, tax and the purchase itself stay where they are, whatever they cost."""
        rows = [
            *USED,
            uncovered("b", "1000", ServiceName="Storage"),
            uncovered("c", "8", ChargeCategory="Tax"),
            {**BOUGHT, "SubAccountId": "b", "EffectiveCost": "7"},
        ]
        made = month(tmp_path, rows, replace(PLAN, method=CommitmentMethod.BLENDED))
        assert made.carried() == {"a": "75", "b": "1037", "c": "23", "kept_central": "0"}

    def test_a_charge_belongs_to_the_first_commitment_that_it_meets(self, tmp_path: Path) -> None:
        """a and b blend among themselves: 100 for a worth of 140. What c used is of the second one, alone."""
        first = And((COMPUTE, Equals(Field("SubAccountId"), ("a", "b"))))
        plans = (
            replace(PLAN, id="first", eligible=first, method=CommitmentMethod.BLENDED),
            replace(PLAN, id="second", method=CommitmentMethod.BLENDED),
        )
        made = month(tmp_path, [covered("a", "30", "100"), *USED[1:3]], *plans)
        assert made.carried() == {"a": "50", "b": "20", "c": "20"}
        assert {share.pool_id for share in made.allocation.shares} == {"first"}

    def test_a_refund_of_a_holder_is_left_with_it(self, tmp_path: Path) -> None:
        """c got 5 back, which no commitment could cover: a and b blend 100 for 140, and c keeps its credit."""
        rows = [covered("a", "30", "100"), uncovered("b", "40"), uncovered("c", "-5")]
        made = month(tmp_path, rows, replace(PLAN, method=CommitmentMethod.BLENDED))
        assert made.carried() == {"a": "50", "b": "20", "c": "-5"}

    def test_a_month_of_credits_mirrors_a_month_of_charges(self, tmp_path: Path) -> None:
        rows = [covered("a", "-60", "-100"), uncovered("b", "-40"), uncovered("c", "-20"), unused("central", "-30")]
        plan = replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="b", unused=Unused.BENEFICIARIES)
        made = month(tmp_path, rows, plan)
        assert made.moved("plan") == {"a": "-35", "b": "4", "c": "1", "kept_central": "30"}
        assert made.carried() == {"a": "-95", "b": "-36", "c": "-19", "kept_central": "0"}


class TestScopesAndPools:
    def test_no_cost_crosses_from_a_currency_or_an_issuer_to_another(self, tmp_path: Path) -> None:
        yen = {"BillingCurrency": "JPY", "InvoiceId": "J"}
        other = {"InvoiceIssuerName": "Other", "InvoiceId": "O"}
        rows = [*USED, covered("a", "1", "2", **yen), uncovered("b", "2", **yen), uncovered("b", "5", **other)]
        made = month(tmp_path, rows, replace(PLAN, method=CommitmentMethod.BLENDED))
        assert made.carried() == {"a": "75", "b": "35", "c": "15", "kept_central": "0"}
        assert made.carried("JPY") == {"a": "1.5", "b": "1.5"}
        assert made.cents("JPY") == {"a": 2, "b": 1}

    def test_pools_hold_eligible_usage_as_well_and_follow_what_is_carried_after_it(self, tmp_path: Path) -> None:
        """One rate: a pays 75, b 30 and the pool 15. Then the pool is shared 75 : 30 by direct cost as it is now."""
        shared = Pool("shared", "Shared", Cost(), Recipients(groups=("a", "b")))
        rules = (*by_account("a", "b", "central"), to(pool("shared"), "SubAccountId", "c"))
        plan = replace(PLAN, method=CommitmentMethod.BLENDED)
        made = allocated(
            tmp_path, USED, Policy("P", CostBasis.EFFECTIVE, rules, (shared,), "p", commitments=(plan,)), "abc"
        )
        assert made.moved("plan") == {"a": "15", "b": "-10", "shared": "-5"}
        assert [share.step for share in made.allocation.shares] == [0, 0, 0, 1, 1]
        assert made.carried()["a"] == "85.714285714285714286"
        assert made.carried()["b"] == "34.285714285714285714"

    def test_the_buyer_need_not_use_anything(self, tmp_path: Path) -> None:
        plan = replace(PLAN, method=CommitmentMethod.BUYER_FIRST, buyer="ops", unused=Unused.BUYER)
        made = month(tmp_path, ROWS, plan, groups=["a", "b", "c", "ops"])
        assert made.carried() == {"a": "75", "b": "30", "c": "15", "ops": "30", "kept_central": "0"}


class TestRefusals:
    def test_billed_cost(self, tmp_path: Path) -> None:
        with pytest.raises(AllocationRefusedError, match="cannot be divided on billed cost") as found:
            allocated(tmp_path, ROWS, policy(PLAN, basis=CostBasis.BILLED), "abc")
        assert "cost_basis: effective" in found.value.advice

    @pytest.mark.parametrize(
        "plan", [replace(PLAN, method=CommitmentMethod.BUYER_FIRST), replace(PLAN, unused=Unused.BUYER)]
    )
    def test_no_buyer(self, tmp_path: Path, plan: Commitment) -> None:
        with pytest.raises(AllocationRefusedError, match="needs to know who bought it"):
            month(tmp_path, ROWS, plan)

    def test_a_buyer_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(AllocationRefusedError, match="'x', the buyer of commitment 'plan', is not in the tree"):
            month(tmp_path, ROWS, replace(PLAN, unused=Unused.BUYER, buyer="x"))

    def test_beneficiaries_that_are_nobody(self, tmp_path: Path) -> None:
        with pytest.raises(
            ZeroBasisError, match="are to pay for what was not used in USD, but there are none"
        ) as found:
            month(tmp_path, ROWS[1:], replace(PLAN, unused=Unused.BENEFICIARIES))
        assert "kept_central" in found.value.advice


class TestOneAgainstAnother:
    def test_every_method_beside_each_other(self, tmp_path: Path) -> None:
        """The report says what allocation does under each of them, and each comes to the same 150."""
        plan = replace(PLAN, buyer="b", priority=("c", "b"))
        made = month(tmp_path, ROWS, plan)
        (found,) = commitments.eligible(made.policy, made.charges)
        (effects,) = commitments.effects(found, made.tree).values()
        shown = {
            str(effect.target): [plain(effect.held), *(plain(effect.units[method]) for method in CommitmentMethod)]
            for effect in effects
        }
        assert shown == {
            "a": ["60", "60", "80", "75", "84"],
            "b": ["40", "40", "24", "30", "24"],
            "c": ["20", "20", "16", "15", "12"],
            "kept_central": ["30", "30", "30", "30", "30"],
        }
        assert list(found.discounts) == [("USD", "sp-1")]
        bought = found.discounts["USD", "sp-1"]
        assert [plain(units) for units in bought] == ["60", "100", "0", "0", "30"]

    def test_a_method_that_cannot_be_is_left_out(self, tmp_path: Path) -> None:
        made = month(tmp_path, ROWS, PLAN)
        (found,) = commitments.eligible(made.policy, made.charges)
        effects = commitments.effects(found, made.tree)["USD"]
        assert set(effects[0].units) == set(CommitmentMethod) - {CommitmentMethod.BUYER_FIRST}


def test_without_commitments_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an extra scan")

    monkeypatch.setattr("apportion.allocate.charges.measure", refuse)
    rules: tuple[Rule, ...] = RULES
    made = allocated(tmp_path, USED, Policy("P", CostBasis.EFFECTIVE, rules, (), "p"), "abc")
    assert made.carried() == {"a": "60", "b": "40", "c": "20", "kept_central": "0"}
