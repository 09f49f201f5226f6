"""The sentence of every way of sharing, on figures that a person can check: 90.00 USD, mostly, among three groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest

from apportion.allocate.allocation import Allocation, Cell, Corrected, Share
from apportion.allocate.based import WeightIn
from apportion.allocate.basis import (
    Amount,
    Cost,
    Even,
    Fixed,
    Follow,
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
from apportion.allocate.policy import (
    Beyond,
    Cap,
    Commitment,
    CommitmentMethod,
    CostBasis,
    Limits,
    Method,
    NegativeBasis,
    Policy,
    Pool,
    PoolOrder,
    Recipients,
    Uplift,
)
from apportion.allocate.rule import KEPT_CENTRAL, Equals, Field, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import ConservationError
from apportion.invoice.render import csv_text, html, json_text, text
from apportion.invoice.statement import Statement, StatementLine, statements
from apportion.money.amount import ONE, units
from apportion.organization.cost_group import CostGroup, Tree
from tests.examples.sharing import PERIOD, SCOPE, cells, shared, usage

GROUPS = ("web", "bakery", "data")
TREE = Tree(CostGroup(code, code.title()) for code in GROUPS)
COSTS = {"web": "100", "bakery": "300", "gate": "90"}
USED = {
    "requests": {"web": "1250", "bakery": "3750"},
    "GB-hours": {"web": "1250", "data": "100.5"},
    "asked": {"web": "6", "bakery": "2"},
    "used": {"web": "3", "bakery": "4"},
    "seats": {"bakery": "0.0000001"},
}


def usd(amount: str) -> Amount:
    return Amount(units(amount), "USD")


def stated(
    pools: Sequence[Pool], costs: Mapping[str, str] = COSTS, order: PoolOrder = PoolOrder.DERIVED
) -> dict[tuple[str, str], StatementLine]:
    """The share lines of a month, by holder and pool."""
    made = shared(costs, pools, GROUPS, order=order, metered=USED)
    policy = Policy("Policy", CostBasis.EFFECTIVE, (), tuple(pools), "", pool_order=order)
    allocation = Allocation(
        PERIOD, CostBasis.EFFECTIVE, tuple(cells(costs, pools)), made.shared.shares, tuple(made.lines), "", "", "",
        weighed=made.shared.weighed,
    )  # fmt: skip
    found = statements(allocation, TREE, policy, "ST")
    assert all(json_text.parse(json_text.render(each)) == each for each in found)
    return {(str(each.holder), line.pool_id): line for each in found for line in each.lines if line.pool_id}


def said(pool: Pool, costs: Mapping[str, str] = COSTS) -> dict[str, tuple[int, str]]:
    """Cents and sentence of each holder."""
    return {
        holder: (line.minor, line.reason.removeprefix("Gateway: "))
        for (holder, _), line in stated([pool], costs).items()
    }


def gateway(*bases: object, **more: object) -> Pool:
    return Pool("gate", "Gateway", bases[0], otherwise=tuple(bases[1:]), **more)  # type: ignore[arg-type]


REQUESTS = Metered("requests")
AT_A_RATE = Part(Rate(units("0.01"), "USD", REQUESTS), REQUESTS)
IN_EURO = Priced(REQUESTS, (Price(None, ONE),), "EUR")
IN_TIERS = Metered("requests", tiers=(Tier(units("1000"), ONE), Tier(None, ONE // 2)))


@pytest.mark.parametrize(
    ("pool", "web", "bakery"),
    [
        # 1,250 of 5,000 is a quarter: 22.50.
        (
            gateway(REQUESTS),
            (2250, "by requests: 1,250 of 5,000 in total"),
            (6750, "by requests: 3,750 of 5,000 in total"),
        ),
        # 1,000 + 250/2 = 1,125; 1,000 + 2,750/2 = 2,375; 90 × 1,125/3,500 = 28.93.
        (
            gateway(IN_TIERS),
            (2893, "by requests (in tiers): 1,125 of 3,500 in total"),
            (6107, "by requests (in tiers): 2,375 of 3,500 in total"),
        ),
        # Greater: web 6, bakery 4: 54 and 36.
        (
            gateway(Greater((Metered("asked"), Metered("used")))),
            (5400, "by the greater of asked and used: 6 of 10 in total"),
            (3600, "by the greater of asked and used: 4 of 10 in total"),
        ),
        # Summed: web 6 + 4×3 = 18, bakery 2 + 4×4 = 18.
        (
            gateway(Summed(((Metered("asked"), ONE), (Metered("used"), 4 * ONE)))),
            (4500, "by asked + 4 × used: 18 of 36 in total"),
            (4500, "by asked + 4 × used: 18 of 36 in total"),
        ),
        (
            gateway(Cost(services=("Compute",), categories=("Usage",))),
            (2250, "your direct cost (Compute; Usage) 100.00 USD of 400.00 USD in total"),
            (6750, "your direct cost (Compute; Usage) 300.00 USD of 400.00 USD in total"),
        ),
        (
            gateway(Cost(under=("web",))),
            (9000, "your direct cost (below web) 100.00 USD of 100.00 USD in total"),
            None,
        ),
        (
            gateway(Cost(so_far=True)),
            (2250, "your cost so far 100.00 USD of 400.00 USD in total"),
            (6750, "your cost so far 300.00 USD of 400.00 USD in total"),
        ),
        # 30 %: 27 among three; 70 %: 63 by requests.
        (
            gateway(Mix((Part(Weight(30), Even()), Part(Weight(70), REQUESTS)))),
            (2475, "30 % even among 3 cost groups (9.00 USD), 70 % by requests: 1,250 of 5,000 (15.75 USD)"),
            (5625, "30 % even among 3 cost groups (9.00 USD), 70 % by requests: 3,750 of 5,000 (47.25 USD)"),
        ),
        # 5,000 requests at 0.01 are 50; 40 is left, two thirds of it for web.
        (
            gateway(Mix((AT_A_RATE, Part(Rest(), Fixed((("web", 2), ("data", 1))))))),
            (
                3917,
                "0.01 USD for each of requests, by requests: 1,250 of 5,000 (12.50 USD), "
                "the rest fixed share 2 of 3 parts (66.6667 %) (26.67 USD)",
            ),
            (3750, "0.01 USD for each of requests, by requests: 3,750 of 5,000 (37.50 USD)"),
        ),
        (
            gateway(Mix((Part(usd("50"), KeptCentral()), Part(Rest(), Cost())))),
            (1000, "the rest by your direct cost 100.00 USD of 400.00 USD (10.00 USD)"),
            (3000, "the rest by your direct cost 300.00 USD of 400.00 USD (30.00 USD)"),
        ),
        (
            gateway(REQUESTS, limits=Limits(at_most=Fraction(1, 2), beyond=Beyond.KEPT_CENTRAL)),
            (2250, "22.50 USD of 90.00 USD, by requests, at most 50 % each"),
            (4500, "45.00 USD of 90.00 USD, by requests, held to the most of 50 %"),
        ),
        (
            gateway(REQUESTS, limits=Limits(at_least=usd("30"))),
            (3000, "30.00 USD of 90.00 USD, by requests, raised to the least of 30.00 USD"),
            (6000, "60.00 USD of 90.00 USD, by requests, at least 30.00 USD each"),
        ),
        (
            gateway(REQUESTS, cap=Cap(usd("60"))),
            (1500, "15.00 USD of 90.00 USD, by requests, capped at 60.00 USD"),
            (4500, "45.00 USD of 90.00 USD, by requests, capped at 60.00 USD"),
        ),
    ],
)  # fmt: skip
def test_a_share_in_a_sentence(pool: Pool, web: tuple[int, str], bakery: tuple[int, str] | None) -> None:
    found = said(pool)
    assert (found["web"], found.get("bakery")) == (web, bakery)


@pytest.mark.parametrize(
    ("price", "web", "central"),
    [
        ("0.02", 2500, (6299, "under-recovery: internal prices charged 27.01 USD for a cost of 90.00 USD")),
        ("0.10", 12500, (-4505, "over-recovery: internal prices charged 135.05 USD for a cost of 90.00 USD")),
    ],
)
def test_what_prices_leave_is_kept_central_and_says_so(price: str, web: int, central: tuple[int, str]) -> None:
    found = said(gateway(Priced(Metered("GB-hours"), (Price(None, units(price)),), "USD")))
    assert found["web"] == (web, f"1,250 GB-hours at {price} USD")
    assert found["kept_central"] == central


def test_prices_that_charge_the_cost_exactly_leave_nothing() -> None:
    found = said(gateway(Priced(Metered("GB-hours"), (Price(None, units("0.02")),), "USD")), {"gate": "27.01"})
    assert found["kept_central"] == (0, "internal prices charged exactly the cost of 27.01 USD")


def test_amounts_of_the_whole_pool_on_one_of_several_bills_say_so() -> None:
    pool = gateway(REQUESTS, limits=Limits(at_most=Fraction(1, 2), beyond=Beyond.KEPT_CENTRAL))
    other = SCOPE._replace(invoice_issuer="Other cloud")
    costs = [*cells({"gate": "60"}, [pool]), *cells({"gate": "30"}, [pool], other)]
    made = share_pools(costs, [pool], Circumstances(TREE, PERIOD, usage=usage(USED, [pool])))
    allocation = Allocation(
        PERIOD, CostBasis.EFFECTIVE, tuple(costs), made.shares, lines(costs, made.shares, TREE), "", "", ""
    )
    (first, *_) = statements(allocation, TREE, Policy("P", CostBasis.EFFECTIVE, (), (pool,), ""), "ST")
    assert [line.reason for line in first.lines] == [
        "Gateway: 22.50 USD of 90.00 USD, by requests, at most 50 % each, over all bills of the pool"
    ] * 2


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        (gateway(Metered("likes"), Cost()), "no usage of 'likes' was delivered for 2026-10"),
        (gateway(Metered("seats", where=(("floor", ("3",)),)), Cost()), "its recipients used nothing of 'seats'"),
        (gateway(IN_EURO, Cost()), "the prices of pool 'gate' are in EUR, but it holds USD"),
    ],
)  # fmt: skip
def test_a_fallback_says_why(pool: Pool, reason: str) -> None:
    made = stated([pool])["web", "gate"]
    assert made.reason == f"Gateway: your direct cost 100.00 USD of 400.00 USD in total, because {reason}"
    assert (made.method, made.weight_in) == (Method.PROPORTIONAL, WeightIn.AMOUNT)


def test_a_credit_is_called_one() -> None:
    assert said(gateway(Even()), {"gate": "-9"})["web"] == (
        -300,
        "even among 3 cost groups; the pool is a credit of 9.00 USD",
    )


def test_tiny_quantities_are_not_said_to_be_nothing() -> None:
    assert said(gateway(Metered("seats")))["bakery"] == (9000, "by seats: 0.0000001 of 0.0000001 in total")


def test_kept_central_is_said_plainly() -> None:
    assert said(gateway(KeptCentral())) == {"kept_central": (9000, "kept central, nobody is charged")}


def test_what_goes_beyond_limits_says_so() -> None:
    pool = gateway(REQUESTS, limits=Limits(at_most=Fraction(1, 2), beyond=Beyond.KEPT_CENTRAL))
    assert said(pool)["kept_central"] == (2250, "22.50 USD of 90.00 USD, beyond what is charged (at most 50 % each)")


def test_whoever_answers_for_what_is_beyond_a_cap_is_told_so() -> None:
    """60.00 by requests, a quarter of it for web: 15.00, and the other 30.00."""
    found = said(gateway(REQUESTS, cap=Cap(usd("60"), Target(Holder.COST_GROUP, "web"))))
    assert found["web"] == (4500, "45.00 USD of 90.00 USD, with the 30.00 USD beyond the cap of 60.00 USD")


def test_pools_that_serve_each_other_name_the_others_and_the_gross() -> None:
    """h = 80 + d/10, d = 120 + h/5: h = 92/0.98 = 93.88 and d = 138.78."""
    pools = [
        Pool("hr", "HR", Fixed((("dp", 20), ("web", 80)))),
        Pool("dp", "DP", Fixed((("hr", 10), ("web", 30), ("data", 60)))),
    ]
    found = stated(pools, {"hr": "80", "dp": "120"}, PoolOrder.RECIPROCAL)
    assert (
        found["web", "hr"].reason
        == "HR: fixed share 80 %; of 93.88 USD that pass through it, solved together with “DP”"
    )
    assert found["data", "dp"].reason == (
        "DP: fixed share 60 %; of 138.78 USD that pass through it, solved together with “HR”"
    )


def test_recipients_that_are_pools_are_not_called_cost_groups() -> None:
    pools = [
        Pool("gate", "Gateway", Even(), Recipients(groups=("web",), pools=("late",))),
        Pool("late", "Late", Even()),
    ]
    assert stated(pools)["web", "gate"].reason == "Gateway: even among 2 recipients"


# What no example of pools alone brings about.


def made_of(
    policy: Policy, shares: Sequence[Share], found: Sequence[Cell] = (), corrected: Sequence[Corrected] = ()
) -> tuple[Statement, ...]:
    allocation = Allocation(
        PERIOD, CostBasis.EFFECTIVE, tuple(found), tuple(shares), lines(found, shares, TREE), "", "", "",
        corrected=tuple(corrected),
    )  # fmt: skip
    return statements(allocation, TREE, policy, "ST", {"2026-05": POLICY_OF_MAY})


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def test_a_share_that_follows_charges_says_so_and_one_that_could_not_says_how_it_went() -> None:
    pool = gateway(Follow((("ResourceId",),)), Cost(), negative_basis=NegativeBasis.ZERO)
    policy = Policy("P", CostBasis.EFFECTIVE, (), (pool,), "")
    into = Cell("r", Target(Holder.POOL, "gate"), SCOPE, "Tax", "Tax", 1, units("9"))
    followed = [
        Share(1, "gate", group("web"), SCOPE, units("6"), units("6"), units("9"), units("9")),
        Share(1, "gate", group("data"), SCOPE, units("3"), units("3"), units("9"), units("9")),
    ]
    first, _ = made_of(policy, followed, [into])
    assert first.lines[0].reason == "Gateway: follows the charges it belongs to"
    assert first.lines[0].method is Method.FOLLOWING
    alone = [Share(1, "gate", group("web"), SCOPE, units("9"), units("100"), units("100"), units("9"))]
    (only,) = made_of(policy, alone, [into])
    assert only.lines[0].reason == (
        "Gateway: your direct cost 100.00 USD of 100.00 USD in total, because no other charge goes with these"
    )


ELIGIBLE = Equals(Field("ServiceName"), ("Compute",))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (CommitmentMethod.APPLIED, "as the provider applied it"),
        (CommitmentMethod.BLENDED, "one rate for all eligible usage"),
        (CommitmentMethod.BUYER_FIRST, "the buyer's usage first"),
        (CommitmentMethod.PRIORITY, "in the agreed order"),
    ],
)
def test_a_commitment_says_what_is_to_be_carried_and_what_was(method: CommitmentMethod, words: str) -> None:
    """Together 40.00: web had 10.00 of it and is to carry 12.00."""
    policy = Policy(
        "P", CostBasis.EFFECTIVE, (), (), "", commitments=(Commitment("plan", "Savings plan", ELIGIBLE, method),)
    )
    found = [
        Cell("r", group(code), SCOPE, "Compute", "Usage", 1, units(cost))
        for code, cost in (("web", "10"), ("data", "30"))
    ]
    moved = [
        Share(0, "plan", group("web"), SCOPE, units("2"), units("12"), units("40"), 0),
        Share(0, "plan", group("data"), SCOPE, units("-2"), units("28"), units("40"), 0),
    ]
    web, data = made_of(policy, moved, found)
    assert (web.lines[1].minor, web.lines[1].reason) == (
        200,
        f"Savings plan: {words}: 12.00 USD to carry, where the provider applied 10.00 USD",
    )
    assert (data.lines[1].minor, data.lines[1].method) == (-200, Method.COMMITMENT)
    assert "÷" not in html.render(web)
    assert "Parts of shared pools, of commitments and surcharges" in text.render(web)
    assert json_text.parse(json_text.render(web)) == web


def test_an_uplift_says_its_rate_and_what_it_is_taken_of() -> None:
    """5 % on 100.00 are 5.00, taken off what is kept central; and a fixed 2.50."""
    uplifts = (Uplift("fee", "Service fee", percent=Fraction(1, 20)), Uplift("desk", "Desk", fixed=usd("2.50")))
    policy = Policy("P", CostBasis.EFFECTIVE, (), (), "", uplifts=uplifts)
    found = [Cell("r", group("web"), SCOPE, "Compute", "Usage", 1, units("100"))]
    base = units("100")
    charged = [
        Share(1, "fee", group("web"), SCOPE, units("5"), base, base, 0),
        Share(1, "fee", KEPT_CENTRAL, SCOPE, units("-5"), base, base, 0),
        Share(2, "desk", group("web"), SCOPE, units("2.5"), units("105"), units("105"), 0),
        Share(2, "desk", KEPT_CENTRAL, SCOPE, units("-2.5"), units("105"), units("105"), 0),
    ]
    web, central = made_of(policy, charged, found)
    assert [(line.minor, line.reason) for line in web.lines[1:]] == [
        (500, "Service fee: surcharge of 5 % on 100.00 USD"),
        (250, "Desk: fixed surcharge of 2.50 USD"),
    ]
    assert central.lines[0].reason == "Service fee: surcharges that cost groups pay, taken off what is kept central"


POLICY_OF_MAY = Policy(
    "May",
    CostBasis.EFFECTIVE,
    (Rule("by-tag", "Team tag of then", None, KEPT_CENTRAL),),
    (Pool("gate", "Gateway of May", Metered("requests")), Pool("mixed", "Mixed", Even(), otherwise=(Cost(),))),
    "",
)


def test_late_corrections_are_lines_of_their_own_and_say_which_month_decided() -> None:
    own = Cell("by-tag", group("web"), SCOPE, "Compute", "Usage", 2, units("10"))
    late = own._replace(units=units("-4"), rows=1, corrects="2026-05")
    into = Cell("by-tag", Target(Holder.POOL, "gate"), SCOPE, "Compute", "Usage", 1, units("-8"), "2026-05")
    mixed = into._replace(target=Target(Holder.POOL, "mixed"), units=units("9"))
    shares = [
        Share(4, "gate", group("web"), SCOPE, units("-8"), units("1250"), units("1250"), units("-8"), "2026-05"),
        Share(5, "mixed", group("web"), SCOPE, units("3"), 1, 3, units("9"), "2026-05"),
        Share(5, "mixed", group("data"), SCOPE, units("6"), 2, 3, units("9"), "2026-05"),
    ]
    corrected = [Corrected("2026-05", group("web"), group("web"), "ST-2026-05-0007")]
    policy = Policy("P", CostBasis.EFFECTIVE, (Rule("by-tag", "Tag", None, KEPT_CENTRAL),), (), "")
    web, _ = made_of(policy, shares, [own, late, into, mixed], corrected)
    assert [(line.corrects, line.minor, line.reason) for line in web.lines] == [
        ("", 1000, "By rule “Tag”"),
        (
            "2026-05",
            -400,
            "Correction of May 2026: by rule “Team tag of then”, as the policy was then"
            "; corrects statement ST-2026-05-0007",
        ),
        (
            "2026-05",
            -800,
            "Gateway of May: correction of May 2026, by requests: 1,250 of 1,250 in total"
            "; the pool is a credit of 8.00 USD; corrects statement ST-2026-05-0007",
        ),
        (
            "2026-05",
            300,
            # Which of the two bases it followed in May is not recorded with the correction.
            "Mixed: correction of May 2026, 33.3333 % of the pool, as it was shared then"
            "; corrects statement ST-2026-05-0007",
        ),
    ]  # fmt: skip
    assert json_text.parse(json_text.render(web)) == web
    assert "corrects" in csv_text.render(web).splitlines()[0].split(",")


def test_an_unknown_pool_is_refused_but_one_of_a_correction_is_called_by_its_id() -> None:
    policy = Policy("P", CostBasis.EFFECTIVE, (), (), "")
    share = Share(1, "gone", group("web"), SCOPE, units("9"), 1, 1, units("9"), "2026-04")
    into = Cell("r", Target(Holder.POOL, "gone"), SCOPE, "Compute", "Usage", 1, units("9"), "2026-04")
    (web,) = made_of(policy, [share], [into])
    assert web.lines[0].reason == "gone: correction of April 2026, 100 % of the pool, as it was shared then"
    with pytest.raises(ConservationError, match="the policy does not have"):
        made_of(policy, [share._replace(corrects="")], [into._replace(corrects="")])
