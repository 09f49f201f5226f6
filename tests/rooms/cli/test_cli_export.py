"""``apportion export``: what it writes, says and refuses."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_cli_documents import fits

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-numbers-elsewhere.md"


def test_a_folder_with_its_manifest(harbour: Path, say: Say) -> None:
    said = say("export", "2026-10", "--out", "lake/october", "--json")
    assert (said.status, said.err) == (0, "")
    document = fits(said, "export")
    manifest = json.loads((harbour / "lake" / "october" / "manifest.json").read_text(encoding="utf-8"))
    assert {**manifest, "target": document["target"], "manifest": document["manifest"]} == document
    for file in manifest["files"]:
        content = (harbour / "lake" / "october" / file["name"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["size"])
    assert sum(file["rows"] for file in manifest["files"]) == manifest["rows"] == 42 + 8


def test_one_csv_file_sums_to_the_bill(harbour: Path, say: Say) -> None:
    assert say("export", "2026-10", "--out", "october.allocated.csv").status == 0
    with (harbour / "october.allocated.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    usd = [Decimal(row["EffectiveCost"]) for row in rows if row["BillingCurrency"] == "USD"]
    assert sum(usd) == Decimal("967.24327156")
    (row,) = (row for row in rows if row["x_ApportionPool"] == "support" and row["x_ApportionCostGroup"] == "web")
    assert row["EffectiveCost"] == "66.666666666666666667"
    assert row["BillingPeriodStart"] == "2026-10-01T00:00:00Z"
    assert row["x_ApportionStatement"] == "ST-2026-10-0001"
    assert (harbour / "october.allocated.csv.manifest.json").is_file()


def test_refusals(harbour: Path, say: Say) -> None:
    assert say("export", "2026-10", "--out", "out").status == 0
    again = say("export", "2026-10", "--out", "out")
    assert (again.status, again.out) == (1, "")
    assert "There is something in" in again.err
    assert say("export", "2026-10", "--out", "out", "--overwrite", "--csv").status == 0
    assert sorted(path.suffix for path in (harbour / "out").iterdir()) == [".csv", ".csv", ".json"]
    assert say("export", "2026-10", "--out", "x", "--grain", "rows").status == 2
    assert say("export", "2026-10").status == 2
    assert "belongs to the workspace" in say("export", "2026-10", "--out", ".apportion/out").err
    assert "has not been allocated" in say("export", "2026-09", "--out", "x").err
    (harbour / "policy.yaml").write_text((harbour / "policy.yaml").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "the policy changed" in say("export", "2026-10", "--out", "x").err
    assert not (harbour / "x").exists()


def test_the_how_to_shows_what_the_command_says(harbour: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    shown = text.partition("$ apportion export 2026-10 --out lake/2026-10\n")[2].partition("```")[0]
    said = "\n".join(line.rstrip() for line in say("export", "2026-10", "--out", "lake/2026-10").out.splitlines())
    assert shown.strip() == said.strip()


def test_every_column_of_ours_is_documented() -> None:
    from apportion.close.export_rows import OURS

    text = HOW_TO.read_text(encoding="utf-8")
    assert [name for name in OURS if f"`{name}`" not in text] == []
