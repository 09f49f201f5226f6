"""``simulate``, ``lab`` and ``restate`` as somebody types them: text to read, documents to rely on, nothing changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.rooms.cli.harbour import ORGANIZATION, POLICY, Say
from tests.rooms.cli.test_cli_documents import fits
from tests.rooms.close.workspaces import everything

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


MOVED = """\
organization: Harbour Foods
groups:
  - code: shops
    name: Shops
    coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}
    groups:
      - {code: bakery, name: Bakery & more}
  - code: data
    name: Data
    coding: {company: "1000", cost_center: "20", department: "2", ledger_account: "6100"}
    groups:
      - {code: web, name: Web shop}
"""


@pytest.fixture
def books(harbour: Path) -> Iterator[Path]:
    """The workspace of the small company; the store has to be the same afterwards, byte for byte."""
    before = everything(harbour / ".apportion")
    yield harbour
    assert everything(harbour / ".apportion") == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["simulate", "2026-10"], "simulate"),
        (["simulate", "2026-10", "--set", "platform=even", "--pool-order", "direct"], "simulate"),
        (["simulate", "2026-10", "--organization", "moved.yaml"], "simulate"),
        (["lab", "2026-10"], "lab"),
        (["lab", "2026-10", "--pools", "support", "--orders", "5", "--seed", "9"], "lab"),
        (["restate", "2026-10"], "restate"),
        (["restate", "2026-10..2026-10", "--as-of", "2026-10-01", "--csv", "bridge.csv"], "restate"),
        (["simulate", "2026-09"], "error"),
        (["simulate", "2026-10", "--set", "plattform=even"], "error"),
        (["simulate", "2026-10", "--set", "platform=half"], "error"),
        (["simulate", "2026-10", "--set", "platform=metered:"], "error"),
        (["simulate", "2026-10", "--set", "platform=metered:requests"], "error"),
        (["simulate", "2026-10", "--pool-order", "backwards"], "error"),
        (["simulate", "2026-10", "--policy", "missing.yaml"], "error"),
        (["lab", "2026-10", "--pools", "nothing"], "error"),
        (["lab", "2026-10", "--orders", "1"], "error"),
        (["restate", "2026-09"], "error"),
        (["restate", "2026-10..2026-09"], "error"),
        (["restate", "2026-10", "--as-of", "today"], "error"),
        (["restate", "2026-10", "--as-of", "2026-10-01", "--successor", "web"], "error"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else value,
)
def test_a_document_has_its_published_shape(books: Path, say: Say, words: list[str], name: str) -> None:
    (books / "moved.yaml").write_text(MOVED, encoding="utf-8")
    said = say(*words, "--json")
    assert said.err == ""
    assert (said.status == 0) == (name != "error")
    fits(said, name)


def test_the_parts_of_a_simulation_sum_to_its_differences(books: Path, say: Say) -> None:
    policy = POLICY.replace("{tag: team}", "{tag: team, aliases: t}") + "aliases: {t: {nobody: bakery}}\n"
    (books / "other.yaml").write_text(policy, encoding="utf-8")
    found = say("simulate", "2026-10", "--policy", "other.yaml", "--json").json
    assert {change["name"] for change in found["changes"]} == {"Bakery & more", "Unallocated", "Data", "Web shop"}
    for change in found["changes"]:
        assert Decimal(change["after"]) - Decimal(change["before"]) == Decimal(change["difference"])
        assert sum(Decimal(part["amount"]) for part in change["parts"]) == Decimal(change["difference"])
    assert sum(Decimal(change["difference"]) for change in found["changes"]) == 0
    moved = next(part for part in found["changes"][0]["parts"] if part["why"] == "moved")
    assert moved == {
        "why": "moved",
        "amount": "211.23",
        "pool": "",
        "other": {"holder": "unallocated", "code": ""},
        "rule_before": None,
        "rule_after": "by-team",
        "rows": 10,
        "came": True,
        "reason": "10 charges from unallocated, now by rule by-team",
    }


def test_a_simulation_reads_well_on_a_narrow_screen(books: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (books / "moved.yaml").write_text(MOVED, encoding="utf-8")
    said = say("simulate", "2026-10", "--set", "platform=even", "--organization", "moved.yaml")
    assert said.status == 0
    assert all(len(line) <= 80 for line in said.out.splitlines()[1:])
    assert "October 2026 with organization moved.yaml, platform=even. Nothing was changed." in said.out
    assert "another share of pool platform" in said.out
    assert "USD, with all that is below" in said.out
    assert "Conserved: both come to 967.24 USD." in said.out


def test_without_options_it_tells_what_the_edited_files_would_do(books: Path, say: Say) -> None:
    assert "Nobody would pay more or less." in say("simulate", "2026-10").out
    text = POLICY.replace("proportional to direct cost", "even")
    (books / "policy.yaml").write_text(text, encoding="utf-8")
    said = say("simulate", "2026-10", "--most", "1")
    assert "2 more changes; see all with --most 3 or --json." in said.out
    (books / "policy.yaml").write_text(
        text.replace("charge_to: {tag: team}", "charge_to: {tog: team}"), encoding="utf-8"
    )
    refused = say("simulate", "2026-10")
    assert refused.status == 1
    assert "policy.yaml:7" in refused.err


def test_the_lab_lays_every_method_side_by_side(books: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    said = say("lab", "2026-10")
    assert said.status == 0
    heads = next(line for line in said.out.splitlines() if line.startswith("USD")).split()
    assert heads == ["USD", "Policy", "Direct", "Step", "1", "Step", "2", "Reciprocal", "Shapley"]
    assert "Step 2: platform → support" in said.out
    assert said.out.count("Conserved: every way comes to") == 1
    assert "Every way gives each cost group the same of the 62.01 EUR." in said.out
    monkeypatch.setenv("COLUMNS", "60")
    narrow = say("lab", "2026-10").out
    assert "Least and most: over the step-down orders." in narrow
    found = say("lab", "2026-10", "--json").json
    totals = {each["currency"]: Decimal(each["units"]) for each in found["totals"]}
    for way in (*found["ways"], *found["step_down"]):
        for currency, total in totals.items():
            held = [Decimal(each["units"]) for each in way["holders"] if each["currency"] == currency]
            assert sum(held) == total


def test_a_bridge_is_written_and_adds_up(books: Path, say: Say) -> None:
    (books / "organization.yaml").write_text(MOVED, encoding="utf-8")
    said = say("restate", "2026-10", "--csv", "bridge.csv")
    assert said.status == 0
    assert "2026-10 as if the tree of 2026-10-31 had been in force. Nothing was changed." in said.out
    assert "Written: bridge.csv" in said.out
    rows = list(csv.DictReader(io.StringIO((books / "bridge.csv").read_text(encoding="utf-8"))))
    assert {row["cost_group"] for row in rows} == {"shops", "data", "bakery", "web", ""}
    for row in rows:
        before, out, into, after = (Decimal(row[name]) for name in ("before", "moved_out", "moved_in", "after"))
        assert before - out + into == after
    shops = next(row for row in rows if (row["cost_group"], row["currency"]) == ("shops", "EUR"))
    assert (shops["before"], shops["moved_out"], shops["after"]) == ("62.01", "62.01", "0.00")
    (books / "organization.yaml").write_text(
        ORGANIZATION.replace("      - {code: bakery, name: Bakery & more}\n", ""), encoding="utf-8"
    )
    gone = say("restate", "2026-10").out
    assert "Gone without a successor: bakery. Name one with --successor OLD=NEW." in gone
    assert "Bakery & more (gone)" in gone
    merged = say("restate", "2026-10", "--successor", "bakery=web")
    assert "Successors: bakery is web now." in merged.out
