"""The company's documents: its tree, its policy, and whether the policy finds what the story intends."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from apportion import settings
from apportion.allocate import policy_checks, policy_file
from apportion.allocate.basis import (
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Priced,
    Rate,
    Summed,
    meters,
    quantities,
)
from apportion.allocate.policy import CommitmentMethod, CostBasis, Method, Policy, PoolOrder, Unused
from apportion.demo import DemoCompany
from apportion.money.amount import ONE
from apportion.money.currency import minor_text
from apportion.money.split import to_step
from apportion.organization import organization_file
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def organization(company: DemoCompany) -> Organization:
    return organization_file.read(company.root / "organization.yaml")


@pytest.fixture(scope="module")
def policy(company: DemoCompany) -> Policy:
    return policy_file.read(company.root / "policy.yaml")


def test_more_than_forty_cost_groups_in_three_levels_over_two_legal_entities(organization: Organization) -> None:
    tree = organization.on(BillingPeriod(2026, 10).starts_on)
    assert len(tree) == 47
    assert {len(tree.path(code)) for code in tree.leaves()} == {3}
    assert [code for code in tree if tree[code].parent is None] == ["kestrel-europe", "kestrel-nordic"]
    assert {tree[code].coding.company for code in tree} == {"1000", "2000"}


def test_every_cost_group_has_owners_and_full_coding_in_every_month(
    company: DemoCompany, organization: Organization
) -> None:
    for period in company.periods:
        tree = organization.on(period.starts_on)
        for code in tree:
            coding, owners = tree[code].coding, tree[code].owners
            assert coding.company
            assert coding.cost_center
            assert coding.department
            assert coding.ledger_account
            for owner in (owners.finance, owners.technical, owners.business):
                assert owner.endswith("@example.com")
        centers = Counter((tree[code].coding.company, tree[code].coding.cost_center) for code in tree.leaves())
        assert max(centers.values()) == 1


def test_a_team_moves_to_the_other_legal_entity_in_mid_year(organization: Organization) -> None:
    moved = BillingPeriod(2026, 5).starts_on
    before, after = organization.on(moved - timedelta(days=1)), organization.on(moved)
    assert before.path("maps") == ("kestrel-nordic", "rides", "maps")
    assert after.path("maps") == ("kestrel-europe", "parcels", "maps")
    assert (before["maps"].coding.company, after["maps"].coding.company) == ("2000", "1000")


def test_the_nordic_company_is_charged_in_its_own_currency(organization: Organization) -> None:
    tree = organization.on(BillingPeriod(2026, 10).starts_on)
    assert {tree[code].currency for code in tree if tree[code].coding.company == "2000"} == {"SEK"}
    assert {tree[code].currency for code in tree if tree[code].coding.company == "1000"} == {""}


def test_a_team_is_founded_in_mid_year(organization: Organization) -> None:
    assert "assistants" not in organization.on(BillingPeriod(2026, 2).starts_on)
    assert "assistants" in organization.on(BillingPeriod(2026, 3).starts_on)


def test_every_method_is_used_by_some_pool_commitment_or_fee(policy: Policy) -> None:
    assert policy.cost_basis is CostBasis.EFFECTIVE
    assert len(policy.pools) == 22
    used = {pool.method for pool in policy.pools} | {uplift.method for uplift in policy.uplifts}
    assert used | {Method.COMMITMENT} == set(Method)
    assert {commitment.method for commitment in policy.commitments} == set(CommitmentMethod)
    assert {commitment.unused for commitment in policy.commitments} == set(Unused)


def test_every_way_to_say_what_is_shared_and_who_takes_part_is_used(policy: Policy) -> None:
    bases = [basis for pool in policy.pools for basis in pool.bases]
    bases += [part.basis for basis in bases if isinstance(basis, Mix) for part in basis.parts]
    assert {type(basis) for basis in bases} == {
        Even, Fixed, Cost, Metered, Greater, Summed, Mix, Priced, Follow, KeptCentral,
    }  # fmt: skip
    assert any(meter.tiers for basis in bases for one in quantities(basis) for meter in meters(one))
    assert any(isinstance(part.size, Rate) for basis in bases if isinstance(basis, Mix) for part in basis.parts)
    for key in ("groups", "under", "excluded", "having", "charged_by", "pools"):
        assert any(getattr(pool.recipients, key) for pool in policy.pools), key
    assert any(pool.limits for pool in policy.pools)
    assert any(pool.cap for pool in policy.pools)


def test_a_pool_that_follows_usage_says_what_happens_without_it(policy: Policy) -> None:
    metered = [pool for pool in policy.pools if quantities(pool.basis)]
    assert len(metered) >= 10
    assert all(pool.otherwise for pool in metered)


def test_two_pools_serve_each_other_and_some_pass_their_cost_on(policy: Policy) -> None:
    assert policy.pool_order is PoolOrder.RECIPROCAL
    ids = {pool.id for pool in policy.pools}
    assert {
        pool.id
        for pool in policy.pools
        if isinstance(pool.basis, Fixed) and ids & {code for code, _ in pool.basis.shares}
    } == {
        "cloud-foundation",
    }
    served = {pool.id: pool.recipients.pools for pool in policy.pools if pool.recipients.pools}
    assert served == {
        "network-backbone": ("data-lake", "developer-tools"),
        "developer-tools": ("identity",),
        "identity": ("developer-tools",),
    }


def test_the_policy_has_no_mistakes_in_any_month(
    company: DemoCompany, policy: Policy, organization: Organization
) -> None:
    for period in company.periods:
        assert policy_checks.check(policy, organization, period) == ()
    assert policy_checks.check(policy, organization, today=BillingPeriod(2026, 11).starts_on) == ()


def test_settings_know_every_source_and_account(company: DemoCompany) -> None:
    found = settings.load(company.root)
    assert found.sources.keys() == {delivery.source for delivery in company.deliveries}
    used = ("transferred_out", "intercompany_receivable", "intercompany_payable", "suspense", "rounding")
    assert all(getattr(found.ledger, name) for name in used)
    assert all(found.payer.model_dump().values())


def test_every_intended_holder_exists(company: DemoCompany, policy: Policy, organization: Organization) -> None:
    known = {"kept_central", "unallocated"} | {f"pool:{pool.id}" for pool in policy.pools}
    for total in company.totals:
        tree = organization.on(total.period.starts_on)
        assert total.intended.keys() <= known | set(tree.leaves())


def test_documents_are_plainly_an_example(company: DemoCompany) -> None:
    for name in ("apportion.yaml", "organization.yaml", "policy.yaml"):
        text = (company.root / name).read_text(encoding="utf-8")
        assert set(re.findall(r"@([\w.-]+)", text)) <= {"example.com"}
        assert text.count("#") >= 5
        assert max(len(line) for line in text.splitlines()) <= 120
    assert not list(Path(company.root).glob("*.py"))


def test_the_tutorial_names_the_figures_of_the_plan(company: DemoCompany) -> None:
    page = Path(__file__).parents[3] / "docs" / "tutorial" / "the-demo-company.md"
    written = dict(
        re.findall(r"^\| ([\w-]+) \| ([\d,.]+ \| [\d,.]+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    )
    expected = {}
    for source in {total.source for total in company.totals}:
        totals = [total for total in company.totals if total.source == source]
        expected[source] = (
            f"{shown(sum(t.billed_units for t in totals))} | {shown(sum(t.effective_units for t in totals))}"
        )
    for period in company.periods:
        cost = Counter[str]()
        for total in company.totals:
            if total.period == period:
                cost[total.currency] += total.effective_units
        expected[str(period)] = f"{shown(cost['USD'])} | {shown(cost['EUR'])}"
    assert written == expected


def shown(units: int) -> str:
    """An amount as the tutorial writes it: rounded to cents, commas between thousands."""
    whole, _, cents = minor_text(to_step(units, ONE // 100), "USD").partition(".")
    return f"{int(whole):,}.{cents}"
