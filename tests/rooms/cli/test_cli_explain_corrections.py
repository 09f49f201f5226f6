"""Late corrections are explained down to their rows in the later bill, and these rows up to the lines of today."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.rooms.cli.harbour import Row, Say, focus_csv, write_documents
from tests.rooms.cli.test_cli_explain import added_up, printed_sums, sums_of_document

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


SEPTEMBER = {
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargePeriodStart": "2026-09-05T00:00:00Z",
    "ChargePeriodEnd": "2026-09-06T00:00:00Z",
}
LATE = {
    "ChargeClass": "Correction",
    "ChargePeriodStart": SEPTEMBER["ChargePeriodStart"],
    "ChargePeriodEnd": SEPTEMBER["ChargePeriodEnd"],
}


def of_team(team: str, cost: str, **more: str) -> Row:
    return {"BilledCost": cost, "Tags": json.dumps({"team": team}), **more}


@pytest.fixture
def corrected(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> Path:
    """September: web 300, data 100, support 40. October: web 10, and September's support is 12 cheaper."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("APPORTION_WORKSPACE", raising=False)
    write_documents(tmp_path)
    support = {"BilledCost": "40", "ServiceName": "Support"}
    september = [of_team("web", "300"), of_team("data", "100"), support]
    (tmp_path / "september.csv").write_text(focus_csv([{**SEPTEMBER, **row} for row in september]), encoding="utf-8")
    october = [of_team("web", "10"), {**support, "BilledCost": "-12", **LATE}, of_team("data", "-3", **LATE)]
    (tmp_path / "october.csv").write_text(focus_csv(october), encoding="utf-8")
    assert say("init", ".").status == 0
    for month in ("september", "october"):
        assert say("ingest", f"{month}.csv", "--source", "cloud").status == 0
        assert say("allocate", "2026-09" if month == "september" else "2026-10").status == 0
    return tmp_path


def lines(say: Say) -> list[tuple[str, Any]]:
    made = say("statements", "2026-10", "--json").json["statements"]
    return [
        (f"{each['number']}:{line['line']}", {**line, "cost_group": each["cost_group"]})
        for each in made
        for line in say("explain", each["number"], "--json").json["lines"]
    ]


def test_a_correction_is_shared_as_then_and_leads_to_its_rows(corrected: Path, say: Say) -> None:
    """Support: two thirds of -12 to web, a third to the platform, of which web then had three quarters."""
    found = {(line["corrects"], line["pool"], line["cost_group"]): line for _, line in lines(say)}
    assert {key: Decimal(line["units"]) for key, line in found.items()} == {
        ("", "", "web"): Decimal(10),
        ("2026-09", "support", "web"): Decimal(-8),
        ("2026-09", "platform", "web"): Decimal(-3),
        ("2026-09", "platform", "data"): Decimal(-1),
        ("2026-09", "", "data"): Decimal(-3),
    }
    assert found["2026-09", "", "data"]["reason"] == (
        "Correction of September 2026: by rule “Tag team”, as the policy was then; corrects statement ST-2026-09-0002"
    )
    for number, line in lines(say):
        explained = say("explain", number, "--json").json
        sums_of_document(explained)
        assert explained["corrects"] == line["corrects"]
        text = say("explain", number).out
        assert ("Correction of September 2026" in text) == bool(line["corrects"])
        for parts, total in printed_sums(text):
            assert sum(parts) == total


def test_a_row_that_corrects_is_followed_by_the_rules_and_shares_of_then(corrected: Path, say: Say) -> None:
    found = say("explain", "--row", "cloud/october.csv:2", "--period", "2026-10", "--json").json
    assert (found["corrects"], found["rule"], found["code"]) == ("2026-09", "support", "support")
    assert [(line["cost_group"], line["pool"], line["amount"]) for line in found["lines"]] == [
        ("web", "support", "-8"),
        ("web", "platform", "-3"),
        ("data", "platform", "-1"),
    ]
    direct = say("explain", "--row", "october.csv:3", "--period", "2026-10", "--json").json
    assert (direct["corrects"], added_up(line["amount"] for line in direct["lines"])) == ("2026-09", Decimal(-3))
    own = say("explain", "--row", "october.csv:1", "--period", "2026-10").out
    assert "Correction" not in own
    assert "Correction of September 2026, decided by the rules and shares of then" in (
        say("explain", "--row", "october.csv:3", "--period", "2026-10").out
    )
