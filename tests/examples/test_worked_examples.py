"""Published worked examples, through the real engine. Sources and grades: see each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.allocate.allocation import Allocation
from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, Pool, Recipients
from apportion.allocate.rule import KEPT_CENTRAL, And, Equals, Field, Holder, Not, Rule, Target
from apportion.errors import ZeroBasisError
from apportion.money.amount import units
from apportion.money.split import settle, split
from tests.charges import Row, allocated, carried, rule, service

SALES, QA, ENGINEERING = (Target(Holder.COST_GROUP, code) for code in ("sales", "qa", "engineering"))


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def pool_of(code: str) -> Target:
    return Target(Holder.POOL, code)


def cost(amount: str, service_name: str) -> Row:
    return {"EffectiveCost": amount, "ServiceName": service_name}


class TestW1SharedCostThreeMethods:
    """FinOps Foundation framework, "A Guide to Spreading Out Shared Cloud Costs" (figures), CC BY 4.0."""

    @pytest.mark.parametrize(
        ("basis", "expected"),
        [
            (Cost(), {"sales": "56000", "qa": "33600", "engineering": "22400"}),
            (Even(), {"sales": "54000", "qa": "34000", "engineering": "24000"}),
            (
                Fixed((("sales", 45), ("qa", 30), ("engineering", 25))),
                {"sales": "55400", "qa": "33600", "engineering": "23000"},
            ),
        ],
    )
    def test_figures(self, tmp_path: Path, basis: Basis, expected: dict[str, str]) -> None:
        codes = ["sales", "qa", "engineering"]
        made = allocated(
            tmp_path,
            [cost("50000", "sales"), cost("30000", "qa"), cost("20000", "engineering"), cost("12000", "support")],
            [*(rule(code, group(code), service(code)) for code in codes), rule("support", pool_of("support"))],
            [Pool("support", "Support", basis)],
            codes,
        )
        assert carried(made.lines) == expected
        assert sum(line.minor for line in made.lines) == 11_200_000


class TestW2PoolWithANegatingRow:
    """project-koku/koku `docs/distributing_cost.md`, AGPL-3.0: numbers only."""

    ROWS = (cost("25", "a"), cost("75", "b"), cost("100", "pool"))
    RULES = (rule("a", group("a"), service("a")), rule("b", group("b"), service("b")), rule("p", pool_of("p")))

    def made(self, directory: Path, rows: tuple[Row, ...] = ROWS, groups: tuple[str, ...] = ("a", "b")) -> Allocation:
        return allocated(directory, rows, self.RULES, [Pool("p", "Pool", Cost())], groups)

    def test_the_pool_is_emptied_and_the_signed_rows_net_to_zero(self, tmp_path: Path) -> None:
        made = self.made(tmp_path)
        signed = {str(share.target): share.units for share in made.shares}
        signed["p"] = -made.shares[0].pool_units
        assert signed == {"a": units("25"), "b": units("75"), "p": units("-100")}
        assert sum(signed.values()) == 0

    def test_running_twice_gives_the_same(self, tmp_path: Path) -> None:
        assert self.made(tmp_path) == self.made(tmp_path)

    def test_a_recipient_without_usage_gets_no_row(self, tmp_path: Path) -> None:
        made = self.made(tmp_path, groups=("a", "b", "c"))
        assert {str(share.target) for share in made.shares} == {"a", "b"}

    def test_a_basis_of_zero_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroBasisError, match="no direct cost"):
            self.made(tmp_path, rows=(cost("100", "pool"),))


class TestW4CommitmentRows:
    """FOCUS_Spec `commitment_discount_scenarios`, larger set: one day of an all-upfront plan, 75 % used; CC-BY-4.0."""

    STANDARD = ("3.96", "4.14", "1.54", "0.15", "0.15", "0.15", "0.00", "0.00", "0.01", "0.02", "0.02", "0.01")

    def rows(self) -> list[Row]:
        plan = {"CommitmentDiscountId": "plan"}
        bought: Row = {**plan, "ChargeCategory": "Purchase", "BilledCost": "459000.00", "EffectiveCost": "0.00"}
        hour = {**plan, "BilledCost": "0.00", "EffectiveCost": "52.40"}
        used = [{**hour, "CommitmentDiscountStatus": "Used", "ServiceName": "Compute"}] * 18
        unused = [{**hour, "CommitmentDiscountStatus": "Unused", "ServiceName": "Compute"}] * 6
        standard: list[Row] = [cost(amount, "Compute") for amount in self.STANDARD]
        return [bought, *used, *unused, *standard]

    RULES = (
        rule("unused", KEPT_CENTRAL, Equals(Field("CommitmentDiscountStatus"), ("Unused",))),
        rule("purchase", KEPT_CENTRAL, Equals(Field("ChargeCategory"), ("Purchase",))),
        rule("used", group("used"), Equals(Field("CommitmentDiscountStatus"), ("Used",))),
        rule("standard", group("standard")),
    )

    def test_on_effective_cost(self, tmp_path: Path) -> None:
        made = allocated(tmp_path, self.rows(), self.RULES, groups=["used", "standard"])
        assert carried(made.lines) == {"used": "943.2", "standard": "10.15", "kept_central": "314.4"}
        assert sum(line.minor for line in made.lines) == 126_775

    def test_on_billed_cost(self, tmp_path: Path) -> None:
        made = allocated(tmp_path, self.rows(), self.RULES, groups=["used", "standard"], basis=CostBasis.BILLED)
        assert carried(made.lines) == {"used": "0", "standard": "10.15", "kept_central": "459000"}
        assert sum(line.minor for line in made.lines) == 45_901_015

    @pytest.mark.parametrize(
        ("billed", "effective"),
        [
            (["0", "8760.00"], ["1.00", "0"]),  # all upfront, once
            (["0", "1.00"], ["1.00", "0"]),  # none upfront, each hour
        ],
    )
    def test_over_the_term_effective_cost_equals_what_was_billed(
        self, tmp_path: Path, billed: list[str], effective: list[str]
    ) -> None:
        hours = 8760
        purchases = 1 if billed[1] == "8760.00" else hours
        plan = {"CommitmentDiscountId": "plan"}
        rows: list[Row] = [
            *[{**plan, "CommitmentDiscountStatus": "Used", "BilledCost": billed[0], "EffectiveCost": effective[0]}]
            * hours,
            *[{**plan, "ChargeCategory": "Purchase", "BilledCost": billed[1], "EffectiveCost": effective[1]}]
            * purchases,
        ]
        both = {
            basis: sum(
                line.units
                for line in allocated(tmp_path, rows, [rule("all", group("a"))], groups=["a"], basis=basis).lines
            )
            for basis in CostBasis
        }
        assert both[CostBasis.EFFECTIVE] == both[CostBasis.BILLED] == units("8760")


class TestW11Cents:
    """nucore-open order splitter specs (MIT) and getlago/lago-api#2643 (numbers only); largest remainder is ours."""

    @pytest.mark.parametrize(
        ("amount", "shares", "expected"),
        [
            (999, [50, 50], [500, 499]),
            (1999, [50, 50], [1000, 999]),
            (2999, [50, 50], [1500, 1499]),
            (3999, [50, 50], [2000, 1999]),
            (999, [3334, 3333, 3333], [333, 333, 333]),
            (666, [3334, 3333, 3333], [222, 222, 222]),
            (45, [3334, 3333, 3333], [15, 15, 15]),
            (-999, [3334, 3333, 3333], [-333, -333, -333]),
            (-1, [1, 1], [-1, 0]),
            (10000, [1, 1, 1], [3334, 3333, 3333]),
        ],
    )
    def test_largest_remainder(self, amount: int, shares: list[int], expected: list[int]) -> None:
        assert split(amount, shares) == expected

    def test_tax_on_the_sum_the_last_part_takes_the_remainder(self) -> None:
        taxed = [units(amount) * 12 // 10 for amount in ("68.33", "57.50", "85.00", "68.33")]
        assert settle(taxed, units("0.01")) == [8200, 6900, 10200, 8199]

    def test_drift_over_many_lines(self) -> None:
        lines = [units("100.0049")] * 4 + [units("250.00")] * 76 + [units("3672.51")]
        settled = settle(lines, units("0.01"))
        assert sum(settled) == 2_307_253
        assert settled[:4] == [10001, 10001, 10000, 10000]


class TestW12RuleOrder:
    """Azure cost allocation rules (MicrosoftDocs/azure-docs, CC BY 4.0): the rules; amounts are ours."""

    ROWS = (cost("300", "A"), cost("50", "B"), cost("20", "C"))

    def carried(self, directory: Path, *first: Rule) -> dict[str, str]:
        own = [rule(code.lower(), group(code.lower()), service(code)) for code in "ABC"]
        return carried(allocated(directory, self.ROWS, [*first, *own], groups=["a", "b", "c"]).lines)

    def test_the_first_rule_takes_all_and_leaves_nothing_to_the_second(self, tmp_path: Path) -> None:
        to_b, to_c = rule("1", group("b"), service("A")), rule("2", group("c"), service("A"))
        assert self.carried(tmp_path, to_b, to_c) == {"b": "350", "c": "20"}
        assert self.carried(tmp_path, to_c, to_b) == {"b": "50", "c": "320"}

    def test_without_the_rules_the_provider_invoice_remains(self, tmp_path: Path) -> None:
        assert self.carried(tmp_path) == {"a": "300", "b": "50", "c": "20"}

    def test_fixed_percentages_stay_frozen_until_someone_edits_them(self, tmp_path: Path) -> None:
        rows = [cost("10", "A"), cost("90", "B"), cost("200", "source")]
        frozen = Pool("source", "Source", Fixed((("a", 75), ("b", 25))))
        own = [rule("a", group("a"), service("A")), rule("b", group("b"), service("B"))]
        made = allocated(tmp_path, rows, [*own, rule("s", pool_of("source"))], [frozen], ["a", "b"])
        assert [(str(share.target), share.units) for share in made.shares] == [("a", units("150")), ("b", units("50"))]

    def test_a_target_without_cost_keeps_its_share_visible(self, tmp_path: Path) -> None:
        shared = Pool("source", "Source", Fixed((("a", 1), ("idle", 3))))
        made = allocated(tmp_path, [cost("200", "x")], [rule("s", pool_of("source"))], [shared], ["a", "idle"])
        assert carried(made.lines) == {"a": "50", "idle": "150"}


def test_what_no_rule_meets_stays_visible_as_unallocated(tmp_path: Path) -> None:
    only = rule("prod", group("a"), And((service("Compute"), Not(Equals(Field("SubAccountId"), ("9",))))))
    rows: list[Row] = [
        {"EffectiveCost": "1.10"},
        {"EffectiveCost": "2.20", "SubAccountId": "9"},
        {"EffectiveCost": "-0.30", "ServiceName": None},
    ]
    assert carried(allocated(tmp_path, rows, [only], groups=["a"]).lines) == {"a": "1.1", "unallocated": "1.9"}


def test_recipients_by_subtree_and_exclusion(tmp_path: Path) -> None:
    shared = Pool("p", "P", Even(), Recipients(under=("a",), groups=("c",), excluded=("b",)))
    made = allocated(tmp_path, [cost("90", "x")], [rule("p", pool_of("p"))], [shared], ["a", "b", "c"])
    assert carried(made.lines) == {"a": "45", "c": "45"}
