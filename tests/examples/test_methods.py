"""One example for each way to share a pool, and for each of its refusals, to be checked by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from apportion.allocate.allocation import Cell, Scope
from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Part,
    Price,
    Priced,
    Rate,
    Rest,
    Summed,
    Tier,
    Weight,
)
from apportion.allocate.policy import Beyond, Cap, Limits, NegativeBasis, Pool, PoolOrder, Recipients
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import (
    AllocationRefusedError,
    MissingBasisError,
    NegativeBasisError,
    PoolLoopError,
    ZeroBasisError,
)
from apportion.money.amount import ONE, units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from tests.examples.sharing import PERIOD, SCOPE, Result, shared

GROUPS = ("web", "app", "data")
REQUESTS = {"web": "600", "app": "300", "data": "100"}


def carried(basis: Basis, pool: str = "1000", **costs: str) -> dict[str, Fraction]:
    """What everybody carries of a pool of 1,000.00 and of direct cost."""
    return by(Pool("pool", "Pool", basis), pool, **costs).carried


def by(pool: Pool, amount: str = "1000", **costs: str) -> Result:
    metered = {"requests": REQUESTS, "budget": {"web": "1", "app": "1", "data": "2"}, "nothing": {"web": "0"}}
    return shared({**costs, "pool": amount}, [pool], GROUPS, metered=metered)


@pytest.mark.parametrize("pool", ["0.000000000000000001", "1000", "9.99", "0.02"])
def test_a_credit_mirrors_a_charge_to_the_last_unit(pool: str) -> None:
    assert carried(Even(), f"-{pool}") == {code: -amount for code, amount in carried(Even(), pool).items()}


class TestMetered:
    def test_by_requests(self) -> None:
        assert carried(Metered("requests")) == {"web": 600, "app": 300, "data": 100}

    def test_a_group_without_usage_gets_no_share(self) -> None:
        made = shared({"pool": "10"}, [Pool("pool", "P", Metered("m"))], GROUPS, metered={"m": {"web": "1"}})
        assert [str(share.target) for share in made.shared.shares] == ["web"]

    def test_only_some_dimensions(self) -> None:
        """Tokens of the large model only: web 100, app 300; the small model's tokens do not count."""
        rows = [("web", "large", 100), ("app", "large", 300), ("web", "small", 5000)]
        used = Usage(
            Used("tokens", Target(Holder.COST_GROUP, code), (("model", model),), value * ONE)
            for code, model, value in rows
        )
        pool = Pool("pool", "Pool", Metered("tokens", (("model", ("large",)),)))
        given = Circumstances(Tree(CostGroup(code, code) for code in GROUPS), PERIOD, usage=used)
        found = [Cell("r", Target(Holder.POOL, "pool"), SCOPE, "AI", "Usage", 1, units("80"))]
        made = share_pools(found, [pool], given)
        assert {str(share.target): share.units for share in made.shares} == {"web": units("20"), "app": units("60")}

    def test_tiers(self) -> None:
        """The first 200 requests count once, all above half: web 200 + 200, app 200 + 50, data 100: 750 in all."""
        tiers = (Tier(200 * ONE, ONE), Tier(None, ONE // 2))
        assert carried(Metered("requests", tiers=tiers), "750") == {"web": 400, "app": 250, "data": 100}

    def test_a_stepped_price(self) -> None:
        """W11: 10 hours at 50 for the first 2, 45 for 3, 40 for 2, 39 for the rest are 432; with reductions 342."""
        for rates, expected in (((50, 45, 40, 39), 432), ((45, 37, 30, 27), 342)):
            tiers = [Tier(top, rate * ONE) for top, rate in zip((2 * ONE, 5 * ONE, 7 * ONE), rates, strict=False)]
            hours = Metered("hours", tiers=(*tiers, Tier(None, rates[3] * ONE)))
            price = Priced(hours, (Price(None, ONE),), "USD")
            made = shared({"lab": "500"}, [Pool("lab", "Lab", price)], GROUPS, metered={"hours": {"web": "10"}})
            assert made.carried == {"web": expected, "kept_central": 500 - expected}

    def test_usage_that_was_not_delivered(self) -> None:
        with pytest.raises(MissingBasisError, match=r"No usage of 'seats' was delivered for 2026-10\."):
            carried(Metered("seats"))

    def test_usage_of_nobody(self) -> None:
        with pytest.raises(ZeroBasisError, match="its recipients used nothing of 'nothing'"):
            carried(Metered("nothing"))

    def test_usage_below_zero(self) -> None:
        metered = {"requests": {"web": "3", "app": "-1"}}
        pool = Pool("pool", "Pool", Metered("requests"))
        with pytest.raises(NegativeBasisError, match="'app' has -1 of 'requests'"):
            shared({"pool": "10"}, [pool], GROUPS, metered=metered)
        left_out = Pool("pool", "Pool", Metered("requests"), negative_basis=NegativeBasis.ZERO)
        assert shared({"pool": "10"}, [left_out], GROUPS, metered=metered).carried == {"web": 10}


def test_the_greater_of_request_and_usage() -> None:
    """web asked for 4 and used 1, app asked for 2 and used 6: 4 and 6 of 10."""
    basis = Greater((Metered("asked"), Metered("used")))
    metered = {"asked": {"web": "4", "app": "2"}, "used": {"web": "1", "app": "6"}}
    made = shared({"pool": "100"}, [Pool("pool", "Pool", basis)], GROUPS, metered=metered)
    assert made.carried == {"web": 40, "app": 60}


def test_the_sum_of_metrics_by_factor() -> None:
    """A token out counts like four in: web 100 + 4 × 25 = 200, app 400 + 4 × 100 = 800."""
    basis = Summed(((Metered("in"), ONE), (Metered("out"), 4 * ONE)))
    metered = {"in": {"web": "100", "app": "400"}, "out": {"web": "25", "app": "100"}}
    made = shared({"pool": "50"}, [Pool("pool", "Pool", basis)], GROUPS, metered=metered)
    assert made.carried == {"web": 10, "app": 40}


class TestCost:
    def test_of_some_services(self) -> None:
        """Only what web and app pay for storage counts: 30 and 10."""
        found = [
            Cell("r", Target(Holder.COST_GROUP, code), SCOPE, service, "Usage", 1, units(cost))
            for code, service, cost in (("web", "Storage", "30"), ("web", "Compute", "900"), ("app", "Storage", "10"))
        ]
        found.append(Cell("p", Target(Holder.POOL, "pool"), SCOPE, "Backup", "Usage", 1, units("8")))
        given = Circumstances(Tree(CostGroup(code, code) for code in GROUPS), PERIOD)
        made = share_pools(found, [Pool("pool", "Pool", Cost(services=("Storage",)))], given)
        assert {str(share.target): share.units for share in made.shares} == {"web": units("6"), "app": units("2")}

    def test_so_far(self) -> None:
        """Licences are shared evenly first: 100 each. Support then follows 400, 100 and 100 of 600."""
        pools = [Pool("licences", "L", Even()), Pool("support", "S", Cost(so_far=True))]
        made = shared({"web": "300", "licences": "300", "support": "60"}, pools, GROUPS)
        assert made.carried == {"web": 440, "app": 110, "data": 110}

    def test_so_far_cannot_be_part_of_a_loop(self) -> None:
        pools = [
            Pool("a", "A", Cost(so_far=True), Recipients(under=("web",), pools=("b",))),
            Pool("b", "B", Fixed((("a", 1), ("web", 1)))),
        ]
        with pytest.raises(PoolLoopError, match="Pool 'a' is part of a loop, but how it is shared depends"):
            shared({"web": "1", "b": "9"}, pools, GROUPS, order=PoolOrder.RECIPROCAL)

    def test_nobody_has_any(self) -> None:
        with pytest.raises(ZeroBasisError, match="its recipients have no direct cost in USD"):
            carried(Cost())


class TestMix:
    def test_thirty_per_cent_even_and_the_rest_by_traffic(self) -> None:
        """300 / 3 = 100 each, and 700 as 420, 210 and 70."""
        mix = Mix((Part(Weight(30), Even()), Part(Weight(70), Metered("requests"))))
        assert carried(mix) == {"web": 520, "app": 310, "data": 170}

    def test_the_first_400_evenly_and_the_rest_by_traffic(self) -> None:
        mix = Mix((Part(Amount(units("400"), "USD"), Even()), Part(Rest(), Metered("requests"))))
        third = Fraction(400, 3)
        found = carried(mix)
        for code, metered in (("web", 360), ("app", 180), ("data", 60)):
            assert abs(found[code] - third - metered) < Fraction(2, ONE)
        assert sum(found.values()) == 1000

    def test_a_pool_smaller_than_its_first_part(self) -> None:
        mix = Mix((Part(Amount(units("400"), "USD"), Even()), Part(Rest(), Metered("requests"))))
        assert carried(mix, "300") == {"web": 100, "app": 100, "data": 100}

    def test_a_credit_mirrors_a_charge(self) -> None:
        mix = Mix((Part(Amount(units("400"), "USD"), Even()), Part(Rest(), Metered("requests"))))
        assert carried(mix, "-1000") == {code: -amount for code, amount in carried(mix).items()}

    def test_a_rate_that_asks_for_more_than_there_is(self) -> None:
        rate = Rate(units("2"), "USD", Metered("requests"))
        mix = Mix((Part(rate, Metered("requests")), Part(Rest(), Metered("budget"))))
        with pytest.raises(AllocationRefusedError, match="asks for 2000 USD, but only 1000 is there"):
            carried(mix)


class TestPrices:
    PRICE = Priced(Metered("requests"), (Price(None, units("0.50")), Price(PERIOD.next.starts_on, units("9"))), "USD")

    def test_under_recovery_is_kept_central(self) -> None:
        """1,000 requests at 0.50 are 500.00; the pool cost 800.00."""
        assert carried(self.PRICE, "800") == {"web": 300, "app": 150, "data": 50, "kept_central": 300}

    def test_over_recovery_is_kept_central(self) -> None:
        assert carried(self.PRICE, "450") == {"web": 300, "app": 150, "data": 50, "kept_central": -50}

    def test_over_two_invoices(self) -> None:
        """Of 500.00 charged, 4/5 belong to the invoice of 640.00 and 1/5 to that of 160.00."""
        scopes = [Scope("Northwind Cloud", number, "", "USD") for number in ("I-1", "I-2")]
        found = [
            Cell("r", Target(Holder.POOL, "pool"), scope, "Compute", "Usage", 1, units(cost))
            for scope, cost in zip(scopes, ("640", "160"), strict=True)
        ]
        used = Usage(Used("requests", Target(Holder.COST_GROUP, "web"), (), 1000 * ONE) for _ in "1")
        tree = Tree(CostGroup(code, code) for code in GROUPS)
        made = share_pools(found, [Pool("pool", "Pool", self.PRICE)], Circumstances(tree, PERIOD, usage=used))
        assert [(share.scope.invoice_id, str(share.target), share.units // ONE) for share in made.shares] == [
            ("I-1", "web", 400), ("I-1", "kept_central", 240), ("I-2", "web", 100), ("I-2", "kept_central", 60),
        ]  # fmt: skip
        assert sum(line.minor for line in lines(found, made.shares, tree)) == 80_000

    def test_another_currency(self) -> None:
        euros = Priced(Metered("requests"), (Price(None, ONE),), "EUR")
        with pytest.raises(MissingBasisError, match="are in EUR, but it holds USD"):
            carried(euros)

    def test_prices_hold_without_limits(self) -> None:
        with pytest.raises(AllocationRefusedError, match="no limit and no cap may change"):
            by(Pool("pool", "Pool", self.PRICE, limits=Limits(at_most=Fraction(1, 2))))

    def test_no_price_yet(self) -> None:
        late = Priced(Metered("requests"), (Price(PERIOD.next.starts_on, ONE),), "USD")
        with pytest.raises(MissingBasisError, match="No price for 'requests' is in force on 2026-10-01"):
            carried(late)


class TestLimits:
    """600, 300 and 100 of 1,000.00 by requests."""

    def limited(self, amount: str = "1000", **limits: object) -> dict[str, Fraction]:
        return by(Pool("pool", "Pool", Metered("requests"), limits=Limits(**limits)), amount).carried  # type: ignore[arg-type]

    def test_at_most_and_the_rest_passed_on(self) -> None:
        """web pays 400; its 200 go to app and data by 3 : 1."""
        assert self.limited(at_most=Amount(units("400"), "USD")) == {"web": 400, "app": 400, "data": 200}
        assert self.limited(at_most=Fraction(40, 100)) == {"web": 400, "app": 400, "data": 200}

    def test_passed_on_until_nobody_is_above(self) -> None:
        """At most 420: web first; app would pay 435, so it stops at 420 as well, and data takes 160."""
        assert self.limited(at_most=Amount(units("420"), "USD")) == {"web": 420, "app": 420, "data": 160}

    def test_at_most_and_the_rest_kept(self) -> None:
        kept = self.limited(at_most=Amount(units("400"), "USD"), beyond=Beyond.KEPT_CENTRAL)
        assert kept == {"web": 400, "app": 300, "data": 100, "kept_central": 200}

    def test_at_least(self) -> None:
        """data pays 250; web and app share the other 750 by 2 : 1."""
        assert self.limited(at_least=Amount(units("250"), "USD")) == {"web": 500, "app": 250, "data": 250}

    def test_a_credit_mirrors_a_charge(self) -> None:
        assert self.limited("-1000", at_most=Fraction(2, 5)) == {"web": -400, "app": -400, "data": -200}

    def test_more_than_all_can_carry(self) -> None:
        with pytest.raises(AllocationRefusedError, match="more than 3 recipients that pay 300 at most can carry"):
            self.limited(at_most=Amount(units("300"), "USD"))

    def test_less_than_all_must_pay(self) -> None:
        with pytest.raises(AllocationRefusedError, match="too little for 3 recipients that pay 400 at least"):
            self.limited(at_least=Amount(units("400"), "USD"))

    def test_another_currency(self) -> None:
        with pytest.raises(MissingBasisError, match="is given in EUR, but it holds USD"):
            self.limited(at_most=Amount(units("400"), "EUR"))


class TestCap:
    def test_the_rest_is_kept(self) -> None:
        pool = Pool("pool", "Pool", Metered("requests"), cap=Cap(Amount(units("100"), "USD"), KEPT_CENTRAL))
        assert by(pool).carried == {"web": 60, "app": 30, "data": 10, "kept_central": 900}
        assert by(pool, "50").carried == {"web": 30, "app": 15, "data": 5}

    def test_the_rest_goes_to_another_pool(self) -> None:
        """Of 1,000.00, 100.00 go by requests and 900.00 evenly, whatever order the pools are written in."""
        capped = Pool(
            "pool", "Pool", Metered("requests"), cap=Cap(Amount(units("100"), "USD"), Target(Holder.POOL, "rest"))
        )
        for pools in ([capped, Pool("rest", "Rest", Even())], [Pool("rest", "Rest", Even()), capped]):
            made = shared({"pool": "1000"}, pools, GROUPS, metered={"requests": REQUESTS})
            assert made.carried == {"web": 360, "app": 330, "data": 310}


class TestFallbacks:
    def test_the_first_that_can_be_followed(self) -> None:
        pool = Pool("pool", "Pool", Metered("seats"), otherwise=(Cost(), Metered("requests"), Even()))
        made = by(pool)
        assert made.carried == {"web": 600, "app": 300, "data": 100}
        [said] = made.shared.weighed
        assert said.chosen == 2
        assert said.refused == (
            "No usage of 'seats' was delivered for 2026-10.",
            "Pool 'pool' holds USD, but its recipients have no direct cost in USD to share it by.",
        )

    def test_kept_central_is_a_fallback_too(self) -> None:
        pool = Pool("pool", "Pool", Metered("seats"), otherwise=(KeptCentral(),))
        assert by(pool).carried == {"kept_central": 1000}

    def test_nobody_takes_part(self) -> None:
        pool = Pool("pool", "Pool", Even(), Recipients(charged_by=("no-such",)), otherwise=(KeptCentral(),))
        assert by(pool).carried == {"kept_central": 1000}

    def test_a_limit_in_another_currency(self) -> None:
        euros = Limits(at_most=Amount(ONE, "EUR"))
        pool = Pool("pool", "Pool", Metered("requests"), limits=euros)
        with pytest.raises(MissingBasisError, match="given in EUR"):
            by(pool)

    def test_the_last_error_is_the_one_that_counts(self) -> None:
        with pytest.raises(ZeroBasisError, match="used nothing of 'nothing'"):
            by(Pool("pool", "Pool", Metered("seats"), otherwise=(Metered("nothing"),)))


class TestRecipients:
    TREE = Tree(
        [
            CostGroup("shop", "Shop", coding=Coding(company="1000"), attributes=(("region", "eu"),)),
            CostGroup("web", "Web", "shop"),
            CostGroup("app", "App", "shop", attributes=(("region", "us"),)),
            CostGroup("labs", "Labs", coding=Coding(company="2000")),
        ]
    )

    def taking(self, **asked: object) -> dict[str, int]:
        found = [
            Cell("to-web", Target(Holder.COST_GROUP, "web"), SCOPE, "Compute", "Usage", 1, ONE),
            Cell("to-pool", Target(Holder.POOL, "pool"), SCOPE, "Compute", "Usage", 1, 12 * ONE),
        ]
        pool = Pool("pool", "Pool", Even(), Recipients(**asked))  # type: ignore[arg-type]
        made = share_pools(found, [pool], Circumstances(self.TREE, PERIOD))
        return {str(share.target): share.units // ONE for share in made.shares}

    def test_everybody_at_the_bottom(self) -> None:
        assert self.taking() == {"web": 4, "app": 4, "labs": 4}

    def test_by_attribute_inherited_from_above(self) -> None:
        assert self.taking(having=(("region", ("eu",)),)) == {"web": 12}
        assert self.taking(having=(("region", ("eu", "us")),)) == {"web": 6, "app": 6}

    def test_by_a_code_of_the_ledger(self) -> None:
        assert self.taking(having=(("company", ("2000",)),)) == {"labs": 12}

    def test_by_rule(self) -> None:
        assert self.taking(charged_by=("to-web",)) == {"web": 12}

    def test_with_exclusions(self) -> None:
        assert self.taking(under=("shop",), groups=("labs",), excluded=("app",)) == {"web": 6, "labs": 6}

    def test_exclusions_beside_pools_speak_of_cost_groups(self) -> None:
        """12.00 among web, app and the other pool: 4.00 each. With pools alone the other has all of it."""
        cells = [Cell("to-pool", Target(Holder.POOL, "pool"), SCOPE, "Compute", "Usage", 1, 12 * ONE)]
        other = Pool("other", "Other", KeptCentral())
        taken = []
        for asked in (Recipients(excluded=("labs",), pools=("other",)), Recipients(pools=("other",))):
            made = share_pools(cells, [Pool("pool", "Pool", Even(), asked), other], Circumstances(self.TREE, PERIOD))
            taken.append({share.target.code: share.units // ONE for share in made.shares if share.pool_id == "pool"})
        assert taken == [{"web": 4, "app": 4, "other": 4}, {"other": 12}]

    def test_nobody(self) -> None:
        with pytest.raises(AllocationRefusedError, match="Nobody takes part in pool 'pool'"):
            self.taking(having=(("region", ("mars",)),))
