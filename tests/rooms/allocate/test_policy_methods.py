"""Every way of sharing, every limit and every section of the policy file, as a person writes it and what it means."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from apportion.allocate import policy_checks, policy_file
from apportion.allocate.basis import (
    Amount,
    Basis,
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
    Limits,
    NegativeBasis,
    Policy,
    Pool,
    PoolOrder,
    Recipients,
    Unused,
    Uplift,
)
from apportion.allocate.rule import KEPT_CENTRAL, And, ByTag, Equals, Field, Holder, Prefix, Rule, Target
from apportion.allocate.weigh import groups_of
from apportion.errors import DocumentError
from apportion.money.amount import ONE
from apportion.organization.cost_group import CostGroup, Organization, Tree
from tests.examples.sharing import shared

HEAD = "policy: P\ncost_basis: billed\nrules:\n  - {id: r, charge_to: {pool: p}}\n"
CALLS = Metered("calls")


def read(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return policy_file.read(path)


def pool(tmp_path: Path, text: str) -> Pool:
    (found,) = read(tmp_path, f"pools:\n  - id: p\n    {text}\n").pools
    return found


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ("even", Even()),
        ("proportional to direct cost", Cost()),
        ("proportional to cost so far", Cost(so_far=True)),
        ("kept_central", KeptCentral()),
        ("{fixed: {a: 1/3, b: 2/3}}", Fixed((("a", 1), ("b", 2)))),
        ("{direct_cost: {services: [Amazon S3]}}", Cost(services=("Amazon S3",))),
        (
            "{direct_cost: {services: [A, A, B], categories: [Usage], under: [emea]}}",
            Cost(False, ("A", "B"), ("Usage",), ("emea",)),
        ),
        ("{metered: calls}", CALLS),
        ("{metered: 5}", Metered("5")),
        ("{metered: {metric: calls}}", CALLS),
        (
            "{metered: {metric: tokens, where: {model: large, region: [eu, us]}}}",
            Metered("tokens", (("model", ("large",)), ("region", ("eu", "us")))),
        ),
        (
            "{metered: {metric: gb, tiers: [{up_to: 100, factor: 1}, {up_to: 1000.5, factor: 0.50}, {factor: 0.1}]}}",
            Metered("gb", (), (Tier(100 * ONE, ONE), Tier(10005 * ONE // 10, ONE // 2), Tier(None, ONE // 10))),
        ),
        (
            "{greater_of: [cpu_requested, {metric: cpu_used, where: {node: a}}]}",
            Greater((Metered("cpu_requested"), Metered("cpu_used", (("node", ("a",)),)))),
        ),
        (
            "{sum_of: [{metric: input_tokens}, {metric: output_tokens, times: 4}]}",
            Summed(((Metered("input_tokens"), ONE), (Metered("output_tokens"), 4 * ONE))),
        ),
        (
            "{mix: [{share: 30%, by: even}, {share: 70%, by: {metered: calls}}]}",
            Mix((Part(Weight(3), Even()), Part(Weight(7), CALLS))),
        ),
        (
            "{mix: [{share: 1/3, by: kept_central}, {share: rest, by: {fixed: {a: 100%}}}]}",
            Mix((Part(Weight(1), KeptCentral()), Part(Weight(2), Fixed((("a", 1),))))),
        ),
        (
            "{mix: [{amount: 1000.00 USD, by: even}, {rate: 1USD, per: calls, by: {metered: calls}},"
            " {share: rest, by: {metered: budget}}]}",
            Mix((
                Part(Amount(1000 * ONE, "USD"), Even()),
                Part(Rate(ONE, "USD", CALLS), CALLS),
                Part(Rest(), Metered("budget")),
            )),
        ),
        (
            "{price: {per: calls, prices: [{price: 0.02 USD}, {from: 2026-07-01, price: 0.018 USD}]}}",
            Priced(CALLS, (Price(None, ONE // 50), Price(date(2026, 7, 1), 18 * ONE // 1000)), "USD"),
        ),
        (
            "{price: {per: {greater_of: [a, b]}, prices: [{from: 2026-01-01, price: 1 JPY}]}}",
            Priced(Greater((Metered("a"), Metered("b"))), (Price(date(2026, 1, 1), ONE),), "JPY"),
        ),
        (
            "{follow: [[ResourceId], [SubAccountId, ServiceName], [x_Order]]}",
            Follow((("ResourceId",), ("SubAccountId", "ServiceName"), ("x_Order",))),
        ),
    ],
)  # fmt: skip
def test_ways_of_sharing(tmp_path: Path, share: str, expected: Basis) -> None:
    assert pool(tmp_path, f"share: {share}").basis == expected


def test_amounts_are_exact_to_eighteen_decimals(tmp_path: Path) -> None:
    found = pool(tmp_path, "share: even\n    cap: {most: 999999999999999999.000000000000000001 KWD}")
    assert found.cap == Cap(Amount(10**36 - ONE + 1, "KWD"), KEPT_CENTRAL)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("otherwise: [proportional to direct cost, {fixed: {a: 100%}}]", {"otherwise": (Cost(), Fixed((("a", 1),)))}),
        ("limits: {at_least: 2%, at_most: 1/3 %}", None),
        (
            "limits: {at_least: 10.50 USD, at_most: 40%, beyond: kept_central}",
            {"limits": Limits(Amount(105 * ONE // 10, "USD"), Fraction(2, 5), Beyond.KEPT_CENTRAL)},
        ),
        ("cap: {most: 5 USD}", {"cap": Cap(Amount(5 * ONE, "USD"))}),
        (
            "cap: {most: 5 USD, rest: {pool: q}}",
            {"cap": Cap(Amount(5 * ONE, "USD"), Target(Holder.POOL, "q"))},
        ),
        (
            "cap: {most: 5 USD, rest: {cost_group: g}}",
            {"cap": Cap(Amount(5 * ONE, "USD"), Target(Holder.COST_GROUP, "g"))},
        ),
        (
            "recipients: {groups: [a], under: [b], with: {region: emea, kind: [x, y]}, charged_by: [r], pools: [q],"
            " except: [c]}",
            {
                "recipients": Recipients(
                    ("a",), ("b",), ("c",), (("region", ("emea",)), ("kind", ("x", "y"))), ("r",), ("q",)
                )
            },
        ),
        ("negative_basis: zero", {"negative_basis": NegativeBasis.ZERO}),
    ],
)
def test_what_goes_with_a_share(tmp_path: Path, rest: str, expected: dict[str, object] | None) -> None:
    if expected is None:
        with pytest.raises(DocumentError, match=r"The least, 2%, is more than the most, 1/3 %\."):
            pool(tmp_path, f"share: {{metered: calls}}\n    {rest}")
        return
    found = pool(tmp_path, f"share: {{metered: calls}}\n    {rest}")
    assert {key: getattr(found, key) for key in expected} == expected


def test_the_other_sections(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """pool_order: reciprocal
consumers:
  - id: namespaces
    name: Namespaces of the cluster
    when: {metric: [cpu_hours, gib_hours], cluster: {prefix: prod-}}
    charge_to: {column: namespace, aliases: teams}
    from: 2026-01-01
  - {id: crawler, when: {consumer: crawler}, charge_to: {cost_group: search}}
  - {id: gateway, charge_to: {pool: p}}
aliases:
  teams: {pay: payments}
commitments:
  - id: plans
    name: Savings plans
    when: {CommitmentDiscountCategory: Spend}
    share: buyer first
    buyer: platform
    unused: beneficiaries
  - {id: reserved, when: {PricingCategory: Committed}, share: priority, priority: [b, a], unused: kept_central}
  - {id: as-billed, when: {PricingCategory: Dynamic}, share: applied, buyer: platform}
uplifts:
  - {id: platform-fee, name: Platform fee, percent: 2.5%, recipients: {under: [emea], charged_by: [r]}}
  - {id: seat, amount: 25.00 EUR}
""",
    )
    namespaces, crawler, gateway = found.consumers
    when = And((Equals(Field("metric"), ("cpu_hours", "gib_hours")), Prefix(Field("cluster"), ("prod-",))))
    by = ByTag(Field("namespace"), (("pay", "payments"),))
    name = "Namespaces of the cluster"
    assert namespaces == Rule("namespaces", name, when, by, date(2026, 1, 1), place=namespaces.place)
    assert crawler.target == Target(Holder.COST_GROUP, "search")
    assert gateway.when is None
    assert [rule.place.line for rule in found.consumers] == [7, 12, 13]
    plans, reserved, billed = found.commitments
    spend = Equals(Field("CommitmentDiscountCategory"), ("Spend",))
    assert plans == Commitment(
        "plans", "Savings plans", spend, CommitmentMethod.BUYER_FIRST, "platform", (), Unused.BENEFICIARIES, plans.place
    )
    assert (reserved.method, reserved.priority) == (CommitmentMethod.PRIORITY, ("b", "a"))
    assert (billed.method, billed.unused) == (CommitmentMethod.APPLIED, Unused.BUYER)
    fee, seat = found.uplifts
    asked = Recipients(under=("emea",), charged_by=("r",))
    assert fee == Uplift("platform-fee", "Platform fee", asked, Fraction(1, 40), place=fee.place)
    assert seat == Uplift("seat", "seat", fixed=Amount(25 * ONE, "EUR"), place=seat.place)
    assert found.pool_order is PoolOrder.RECIPROCAL


def test_one_policy_with_everything_has_no_mistakes(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        """policy: P
cost_basis: effective
rules:
  - {id: teams, when: {tags.team: {exists: true}}, charge_to: {tag: team}}
  - {id: network, when: {ServiceName: Network}, charge_to: {pool: network}}
  - {id: credits, when: {ChargeCategory: Credit}, charge_to: {pool: credits}}
  - {id: last, charge_to: {pool: p}}
pool_order: reciprocal
consumers:
  - {id: nodes, when: {metric: [requested, used]}, charge_to: {column: consumer}}
pools:
  - {id: credits, share: {follow: [[ResourceId], [tags.app, ServiceName]]}, otherwise: [even]}
  - id: p
    share: {greater_of: [requested, used]}
    otherwise: [{direct_cost: {under: [all]}}, even]
    recipients: {with: {region: emea, kind: product}, pools: [network]}
    limits: {at_least: 1%, at_most: 60%}
    cap: {most: 5000.00 USD, rest: {pool: rest}}
  - {id: network, share: {fixed: {shared: 50%, a: 50%}}}
  - {id: shared, share: even, recipients: {charged_by: [teams], pools: [network]}}
  - {id: rest, share: kept_central}
commitments:
  - {id: plans, when: {CommitmentDiscountStatus: [Used, Unused]}, share: blended, unused: kept_central}
uplifts:
  - {id: fee, percent: 5%, recipients: {except: [b]}}
""",
        encoding="utf-8",
    )
    found = policy_file.read(tmp_path / "policy.yaml")
    versions = (
        CostGroup("all", "All", attributes=(("region", "emea"),)),
        CostGroup("a", "A", "all", attributes=(("kind", "product"),)),
        CostGroup("b", "B", "all"),
    )
    assert policy_checks.check(found, Organization(versions, "")) == ()


def test_recipients_with_attributes_have_all_of_them() -> None:
    tree = Tree([
        CostGroup("all", "All", attributes=(("region", "emea"),)),
        CostGroup("a", "A", "all", attributes=(("kind", "product"),)),
        CostGroup("b", "B", "all"),
        CostGroup("c", "C", attributes=(("kind", "product"),)),
    ])  # fmt: skip
    assert groups_of(Recipients(having=(("region", ("emea",)), ("kind", ("product", "x")))), tree) == ("a",)
    assert groups_of(Recipients(groups=("c",), having=(("region", ("emea",)),)), tree) == ("a", "b", "c")


def test_the_rest_of_a_capped_pool_may_go_to_one_cost_group() -> None:
    """100.00 with a cap of 60.00: a and b share 60.00, and b, who runs it, takes the 40.00 beyond."""
    capped = Pool("p", "P", Even(), cap=Cap(Amount(60 * ONE, "USD"), Target(Holder.COST_GROUP, "b")))
    assert shared({"p": "100"}, [capped], ["a", "b"]).cents == {"a": 3000, "b": 7000}
