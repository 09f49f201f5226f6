"""Every file of the synthetic and specification data loads, with totals equal to an independent sum of the file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from apportion.ingest.load import Receipt, ingest
from apportion.money.amount import plain, units
from apportion.warehouse.record import Dataset
from apportion.warehouse.store import Workspace

DATA = Path(__file__).parents[3] / "shared" / "data"
SYNTHETIC = sorted((DATA / "focus-synthetic").rglob("*.csv"))
COMMITMENTS = sorted((DATA / "focus-spec-examples" / "commitments").glob("*.csv"))
CORRECTIONS = sorted((DATA / "focus-spec-examples" / "corrections").glob("*.csv"))
COSTS = {
    "BilledCost": "billed_units",
    "EffectiveCost": "effective_units",
    "ListCost": "list_units",
    "ContractedCost": "contracted_units",
}
# The specification's examples leave out what does not matter to them.
USD = {"BillingCurrency": "USD"}
SKETCH = {**USD, "BillingPeriodStart": "2026-05-01", "EffectiveCost": "=BilledCost"}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the published data is not beside the project")


def loaded(directory: Path, path: Path, assume: Mapping[str, str]) -> Receipt:
    (directory / "apportion.yaml").write_text("company: Data\n", encoding="utf-8")
    return ingest(Workspace.create(directory), [path], source="data", assume=assume)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]


def decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


@pytest.mark.parametrize("path", [*SYNTHETIC, *COMMITMENTS, *CORRECTIONS], ids=lambda path: path.stem)
def test_it_loads_and_adds_up(tmp_path: Path, path: Path) -> None:
    rows = rows_of(path)
    sketched = path.stem.startswith("scenarios_")
    receipt = loaded(tmp_path, path, SKETCH if sketched else {} if path in SYNTHETIC else USD)
    assert receipt.rows_loaded == receipt.rows_delivered == len(rows)
    assert receipt.rows_quarantined == 0
    if receipt.delivery.dataset is not Dataset.COST_AND_USAGE:
        return
    for column, field in COSTS.items():
        amounts = [decimal(row[column]) for row in rows] if column in rows[0] else []
        if not amounts or None in amounts:
            continue
        expected = sum((amount for amount in amounts if amount is not None), Decimal(0))
        found = sum(getattr(sums, field) for sums in receipt.loaded)
        assert plain(found) == plain(units(f"{expected:f}")), column


def test_the_totals_that_are_known(tmp_path: Path) -> None:
    known = {
        "focus_1_2_cost_and_usage_aws": "46933.23460863242375",
        "focus_1_3_cost_and_usage_azure": "67220.437194877616",
        "synthetic_focus_1_4_cost_and_usage": "57289.565245352334",
    }
    found = {}
    for path in SYNTHETIC:
        if path.stem in known:
            (tmp_path / path.stem).mkdir()
            sums = loaded(tmp_path / path.stem, path, {}).loaded
            assert [each.billed_units for each in sums] == [each.effective_units for each in sums]
            found[path.stem] = plain(sum(each.billed_units for each in sums))
    assert found == known


@pytest.mark.parametrize("style", ["delta", "ledger"])
def test_a_correction_nets_to_zero_in_either_style(tmp_path: Path, style: str) -> None:
    path = DATA / "focus-spec-examples" / "corrections" / f"closed_s1_{style}.csv"
    receipt = loaded(tmp_path, path, USD)
    assert sum(sums.billed_units for sums in receipt.loaded) == 0
    assert [str(period) for period in receipt.delivery.totals] == ["2025-06"]
