"""The checks as values, and the page that describes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apportion.focus.checks import CHECKS, EXAMPLES, Check
from apportion.focus.columns import COST_AND_USAGE, DATASETS
from apportion.focus.finding import Behaviour, Example
from apportion.warehouse import intake_flags

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "findings.md"


def table(behaviour: Behaviour) -> list[str]:
    """The rows of the page's table of the checks with one behaviour."""
    return [
        f"| `{check.code}` | {', '.join(check.looks_at) or '–'} | {check.sentence} | {check.advice} "
        f"| {check.basis or '–'} |"
        for check in CHECKS.values()
        if check.behaviour is behaviour
    ]


@pytest.mark.parametrize("behaviour", [Behaviour.REFUSED, Behaviour.ACCEPTED])
def test_the_page_describes_every_check_as_it_is(behaviour: Behaviour) -> None:
    described = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    missing = [line for line in table(behaviour) if line not in described]
    assert not missing, "put these lines into docs/reference/findings.md:\n" + "\n".join(missing)


def test_the_page_describes_nothing_else() -> None:
    described = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(code for code in described if code in CHECKS) == sorted(CHECKS)
    errors = Path(__file__).parents[3] / "src" / "apportion" / "errors.py"
    known = set(re.findall(r'code = "([A-Z_]+)"', errors.read_text(encoding="utf-8")))
    assert {code for code in described if code not in CHECKS} <= known


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_a_check_says_one_thing_and_what_to_do(check: Check) -> None:
    assert CHECKS[check.code] is check
    assert check.sentence.endswith(".")
    assert check.advice.endswith(".")
    assert set(check.looks_at) <= set(DATASETS[COST_AND_USAGE])
    assert re.fullmatch(r"((I\d+|P\d+)(, (?!$)|$))*", check.basis)


def test_every_invariant_and_problem_that_a_delivery_can_show_has_a_check() -> None:
    basis = {word for check in CHECKS.values() for word in check.basis.split(", ")}
    assert {f"P{number}" for number in range(1, 11)} - basis == {"P6"}  # rows nobody owns: allocation shows them
    # Totals of invoices and of commitments are compared elsewhere; origins of split rows have no column.
    assert {f"I{number}" for number in range(1, 13)} - basis == {"I3", "I5", "I8"}


def test_a_finding_keeps_the_first_examples() -> None:
    check = CHECKS["NULL_SPELLED"]
    finding = check.finding(
        file="a.csv", column="Tags", rows=99, examples=[Example(row, "NULL") for row in range(99)], detail="More."
    )
    assert (len(finding.examples), finding.rows, finding.behaviour) == (EXAMPLES, 99, Behaviour.ACCEPTED)
    assert finding.sentence == f"{check.sentence} More."


def test_flags_are_bits_of_their_own() -> None:
    bits = [intake_flags.bit(check, column) for check, column in intake_flags.FLAGS]
    assert len(set(bits)) == len(bits)
    assert sum(bits) < 1 << 62
    for check, column in intake_flags.FLAGS:
        flag = intake_flags.bit(check, column)
        assert list(intake_flags.broken(flag)) == [(check, column)]
        assert bool(flag & intake_flags.REFUSED) == (check.behaviour is Behaviour.REFUSED)
