"""The policy file: every form that a person may write, and the rules and pools it means."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
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
from apportion.errors import DocumentError, EmptyFileError, Place, UnreadableFileError
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


# A random policy, written as YAML and read back.

codes = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True).filter(
    lambda code: code.casefold() not in ("unallocated", "kept_central")
)
# The three line ends that the YAML writer of the test leaves bare and YAML reads as blanks are left out.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=12)
named = texts.filter(bool)
days = st.dates(date(2000, 1, 1), date(2040, 1, 1))
text_fields = st.one_of(
    st.sampled_from(["SubAccountId", "ServiceName", "RegionId", "ResourceName"]).map(Field),
    named.map(lambda name: Field("x_" + name)),
    named.map(lambda key: Field(key, is_tag=True)),
)
many = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
spans = st.tuples(days, days).filter(lambda pair: pair[0] < pair[1])
atoms: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Equals, text_fields, many, st.booleans()),
    st.builds(Prefix, text_fields, st.lists(named, min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(Glob, text_fields, st.sampled_from(["a*", "*", "?", "[a-c]x", "[!x]", "é*"])),
    st.builds(Matches, text_fields, st.sampled_from(["^a", "a|b", r"\d+: x", "(?i)'\"", "x{2}"])),
    st.builds(Exists, text_fields),
    spans.map(lambda pair: Between(Field("ChargePeriodStart"), *pair)),
    days.map(lambda day: Between(Field("x_day"), None, day)),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)
tables = st.dictionaries(texts, st.dictionaries(texts, codes, max_size=3), max_size=2)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    aliases = {name: tuple(table.items()) for name, table in draw(tables).items()}
    by_tag = st.builds(ByTag, text_fields, st.sampled_from([(), *aliases.values()]), st.booleans())
    targets = st.one_of(
        st.just(KEPT_CENTRAL),
        codes.map(lambda code: Target(Holder.COST_GROUP, code)),
        codes.map(lambda code: Target(Holder.POOL, code)),
        by_tag,
    )
    rules = st.builds(Rule, codes, texts, st.none() | conditions, targets, st.none() | days, st.none() | days).map(
        lambda rule: (
            rule if rule.name else Rule(rule.id, rule.id, rule.when, rule.target, rule.valid_from, rule.valid_until)
        )
    )
    some_codes = st.lists(codes, max_size=3).map(tuple)
    fixed = st.dictionaries(codes, st.integers(1, 99), min_size=1, max_size=4).map(
        lambda parts: tuple((code, part // math.gcd(*parts.values())) for code, part in parts.items())
    )
    pools = st.one_of(
        st.builds(Pool, codes, named, st.builds(Fixed, fixed)),
        st.builds(Pool, codes, named, st.just(Even()), st.builds(Recipients, some_codes, some_codes, some_codes)),
        st.builds(Pool, codes, named, st.just(Cost()), negative_basis=st.sampled_from(NegativeBasis)),
    )
    return Policy(
        name=draw(texts),
        cost_basis=draw(st.sampled_from(CostBasis)),
        rules=tuple(draw(st.lists(rules, min_size=1, max_size=4))),
        pools=tuple(draw(st.lists(pools, max_size=3))),
        digest="",
        alias_tables=tuple(aliases.items()),
    )


def dumped(policy: Policy) -> str:
    """The policy as YAML; texts are quoted where YAML would take them for something else, dates are not."""
    document = {
        "policy": policy.name,
        "cost_basis": str(policy.cost_basis),
        "rules": [_rule(rule, dict(policy.alias_tables)) for rule in policy.rules],
        "aliases": {name: dict(table) for name, table in policy.alias_tables},
        "pools": [_pool(pool) for pool in policy.pools],
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _rule(rule: Rule, aliases: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": rule.id, "name": rule.name}
    if rule.when is not None:
        found["when"] = _condition(rule.when)
    target = rule.target
    if isinstance(target, ByTag):
        found["charge_to"] = {"tag" if target.field.is_tag else "column": target.field.name, "ignore_case": target.fold}
        if target.aliases:
            found["charge_to"]["aliases"] = next(name for name, table in aliases.items() if table == target.aliases)
    else:
        found["charge_to"] = "kept_central" if target == KEPT_CENTRAL else {str(target.holder): target.code}
    found |= {"from": rule.valid_from} if rule.valid_from else {}
    return found | ({"until": rule.valid_until} if rule.valid_until else {})


def _condition(condition: Condition) -> dict[str, Any]:
    match condition:
        case And(parts):
            return {"all": [_condition(part) for part in parts]}
        case Or(parts):
            return {"any": [_condition(part) for part in parts]}
        case Not(part):
            return {"not": _condition(part)}
    test: dict[str, Any] = {}
    match condition:
        case Equals(_, values, fold):
            test = {"equals": list(values)} | ({"ignore_case": True} if fold else {})
        case Prefix(_, values):
            test = {"prefix": list(values)}
        case Glob(_, pattern):
            test = {"glob": pattern}
        case Matches(_, pattern):
            test = {"matches": pattern}
        case Exists(_):
            test = {"exists": True}
        case Between(_, start, end):
            test = {key: day for key, day in (("from", start), ("until", end)) if day}
    return {str(condition.field): test}


def _pool(pool: Pool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": pool.id, "name": pool.name}
    share: object = "even" if pool.basis == Even() else "proportional to direct cost"
    if isinstance(pool.basis, Fixed):
        whole = sum(weight for _, weight in pool.basis.shares)
        share = {"fixed": {code: f"{weight}/{whole}" for code, weight in pool.basis.shares}}
    else:
        asked = pool.recipients
        found["recipients"] = {
            "groups": list(asked.groups), "under": list(asked.under), "except": list(asked.excluded),
        }  # fmt: skip
    if isinstance(pool.basis, Cost):
        found["negative_basis"] = str(pool.negative_basis)
    return found | {"share": share}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(policies())
def test_a_policy_written_as_yaml_is_read_back_the_same(tmp_path: Path, policy: Policy) -> None:
    found = read(tmp_path, dumped(policy))
    assert _bare(found) == _bare(policy)


def _bare(policy: Policy) -> Policy:
    rules = tuple(
        Rule(rule.id, rule.name, rule.when, rule.target, rule.valid_from, rule.valid_until) for rule in policy.rules
    )
    pools = tuple(replace(pool, place=Place()) for pool in policy.pools)
    return Policy(policy.name, policy.cost_basis, rules, pools, "", alias_tables=policy.alias_tables)


def test_mistakes_are_raised_together(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        read(
            tmp_path, "policy: P\ncost_basis: both\nrules:\n  - id: a\n    when: {Region: x}\n    charge_to: {pol: p}\n"
        )
    assert [mistake.place.line for mistake in caught.value.mistakes] == [2, 5, 6]
