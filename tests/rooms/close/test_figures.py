"""What a run tells about the month as a whole, on charges that a person can add up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from apportion.close import run as runs
from apportion.close.figures import figures
from apportion.warehouse.store import Workspace
from tests.rooms.cli.harbour import USUAL
from tests.rooms.close.workspaces import OCTOBER, ORGANIZATION, POLICY, done, workspace

DATES = {
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
}


def row(cost: str, team: str = "", service: str = "Compute", **columns: str) -> dict[str, str]:
    tags = json.dumps({"team": team} if team else {})
    plain = {"CommitmentDiscountId": "", "CommitmentDiscountStatus": "", "ChargeCategory": "Usage"}
    costs = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost)
    return {**USUAL, **costs, "ServiceName": service, "Tags": tags, **plain, **DATES, **columns}


def focus_csv(rows: Sequence[dict[str, str]]) -> str:
    """Rows as a FOCUS file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


ROWS = [
    row("100.00", "red"),
    row("40.00", "green", CommitmentDiscountId="plan-1", CommitmentDiscountStatus="Used"),
    row("10.00", "blue", CommitmentDiscountId="plan-1", CommitmentDiscountStatus="Unused"),
    row("5.55"),
    row("20.00", CommitmentDiscountId="plan-1", CommitmentDiscountStatus="Used"),
    row("30.00", service="Support"),
    row("7.00", "red", ChargeCategory="Tax"),
]


def place(root: Path, policy: str = POLICY) -> Workspace:
    """A workspace with these rows, allocated."""
    made = workspace(root, {}, organization=ORGANIZATION, policy=policy, allocated=False)
    (root / "october.csv").write_text(focus_csv(ROWS), encoding="utf-8")
    done("--workspace", str(root), "ingest", str(root / "october.csv"), "--source", "cloud")
    done("--workspace", str(root), "allocate", str(OCTOBER))
    return Workspace.open(made.root)


def test_tags_commitments_and_pools_add_up(tmp_path: Path) -> None:
    made = place(tmp_path)
    found = figures(made, runs.current(made, OCTOBER))
    assert found["tags"] == ["team"]
    assert found["usage"] == {"USD": [14_000, 19_555]}  # 100 + 40 of it all but tax and what was not used
    assert found["tagged"] == {"USD": {"blue": [1_000, 1_000], "green": [4_000, 4_000], "red": [10_700, 10_700]}}
    assert found["commitments"] == {"USD": [1_000, 7_000]}  # 10 of 40 + 10 + 20
    assert found["pools"] == {"USD": {"support": 3_000}}
    assert found["pool_names"] == {"support": "Support"}
    assert json.loads(json.dumps(found)) == found


def test_the_picture_keeps_every_cent(tmp_path: Path) -> None:
    made = place(tmp_path)
    picture = figures(made, runs.current(made, OCTOBER))["flows"]
    assert isinstance(picture, dict)
    sums = {"issuer": 0, "pool": 0}
    for source, _, currency, minor in picture["links"]:
        assert currency == "USD"
        sums[picture["nodes"][source][0]] += minor
    assert sums == {"issuer": 21_255, "pool": 21_255}


def test_what_the_policy_does_not_ask_is_missing(tmp_path: Path) -> None:
    policy = POLICY.replace("cost_basis: effective", "cost_basis: billed").replace(
        "charge_to: {tag: team}", "charge_to: {cost_group: red}"
    )
    made = place(tmp_path, policy)
    assert not {"usage", "tags", "commitments"} & set(figures(made, runs.current(made, OCTOBER)))


def test_charges_that_came_since_are_not_measured(tmp_path: Path) -> None:
    made = place(tmp_path)
    run = runs.current(made, OCTOBER)
    (tmp_path / "again.csv").write_text(focus_csv([*ROWS, row("1.00", "red")]), encoding="utf-8")
    done("--workspace", str(tmp_path), "ingest", str(tmp_path / "again.csv"), "--source", "cloud")
    found = figures(Workspace.open(tmp_path), run)
    assert "usage" not in found
    assert found["pools"] == {"USD": {"support": 3_000}}
