"""W6, W7 and W8 of the worked examples, and W10: pools that serve pools, in every order, and a dual rate."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

import pytest

from apportion.allocate.basis import Cost, Fixed, Metered, Mix, Part, Rate, Rest
from apportion.allocate.policy import Pool, PoolOrder, Recipients
from apportion.errors import PoolLoopError
from apportion.money.amount import units
from tests.examples.sharing import near, shared


def fixed(pool: str, **shares: int) -> Pool:
    return Pool(pool, pool, Fixed(tuple(shares.items())))


class TestW6ServiceGraph:
    """AmadeusITGroup/cloud-cost-allocation, tests test1 and test5 (figures), MIT."""

    CHAIN = (
        Pool("web", "Web", Fixed((("b2b", 100), ("b2c", 900)))),
        Pool("reporting", "Reporting", Fixed((("b2b-reports", 9), ("b2c-reports", 1)))),
        Pool("history", "History", Fixed((("web", 1), ("reporting", 1)))),
        Pool("monitoring", "Monitoring", Fixed((("web", 50), ("reporting", 10), ("history", 10)))),
        Pool("disks", "Disks", Fixed((("history", 9), ("monitoring", 1)))),
        Pool("machines", "Machines", Fixed((("web", 12), ("reporting", 2), ("history", 1), ("monitoring", 1)))),
    )
    LOOP = (fixed("a", b=4, c=5), fixed("b", a=1, c=1, d=3), fixed("c", b=1, d=4))

    def test_a_chain(self) -> None:
        groups = ["b2b", "b2c", "b2b-reports", "b2c-reports"]
        made = shared({"machines": "80", "disks": "20"}, self.CHAIN, groups)
        assert {pool: made.passed(pool) for pool in ("monitoring", "history", "web", "reporting")} == {
            "monitoring": 7, "history": 24, "web": 77, "reporting": 23,
        }  # fmt: skip
        assert made.cents == {"b2b": 770, "b2c": 6930, "b2b-reports": 2070, "b2c-reports": 230}

    def test_a_loop_cut_by_precedence(self) -> None:
        made = shared({"a": "90"}, self.LOOP, ["d"], order=PoolOrder.DECLARED)
        assert {way: made.part(*way) for way in (("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d"))} == {
            ("a", "b"): 40, ("a", "c"): 50, ("b", "c"): 10, ("b", "d"): 30, ("c", "d"): 60,
        }  # fmt: skip

    def test_the_same_loop_solved(self) -> None:
        made = shared({"a": "90"}, self.LOOP, ["d"], order=PoolOrder.RECIPROCAL)
        assert near(made.passed("a"), Fraction(19440, 191))
        assert near(made.passed("b"), Fraction(11250, 191))
        assert near(made.passed("c"), Fraction(13050, 191))
        assert near(made.part("b", "d"), Fraction(6750, 191))
        assert near(made.part("c", "d"), Fraction(10440, 191))
        assert made.carried == {"d": 90}

    def test_a_loop_is_refused_and_named_where_the_order_does_not_allow_it(self) -> None:
        with pytest.raises(PoolLoopError, match="a → b → a") as refused:
            shared({"a": "90"}, self.LOOP, ["d"])
        assert "pool_order: reciprocal" in refused.value.advice

    def test_a_loop_that_nothing_leaves_has_no_solution(self) -> None:
        with pytest.raises(PoolLoopError, match="Nothing ever leaves the pools a → b → a"):
            shared({"a": "90"}, [fixed("a", b=1), fixed("b", a=1)], ["d"], order=PoolOrder.RECIPROCAL)


class TestW7StepDown:
    """third-culture-software/bhima, SAMPLE_5 (figures)."""

    DIRECT: ClassVar = {
        "daycare": "50000", "hr": "300000", "it": "200000", "accounting": "250000",
        "cutting": "500000", "assembly": "700000", "packing": "400000",
    }  # fmt: skip
    EMPLOYEES: ClassVar = {
        "daycare": "5",
        "hr": "4",
        "it": "9",
        "accounting": "8",
        "cutting": "20",
        "assembly": "50",
        "packing": "5",
    }
    COMPUTERS: ClassVar = {
        "daycare": "2",
        "hr": "5",
        "it": "10",
        "accounting": "10",
        "cutting": "6",
        "assembly": "4",
        "packing": "8",
    }
    GROUPS = ("cutting", "assembly", "packing")
    EVERYBODY = Recipients(under=GROUPS, pools=("daycare", "hr", "it", "accounting"))
    POOLS = (
        Pool("daycare", "Daycare", Metered("employees"), EVERYBODY),
        Pool("hr", "HR", Metered("employees"), EVERYBODY),
        Pool("it", "IT", Metered("computers"), EVERYBODY),
        Pool("accounting", "Accounting", Cost(), EVERYBODY),
    )

    def test_figures(self) -> None:
        metered = {"employees": self.EMPLOYEES, "computers": self.COMPUTERS}
        made = shared(self.DIRECT, self.POOLS, self.GROUPS, order=PoolOrder.DECLARED, metered=metered)
        published = {
            ("daycare", "hr"): "2083.3333", ("daycare", "it"): "4687.5000", ("daycare", "accounting"): "4166.6667",
            ("daycare", "cutting"): "10416.6667", ("daycare", "assembly"): "26041.6667",
            ("daycare", "packing"): "2604.1667",
            ("hr", "it"): "29551.6304", ("hr", "accounting"): "26268.1159", ("hr", "cutting"): "65670.2899",
            ("hr", "assembly"): "164175.7246", ("hr", "packing"): "16417.5725",
            ("it", "accounting"): "83656.8323", ("it", "cutting"): "50194.0994", ("it", "assembly"): "33462.7329",
            ("it", "packing"): "66925.4658",
            ("accounting", "cutting"): "113778.6297", ("accounting", "assembly"): "159290.0815",
            ("accounting", "packing"): "91022.9037",
        }  # fmt: skip
        assert {way: f"{float(made.part(*way)):.4f}" for way in published} == published
        assert {code: f"{float(amount):.4f}" for code, amount in made.carried.items()} == {
            "cutting": "740059.6856", "assembly": "1082970.2057", "packing": "576970.1087",
        }  # fmt: skip
        assert made.cents == {"cutting": 74_005_968, "assembly": 108_297_021, "packing": 57_697_011}


class TestW8Reciprocal:
    """Business 388, University of Regina, chapter 8.4 (figures)."""

    DIRECT: ClassVar = {"hr": "80000", "dp": "120000", "rm": "40000"}
    POOLS = (
        fixed("hr", dp=20, rm=10, machining=40, assembly=30),
        fixed("dp", hr=8, rm=7, machining=30, assembly=55),
        fixed("rm", machining=50, assembly=50),
    )
    GROUPS = ("machining", "assembly")

    def test_solved(self) -> None:
        made = shared(self.DIRECT, self.POOLS, self.GROUPS, order=PoolOrder.RECIPROCAL)
        assert near(made.passed("hr"), Fraction(11_200_000, 123))
        assert near(made.passed("dp"), Fraction(17_000_000, 123))
        assert near(made.passed("rm"), Fraction(2_410_000, 41))
        assert near(made.carried["machining"], Fraction(13_195_000, 123))
        assert near(made.carried["assembly"], Fraction(16_325_000, 123))
        assert sum(made.carried.values()) == 240_000
        assert sum(made.cents.values()) == 24_000_000

    @pytest.mark.parametrize(
        ("order", "sequence", "machining", "assembly"),
        [
            (PoolOrder.DIRECT, (0, 1, 2), "108067.2269", "131932.7731"),
            (PoolOrder.DECLARED, (0, 1, 2), "105521.7391", "134478.2609"),
            (PoolOrder.DECLARED, (1, 0, 2), "110600.0000", "129400.0000"),
        ],
    )
    def test_twins(self, order: PoolOrder, sequence: tuple[int, ...], machining: str, assembly: str) -> None:
        made = shared(self.DIRECT, [self.POOLS[place] for place in sequence], self.GROUPS, order=order)
        assert {code: f"{float(amount):.4f}" for code, amount in made.carried.items()} == {
            "machining": machining, "assembly": assembly,
        }  # fmt: skip
        assert sum(made.carried.values()) == 240_000


def test_w10_dual_rate() -> None:
    """Capacity by budget, usage by actual: brainmass.com 515993 (question), results computed."""
    calls = Rate(units("1.00"), "USD", Metered("calls"))
    dual = Mix((Part(calls, Metered("calls")), Part(Rest(), Metered("budgeted calls"))))
    metered = {"calls": {"b": "350", "c": "250"}, "budgeted calls": {"b": "300", "c": "300"}}
    made = shared({"centre": "3600"}, [Pool("centre", "Call centre", dual)], ["b", "c"], metered=metered)
    assert made.carried == {"b": 1850, "c": 1750}
