"""The files that a new workspace starts with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion import organization, settings
from apportion.allocate import policy_checks, policy_file
from apportion.allocate.policy import Method
from apportion.allocate.rule import And, Between, ByTag, Equals, Exists, Glob, Holder, Matches, Not, Or, Prefix
from apportion.errors import ApportionError, InputRefusedError, StorageError
from apportion.periods import BillingPeriod
from apportion.starter import write_starter
from apportion.warehouse.predicates import fields

NAMES = [
    "apportion.yaml", "organization.yaml", "policy.yaml",
    "schema/organization.schema.json", "schema/policy.schema.json",
]  # fmt: skip


def test_the_files_are_written_and_named(tmp_path: Path) -> None:
    found = write_starter(tmp_path / "new" / "workspace")
    assert found == [tmp_path / "new" / "workspace" / name for name in NAMES]
    assert all(path.stat().st_size > 500 for path in found)


def test_a_newcomer_can_start_with_them(tmp_path: Path) -> None:
    write_starter(tmp_path)
    found = settings.load(tmp_path)
    tree = organization.read(tmp_path / found.organization)
    policy = policy_file.read(tmp_path / found.policy)
    assert policy_checks.check(policy, tree) == ()
    for period in ("2020-02", "2026-01", "2026-07", "2030-12"):
        assert policy_checks.check(policy, tree, BillingPeriod.parse(period)) == ()
    today = tree.on(date(2026, 10, 1))
    assert {today[code].coding.company for code in today} == {"1000", "2000"}
    assert max(len(today.path(code)) for code in today) == 3
    assert all(all((g.owners.finance, g.owners.technical, g.owners.business)) for g in map(today.__getitem__, today)
               if g.coding.company == "1000")  # fmt: skip


def test_there_is_one_example_of_each_kind(tmp_path: Path) -> None:
    write_starter(tmp_path)
    policy = policy_file.read(tmp_path / "policy.yaml")
    text = (tmp_path / "policy.yaml").read_text(encoding="utf-8")
    kinds = {type(part) for rule in policy.rules if rule.when for part in _parts(rule.when)}
    assert kinds >= {And, Or, Not, Equals, Prefix, Glob, Matches, Exists, Between}
    methods = {Method.EVEN, Method.FIXED, Method.PROPORTIONAL, Method.MIXED}
    assert {pool.method for pool in policy.pools} == methods
    assert any(pool.otherwise and pool.limits and pool.recipients.having for pool in policy.pools)
    assert policy.consumers
    targets = [rule.target for rule in policy.rules]
    assert any(isinstance(target, ByTag) and target.aliases for target in targets)
    holders = {target.holder for target in targets if not isinstance(target, ByTag)}
    assert holders == {Holder.COST_GROUP, Holder.POOL, Holder.KEPT_CENTRAL}
    assert any(rule.valid_from and rule.valid_until for rule in policy.rules)
    assert any(field.is_tag for rule in policy.rules if rule.when for field in fields(rule.when))
    assert text.startswith("# yaml-language-server: $schema=schema/policy.schema.json\n")


def _parts(condition: object) -> list[object]:
    if isinstance(condition, And | Or):
        return [condition, *(inner for part in condition.parts for inner in _parts(part))]
    return [condition, *_parts(condition.part)] if isinstance(condition, Not) else [condition]


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_overwritten(tmp_path: Path, name: str) -> None:
    there = tmp_path / name
    there.parent.mkdir(exist_ok=True)
    there.write_text("mine", encoding="utf-8")
    with pytest.raises(InputRefusedError) as caught:
        write_starter(tmp_path)
    assert str(caught.value.place) == str(there)
    assert there.read_text(encoding="utf-8") == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [there]


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(InputRefusedError):
        write_starter(tmp_path)
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_where_it_cannot_be_written_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "schema").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ApportionError) as caught:
        write_starter(tmp_path)
    assert isinstance(caught.value, StorageError)
    assert [path.name for path in tmp_path.iterdir()] == ["schema"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError):
        write_starter(tmp_path / "file")
