"""``apportion commitments``, and the bridge from billed to effective cost when commitments are divided."""

from __future__ import annotations

import csv
import io
import json
import shutil
from contextlib import redirect_stderr
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from apportion.cli import main
from tests.rooms.cli.harbour import SETTINGS, USUAL, Row, Said, Say

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "json-schema" / "commitments.schema.json"
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "divide-commitments.md"
ORGANIZATION = """\
organization: Harbour Foods
groups:
  - code: top
    name: Top
    coding: {company: "1000", cost_center: "1", department: "1", ledger_account: "6100"}
    groups: [{code: a, name: A}, {code: b, name: B}, {code: c, name: C}]
"""
POLICY = """\
policy: Harbour policy
cost_basis: effective
rules:
  - {id: central, when: {tags.team: central}, charge_to: kept_central}
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
commitments:
  - {id: plan, name: Savings plan, when: {ServiceName: Compute}, share: buyer first, buyer: b, unused: kept_central}
uplifts:
  - {id: fee, name: Platform fee, percent: 5%}
"""
ROWS: list[tuple[str, Row]] = [
    ("a", {"EffectiveCost": "60", "ContractedCost": "100", "CommitmentDiscountStatus": "Used"}),
    ("b", {"BilledCost": "40", "EffectiveCost": "40"}),
    ("c", {"BilledCost": "20", "EffectiveCost": "20"}),
    ("central", {"EffectiveCost": "30", "CommitmentDiscountStatus": "Unused"}),
    ("central", {"BilledCost": "1080", "ChargeCategory": "Purchase", "ServiceName": "Savings plans"}),
]


def write(root: Path, policy: str = POLICY) -> None:
    """A workspace whose savings plan was paid upfront in this month: 1,080 for a year of 90 a month."""
    (root / "apportion.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "organization.yaml").write_text(ORGANIZATION, encoding="utf-8")
    (root / "policy.yaml").write_text(policy, encoding="utf-8")
    text = io.StringIO()
    columns = [*USUAL, "CommitmentDiscountId", "CommitmentDiscountStatus", "CommitmentDiscountType"]
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for team, row in ROWS:
        full = {**USUAL, "EffectiveCost": "0", "Tags": json.dumps({"team": team}), **row}
        if "CommitmentDiscountStatus" in row or row.get("ChargeCategory") == "Purchase":
            full["CommitmentDiscountId"] = "sp-1"
            full["CommitmentDiscountType"] = "Savings Plan"
        costs = {name: full[name] or full["BilledCost"] for name in ("ListCost", "ContractedCost")}
        writer.writerow({**full, **costs})
    (root / "october.csv").write_text(text.getvalue(), encoding="utf-8")


@pytest.fixture(scope="module")
def allocated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month, loaded and allocated once; to be copied, not changed."""
    root = tmp_path_factory.mktemp("commitments") / "bought"
    root.mkdir()
    write(root)
    for words in (
        ["init", str(root)],
        ["--workspace", str(root), "ingest", str(root / "october.csv"), "--source", "cloud"],
        ["--workspace", str(root), "allocate", "2026-10"],
    ):
        with redirect_stderr(io.StringIO()) as said:
            assert (main(words), said.getvalue()) == (0, "")
    return root


@pytest.fixture
def bought(allocated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that workspace, with the current directory in it."""
    root = tmp_path / "bought"
    shutil.copytree(allocated, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("APPORTION_WORKSPACE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return root


def test_every_method_stands_beside_the_others(bought: Path, say: Say) -> None:
    said = say("commitments", "2026-10")
    assert said.err == ""
    assert [line.split() for line in said.out.splitlines() if line.strip() and "─" not in line] == [
        "Savings plan (plan): buyer first, unused kept central.".split(),
        "sp-1: used 60.00 USD for a worth of 100.00 USD, unused 30.00 USD".split(),
        "USD By rules Applied Buyer first* Blended Priority".split(),
        ["a", "60.00", "60.00", "80.00", "75.00", "75.00"],
        ["b", "40.00", "40.00", "24.00", "30.00", "30.00"],
        ["c", "20.00", "20.00", "16.00", "15.00", "15.00"],
        ["Kept", "central", *["30.00"] * 5],
        ["Together", *["150.00"] * 5],
    ]


def test_the_how_to_shows_what_the_command_says(bought: Path, say: Say) -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    shown = text.partition("$ apportion commitments 2026-10\n")[2].partition("```")[0]
    said = "\n".join(line.rstrip() for line in say("commitments", "2026-10").out.splitlines())
    assert shown.strip() == said.strip()


def test_the_document_has_its_published_shape_and_every_method_the_same_total(bought: Path, say: Say) -> None:
    document = say("commitments", "2026-10", "--json").json
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(document)
    (each,) = document["commitments"]
    (found,) = each["currencies"]
    for method in ("brought", "applied", "buyer_first", "blended", "priority"):
        assert sum(Decimal(holder[method]) for holder in found["holders"]) == Decimal(found["amount"]) == 150


def test_statements_carry_what_the_method_says_and_the_surcharge_on_it(bought: Path, say: Say) -> None:
    statements = say("statements", "2026-10", "--json").json["statements"]
    assert {each["name"]: each["totals"][0]["amount"] for each in statements} == {
        "A": "84.00",
        "B": "25.20",
        "C": "16.80",
        "Kept central": "24.00",
    }
    said = say("explain", "ST-2026-10-0001")
    assert "Savings plan" in said.out
    assert "Platform fee" in said.out


def test_the_bridge_holds_with_an_upfront_purchase(bought: Path, say: Say) -> None:
    """1,140 billed, 150 on effective cost: 1,080 bought, 60 used and 30 not used of what was paid upfront."""
    tied = say("tie-out", "2026-10", "--json")
    assert tied.status == 0
    stages = {each["stage"]: each["amount"] for each in tied.json["stages"]}
    assert Decimal(stages["effective_cost"]) == 150
    assert Decimal(stages["billed_cost"]) == 1140
    bridge = {each["reason"]: Decimal(each["amount"]) for each in tied.json["differences"] if each["reason"]}
    pieces = ("commitments_bought", "commitments_used", "commitments_unused")
    assert [bridge[reason] for reason in pieces] == [-1080, 60, 30]
    assert say("close", "2026-10").status == 0


def test_a_policy_without_commitments(bought: Path, say: Say) -> None:
    (bought / "policy.yaml").write_text(POLICY.partition("commitments:")[0], encoding="utf-8")
    assert say("commitments", "2026-10").err.startswith("error INPUT_REFUSED: Since 2026-10 was allocated, the policy")
    assert say("allocate", "2026-10").status == 0
    said: Said = say("commitments", "2026-10")
    assert said.out == "The policy has no commitments.\n"
    assert say("commitments", "2026-10", "--json").json["commitments"] == []


def test_a_sealed_month_can_still_be_compared(bought: Path, say: Say) -> None:
    before = say("commitments", "2026-10").out
    assert say("close", "2026-10").status == 0
    assert say("commitments", "2026-10").out == before
