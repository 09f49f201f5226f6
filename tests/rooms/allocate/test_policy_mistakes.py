"""A corpus of policies that are wrong on purpose, each with every mistake, its line and column, and its sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion import organization
from apportion.allocate import policy_checks, policy_file
from apportion.allocate.basis import Fixed
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import KEPT_CENTRAL, ByTag, Equals, Field, Holder, Rule, Target
from apportion.errors import DocumentError, Mistake
from apportion.organization.cost_group import CostGroup, Organization
from apportion.periods import BillingPeriod

CORPUS = Path(__file__).parent / "wrong_policies"
ORGANIZATION = CORPUS / "organization.yaml"
FILES = sorted(path for path in CORPUS.glob("*.yaml") if path != ORGANIZATION)
TODAY = date(2026, 6, 1)


def mistakes_of(path: Path, period: BillingPeriod | None = None) -> tuple[Mistake, ...]:
    try:
        policy = policy_file.read(path)
    except DocumentError as error:
        return error.mistakes
    return policy_checks.check(policy, organization.read(ORGANIZATION), period, today=TODAY)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mistake_is_named(path: Path) -> None:
    found = "".join(f"{mistake}\n" for mistake in mistakes_of(path)).replace(f"{path}:", "")
    assert found == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert found


def test_every_file_of_the_corpus_has_its_expectation() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in CORPUS.glob("*.txt")}
    assert len(FILES) >= 25


def test_the_mistakes_are_in_the_order_of_the_file() -> None:
    for path in FILES:
        places = [(mistake.place.line, mistake.place.column) for mistake in mistakes_of(path)]
        assert places == sorted(places, key=lambda place: (place[0] or 0, place[1] or 0))


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("2026-01", [("early", "NOT_IN_FORCE")]),
        ("2026-02", [("early", "NOT_IN_FORCE")]),
        ("2026-03", []),
        ("2026-05", [("undated-old", "NOT_IN_FORCE"), ("too-long", "NOT_IN_FORCE")]),
        ("2026-06", [("undated-old", "NOT_IN_FORCE")]),
    ],
)
def test_a_period_asks_only_for_its_own_days(month: str, expected: list[tuple[str, str]]) -> None:
    path = CORPUS / "dates.yaml"
    policy = policy_file.read(path)
    rules = {rule.place.line: rule.id for rule in policy.rules}
    found = [
        (rules[(mistake.place.line or 0) - 2], mistake.code)
        for mistake in mistakes_of(path, BillingPeriod.parse(month))
        if "the rule" in mistake.sentence and mistake.code == "NOT_IN_FORCE"
    ]
    assert found == expected


def test_a_policy_that_was_never_in_a_file_is_checked_too() -> None:
    tree = Organization((CostGroup("a", "A"),), digest="")
    rule = Rule("r", "r", Equals(Field("team", is_tag=True), ("x",)), Target(Holder.COST_GROUP, "b"))
    tag = Rule("t", "t", None, ByTag(Field("team", is_tag=True)))
    last = Rule("k", "k", None, KEPT_CENTRAL)
    pool = Pool("p", "p", Fixed((("c", 1),)))
    policy = Policy("P", CostBasis.BILLED, (rule, tag, last, last), (pool,), digest="")
    assert [mistake.code for mistake in policy_checks.check(policy, tree)] == [
        "DUPLICATE_ID", "UNKNOWN_COST_GROUP", "UNREACHABLE_RULE", "UNKNOWN_COST_GROUP", "POOL_NOT_FED",
    ]  # fmt: skip
