"""A policy that uses every form there is, with an organization; and texts that try to be more than text."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

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
    NegativeBasis,
    Policy,
    Pool,
    PoolOrder,
    Recipients,
    Unused,
    Uplift,
)
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    And,
    Between,
    ByTag,
    Equals,
    Exists,
    Field,
    Glob,
    Holder,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
    Target,
)
from apportion.money.amount import units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Organization
from apportion.organization.ownership import Owners

HOSTILE = '<script>alert(1)</script> & "q" #strong[x] $y$ `z` | \\ *b* _i_ [l](http://e.example) ]] //c \u202egnp <!--'

TEAM, STAGE = Field("team", is_tag=True), Field("stage", is_tag=True)
SERVICE, ACCOUNT = Field("ServiceName"), Field("SubAccountId")
ALIASES = (("Payments Team", "pay"), (HOSTILE, "shop"))
USD = "USD"


def pool(code: str) -> Target:
    return Target(Holder.POOL, code)


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


RULES = (
    Rule(
        "vat",
        "Recoverable tax",
        And((Equals(Field("ChargeCategory"), ("Tax",)), Equals(SERVICE, ("VAT",)))),
        KEPT_CENTRAL,
    ),
    Rule("accounts", HOSTILE, Equals(ACCOUNT, tuple(f"account-{number}" for number in range(1, 9))), pool("network")),
    Rule(
        "deep",
        "A deep one",
        And(
            (
                Prefix(SERVICE, ("Amazon", "AWS")),
                Not(Equals(STAGE, ("test", "dev"), fold=True)),
                Or((Glob(Field("x_Project"), "pay-*"), And((Not(Exists(TEAM)), Matches(Field("ResourceName"), "^p"))))),
                Not(Or((Equals(ACCOUNT, ("9",)), Exists(STAGE)))),
            )
        ),
        group("pay"),
        date(2026, 1, 1),
        date(2027, 1, 1),
    ),
    Rule(
        "launch",
        "Launch",
        Between(Field("ChargePeriodStart"), date(2026, 3, 1), None),
        group("shop"),
        None,
        date(2026, 5, 1),
    ),
    Rule("desk", "Desk", Equals(SERVICE, ("Desk",)), pool("desk")),
    Rule("team", "By team", None, ByTag(TEAM, ALIASES)),
    Rule("all", "The rest", None, group("shop")),
)
POOLS = (
    Pool("network", "Network", Fixed((("pay", 1), ("shop", 1), ("desk", 1)))),
    Pool(
        "desk",
        HOSTILE,
        Metered(
            "calls", (("region", ("eu", "us")),), (Tier(units("100"), units("1")), Tier(units("500"), units("0.5")))
        ),
        Recipients(under=("top",), excluded=("shop",), pools=("network",)),
        (Even(),),
    ),
    Pool(
        "price",
        "Price list",
        Priced(Metered("calls"), (Price(None, units("2")), Price(date(2026, 7, 1), units("1.5"))), USD),
    ),
    Pool(
        "dual",
        "Dual rate",
        Mix(
            (
                Part(Rate(units("1"), USD, Metered("calls")), Metered("calls")),
                Part(Rest(), Greater((Metered("a"), Metered("b")))),
            )
        ),
        otherwise=(Cost(so_far=True),),
    ),
    Pool("mix", "Mix", Mix((Part(Weight(30), Even()), Part(Weight(70), KeptCentral())))),
    Pool("first", "First", Mix((Part(Amount(units("100"), "JPY"), Even()), Part(Rest(), Cost())))),
    Pool(
        "sum",
        "Sum",
        Summed(((Metered("in"), units("1")), (Metered("out"), units("4")))),
        negative_basis=NegativeBasis.ZERO,
    ),
    Pool(
        "bounded",
        "Bounded",
        Cost(services=("Compute",), categories=("Usage",), under=("top",)),
        Recipients(groups=("pay",), having=(("region", ("emea",)),), charged_by=("all",)),
        limits=Limits(Amount(units("20"), USD), Fraction(1, 3), Beyond.KEPT_CENTRAL),
        cap=Cap(Amount(units("5000"), USD), pool("mix")),
    ),
    Pool("tax", "Tax", Follow((("ResourceId",), ("SubAccountId", "tags.app"))), otherwise=(Cost(), Even())),
    Pool("kept", "Kept", KeptCentral()),
)
POLICY = Policy(
    name="Everything",
    cost_basis=CostBasis.EFFECTIVE,
    rules=RULES,
    pools=POOLS,
    digest="5e" * 32,
    pool_order=PoolOrder.RECIPROCAL,
    commitments=(
        Commitment("plans", "Savings plans", Equals(SERVICE, ("Compute",)), CommitmentMethod.BUYER_FIRST, "pay"),
        Commitment(
            "slots", "Slots", Exists(ACCOUNT), CommitmentMethod.PRIORITY, "", ("shop", "pay"), Unused.BENEFICIARIES
        ),
        Commitment("one-rate", "One rate", Exists(ACCOUNT), CommitmentMethod.BLENDED, unused=Unused.KEPT_CENTRAL),
    ),
    uplifts=(
        Uplift("fee", "Fee", percent=Fraction(1, 40)),
        Uplift("desk-fee", "Desk fee", fixed=Amount(units("250"), USD)),
    ),
    consumers=(
        Rule("clients", "Clients", Equals(Field("metric"), ("calls",)), ByTag(Field("consumer"), ALIASES)),
        Rule("crawler", "Crawler", Prefix(Field("cluster"), ("prod-",)), pool("desk")),
    ),
    alias_tables=(("names", ALIASES), ("unused", (("old", "pay"),))),
)
ORGANIZATION = Organization(
    (
        CostGroup("top", "Top & Co", owners=Owners(business="lead@example.com"), coding=Coding(cost_center="0100")),
        CostGroup("pay", "Payments", "top", attributes=(("region", "emea"),), currency="EUR"),
        CostGroup("shop", HOSTILE, "top", valid_until=date(2026, 6, 1)),
        CostGroup("shop", "Shop", "top", valid_from=date(2026, 6, 1)),
    ),
    "0d" * 32,
)
