"""The policy file: every form that a person may write, and the rules and pools it means."""

from __future__ import annotations

import hashlib
import math
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.allocate import policy_checks, policy_file, unreachable
from apportion.allocate.basis import Cost, Even, Fixed
from apportion.allocate.implication import implies
from apportion.allocate.policy import CostBasis, NegativeBasis, Policy, Pool, Recipients
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    And,
    Between,
    ByTag,
    Condition,
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
from apportion.allocate.shares import parse_share, percent_text, whole_weights
from apportion.errors import DocumentError, EmptyFileError, UnreadableFileError
from apportion.organization.cost_group import CostGroup, Organization

HEAD = "policy: P\ncost_basis: billed\nrules:\n"
TEAM = Field("team", is_tag=True)


def read(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return policy_file.read(path)


def condition(tmp_path: Path, when: str) -> Condition:
    (rule,) = read(tmp_path, f"{HEAD}  - id: r\n    when: {when}\n    charge_to: kept_central\n").rules
    assert rule.when is not None
    return rule.when


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{SubAccountId: 0011}", Equals(Field("SubAccountId"), ("0011",))),
        ("{SubAccountId: [0011, '12', no, 0011]}", Equals(Field("SubAccountId"), ("0011", "12", "no"))),
        ("{tags.team: {equals: a}}", Equals(TEAM, ("a",))),
        ("{tags.team: {in: [a, b], ignore_case: true}}", Equals(TEAM, ("a", "b"), fold=True)),
        ("{ServiceName: {prefix: Amazon}}", Prefix(Field("ServiceName"), ("Amazon",))),
        ("{x_Any Name: {prefix: [A, B]}}", Prefix(Field("x_Any Name"), ("A", "B"))),
        ("{ResourceName: {glob: 'db-*'}}", Glob(Field("ResourceName"), "db-*")),
        ("{ResourceId: {glob: [a*, b*]}}", Or((Glob(Field("ResourceId"), "a*"), Glob(Field("ResourceId"), "b*")))),
        ("{ResourceName: {matches: '^db-[0-9]'}}", Matches(Field("ResourceName"), "^db-[0-9]")),
        ("{tags.team: {exists: true}}", Exists(TEAM)),
        ("{tags.team: {exists: false}}", Not(Exists(TEAM))),
        ("{BilledCost: {exists: true}}", Exists(Field("BilledCost"))),
        (
            "{ChargePeriodStart: {from: 2026-01-01, until: 2026-02-01}}",
            Between(Field("ChargePeriodStart"), date(2026, 1, 1), date(2026, 2, 1)),
        ),
        ("{x_Booked: {from: 2026-01-01}}", Between(Field("x_Booked"), date(2026, 1, 1))),
        ("{'tags.kubernetes.io/name: x.y': a}", Equals(Field("kubernetes.io/name: x.y", is_tag=True), ("a",))),
        ("{'tags. org': a}", Equals(Field(" org", is_tag=True), ("a",))),
        ("{not: {RegionId: eu}}", Not(Equals(Field("RegionId"), ("eu",)))),
        ("{any: [{RegionId: eu}, {tags.team: a}]}", Or((Equals(Field("RegionId"), ("eu",)), Equals(TEAM, ("a",))))),
        ("{any: [{RegionId: eu}]}", Equals(Field("RegionId"), ("eu",))),
        (
            "{RegionId: {equals: eu, prefix: e}, all: [{tags.team: a}, {tags.team: {exists: true}}],"
            " not: {tags.team: b}}",
            And((
                And((Equals(Field("RegionId"), ("eu",)), Prefix(Field("RegionId"), ("e",)))),
                And((Equals(TEAM, ("a",)), Exists(TEAM))),
                Not(Equals(TEAM, ("b",))),
            )),
        ),
        ("{ChargeClass: {equals: correction, ignore_case: true}}", Equals(Field("ChargeClass"), ("correction",), True)),
    ],
)  # fmt: skip
def test_conditions(tmp_path: Path, when: str, expected: Condition) -> None:
    assert condition(tmp_path, when) == expected


@pytest.mark.parametrize(
    ("charge_to", "expected"),
    [
        ("kept_central", KEPT_CENTRAL),
        ("{cost_group: '0010'}", Target(Holder.COST_GROUP, "0010")),
        ("{cost_group: 0010}", Target(Holder.COST_GROUP, "0010")),
        ("{pool: support}", Target(Holder.POOL, "support")),
        ("{tag: team}", ByTag(TEAM)),
        ("{tag: team, aliases: t, ignore_case: false}", ByTag(TEAM, (("Pay Team", "pay"), ("0", "nil")), fold=False)),
        ("{column: SubAccountName, aliases: t}", ByTag(Field("SubAccountName"), (("Pay Team", "pay"), ("0", "nil")))),
        ("{column: x_Owner}", ByTag(Field("x_Owner"))),
    ],
)
def test_targets(tmp_path: Path, charge_to: str, expected: Target | ByTag) -> None:
    text = f"{HEAD}  - id: r\n    name: Rule\n    charge_to: {charge_to}\naliases: {{t: {{Pay Team: pay, 0: nil}}}}\n"
    (rule,) = read(tmp_path, text).rules
    assert rule == Rule("r", "Rule", None, expected, place=rule.place)
    assert str(rule.place).endswith("policy.yaml:4:5")


def test_a_whole_policy(tmp_path: Path) -> None:
    text = f"""{HEAD}  - id: r
    charge_to: {{pool: support}}
    from: 2026-01-01
    until: 2027-01-01
pools:
  - {{id: support, name: Support, share: {{fixed: {{sales: 45%, qa: 30 %, eng: 0.2, rest: 1/20}}}}}}
  - {{id: rest, share: even, recipients: {{groups: [a], under: [b, c], except: [d]}}}}
  - {{id: tax, share: proportional to direct cost, negative_basis: zero}}
"""
    found = read(tmp_path, text)
    assert (found.name, found.cost_basis) == ("P", CostBasis.BILLED)
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()
    assert (found.rules[0].valid_from, found.rules[0].valid_until) == (date(2026, 1, 1), date(2027, 1, 1))
    support, rest, tax = found.pools
    shares = (("sales", 9), ("qa", 6), ("eng", 4), ("rest", 1))
    assert support == Pool("support", "Support", Fixed(shares), place=support.place)
    assert rest == Pool("rest", "rest", Even(), Recipients(("a",), ("b", "c"), ("d",)), place=rest.place)
    assert tax == Pool("tax", "tax", Cost(), negative_basis=NegativeBasis.ZERO, place=tax.place)
    assert [pool.place.line for pool in found.pools] == [9, 10, 11]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        policy_file.read(tmp_path / "policy.yaml")
    with pytest.raises(EmptyFileError):
        read(tmp_path, "# nothing yet\n")


@pytest.mark.parametrize(
    ("text", "share"),
    [("45%", "9/20"), ("45 %", "9/20"), ("12.5%", "1/8"), ("0.45", "9/20"), ("1/3", "1/3"), ("1/3%", "1/300"),
     ("0%", "0"), ("1", "1"), ("33.333333333333333333%", "33333333333333333333/100000000000000000000")],
)  # fmt: skip
def test_shares_are_exact(text: str, share: str) -> None:
    assert parse_share(text) == Fraction(share)


def test_shares_become_the_smallest_whole_numbers() -> None:
    assert whole_weights({"a": Fraction(1, 3), "b": Fraction(2, 3)}) == (("a", 1), ("b", 2))
    assert percent_text(Fraction(999, 1000)) == "99.9 %"
    assert percent_text(Fraction(1, 3)) == "100/3 %"
    assert percent_text(Fraction(100)) == "10000 %"
    assert percent_text(Fraction(1, 10**6)) == "0.0001 %"


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 10**6), min_size=1, max_size=8))
def test_weights_keep_the_proportions(parts: dict[str, int]) -> None:
    total = sum(parts.values())
    if total == 0:
        return
    weights = dict(whole_weights({name: Fraction(part, total) for name, part in parts.items()}))
    assert {name: Fraction(weight, sum(weights.values())) for name, weight in weights.items()} == {
        name: Fraction(part, total) for name, part in parts.items()
    }
    assert math.gcd(*weights.values()) == 1


def test_two_thousand_rules_take_few_proofs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [HEAD]
    for number in range(2000):
        when = (
            f'{{SubAccountId: ["{number:012d}", "{number + 5000:012d}"]}}',
            f"{{tags.app: app-{number}, tags.env: prod}}",
            f"{{ResourceName: {{matches: 'n{number}[0-9]+'}}, RegionId: eu-{number % 7}}}",
            f"{{ResourceName: {{prefix: p{number}-}}}}",
        )[number % 4]
        lines.append(f"  - id: r{number}\n    when: {when}\n    charge_to: {{cost_group: g}}\n    from: 2026-01-01\n")
    lines.append(
        "  - {id: last, when: {RegionId: eu-1, ResourceName: p3-x}, charge_to: kept_central, from: 2026-02-01}\n"
    )
    proofs = 0

    def counted(*arguments: Any) -> bool:
        nonlocal proofs
        proofs += 1
        return implies(*arguments)

    monkeypatch.setattr(unreachable, "implies", counted)
    found = policy_checks.check(read(tmp_path, "".join(lines)), Organization((CostGroup("g", "G"),), ""))
    assert [(mistake.code, mistake.place.line) for mistake in found] == [("UNREACHABLE_RULE", 4 + 4 * 2000)]
    assert proofs < 2000  # comparing each rule with each one above it would take two million


def test_mistakes_are_raised_together(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        read(
            tmp_path, "policy: P\ncost_basis: both\nrules:\n  - id: a\n    when: {Region: x}\n    charge_to: {pol: p}\n"
        )
    assert [mistake.place.line for mistake in caught.value.mistakes] == [2, 5, 6]
