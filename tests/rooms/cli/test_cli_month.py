"""A month from an empty directory to the seal, as somebody types it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.rooms.cli.harbour import Say, focus_csv, october, write_documents

pytestmark = pytest.mark.thorough


def test_from_nothing_to_a_sealed_month(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = say("init", "harbour")
    assert made.status == 0
    assert "harbour is a workspace now." in made.out
    root = tmp_path / "harbour"
    monkeypatch.chdir(root)
    assert say("policy", "check").status == 0
    write_documents(root)
    (root / "october.csv").write_text(focus_csv(october()), encoding="utf-8")
    checked = say("policy", "check")
    assert checked.out == "policy.yaml has no mistakes: 4 rules and 2 pools on effective cost, 4 cost groups.\n"
    assert "There are no charges yet." in say("periods").out
    closed = say("close", "2026-10", "--ingest", "october.csv")
    assert closed.status == 0
    assert closed.err == ""
    stages = [line.split()[1] for line in closed.out.splitlines() if line.startswith("✓ ")]
    assert stages == ["Policy", "Ingest", "Findings", "Allocated", "Tie-out", "Statements", "Journal", "Sealed"]
    assert (root / "statements" / "2026-10" / "ST-2026-10-0001.html").is_file()
    assert (root / "journals" / "2026-10" / "journal-2026-10.hledger").is_file()
    assert say("periods", "--json").json["periods"][0]["state"] == "sealed"
    explained = say("explain", "ST-2026-10-0001:3")
    assert explained.status == 0
    assert "october/october.csv row 37: i-0036, Hours of a machine" in explained.out


def test_a_sealed_month_is_replayed_and_takes_no_more_charges(harbour: Path, say: Say) -> None:
    first = say("close", "2026-10", "--json").json
    again = say("close", "2026-10", "--json").json
    assert again == first
    assert first["seal"]["run_digest"] == first["run_digest"]
    (harbour / "late.csv").write_text(focus_csv([{"BilledCost": "1"}]), encoding="utf-8")
    late = say("ingest", "late.csv", "--source", "late")
    assert late.status == 1
    assert late.err.startswith("error SEALED_PERIOD: ")
    assert "2026-11" in late.err


def test_a_month_can_be_left_open(harbour: Path, say: Say) -> None:
    kept = say("close", "2026-10", "--keep-open")
    assert kept.status == 0
    assert "not sealed, because of --keep-open" in kept.out
    assert say("periods", "--json").json["periods"][0]["state"] == "allocated"


def test_in_a_copy_from_version_control_only_the_store_is_made(harbour: Path, say: Say) -> None:
    shutil.rmtree(harbour / ".apportion")
    before = (harbour / "policy.yaml").read_bytes()
    lost = say("periods")
    assert lost.status == 4
    assert f"Make one with: apportion init {harbour}" in lost.err
    assert say("init", ".", "--json").json["files"] == []
    assert (harbour / "policy.yaml").read_bytes() == before
    assert say("periods").status == 0
    assert say("init", ".").status == 4


def test_a_start_never_writes_over_a_file(say: Say, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("mine\n", encoding="utf-8")
    refused = say("init", tmp_path)
    assert refused.status == 1
    assert "policy.yaml" in refused.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.yaml"]


# Documents that people write.


def test_every_mistake_has_file_line_and_column(harbour: Path, say: Say) -> None:
    text = (harbour / "policy.yaml").read_text(encoding="utf-8")
    text = text.replace("{pool: support}", "{pool: suport}").replace("2/3", "1/3").replace("web:", "wep:")
    (harbour / "policy.yaml").write_text(text, encoding="utf-8")
    found = say("policy", "check")
    assert found.status == 1
    assert found.out.splitlines()[0].startswith("policy.yaml:9:49: SHARES_NOT_100: The shares sum to ")
    assert found.err == ""
    (harbour / "policy.yaml").write_text(text.replace("wep: 1/3", "wep: 2/3"), encoding="utf-8")
    found = say("policy", "check", "policy.yaml")
    assert [line.split(": ")[1] for line in found.out.splitlines()[:-1]] == [
        "UNKNOWN_POOL",
        "POOL_NOT_FED",
        "UNKNOWN_COST_GROUP",
    ]
    assert found.out.splitlines()[-1] == "3 mistakes."
    refused = say("allocate", "2026-10")
    assert refused.status == 1
    assert refused.err.splitlines()[0] == "error DOCUMENT_MISTAKES: 3 mistakes."
    assert refused.err.splitlines()[1] == found.out.splitlines()[0]


def test_a_policy_is_checked_without_a_store(harbour: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a check in version control does."""
    shutil.rmtree(harbour / ".apportion")
    assert say("policy", "check").status == 0
    monkeypatch.chdir(harbour.parent)
    assert say("policy", "check", "harbour/policy.yaml").status == 4
    assert say("policy", "check", "harbour/policy.yaml", "--organization", "harbour/organization.yaml").status == 0


def test_statements_of_yesterdays_policy_are_refused(harbour: Path, say: Say) -> None:
    text = (harbour / "policy.yaml").read_text(encoding="utf-8")
    (harbour / "policy.yaml").write_text(f"# Reviewed.\n{text}", encoding="utf-8")
    for command in ("statements", "journal", "tie-out"):
        refused = say(command, "2026-10")
        assert refused.status == 1
        assert "Since 2026-10 was allocated, the policy changed." in refused.err
    assert say("periods", "--json").json["periods"][0]["state"] == "changed"
    assert say("allocate", "2026-10").status == 0
    assert say("tie-out", "2026-10").status == 0


# Files.


def test_files_go_where_they_are_asked_to(harbour: Path, say: Say, tmp_path: Path) -> None:
    out = tmp_path / "october pages"
    told = say("statements", "2026-10", "--out", out)
    assert told.status == 0
    assert (out / "index.html").is_file()
    assert not (harbour / "statements").exists()
    say("journal", "2026-10")
    assert (harbour / "journals" / "2026-10" / "journal-2026-10.csv").is_file()


def test_what_cannot_be_written_is_said(harbour: Path, say: Say) -> None:
    (harbour / "statements").write_text("a file", encoding="utf-8")
    refused = say("statements", "2026-10")
    assert (refused.status, refused.out) == (4, "")
    assert refused.err.startswith("error STORAGE: ")


def test_the_table_of_statements_adds_up_by_currency(harbour: Path, say: Say) -> None:
    lines = say("statements", "2026-10").out.splitlines()
    totals = [line.split()[-1] for line in lines if line.split()[:1] == ["Together"]]
    assert totals == ["62.01", "967.24"]


# What was delivered.


def with_dirt(root: Path) -> Path:
    """November, with two rows that cannot be charged."""
    dates = {
        "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z",
        "ChargePeriodStart": "2026-11-05T00:00:00Z",
        "ChargePeriodEnd": "2026-11-06T00:00:00Z",
        "Tags": '{"team": "web"}',
    }
    rows = [
        {**dates, "BilledCost": "10.5"},
        {**dates, "BilledCost": "=1+1", "EffectiveCost": "2"},
        {**dates, "BilledCost": "4", "BillingCurrency": "XYZ"},
    ]
    path = root / "november.csv"
    path.write_text(focus_csv(rows), encoding="utf-8")
    return path


def test_dirt_is_refused_or_kept_aside_listed_and_stops_the_close(harbour: Path, say: Say) -> None:
    path = with_dirt(harbour)
    refused = say("ingest", path, "--source", "cloud")
    assert refused.status == 1
    assert refused.err.startswith("error BAD_VALUE: ")
    assert [each["period"] for each in say("periods", "--json").json["periods"]] == ["2026-10"]
    taken = say("ingest", path, "--source", "cloud", "--quarantine", "--json").json
    assert (taken["rows_delivered"], taken["rows_loaded"], taken["rows_quarantined"]) == (3, 1, 2)
    listed = say("findings", "--period", "2026-11", "--csv", "found.csv")
    assert "kept aside" in listed.out
    with (harbour / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"2", "3"} <= {row["row"] for row in rows if row["behaviour"] == "quarantined"}
    assert "'=1+1" in {row["value"] for row in rows}
    assert say("allocate", "2026-11").status == 0
    tied = say("tie-out", "2026-11")
    assert tied.status == 3
    assert "does not hold" in tied.out
    assert tied.err == ""
    closed = say("close", "2026-11")
    assert closed.status == 3
    assert "✗ Tie-out" in closed.out
    assert not (harbour / "statements" / "2026-11").exists()
    assert say("close", "2026-11", "--json").json["sealed"] is False
    assert say("periods", "--json").json["periods"][1]["state"] == "allocated"


def test_the_same_delivery_twice_changes_nothing_and_says_so(harbour: Path, say: Say) -> None:
    again = say("ingest", "october.csv", "--source", "cloud")
    assert again.status == 0
    assert "unchanged" in again.out.lower()
    assert say("ingest", "october.csv", "--source", "cloud", "--json").json["outcome"] == "unchanged"
    assert len(say("deliveries", "--all", "--json").json["deliveries"]) == 1


def test_a_delivery_that_replaces_another_is_listed_in_its_place(harbour: Path, say: Say) -> None:
    rows = october()
    rows[0]["BilledCost"] = "1"
    (harbour / "october.csv").write_text(focus_csv(rows), encoding="utf-8")
    told = say("ingest", "october.csv", "--source", "cloud")
    assert told.status == 0
    assert "replace" in told.out.lower()
    assert len(say("deliveries", "--json").json["deliveries"]) == 1
    every = say("deliveries", "--all")
    assert len(say("deliveries", "--all", "--json").json["deliveries"]) == 2
    assert "(replaced)" in every.out
    assert say("tie-out", "2026-10").status == 1  # the charges changed since


def test_findings_of_nothing_are_none(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    say("init", ".")
    assert say("findings").out == "Nothing was delivered yet.\n"
    assert "There is no delivery yet." in say("deliveries").out
