"""Tax, credits, refunds, support, marketplace and rounding rows follow the charges that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from apportion.allocate.basis import Even, Fixed, Follow
from apportion.allocate.policy import CostBasis, Policy, Pool, PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, Rule
from apportion.errors import PoolLoopError, ZeroBasisError
from tests.charges import Row
from tests.examples.months import Month, allocated, by_account, group, pool, to

pytestmark = pytest.mark.thorough

TAX = Pool("tax", "Tax", Follow((("InvoiceId", "SubAccountId"), ("InvoiceId",))), otherwise=(Even(),))
CREDITS = Pool("credits", "Credits", Follow((("ResourceId",), ("SubAccountId",))), otherwise=(Even(),))
RULES = (
    to(pool("tax"), "ChargeCategory", "Tax"),
    to(pool("credits"), "ChargeCategory", "Credit"),
    *by_account("a", "b", "pool:shared", "central"),
)

BY_SERVICE = (
    to(pool("credits"), "ChargeCategory", "Credit"),
    to(group("a"), "ServiceName", "A"),
    to(group("b"), "ServiceName", "B"),
)


def usage(account: str | None, cost: str, **more: str | None) -> Row:
    return {"SubAccountId": account, "EffectiveCost": cost, **more}


def month(
    directory: Path,
    rows: Sequence[Row],
    *pools: Pool,
    rules: tuple[Rule, ...] = RULES,
    order: PoolOrder = PoolOrder.DERIVED,
    basis: CostBasis = CostBasis.BILLED,
) -> Month:
    return allocated(directory, rows, Policy("P", basis, rules, pools, "p", order), ["a", "b"])


BILL = (
    usage("a", "60", ResourceId="r1"),
    usage("a", "30", ResourceId="r2"),
    usage("b", "10", ResourceId="r2"),
    usage("b", "100", ResourceId="r3", InvoiceId="INV-2"),
)


class TestWhatACreditBelongsTo:
    def test_the_same_resource_goes_before_the_same_account(self, tmp_path: Path) -> None:
        """Of r2, a carries 30 and b 10: three quarters and one. Nothing else is of r9, so its account a takes it."""
        rows = [
            *BILL,
            usage("a", "-8", ResourceId="r2", ChargeCategory="Credit"),
            usage("a", "-5", ResourceId="r9", ChargeCategory="Credit"),
        ]
        made = month(tmp_path, rows, TAX, CREDITS)
        assert made.moved("credits") == {"a": "-11", "b": "-2"}
        assert made.carried() == {"a": "79", "b": "108"}

    def test_what_belongs_to_nothing_takes_the_other_basis(self, tmp_path: Path) -> None:
        rows = [*BILL, usage(None, "-7", ChargeCategory="Credit"), usage("z", "-1", ChargeCategory="Credit")]
        assert month(tmp_path, rows, TAX, CREDITS).moved("credits") == {"a": "-4", "b": "-4"}

    def test_what_belongs_to_nothing_is_refused_where_no_other_basis_is_named(self, tmp_path: Path) -> None:
        rows = [*BILL, usage(None, "-7", ChargeCategory="Credit")]
        with pytest.raises(ZeroBasisError, match="Some cost in pool 'credits' has no other charge to follow") as found:
            month(tmp_path, rows, TAX, Pool("credits", "Credits", CREDITS.basis))
        assert "otherwise" in found.value.advice

    def test_a_null_is_not_the_same_as_another_null(self, tmp_path: Path) -> None:
        """The usage without a resource is no companion of the credit without one; they share the account b."""
        rows = [usage("a", "10", ResourceId=None), usage("b", "5"), usage("b", "-2", ChargeCategory="Credit")]
        assert month(tmp_path, rows, TAX, CREDITS).moved("credits") == {"b": "-2"}

    @pytest.mark.parametrize(("of_b", "rest_of_b"), [("-3", "4"), ("-6", "7")])
    def test_charges_that_cost_nothing_or_less_altogether_are_passed_over(
        self, tmp_path: Path, of_b: str, rest_of_b: str
    ) -> None:
        """Charges of r1 come to 0, or -3, so its credit goes with its account: 12 of a, 1 of b."""
        rows = [
            usage("x", "3", ResourceId="r1", ServiceName="A"),
            usage("x", of_b, ResourceId="r1", ServiceName="B"),
            usage("x", "9", ServiceName="A"),
            usage("x", rest_of_b, ServiceName="B"),
            usage("x", "-13", ResourceId="r1", ChargeCategory="Credit"),
        ]
        made = month(tmp_path, rows, CREDITS, rules=BY_SERVICE)
        assert made.moved("credits") == {"a": "-12", "b": "-1"}

    def test_who_carries_less_than_nothing_of_them_takes_no_part(self, tmp_path: Path) -> None:
        rows = [
            usage("x", "12", ServiceName="A"),
            usage("x", "-2", ServiceName="B"),
            usage("x", "-5", ChargeCategory="Credit"),
        ]
        made = month(tmp_path, rows, CREDITS, rules=BY_SERVICE)
        assert made.moved("credits") == {"a": "-5"}

    def test_only_charges_of_its_currency_count(self, tmp_path: Path) -> None:
        rows = [
            usage("x", "10", ServiceName="A", BillingCurrency="EUR", InvoiceId="INV-E"),
            usage("x", "1", ServiceName="B"),
            usage("x", "-5", ChargeCategory="Credit"),
        ]
        made = month(tmp_path, rows, CREDITS, rules=BY_SERVICE)
        assert (made.moved("credits"), made.moved("credits", "EUR")) == ({"b": "-5"}, {})

    def test_an_invoice_of_its_own_is_no_hindrance(self, tmp_path: Path) -> None:
        """A refund on a later invoice follows the charges of its account on the first; its cents stay on its own."""
        rows = [*BILL, usage("a", "-9", ChargeCategory="Credit", InvoiceId="INV-9")]
        made = month(tmp_path, rows, TAX, CREDITS)
        assert made.moved("credits") == {"a": "-9"}
        assert {share.scope.invoice_id for share in made.allocation.shares} == {"INV-9"}

    def test_every_digit_is_kept(self, tmp_path: Path) -> None:
        """A third each has no end: the missing 10⁻¹⁸ goes to the first of the largest remainders."""
        rows = [usage("x", "1", ServiceName=name) for name in ("A", "B", "C")]
        rows.append(usage("x", "-1", ChargeCategory="Credit"))
        rules = (*BY_SERVICE, to(KEPT_CENTRAL, "ServiceName", "C"))
        made = month(tmp_path, rows, CREDITS, rules=rules)
        third = "-0." + "3" * 18
        assert made.moved("credits") == {"a": third[:-1] + "4", "b": third, "kept_central": third}
        assert sum(share.units for share in made.allocation.shares) == -(10**18)


class TestWhoElseCarriesIt:
    def test_tax_follows_to_pools_to_what_is_kept_central_and_to_what_nobody_owns(self, tmp_path: Path) -> None:
        """Of 100 taxed at a tenth: a 50, the shared pool 20, central 20, nobody 10; the pool passes a quarter to a."""
        rows = [
            usage("a", "50"),
            usage("pool:shared", "20"),
            usage("central", "20"),
            usage("nobody", "10"),
            usage(None, "10", ChargeCategory="Tax"),
        ]
        shared = Pool("shared", "Shared", Fixed((("a", 1), ("b", 3))))
        made = month(tmp_path, rows, TAX, shared)
        assert made.moved("tax") == {"a": "5", "shared": "2", "kept_central": "2", "unallocated": "1"}
        assert made.moved("shared") == {"a": "5.5", "b": "16.5"}
        assert made.carried() == {"a": "60.5", "b": "16.5", "kept_central": "22", "unallocated": "11"}

    @pytest.mark.parametrize("order", [PoolOrder.DIRECT, PoolOrder.DECLARED])
    def test_a_pool_waits_for_what_follows_into_it_in_every_order(self, tmp_path: Path, order: PoolOrder) -> None:
        rows = [usage("pool:shared", "20"), usage(None, "2", ChargeCategory="Tax")]
        shared = Pool("shared", "Shared", Fixed((("a", 1), ("b", 1))))
        assert month(tmp_path, rows, shared, TAX, order=order).carried() == {"a": "11", "b": "11"}

    def test_two_pools_that_follow_do_not_follow_each_other(self, tmp_path: Path) -> None:
        """Tax on INV-1 is shared by its usage alone (90 to 10), whatever is credited or taxed there."""
        rows = [
            *BILL,
            usage("a", "-50", ChargeCategory="Credit"),
            usage(None, "10", ChargeCategory="Tax"),
        ]
        made = month(tmp_path, rows, TAX, CREDITS)
        assert made.moved("tax") == {"a": "9", "b": "1"}

    def test_a_pool_that_is_followed_cannot_share_into_the_one_that_follows(self, tmp_path: Path) -> None:
        rows = [usage("pool:shared", "20"), usage(None, "2", ChargeCategory="Tax")]
        shared = Pool("shared", "Shared", Fixed((("a", 1), ("tax", 1))))
        with pytest.raises(PoolLoopError, match="tax → shared → tax"):
            month(tmp_path, rows, TAX, shared)
        (tmp_path / "again").mkdir()
        with pytest.raises(PoolLoopError, match="how it is shared depends on what it holds"):
            month(tmp_path / "again", rows, TAX, shared, order=PoolOrder.RECIPROCAL)

    def test_what_other_pools_share_into_it_takes_the_other_basis(self, tmp_path: Path) -> None:
        """Of the tax pool's 10 only its own 2 are tax of a; the 8 that `shared` passes on go evenly to both."""
        rows = [usage("a", "50"), usage("pool:shared", "8"), usage("a", "2", ChargeCategory="Tax")]
        shared = Pool("shared", "Shared", Fixed((("tax", 1),)))
        made = month(tmp_path, rows, Pool("tax", "Tax", Follow((("SubAccountId",),)), otherwise=(Even(),)), shared)
        assert made.moved("tax") == {"a": "6", "b": "4"}


class TestKindsOfCharges:
    def test_support_follows_its_account_on_effective_cost(self, tmp_path: Path) -> None:
        """What a prepaid commitment covers was billed before, but support is for what is used."""
        support = Pool("support", "Support", Follow((("SubAccountId",),)))
        rows = [
            usage("x", "30", BilledCost="0", ServiceName="A"),
            usage("x", "10", ServiceName="B"),
            usage("x", "4", ServiceName="Support"),
        ]
        rules = (to(pool("support"), "ServiceName", "Support"), *BY_SERVICE)
        made = month(tmp_path, rows, support, rules=rules, basis=CostBasis.EFFECTIVE)
        assert made.moved("support") == {"a": "3", "b": "1"}
        (tmp_path / "billed").mkdir()
        made = month(tmp_path / "billed", rows, support, rules=rules)
        assert made.moved("support") == {"b": "4"}

    def test_a_marketplace_row_of_another_issuer_follows_its_account_and_rounding_its_invoice(
        self, tmp_path: Path
    ) -> None:
        pools = (
            Pool("market", "Marketplace", Follow((("SubAccountId",),))),
            Pool("rounding", "Rounding", Follow((("InvoiceId",),))),
        )
        rules = (
            to(pool("market"), "PublisherName", "Vendor"),
            to(pool("rounding"), "ChargeCategory", "Adjustment"),
            *BY_SERVICE,
        )
        rows = [
            usage("x", "1", ServiceName="A"),
            usage("x", "3", ServiceName="B"),
            usage("x", "8", PublisherName="Vendor", InvoiceIssuerName="Vendor", InvoiceId="V-1"),
            usage(None, "0.002", ChargeCategory="Adjustment"),
        ]
        made = month(tmp_path, rows, *pools, rules=rules)
        assert made.moved("market") == {"a": "2", "b": "6"}
        assert made.moved("rounding") == {"a": "0.0005", "b": "0.0015"}
