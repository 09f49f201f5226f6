"""How the company's pools are shared in months in which something happens, worked out again from what was measured."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from apportion.allocate.allocation import Share
from apportion.allocate.basis import Metered
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.demo import DemoCompany
from apportion.money.amount import ONE, from_decimal
from apportion.periods import BillingPeriod
from tests.rooms.demo.allocating import Done, MonthDone, usage_rows

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


DECEMBER, JANUARY, FEBRUARY, OCTOBER = (
    BillingPeriod(2025, 12), BillingPeriod(2026, 1), BillingPeriod(2026, 2), BillingPeriod(2026, 10),
)  # fmt: skip


def shares(month: MonthDone, pool: str) -> list[Share]:
    found = [share for share in month.allocation.shares if share.pool_id == pool]
    assert found, pool
    return found


def by_target(month: MonthDone, pool: str, currency: str = "USD") -> dict[Target, int]:
    units: dict[Target, int] = {}
    for share in shares(month, pool):
        if share.scope.currency == currency:
            units[share.target] = units.get(share.target, 0) + share.units
    return units


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def used(month: MonthDone, metric: str) -> dict[Target, int]:
    """Whole units of a metric by who used them."""
    return {target: value // ONE for target, value in month.measured.usage.values(Metered(metric)).items()}


def near(units: int, expected: Fraction) -> bool:
    """Equal but for what splitting leaves: less than a hundredth of a cent."""
    return abs(units - expected) < ONE // 10_000


def test_one_namespace_is_nobodys_and_its_usage_counts_for_no_one(done: Done) -> None:
    for period in (DECEMBER, OCTOBER):
        assert {one.consumer for one in done(period).measured.unknown} == {"scratch-7f3a"}


def test_the_clusters_fall_back_in_the_month_without_the_cpu_that_was_used(done: Done) -> None:
    [lost] = [each for each in done(JANUARY).allocation.weighed if each.pool_id == "kubernetes-shared"]
    assert (lost.chosen, lost.parts) == (1, ())
    assert lost.refused == ("No usage of 'cpu_used' was delivered for 2026-01.",)
    requested = used(done(JANUARY), "cpu_requested")
    paid = by_target(done(JANUARY), "kubernetes-shared", "EUR")
    whole = sum(paid.values())
    assert all(near(paid[who], Fraction(whole * hours, sum(requested.values()))) for who, hours in requested.items())
    [normal] = [each for each in done(FEBRUARY).allocation.weighed if each.pool_id == "kubernetes-shared"]
    assert (normal.chosen, len(normal.parts)) == (0, 2)


def test_clusters_go_by_the_greater_of_what_was_asked_for_and_used(done: Done) -> None:
    [weighed] = [each for each in done(OCTOBER).allocation.weighed if each.pool_id == "kubernetes-shared"]
    for part, resource in zip(weighed.parts, ("cpu", "memory"), strict=True):
        asked, taken = (used(done(OCTOBER), f"{resource}_{kind}") for kind in ("requested", "used"))
        assert {who: weight // ONE for who, weight in part.weights} == {
            who: max(asked[who], taken[who]) for who in asked
        }
        assert any(asked[who] > taken[who] for who in asked)
        assert any(asked[who] < taken[who] for who in asked)


def test_an_outage_is_credited_to_whom_it_hit(done: Done) -> None:
    credited = [share for share in shares(done(FEBRUARY), "credits") if "Microsoft" in share.scope.invoice_issuer]
    assert [(share.target, share.units) for share in credited] == [(group("it-workplace"), -380 * ONE)]


def test_a_refund_goes_to_those_who_paid_for_the_service(done: Done) -> None:
    paid = by_target(done(DECEMBER), "refunds")
    assert paid.keys() == {group("storefront"), group("checkout")}
    assert sum(paid.values()) == from_decimal(Decimal("-312.75"))


def test_the_marketplace_follows_the_account_it_was_bought_in(done: Done) -> None:
    assert by_target(done(OCTOBER), "marketplace-software") == {Target(Holder.POOL, "observability"): 2400 * ONE}


def test_the_gateway_to_the_models_costs_teams_no_more_than_its_ceiling(done: Done) -> None:
    early, late = by_target(done(DECEMBER), "ai-gateway"), by_target(done(OCTOBER), "ai-gateway")
    assert KEPT_CENTRAL not in early
    assert sum(early.values()) < 1150 * ONE
    assert late.pop(KEPT_CENTRAL) > 0
    assert sum(late.values()) == 1150 * ONE
    assert group("machine-learning") in early  # the pilot
    assert group("assistants") in late
    assert group("machine-learning") not in late


def test_logs_cost_a_rate_for_use_and_the_rest_for_what_was_planned(done: Done) -> None:
    [weighed] = [each for each in done(OCTOBER).allocation.weighed if each.pool_id == "observability"]
    rate, rest = weighed.parts
    assert rate.units == sum(used(done(OCTOBER), "log_gib").values()) * from_decimal(Decimal("0.40"))
    assert rate.units + rest.units == sum(by_target(done(OCTOBER), "observability").values())
    assert dict(rest.weights)[group("storefront")] == 600 * ONE


@pytest.mark.parametrize(("period", "price"), [(DECEMBER, "0.052"), (OCTOBER, "0.054")], ids=str)
def test_backups_cost_the_internal_price_and_the_difference_is_kept_central(
    done: Done, period: BillingPeriod, price: str
) -> None:
    paid = by_target(done(period), "backup")
    central = paid.pop(KEPT_CENTRAL)
    expected = {who: size * from_decimal(Decimal(price)) for who, size in used(done(period), "backup_gib").items()}
    assert paid.keys() == expected.keys()
    assert all(near(units, Fraction(expected[who])) for who, units in paid.items())
    assert 0 < abs(central) < sum(paid.values()) // 4


def test_the_lake_takes_a_part_evenly_and_the_rest_in_tiers(done: Done) -> None:
    [weighed] = [
        each for each in done(OCTOBER).allocation.weighed if (each.pool_id, each.currency) == ("data-lake", "USD")
    ]
    even, stored = weighed.parts
    assert len(even.weights) == 7
    assert near(3 * stored.units, Fraction(7 * even.units))
    size = used(done(OCTOBER), "lake_gib")[group("data-platform")]
    assert size > 5000
    assert dict(stored.weights)[group("data-platform")] == (5000 + (size - 5000) * Fraction(1, 2)) * ONE


def test_the_network_passes_through_the_services_that_use_it(done: Done) -> None:
    passed = by_target(done(OCTOBER), "network-backbone")
    assert {target.code for target in passed if target.holder is Holder.POOL} == {"data-lake", "developer-tools"}


def test_developers_tools_and_identity_serve_each_other_and_are_solved_together(done: Done) -> None:
    tools, identity = shares(done(OCTOBER), "developer-tools"), shares(done(OCTOBER), "identity")
    assert Target(Holder.POOL, "identity") in {share.target for share in tools}
    assert Target(Holder.POOL, "developer-tools") in {share.target for share in identity}
    steps = {share.scope.currency: share.step for share in tools}
    assert all(share.step == steps[share.scope.currency] for share in (*tools, *identity))
    assert len({share.target for share in tools}) > 30  # nearly everybody writes code


def test_seats_and_people_are_those_that_are_paid_for(company: DemoCompany) -> None:
    for period, months in ((DECEMBER, 1), (OCTOBER, 11)):
        rows = list(usage_rows(company, period))
        people = sum(row.value for row in rows if row.metric == "headcount")
        assert people == (640 + 260 + 8 * months) * ONE
        coders = sum(row.value for row in rows if row.metric == "code_seats" and row.consumer != "identity")
        assert coders == (190 + 84 + 4 * months) * ONE


def test_nobody_pays_more_than_an_eighth_of_security_or_less_than_twenty(done: Done) -> None:
    paid = by_target(done(OCTOBER), "security-tooling")
    whole = sum(paid.values())
    assert max(paid.values()) <= Fraction(whole, 8)
    assert min(paid.values()) == 20 * ONE


def test_commitments_move_cost_and_leave_the_unused_part_where_they_say(done: Done) -> None:
    for commitment in done(OCTOBER).policy.commitments:
        assert sum(share.units for share in shares(done(OCTOBER), commitment.id)) == 0
    assert by_target(done(OCTOBER), "savings-plan")[KEPT_CENTRAL] > 0
    assert KEPT_CENTRAL not in by_target(done(OCTOBER), "database-reservations")
    # The reservation at Azure has no entry: what nobody used of it stays in the pool, for those with machines there.
    unused = by_target(done(OCTOBER), "unused-commitments")
    assert group("finance-systems") in unused
    assert group("storefront") not in unused


def test_the_fee_is_one_per_cent_of_products_and_given_to_the_centre(done: Done) -> None:
    month = done(OCTOBER)
    fee = shares(month, "platform-fee")
    assert sum(share.units for share in fee) == 0
    charged = [share for share in fee if share.target != KEPT_CENTRAL]
    assert all(near(share.units, Fraction(share.weight, 100)) for share in charged)
    assert {month.tree[share.target.code].attribute("kind") for share in charged} == {"product"}
    central = sum(line.units for line in month.allocation.lines if line.holder == KEPT_CENTRAL)
    assert central > 0  # it covers a part of what is kept central, and earns nothing


def test_every_share_of_a_pool_conserves_what_it_held(done: Done) -> None:
    for period in (DECEMBER, JANUARY, FEBRUARY, OCTOBER):
        month = done(period)
        pools = {pool.id for pool in month.policy.pools}
        held: dict[tuple[str, object], int] = {}
        units: dict[tuple[str, object], int] = {}
        for share in month.allocation.shares:
            if share.pool_id in pools:
                place = (share.pool_id, share.scope)
                held[place] = share.pool_units
                units[place] = units.get(place, 0) + share.units
        assert units == held
