"""What the checks claim about rules is true for every charge: proved against a plain evaluator on all small charges."""

from __future__ import annotations

import fnmatch
import itertools
import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
)
from apportion.allocate.unreachable import covered, never_met
from tests.often import often

A, B, START = Field("RegionId"), Field("team", is_tag=True), Field("ChargePeriodStart")
VALUES = (None, "", "a", "A", "ab", "aB", "abc", "b", "ba", "é", "abé", "1")
DAYS = tuple(date(2026, 1, day) for day in (1, 2, 3, 4))
GLOBS = ("a", "a*", "*", "?", "a?", "[ab]", "[!a]*", "*b", "a*c", "ab*")
REGEXES = ("^a", "^ab", "a", "b$", "^ab$", "a.c", "^(a|b)", "^[ab]+$", "(?i)^A")

Charge = dict[Field, str | date | None]
CHARGES: list[Charge] = [{A: a, B: b, START: day} for a, b, day in itertools.product(VALUES, VALUES, (*DAYS, None))]


def meets(condition: Condition, charge: Charge) -> bool:
    match condition:
        case And(parts):
            return all(meets(part, charge) for part in parts)
        case Or(parts):
            return any(meets(part, charge) for part in parts)
        case Not(part):
            return not meets(part, charge)
    value = charge[condition.field]
    if value is None:
        return False
    if isinstance(condition, Between):
        assert isinstance(value, date)
        return (condition.start is None or condition.start <= value) and (
            condition.end is None or value < condition.end
        )
    text = str(value)
    match condition:
        case Equals(values=values, fold=fold):
            return text.lower() in {one.lower() for one in values} if fold else text in values
        case Prefix(values=values):
            return any(text.startswith(one) for one in values)
        case Glob(pattern=pattern):
            return fnmatch.fnmatchcase(text, pattern)
        case Matches(pattern=pattern):
            return re.search(pattern, text) is not None
    return True


def rule_meets(rule: Rule, charge: Charge) -> bool:
    """A charge without a start takes that of its billing period, as the warehouse does."""
    start = charge[START] or DAYS[0]
    assert isinstance(start, date)
    if (rule.valid_from and start < rule.valid_from) or (rule.valid_until and rule.valid_until <= start):
        return False
    return rule.when is None or meets(rule.when, charge)


texts = st.sampled_from([value for value in VALUES if value])
fields = st.sampled_from((A, B))
dates = st.none() | st.sampled_from(DAYS)
some_texts = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
atoms: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Equals, fields, some_texts, st.booleans()),
    st.builds(Equals, fields, some_texts),
    st.builds(Prefix, fields, some_texts),
    st.builds(Glob, fields, st.sampled_from(GLOBS)),
    st.builds(Matches, fields, st.sampled_from(REGEXES)),
    st.builds(Exists, fields),
    st.builds(Between, st.just(START), dates, dates),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
rules = st.builds(
    Rule, st.just("r"), st.just(""), st.none() | conditions, st.just(KEPT_CENTRAL), st.none() | dates, st.none() | dates
)


@settings(max_examples=often(120), deadline=None)
@given(st.lists(rules, min_size=1, max_size=6))
def test_no_claim_is_false(policy: list[Rule]) -> None:
    met = [{number for number, charge in enumerate(CHARGES) if rule_meets(rule, charge)} for rule in policy]
    for position in never_met(policy):
        assert not met[position], policy[position]
    for position, earlier in covered(policy):
        assert earlier < position
        assert met[position] <= met[earlier], (policy[position], policy[earlier])


@settings(max_examples=often(80), deadline=None)
@given(rules, conditions)
def test_a_rule_never_survives_itself_or_a_wider_copy(rule: Rule, more: Condition) -> None:
    """Completeness where a person would expect it: the same rule again, and the same rule asking for more."""
    narrower = Rule(
        "n", "", And((rule.when, more)) if rule.when else more, KEPT_CENTRAL, rule.valid_from, rule.valid_until
    )
    found = {position for position, _ in covered([rule, rule, narrower])} | set(never_met([rule, rule, narrower]))
    assert found >= {1, 2}


def day(number: int) -> date:
    return DAYS[0] + timedelta(days=number)


def rule(when: Condition | None, start: date | None = None, end: date | None = None) -> Rule:
    return Rule("r", "", when, KEPT_CENTRAL, start, end)


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (rule(None), rule(Exists(A)), True),
        (rule(Exists(A)), rule(None), False),
        (rule(Exists(A)), rule(Matches(A, "x")), True),
        (rule(Equals(A, ("a", "b"))), rule(Equals(A, ("b",))), True),
        (rule(Equals(A, ("b",))), rule(Equals(A, ("a", "b"))), False),
        (rule(Equals(A, ("B",), fold=True)), rule(Equals(A, ("b",))), True),
        (rule(Equals(A, ("b",))), rule(Equals(A, ("B",), fold=True)), False),
        (rule(Equals(A, ("é",), fold=True)), rule(Equals(A, ("É",))), False),
        (rule(Equals(A, ("x",))), rule(Equals(B, ("x",))), False),
        (rule(Prefix(A, ("pay",))), rule(Glob(A, "payments-*")), True),
        (rule(Prefix(A, ("pay",))), rule(Glob(A, "p*")), False),
        (rule(Glob(A, "pay*")), rule(Prefix(A, ("pay-", "payments"))), True),
        (rule(Matches(A, "^pay")), rule(Equals(A, ("payments",))), True),
        (rule(Matches(A, "ment")), rule(Prefix(A, ("payments",))), True),
        (rule(Matches(A, "ment$")), rule(Prefix(A, ("payment",))), False),
        (rule(Glob(A, "db-[0-9]")), rule(Equals(A, ("db-1", "db-2"))), True),
        (rule(Glob(A, "db-[0-9]")), rule(Equals(A, ("db-1", "db-x"))), False),
        (rule(Or((Equals(A, ("a",)), Equals(A, ("b",))))), rule(Equals(A, ("b", "a"))), True),
        (rule(Or((Equals(A, ("a",)), Exists(B)))), rule(And((Equals(B, ("x",)), Equals(A, ("q",))))), True),
        (rule(And((Equals(A, ("a",)), Exists(B)))), rule(Equals(A, ("a",))), False),
        (rule(Not(Equals(A, ("a",)))), rule(Equals(A, ("b", "c"))), True),
        (rule(Not(Equals(A, ("a",)))), rule(Not(Exists(A))), True),
        (rule(Not(Exists(A))), rule(Not(Equals(A, ("a",)))), False),
        (rule(Exists(A), day(0), day(2)), rule(Equals(A, ("a",)), day(0), day(2)), True),
        (rule(Exists(A), day(0), day(2)), rule(Equals(A, ("a",)), day(0), day(3)), False),
        (rule(Exists(A), day(0), day(2)), rule(Equals(A, ("a",))), False),
        (rule(None, day(0), day(3)), rule(Between(START, day(0), day(3))), True),
        (rule(Between(START, day(0), day(3))), rule(None, day(0), day(3)), False),
        (rule(Between(START, None, day(3))), rule(Between(START, day(0), day(2))), True),
    ],
)
def test_one_earlier_rule(earlier: Rule, later: Rule, expected: bool) -> None:
    assert covered([earlier, later]) == ([(1, 0)] if expected else [])
    met = [{number for number, charge in enumerate(CHARGES) if rule_meets(one, charge)} for one in (earlier, later)]
    assert not expected or met[1] <= met[0]


def test_a_rule_that_looks_up_a_tag_covers_only_the_same_look_up() -> None:
    by_team, by_owner = ByTag(B), ByTag(Field("owner", is_tag=True))
    aliased = ByTag(B, (("x", "payments"),))
    first = Rule("1", "", None, by_team)
    assert covered([first, Rule("2", "", Exists(A), by_team)]) == [(1, 0)]
    assert covered([first, Rule("2", "", Exists(A), by_owner)]) == []
    assert covered([first, Rule("2", "", Exists(A), aliased)]) == []
    assert covered([first, Rule("2", "", Exists(A), KEPT_CENTRAL)]) == []
    assert covered([Rule("1", "", None, KEPT_CENTRAL), Rule("2", "", None, by_owner)]) == [(1, 0)]


def test_the_first_of_several_is_named_and_too_many_alternatives_are_left_alone() -> None:
    wide = Or(tuple(Prefix(A, (chr(65 + n),)) for n in range(26)))
    many = And((wide, Or(tuple(Prefix(B, (chr(65 + n),)) for n in range(26)))))
    assert covered([rule(Equals(A, ("x",))), rule(None), rule(None), rule(Exists(A))]) == [(2, 1), (3, 1)]
    assert covered([rule(wide), rule(many)]) == []
    assert covered([rule(many), rule(And((Equals(A, ("Ax",)), Equals(B, ("Bx",)))))]) == [(1, 0)]
