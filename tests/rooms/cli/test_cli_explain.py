"""What `explain` prints adds up, at every level, when somebody else adds it up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.rooms.cli.harbour import Say, focus_csv, october

pytestmark = pytest.mark.thorough

NUMBER = r"-?[\d,]+(?:\.\d+)?"
AMOUNT = re.compile(rf"^( *)([│╰]) .*  +({NUMBER})$")


def added_up(amounts: Iterable[str]) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def printed_sums(text: str) -> list[tuple[list[Decimal], Decimal]]:
    """Each block of a printed explanation: the amounts marked ``│`` and the one marked ``╰``."""
    blocks, parts = [], []
    for line in text.splitlines():
        found = AMOUNT.match(line)
        if found and found[2] == "│":
            parts.append(amount(found[3]))
        elif found:
            blocks.append((parts, amount(found[3])))
            parts = []
    assert not parts
    return blocks


def all_lines(say: Say) -> list[str]:
    statements = say("statements", "2026-10", "--json").json["statements"]
    return [f"{each['number']}:{line}" for each in statements for line in range(1, each["lines"] + 1)]


def test_every_line_of_the_month_adds_up_as_printed(harbour: Path, say: Say) -> None:
    lines = all_lines(say)
    assert len(lines) == 15
    depths = set()
    for reference in lines:
        done = say("explain", reference, "--rows", "2")
        assert done.status == 0
        blocks = printed_sums(done.out)
        depths.add(len(blocks))
        for parts, total in blocks:
            assert parts
            assert sum(parts) == total
    assert depths == {3, 4, 6}  # direct cost; a share of a pool; a share of a pool that another one flows into


def added(made: dict[str, Any]) -> Decimal:
    """What rules and source rows of one level come to; they have to agree."""
    rules = added_up(each["amount"] for each in made["rules"])
    sources = made["sources"]
    rows = added_up(each["amount"] for each in sources["largest"]) + Decimal(sources["further_amount"])
    assert rules == rows == Decimal(made["amount"]) == Decimal(sources["amount"])
    assert sum(each["rows"] for each in made["rules"]) == sources["rows"]
    assert sources["rows"] == len(sources["largest"]) + sources["further_rows"]
    return rules


def share_of(share: dict[str, Any], pools: dict[str, dict[str, Any]]) -> Decimal:
    """A share of a pool is its fraction of what the pool held, and the parts of a mix sum to it."""
    amount = Decimal(share["amount"])
    if share["kind"] != "pool":
        assert Decimal(share["pool_amount"]) == 0
        return amount
    held = Decimal(share["pool_amount"])
    assert held == Decimal(pools[share["pool"]]["amount"])
    fraction = Fraction(share["fraction"])
    assert fraction == Fraction(int(share["weight"]), int(share["total_weight"]))
    loop = len(pools[share["pool"]]["solved_with"])
    assert abs(Fraction(amount) - Fraction(held) * fraction) < Fraction(1 + 2 * loop, 10**18)
    if share["parts"]:
        assert added_up(part["amount"] for part in share["parts"]) == amount
        whole = sum(Fraction(part["fraction"]) for part in share["parts"])
        assert abs(whole - fraction) < Fraction(1, 10**15)
    return amount


def sums_of_document(line: dict[str, Any]) -> None:
    """Everything in an explanation adds up, from the line down to the source rows."""
    pools = {pool["pool"]: pool for pool in line["pools"]}
    for pool in line["pools"]:
        brought = added(pool["direct"]) if pool["direct"] else Decimal(0)
        assert brought + sum(share_of(each, pools) for each in pool["shares"]) == Decimal(pool["amount"])
    whole = added(line["direct"]) if line["direct"] else sum(share_of(each, pools) for each in line["shares"])
    assert whole == Decimal(line["exact_amount"])
    assert whole + Decimal(line["cents"]) == Decimal(line["amount"])
    assert abs(Decimal(line["cents"])) < Decimal("0.01")


def test_every_line_of_the_month_adds_up_as_a_document(harbour: Path, say: Say) -> None:
    for reference in all_lines(say):
        sums_of_document(say("explain", reference, "--json", "--rows", "1").json)


def test_source_rows_are_those_of_the_delivered_file(harbour: Path, say: Say) -> None:
    """Row numbers count data rows from 1: row 37 would be the machine i-0036."""
    line = say("explain", "ST-2026-10-0001:2", "--json").json
    assert line["service"] == "Compute"
    for source in line["direct"]["sources"]["largest"]:
        place = int(source["columns"]["ResourceId"].removeprefix("i-"))
        assert source["file"] == "cloud/october.csv"
        assert source["row"] == place + 1
        assert Decimal(source["amount"]) == Decimal(f"{place}.123456789")
        assert place % 4 == 0
    amounts = [Decimal(each["amount"]) for each in line["direct"]["sources"]["largest"]]
    assert amounts == sorted(amounts, reverse=True)


def test_rows_that_are_not_shown_are_one_part(harbour: Path, say: Say) -> None:
    done = say("explain", "ST-2026-10-0001:2", "--rows", "1")
    assert re.search(r"│ and 5 more rows +\d", done.out)
    assert "sum of 6 rows" in done.out
    assert re.search(r"│ and 6 more rows +\d", say("explain", "ST-2026-10-0001:2", "--rows", "0").out)


def test_a_line_of_charges_that_were_replaced_since_is_not_explained(harbour: Path, say: Say) -> None:
    rows = [{**row, "BilledCost": "1"} for row in october()]
    (harbour / "october.csv").write_text(focus_csv(rows), encoding="utf-8")
    assert say("ingest", "october.csv", "--source", "cloud").status == 0
    done = say("explain", "ST-2026-10-0001:2")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error INPUT_REFUSED: Since 2026-10 was allocated, the charges changed.")


def test_a_share_names_pool_step_basis_and_fraction(harbour: Path, say: Say) -> None:
    text = say("explain", "ST-2026-10-0001:6").out
    assert "step 2: pool platform, " in text
    assert "step 1: pool support, 1/3 (33.3 %)" in text
    assert "in proportion to direct cost: " in text
    assert "fixed shares: 1 of 3; of 100.00 in the pool" in text


@pytest.mark.parametrize("columns", ["80", "100", "200"])
def test_an_explanation_is_no_wider_than_the_screen(
    harbour: Path, say: Say, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = say("explain", "ST-2026-10-0001:6").out.splitlines()
    assert max(map(len, lines)) <= min(int(columns), 120)


def test_without_a_line_the_statement_itself_is_shown(harbour: Path, say: Say) -> None:
    done = say("explain", "ST-2026-10-0001")
    assert "Showback statement ST-2026-10-0001" in done.out
    assert "Take a line apart with: apportion explain ST-2026-10-0001:LINE" in done.out


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("ST-2026-10-0099", "There is no statement ST-2026-10-0099."),
        ("ST-2026-10-0001:99", "Statement ST-2026-10-0001 has no line 99."),
        ("ST-2026-09-0001:1", "Billing period 2026-09 has not been allocated."),
    ],
)
def test_what_is_not_there_is_named(harbour: Path, say: Say, reference: str, said: str) -> None:
    done = say("explain", reference)
    assert (done.status, done.out) == (1, "")
    assert f"error NOT_FOUND: {said}" in done.err
