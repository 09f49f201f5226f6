"""The policies are of the promised make, and the library reads them as they were meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apportion.allocate import policy_checks, policy_file
from apportion.allocate.rule import And, Condition, Equals, Glob, Holder, Matches, Or, Prefix, Target
from apportion.organization import read as read_organization
from bench import policies
from bench.data import PERIOD
from bench.world import world


def _leaves(condition: Condition | None) -> Iterator[Condition]:
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from _leaves(part)
    elif condition is not None:
        yield condition


@pytest.mark.parametrize("rules", [100, 500, 2_000])
def test_mix_of_rules(rules: int) -> None:
    made = policies.policy(rules).rules
    patterns = [r for r in made if any(isinstance(part, Prefix | Glob | Matches) for part in _leaves(r.when))]
    dated = [rule for rule in made if rule.valid_from or rule.valid_until]
    assert (len(made), len(patterns), len(dated)) == (rules, rules // 20, rules // 10)
    assert all(
        PERIOD.starts_on < day < PERIOD.ends_on for rule in dated for day in (rule.valid_from, rule.valid_until) if day
    )


@pytest.mark.parametrize("rules", [500, 2_000])
def test_cost_groups_and_pools(rules: int) -> None:
    targets = {rule.target for rule in policies.policy(rules).rules if isinstance(rule.target, Target)}
    assert len({target.code for target in targets if target.holder is Holder.POOL}) == policies.POOLS
    assert len({target.code for target in targets if target.holder is Holder.COST_GROUP}) == min(300, rules * 4 // 5)


def test_the_same_values_in_few_rules_and_in_many() -> None:
    def values(rules: int, field: str) -> set[str]:
        found = (part for rule in policies.policy(rules).rules for part in _leaves(rule.when))
        return {
            value for part in found if isinstance(part, Equals) and part.field.name == field for value in part.values
        }

    accounts = {account.id for account in world().accounts}
    for field in ("SubAccountId", "ServiceName", "RegionId", "app", "team", "env", "cost_center"):
        assert values(100, field) == values(500, field) == values(2_000, field)
    assert values(500, "SubAccountId") < accounts


@pytest.mark.parametrize("rules", [20, 500])
def test_files_read_back_without_a_mistake(rules: int, tmp_path: Path) -> None:
    made = policies.policy(rules)
    policy, organization = tmp_path / "policy.yaml", tmp_path / "organization.yaml"
    policy.write_text(policies.policy_text(made), encoding="utf-8")
    organization.write_text(policies.organization_text(policies.organization()), encoding="utf-8")
    found = policy_file.read(policy)
    assert policy_checks.check(found, read_organization(organization), PERIOD) == ()
    assert found.digest == made.digest
    for one, other in zip(found.rules, made.rules, strict=True):
        assert (one.when, one.target, one.valid_from, one.valid_until) == (
            other.when, other.target, other.valid_from, other.valid_until,
        )  # fmt: skip
    for pool, meant in zip(found.pools, made.pools, strict=True):
        assert (pool.basis, pool.recipients) == (meant.basis, meant.recipients)


def test_variants_differ() -> None:
    first, second = policies.policy(100), policies.policy(100, variant=1)
    assert first.digest != second.digest
    assert sorted(repr(rule.when) for rule in first.rules) == sorted(repr(rule.when) for rule in second.rules)
