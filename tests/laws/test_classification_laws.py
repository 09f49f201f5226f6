"""The compiled plan and a plain reading of the rules agree, whatever the rules and charges."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.allocate.match import compile_rules
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    UNALLOCATED,
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
from apportion.organization.cost_group import CostGroup, Organization
from apportion.warehouse import queries
from tests.charges import TYPES, Row, snapshot
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


TEXTS = ("web", "web-1", "web-12", "db", "DB", "o'hare", "", "ünï")
GROUPS = ("web", "db", "late")
FIELDS = (Field("ServiceName"), Field("x_Team"), Field("team", is_tag=True), Field('a b"c', is_tag=True))
DAYS = (date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 15))
ORGANIZATION = Organization(
    (CostGroup("web", "Web"), CostGroup("db", "Db"), CostGroup("late", "Late", valid_from=date(2026, 10, 8))), ""
)

fields = st.sampled_from(FIELDS)
texts = st.sampled_from(TEXTS)
some = st.lists(texts, min_size=1, max_size=3).map(tuple)
days = st.none() | st.sampled_from(DAYS)
atoms: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Equals, fields, some, st.booleans()),
    st.builds(Prefix, fields, some),
    st.builds(Glob, fields, st.sampled_from(["web*", "web", "*-1", "w?b*", "[wd]*", "o?h*", "?n*"])),
    st.builds(
        Matches,
        fields,
        st.sampled_from(
            [
                "^web",
                "^web-1$",
                "[0-9]$",
                "b",
                "^$",
                "^web-?1",
                "^web-(1|2)$",
                "^w[eb]|d",
                "^webs*",
                "^web|^D",
                "^web.1",
            ]
        ),
    ),
    st.builds(Exists, fields),
    st.builds(Between, st.just(Field("ChargePeriodStart")), days, days),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
targets = st.one_of(
    st.sampled_from([Target(Holder.COST_GROUP, "web"), Target(Holder.POOL, "pool"), KEPT_CENTRAL]),
    st.builds(ByTag, st.just(FIELDS[2]), st.just((("web-1", "db"), ("web-12", "late"))), st.booleans()),
)
rules = st.lists(st.tuples(st.none() | conditions, targets, days, days), max_size=8).map(
    lambda found: [Rule(f"r{place}", "", *parts) for place, parts in enumerate(found)]
)
values = st.none() | texts
starts = st.sampled_from(["2026-09-30", "2026-10-01", "2026-10-09", "2026-11-01"])
charges = st.lists(
    st.tuples(values, values, values, values, starts),
    min_size=1,
    max_size=12,
)


def meets(condition: Condition | None, charge: dict[Field, str | None]) -> bool:
    """The rule as a person reads it: nothing compares with a missing value."""
    match condition:
        case None:
            return True
        case And(parts):
            return all(meets(part, charge) for part in parts)
        case Or(parts):
            return any(meets(part, charge) for part in parts)
        case Not(part):
            return not meets(part, charge)
    value = charge[condition.field]
    if value is None:
        return False
    match condition:
        case Equals(_, wanted, fold):
            return (value.lower() if fold else value) in [each.lower() if fold else each for each in wanted]
        case Prefix(_, wanted):
            return value.startswith(wanted)
        case Glob(_, pattern):
            return fnmatchcase(value, pattern)
        case Matches(_, pattern):
            return re.search(pattern, value) is not None
        case Exists():
            return True
        case Between(_, start, end):
            instant = datetime.fromisoformat(value).date()
            return (start is None or start <= instant) and (end is None or instant < end)
    raise AssertionError(condition)


def decides(rule: Rule, charge: dict[Field, str | None]) -> Target | None:
    on = date.fromisoformat(charge[Field("ChargePeriodStart")] or "")
    if (rule.valid_from and on < rule.valid_from) or (rule.valid_until and on >= rule.valid_until):
        return None
    if not meets(rule.when, charge):
        return None
    if isinstance(rule.target, Target):
        return rule.target
    value = charge[rule.target.field]
    if value is None:
        return None
    shown = value.lower() if rule.target.fold else value
    code = dict(rule.target.aliases).get(shown, shown if shown in GROUPS else None)
    if code is None or (code == "late" and on < date(2026, 10, 8)):
        return None
    return Target(Holder.COST_GROUP, code)


@settings(max_examples=often(60), deadline=None)
@given(rules, charges, st.sampled_from(["MAP(VARCHAR, VARCHAR)", "VARCHAR"]))
def test_the_first_rule_that_meets_a_charge_decides(
    policy: list[Rule],
    found: list[tuple[str | None, str | None, str | None, str | None, str]],
    kind_of_tags: str,
) -> None:
    rows: list[Row] = []
    expected: dict[tuple[str | None, Target], int] = {}
    for service, team, tag, odd, day in found:
        charge: dict[Field, str | None] = dict(zip(FIELDS, (service, team, tag, odd), strict=True))
        charge[Field("ChargePeriodStart")] = day
        tags = {"team": tag, 'a b"c': odd}
        shown = json.dumps({key: value for key, value in tags.items() if value is not None})
        rows.append(
            {
                "ServiceName": service,
                "x_Team": team,
                "Tags": shown,
                "ChargePeriodStart": day,
                "BilledCost": "1",
            }
        )
        decided = next(((rule.id, target) for rule in policy if (target := decides(rule, charge))), (None, UNALLOCATED))
        expected[decided] = expected.get(decided, 0) + 1
    with tempfile.TemporaryDirectory() as directory:
        given_snapshot = snapshot(Path(directory), rows, {**TYPES, "Tags": kind_of_tags})
        first, last = (date.fromisoformat(day) for day in queries.span(given_snapshot) or ("", ""))
        matching = compile_rules(policy, ORGANIZATION, first, last)
        sidecars = Path(directory) / "sidecars"
        sidecars.mkdir()
        cube = queries.classify(given_snapshot, matching.plan, effective=True, sidecars=sidecars)
    counted: dict[tuple[str | None, Target], int] = {}
    for row in cube:
        key = matching.outcomes[row.outcome].key
        counted[key] = counted.get(key, 0) + row.rows
    assert counted == expected
