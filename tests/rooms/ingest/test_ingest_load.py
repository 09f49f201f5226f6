"""A delivery into the workspace: once, whole, and with a receipt that says what came of it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from apportion.errors import (
    ApportionError,
    BadValueError,
    IncompleteDeliveryError,
    InputRefusedError,
    NotFocusError,
    WorkspaceBusyError,
)
from apportion.ingest import charges, fold, load, prepare
from apportion.ingest import copy as copying
from apportion.ingest.load import ingest
from apportion.money.amount import units
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Mode
from apportion.warehouse.store import Committed, Workspace
from tests.rooms.ingest.making import charge, found, without, write_csv, write_parquet

pytestmark = pytest.mark.thorough

OCTOBER = BillingPeriod(2026, 10)
SETTINGS = """\
company: Example
sources:
  odd:
    mode: append
    assume: {BillingCurrency: EUR, ServiceName: =x_Service}
    nulls: [n/a]
    quarantine: true
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "books"
    root.mkdir()
    (root / "apportion.yaml").write_text(SETTINGS, encoding="utf-8")
    return Workspace.create(root)


def rows_of(workspace: Workspace) -> int:
    return sum(total.rows for total in workspace.totals(OCTOBER))


def test_a_receipt_has_all_four_sums_by_currency(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        charge(BilledCost="1.1", EffectiveCost="1.2", ListCost="1.3", ContractedCost="1.4"),
        charge(BilledCost="2", EffectiveCost="2", ListCost="", ContractedCost="2", InvoiceId="INV-2"),
        charge(BilledCost="3", EffectiveCost="3", BillingCurrency="EUR", InvoiceId="INV-3"),
        charge(BilledCost="4", EffectiveCost="x"),
    ]
    receipt = ingest(workspace, [write_csv(tmp_path / "october.csv", rows)], source="cloud", quarantine=True)
    assert receipt.status is Committed.LOADED
    assert (receipt.rows_delivered, receipt.rows_loaded, receipt.rows_quarantined) == (4, 3, 1)
    euro, dollar = receipt.loaded
    assert (euro.currency, euro.billed_units) == ("EUR", units("3"))
    assert (dollar.billed_units, dollar.effective_units) == (units("3.1"), units("3.2"))
    assert (dollar.list_units, dollar.contracted_units) == (units("1.3"), units("3.4"))
    [aside] = receipt.quarantined
    assert (aside.currency, aside.rows, aside.billed_units) == ("USD", 1, units("4"))
    assert receipt.findings == len(workspace.findings()) > 0
    assert receipt.replaced == ()


def test_the_same_delivery_again_only_costs_its_hash(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "october.csv", [charge()])
    first = ingest(workspace, [path], source="cloud")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a known delivery was copied")

    monkeypatch.setattr(prepare, "copy", never)
    path.rename(tmp_path / "renamed.csv")
    again = ingest(workspace, [tmp_path / "renamed.csv"], source="cloud")
    assert (again.status, again.delivery) == (Committed.UNCHANGED, first.delivery)
    assert again.loaded == first.loaded
    assert len(workspace.deliveries()) == 1


def test_what_the_user_supplies_makes_another_delivery(workspace: Workspace, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "october.csv", [without("BillingCurrency")])
    given = [
        ingest(workspace, [path], source="cloud", assume={"billing_currency": currency})
        for currency in ("USD", "EUR", "USD")
    ]
    assert given[0].delivery.id == given[2].delivery.id != given[1].delivery.id
    assert [receipt.status for receipt in given] == [Committed.LOADED] * 3
    assert given[1].replaced == (given[0].delivery.id,)
    assert {total.currency for total in workspace.totals(OCTOBER)} == {"USD"}


def test_overwrite_replaces_and_append_adds(workspace: Workspace, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", [charge()] * 3)
    two = write_csv(tmp_path / "two.csv", [charge(BilledCost="7", EffectiveCost="7")] * 2)
    first = ingest(workspace, [one], source="cloud")
    assert ingest(workspace, [two], source="cloud").replaced == (first.delivery.id,)
    assert rows_of(workspace) == 2
    assert ingest(workspace, [one], source="cloud", mode=Mode.APPEND).replaced == ()
    assert rows_of(workspace) == 5


def test_the_settings_of_a_source_apply_and_the_call_goes_before_them(workspace: Workspace, tmp_path: Path) -> None:
    row = without("BillingCurrency", "ServiceName", x_Service="Queue", SubAccountId="n/a")
    path = write_csv(tmp_path / "odd.csv", [row, {**row, "BilledCost": "?"}])
    receipt = ingest(workspace, [path])
    delivery = receipt.delivery
    assert (delivery.source, delivery.mode, receipt.rows_quarantined) == ("odd", Mode.APPEND, 1)
    assert {total.currency for total in delivery.totals[OCTOBER]} == {"EUR"}
    assert found(delivery, "NULL_SPELLED").column == "SubAccountId"
    assert {finding.column for finding in delivery.findings if finding.code == "COLUMN_ASSUMED"} == {
        "BillingCurrency", "ServiceName",
    }  # fmt: skip
    with pytest.raises(BadValueError):
        ingest(workspace, [path], mode=Mode.OVERWRITE, quarantine=False)


def test_every_missing_column_is_named_at_once(workspace: Workspace, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "x.csv", [without("BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart")]
    )
    with pytest.raises(NotFocusError, match="BilledCost, BillingCurrency, BillingPeriodStart") as refused:
        ingest(workspace, [path], source="cloud")
    assert "--assume BilledCost==OtherColumn" in refused.value.advice


@pytest.mark.parametrize(
    "assume",
    [
        {"BilledCost": "=NoSuchColumn"},
        {"BilledCost": "much"},
        {"BilledCost": "+1"},
        {"BillingCurrency": "Gold"},
        {"BillingPeriodStart": "last month"},
        {"x_Note": "nul\0"},
    ],
)
def test_an_assumption_that_cannot_be_is_refused(workspace: Workspace, tmp_path: Path, assume: dict[str, str]) -> None:
    path = write_csv(tmp_path / "x.csv", [without(*assume)])
    with pytest.raises((NotFocusError, BadValueError)):
        ingest(workspace, [path], source="cloud", assume=assume)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_may_be_assumed_or_taken_from_others(workspace: Workspace, tmp_path: Path, suffix: str) -> None:
    row = without("EffectiveCost", "BillingPeriodStart", "BillingCurrency", x_cost="4.5")
    path = tmp_path / f"x.{suffix}"
    made = write_csv(path, [row]) if suffix == "csv" else write_parquet(path, [row])
    assume = {"EffectiveCost": "=x_cost", "BillingPeriodStart": "2026-10", "billing_currency": "JPY", "BilledCost": "9"}
    receipt = ingest(workspace, [made], source="cloud", assume=assume)
    [total] = workspace.totals(OCTOBER)
    assert (total.billed_units, total.effective_units, total.currency) == (units("10.5"), units("4.5"), "JPY")
    assert found(receipt.delivery, "ASSUMPTION_UNUSED").column == "BilledCost"


def test_datasets_are_loaded_one_by_one(workspace: Workspace, tmp_path: Path) -> None:
    write_csv(tmp_path / "export" / "charges.csv", [charge()])
    period = {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodStatus": "Open", "InvoiceIssuerName": "Cloud"}
    write_csv(tmp_path / "export" / "periods.csv", [period])
    with pytest.raises(InputRefusedError, match="billing period, cost and usage"):
        ingest(workspace, [tmp_path / "export"])
    ingest(workspace, [tmp_path / "export" / "charges.csv"], source="cloud")
    ingest(workspace, [tmp_path / "export" / "periods.csv"], source="cloud")
    assert workspace.billing_statuses(OCTOBER) == (("Cloud", "Open"),)
    assert rows_of(workspace) == 1


def test_a_contract_commitment_is_kept_beside_the_charges(workspace: Workspace, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "c.csv", [{"ContractCommitmentId": "c-1", "ContractCommitmentCategory": "Spend"}])
    receipt = ingest(workspace, [path], source="cloud")
    assert (receipt.rows_loaded, receipt.status) == (1, Committed.LOADED)
    assert ingest(workspace, [path], source="cloud").status is Committed.UNCHANGED
    assert workspace.current(None) == (receipt.delivery,)


class Watching:
    """A progress that writes down what it hears."""

    def __init__(self) -> None:
        self.total, self.rows, self.bytes, self.calls, self.is_done = 0, 0, 0, 0, False

    def start(self, total_bytes: int) -> None:
        self.total = total_bytes

    def advance(self, rows: int, bytes_: int) -> None:
        self.rows, self.bytes, self.calls = self.rows + rows, self.bytes + bytes_, self.calls + 1

    def done(self) -> None:
        self.is_done = True


def test_progress_ends_where_the_bytes_end(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(4):
        write_csv(tmp_path / "export" / f"{number}.csv", [charge(ResourceId=f"{number}")] * 50)
    size = sum(path.stat().st_size for path in (tmp_path / "export").iterdir())
    watching = Watching()
    ingest(workspace, [tmp_path / "export"], progress=watching)
    assert (watching.total, watching.rows, watching.is_done) == (size, 200, True)
    assert size - 5 <= watching.bytes <= size


def test_a_failure_half_way_leaves_nothing_behind(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(workspace, [write_csv(tmp_path / "before.csv", [charge()])], source="cloud")
    before = (workspace.snapshot(OCTOBER), workspace.totals(OCTOBER), workspace.deliveries())
    for number in range(3):
        write_csv(tmp_path / "export" / f"{number}.csv", [charge(ResourceId=f"{number}")] * 9)
    watching = Watching()

    def cut(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    for module, name in (
        (copying, "_transfer"),
        (charges, "read_columns"),
        (fold, "totals"),
        (Workspace, "commit_delivery"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, cut)
            with pytest.raises(RuntimeError):
                ingest(workspace, [tmp_path / "export"], source="cloud", progress=watching)
        assert watching.is_done
    staging = workspace.root / ".apportion" / "staging"
    assert list(staging.iterdir()) == []
    assert (workspace.snapshot(OCTOBER), workspace.totals(OCTOBER), workspace.deliveries()) == before


def test_a_full_disk_is_said_so(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(copying, "_transfer", full)
    with pytest.raises(ApportionError, match="The disk is full"):
        ingest(workspace, [write_csv(tmp_path / "x.csv", [charge()])], source="cloud")


def test_a_file_that_may_not_be_read_is_said_so(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "x.csv", [charge()])

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(prepare, "kind", refuse)
    with pytest.raises(InputRefusedError, match="cannot be opened: permission denied"):
        ingest(workspace, [path], source="cloud")


def test_a_workspace_in_use_is_not_touched(workspace: Workspace, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [charge()])
    other = Workspace.open(workspace.root)
    with other.lock("allocate"), pytest.raises(WorkspaceBusyError):
        ingest(workspace, [path], source="cloud")


def test_a_manifest_refuses_what_is_not_complete(workspace: Workspace, tmp_path: Path) -> None:
    write_csv(tmp_path / "e" / "a.csv", [charge()])
    (tmp_path / "e" / "manifest.json").write_text('{"files": ["a.csv", "b.csv"]}', encoding="utf-8")
    with pytest.raises(IncompleteDeliveryError):
        ingest(workspace, [tmp_path / "e"], source="cloud")
    assert workspace.deliveries() == ()


def test_a_receipt_can_be_written_for_any_delivery(workspace: Workspace, tmp_path: Path) -> None:
    receipt = ingest(workspace, [write_csv(tmp_path / "x.csv", [charge()])], source="cloud")
    assert load.receipt(workspace.delivery(receipt.delivery.id), Committed.UNCHANGED).loaded == receipt.loaded
