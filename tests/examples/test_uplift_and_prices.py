"""Surcharges and internal prices: what cost groups pay, and what is over or under-recovered at the centre."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from apportion.allocate.basis import Amount, Even, Metered, Price, Priced
from apportion.allocate.policy import CostBasis, Policy, Pool, Recipients, Uplift
from apportion.allocate.rule import Holder, Target
from apportion.allocate.usage import NO_USAGE, Usage, Used
from apportion.errors import AllocationRefusedError, MissingBasisError, NotFoundError, ZeroBasisError
from apportion.money.amount import units
from tests.charges import Row
from tests.examples.months import Month, allocated, by_account

RULES = by_account("a", "b", "central", "pool:shared", "pool:platform")
SHARED = Pool("shared", "Shared", Even())
FEE = Uplift("fee", "Platform fee", percent=Fraction(1, 20))


def charge(account: str, cost: str, **more: str | None) -> Row:
    return {"SubAccountId": account, "EffectiveCost": cost, **more}


def month(
    directory: Path,
    rows: Sequence[Row],
    *uplifts: Uplift,
    pools: tuple[Pool, ...] = (SHARED,),
    usage: Usage = NO_USAGE,
    basis: CostBasis = CostBasis.BILLED,
) -> Month:
    return allocated(directory, rows, Policy("P", basis, RULES, pools, "p", uplifts=uplifts), ["a", "b"], usage)


ROWS = (charge("a", "100"), charge("b", "50"), charge("pool:shared", "20"), charge("central", "30"))


class TestPercent:
    def test_on_direct_cost_and_shares_of_pools(self, tmp_path: Path) -> None:
        """5 % on 100 + 10 and on 50 + 10 is 8.50, and what is kept central goes down by as much."""
        made = month(tmp_path, ROWS, FEE)
        assert made.moved("fee") == {"a": "5.5", "b": "3", "kept_central": "-8.5"}
        assert made.carried() == {"a": "115.5", "b": "63", "kept_central": "21.5"}
        assert [share.step for share in made.allocation.shares] == [1, 1, 2, 2, 2]

    def test_the_next_surcharge_is_taken_on_the_one_before_as_well(self, tmp_path: Path) -> None:
        """10 % on 115.50 and on 63.00."""
        made = month(tmp_path, ROWS, FEE, Uplift("levy", "Levy", percent=Fraction(1, 10)))
        assert made.moved("levy") == {"a": "11.55", "b": "6.3", "kept_central": "-17.85"}

    def test_only_its_recipients_pay(self, tmp_path: Path) -> None:
        made = month(tmp_path, ROWS, Uplift("fee", "Fee", Recipients(excluded=("a",)), percent=Fraction(1, 20)))
        assert made.moved("fee") == {"b": "3", "kept_central": "-3"}

    def test_a_credit_gets_its_surcharge_back(self, tmp_path: Path) -> None:
        made = month(tmp_path, [charge("a", "-100"), charge("b", "40")], FEE)
        assert made.moved("fee") == {"a": "-5", "b": "2", "kept_central": "3"}

    def test_each_invoice_carries_its_own_in_its_own_currency(self, tmp_path: Path) -> None:
        rows = [charge("a", "10"), charge("a", "30", InvoiceId="INV-2")]
        rows.append(charge("a", "20", InvoiceId="INV-E", BillingCurrency="EUR"))
        made = month(tmp_path, rows, FEE)
        found = [
            (share.scope.invoice_id, share.units)
            for share in made.allocation.shares
            if share.target.holder is Holder.COST_GROUP
        ]
        assert found == [("INV-1", units("0.5")), ("INV-2", units("1.5")), ("INV-E", units("1"))]

    def test_a_third_of_the_last_digit_goes_to_the_nearest(self, tmp_path: Path) -> None:
        """A half of 0.000000000000000001 is a tie, and goes to the even digit: none; of 3 of them, to 2."""
        rows = [charge("a", "1e-18"), charge("b", "3e-18")]
        made = month(tmp_path, rows, Uplift("half", "Half", percent=Fraction(1, 2)))
        assert made.moved("half") == {"b": "0.000000000000000002", "kept_central": "-0.000000000000000002"}

    def test_more_than_the_centre_has_is_over_recovered(self, tmp_path: Path) -> None:
        made = month(tmp_path, [charge("a", "100")], FEE)
        assert made.cents() == {"a": 10_500, "kept_central": -500}

    def test_nobody_to_pay_it_is_refused(self, tmp_path: Path) -> None:
        nobody = Recipients(under=("a",), excluded=("a",))
        with pytest.raises(AllocationRefusedError, match="Nobody takes part in uplift 'fee'"):
            month(tmp_path, ROWS, Uplift("fee", "Fee", nobody, percent=Fraction(1, 20)))

    def test_a_recipient_that_does_not_exist_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            month(tmp_path, ROWS, Uplift("fee", "Fee", Recipients(groups=("x",)), percent=Fraction(1, 20)))


class TestFixed:
    FIXED = Uplift("seat", "Seat", fixed=Amount(units("12.50"), "USD"))

    def test_the_same_for_everybody_with_the_invoice_that_cost_most(self, tmp_path: Path) -> None:
        """Once in the period, not once for each invoice; whoever has no cost pays it as well."""
        rows = [charge("a", "10"), charge("a", "30", InvoiceId="INV-2"), charge("a", "99", BillingCurrency="EUR")]
        made = month(tmp_path, rows, self.FIXED)
        assert made.moved("seat") == {"a": "12.5", "b": "12.5", "kept_central": "-25"}
        assert {share.scope.invoice_id for share in made.allocation.shares} == {"INV-2"}

    def test_on_effective_cost_it_stands_with_the_issuer(self, tmp_path: Path) -> None:
        rows = [charge("a", "10"), charge("b", "30", InvoiceIssuerName="Other")]
        made = month(tmp_path, rows, self.FIXED, basis=CostBasis.EFFECTIVE)
        assert {share.scope.invoice_issuer for share in made.allocation.shares} == {"Other"}

    def test_a_currency_that_nothing_costs_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AllocationRefusedError, match="'seat' is in EUR, but nothing of the period costs EUR"):
            month(tmp_path, ROWS, Uplift("seat", "Seat", fixed=Amount(units("1"), "EUR")))


class TestPriceList:
    """A platform that cost 1,000. Builds cost 2.00 each until September, and 2.50 from October on."""

    PRICES = (Price(None, units("2")), Price(date(2026, 10, 1), units("2.5")), Price(date(2026, 11, 1), units("9")))
    PLATFORM = Pool("platform", "Platform", Priced(Metered("builds"), PRICES, "USD"))

    def builds(self, a: str, b: str) -> Usage:
        used = ((code, value) for code, value in (("a", a), ("b", b)))
        return Usage(Used("builds", Target(Holder.COST_GROUP, code), (), units(value)) for code, value in used)

    @pytest.mark.parametrize(
        ("a", "b", "parts"),
        [
            ("300", "80", {"a": "750", "b": "200", "kept_central": "50"}),
            ("300", "120", {"a": "750", "b": "300", "kept_central": "-50"}),
            ("300", "100", {"a": "750", "b": "250", "kept_central": "0"}),
            ("-20", "100", {"a": "-50", "b": "250", "kept_central": "800"}),
        ],
        ids=["under-recovery", "over-recovery", "exactly", "usage given back"],
    )
    def test_the_difference_is_kept_central(self, tmp_path: Path, a: str, b: str, parts: dict[str, str]) -> None:
        rows = [charge("pool:platform", "1000")]
        made = month(tmp_path, rows, pools=(self.PLATFORM,), usage=self.builds(a, b))
        assert made.moved("platform") == parts

    def test_over_two_invoices_the_prices_are_charged_once(self, tmp_path: Path) -> None:
        """600 and 400: a pays 750 altogether, three fifths of it on the first."""
        rows = [charge("pool:platform", "600"), charge("pool:platform", "400", InvoiceId="INV-2")]
        made = month(tmp_path, rows, pools=(self.PLATFORM,), usage=self.builds("300", "80"))
        assert made.moved("platform") == {"a": "750", "b": "200", "kept_central": "50"}
        on_first = [share.units for share in made.allocation.shares if share.scope.invoice_id == "INV-1"]
        assert on_first == [units("450"), units("120"), units("30")]

    def test_a_surcharge_on_prices(self, tmp_path: Path) -> None:
        """5 % on 750 and 200 recovers 47.50 of the 50 that the prices do not."""
        rows = [charge("pool:platform", "1000")]
        made = month(tmp_path, rows, FEE, pools=(self.PLATFORM,), usage=self.builds("300", "80"))
        assert made.carried() == {"a": "787.5", "b": "210", "kept_central": "2.5"}

    def test_no_price_in_force_is_refused(self, tmp_path: Path) -> None:
        late = Priced(Metered("builds"), (Price(date(2026, 11, 1), units("9")),), "USD")
        with pytest.raises(MissingBasisError, match="No price for 'builds' is in force on 2026-10-01"):
            month(
                tmp_path,
                [charge("pool:platform", "10")],
                pools=(Pool("platform", "Platform", late),),
                usage=self.builds("1", "1"),
            )

    def test_prices_in_another_currency_are_refused(self, tmp_path: Path) -> None:
        rows = [charge("pool:platform", "10", BillingCurrency="EUR")]
        with pytest.raises(MissingBasisError, match="prices of pool 'platform' are in USD, but it holds EUR"):
            month(tmp_path, rows, pools=(self.PLATFORM,), usage=self.builds("1", "1"))

    def test_a_pool_that_comes_to_nothing_is_refused(self, tmp_path: Path) -> None:
        rows = [charge("pool:platform", "10"), charge("pool:platform", "-10", InvoiceId="INV-2")]
        with pytest.raises(ZeroBasisError, match="comes to nothing, and cannot carry prices"):
            month(tmp_path, rows, pools=(self.PLATFORM,), usage=self.builds("1", "1"))

    def test_usage_that_was_not_delivered_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(MissingBasisError, match="No usage of 'builds' was delivered for 2026-10"):
            month(tmp_path, [charge("pool:platform", "10")], pools=(self.PLATFORM,))
