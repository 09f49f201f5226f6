"""Wrong input gets one clear error and changes nothing."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from apportion.errors import (
    ApportionError,
    BadValueError,
    DuplicateDeliveryError,
    EmptyFileError,
    MixedCurrenciesError,
    NotFocusError,
    SealedPeriodError,
    ShrinkingDeliveryError,
    UnreadableFileError,
)
from apportion.ingest.load import ingest
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.store import Committed, Workspace

pytestmark = pytest.mark.thorough

PERIOD = BillingPeriod(2026, 10)
GOOD = {
    "BilledCost": "1.25",
    "EffectiveCost": "1.25",
    "ListCost": "2",
    "ContractedCost": "1.5",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
    "ChargeCategory": "Usage",
    "InvoiceIssuerName": "Cloud, Inc.",
    "InvoiceId": "INV-1",
    "BillingAccountId": "acct",
    "ServiceName": "Compute",
}


def text(*changes: dict[str, str], rows: int = 4) -> str:
    """A CSV of good rows, the first ones changed."""
    lines = [",".join(GOOD)]
    for place in range(rows):
        row = {**GOOD, **(changes[place] if place < len(changes) else {})}
        lines.append(",".join(f'"{value}"' if "," in value else value for value in row.values()))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one delivery, its file beside it, loaded once; to be copied, not changed."""
    root = tmp_path_factory.mktemp("wrong") / "books"
    root.mkdir()
    (root / "apportion.yaml").write_text("company: Wrong\n", encoding="utf-8")
    before = root.parent / "before.csv"
    before.write_text(text({"BilledCost": "7"}), encoding="utf-8")
    ingest(Workspace.create(root), [before], source="cloud")
    return root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(loaded.parent, tmp_path, dirs_exist_ok=True)
    return Workspace.open(tmp_path / "books")


def parquet(path: Path, cut: bool) -> None:
    with closing(engine.connect()) as connection:
        csv_path = path.with_suffix(".csv")
        csv_path.write_text(text(rows=50), encoding="utf-8")
        connection.execute(
            f"COPY (FROM read_csv({engine.literal(str(csv_path))})) TO {engine.literal(str(path))}"
        ).fetchall()
        csv_path.unlink()
    if cut:
        path.write_bytes(path.read_bytes()[:-40])


def as_text(content: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(content, encoding="utf-8")

    return write


def as_bytes(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


WRONG: list[tuple[str, str, Callable[[Path], None], type[ApportionError], str]] = [
    ("not FOCUS", "x.csv", as_text("name,price\nchair,12\n"), NotFocusError, "BilledCost.*BillingCurrency"),
    ("no cost column", "x.csv", as_text(text().replace("BilledCost", "Cost", 1)), NotFocusError, "BilledCost"),
    ("empty", "x.csv", as_bytes(b""), EmptyFileError, ""),
    ("header only", "x.csv", as_text(text(rows=0)), EmptyFileError, ""),
    ("cut gzip", "x.csv.gz", as_bytes(gzip.compress(text(rows=900).encode())[:-20]), UnreadableFileError, ""),
    ("cut Parquet", "x.parquet", lambda path: parquet(path, cut=True), UnreadableFileError, ""),
    ("junk", "x.csv", as_bytes(bytes(range(256)) * 9), ApportionError, ""),
    ("UTF-16", "x.csv", as_bytes(text().encode("utf-16")), UnreadableFileError, ""),
    ("Latin-1", "x.csv", as_bytes(text({"ServiceName": "Büro"}).encode("latin-1")), UnreadableFileError, ""),
    ("text for a number", "x.csv", as_text(text({}, {"BilledCost": "about 5"})), BadValueError, "about 5"),
    ("a symbol", "x.csv", as_text(text({"BilledCost": "$10.00 "})), BadValueError, "10.00"),
    ("no number", "x.csv", as_text(text({"EffectiveCost": "NaN"})), BadValueError, "NaN"),
    ("a null cost", "x.csv", as_text(text({"BilledCost": ""})), BadValueError, ""),
    ("null spelled", "x.csv", as_text(text({"EffectiveCost": "NULL"})), BadValueError, ""),
    ("unknown currency", "x.csv", as_text(text({"BillingCurrency": "USX"})), BadValueError, "USX"),
    ("mixed currencies", "x.csv", as_text(text({}, {"BillingCurrency": "EUR"})), MixedCurrenciesError, "INV-1"),
    ("backwards", "x.csv", as_text(text({"ChargePeriodEnd": "2026-10-04T00:00:00Z"})), BadValueError, ""),
    ("no date", "x.csv", as_text(text({"BillingPeriodStart": "4/1/25"})), BadValueError, "4/1/25"),
    ("ragged", "x.csv", as_text(text() + "1,2,3\n"), ApportionError, ""),
]


@pytest.mark.parametrize(("name", "file", "write", "error", "says"), WRONG, ids=[each[0] for each in WRONG])
def test_it_is_refused_and_nothing_changes(
    workspace: Workspace,
    tmp_path: Path,
    name: str,
    file: str,
    write: Callable[[Path], None],
    error: type[ApportionError],
    says: str,
) -> None:
    before = (workspace.snapshot(PERIOD), workspace.totals(PERIOD), workspace.deliveries())
    write(tmp_path / file)
    with pytest.raises(error, match=says or None) as refused:
        ingest(workspace, [tmp_path / file], source="cloud")
    assert refused.value.place is not None, name
    assert file in refused.value.place.file
    assert refused.value.advice
    assert (workspace.snapshot(PERIOD), workspace.totals(PERIOD), workspace.deliveries()) == before


def test_a_missing_file_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ApportionError, match=r"nothing\.csv"):
        ingest(workspace, [tmp_path / "nothing.csv"], source="cloud")


def test_bad_rows_are_kept_aside_where_somebody_decided_so(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text({"BilledCost": "about 5"}, {"BillingCurrency": "USX", "BilledCost": "3"}), encoding="utf-8")
    receipt = ingest(workspace, [path], source="cloud", quarantine=True)
    assert (receipt.rows_delivered, receipt.rows_loaded, receipt.rows_quarantined) == (4, 2, 2)
    assert receipt.loaded[0].billed_units == 2 * 125 * 10**16
    assert sum(rows.billed_units for rows in receipt.quarantined) == 3 * 10**18
    assert sum(total.rows for total in workspace.totals(PERIOD)) == 2


def test_the_same_delivery_twice_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.snapshot(PERIOD)
    assert ingest(workspace, [tmp_path / "before.csv"], source="cloud").status is Committed.UNCHANGED
    assert workspace.snapshot(PERIOD) == before


def test_the_same_file_under_another_source_would_count_twice(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DuplicateDeliveryError):
        ingest(workspace, [tmp_path / "before.csv"], source="other")


def test_the_same_content_twice_in_one_delivery_would_count_twice(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("daily.csv", "monthly.csv"):
        (folder / name).write_text(text(rows=9), encoding="utf-8")
    with pytest.raises(DuplicateDeliveryError):
        ingest(workspace, [folder], source="cloud")


def test_a_stray_row_does_not_replace_a_month(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text(rows=1), encoding="utf-8")
    with pytest.raises(ShrinkingDeliveryError):
        ingest(workspace, [path], source="cloud")
    assert ingest(workspace, [path], source="cloud", allow_shrink=True).rows_loaded == 1


def test_a_sealed_period_refuses_charges_and_says_where_they_go(workspace: Workspace, tmp_path: Path) -> None:
    workspace.seal(PERIOD, {"run_digest": "none"})
    path = tmp_path / "x.csv"
    path.write_text(text(rows=9), encoding="utf-8")
    with pytest.raises(SealedPeriodError) as refused:
        ingest(workspace, [path], source="cloud")
    assert "2026-11" in refused.value.advice


def test_files_that_say_no_currency_are_refused_unless_the_settings_say_one(tmp_path: Path) -> None:
    content = "\n".join(line.replace("BillingCurrency,", "").replace("USD,", "") for line in text().splitlines())
    path = tmp_path / "x.csv"
    path.write_text(content + "\n", encoding="utf-8")
    for settings, refused in (("company: A\n", True), ("company: A\ncurrency: EUR\n", False)):
        root = tmp_path / settings[-4:-1].strip()
        root.mkdir()
        (root / "apportion.yaml").write_text(settings, encoding="utf-8")
        made = Workspace.create(root)
        if refused:
            with pytest.raises(NotFocusError, match="BillingCurrency"):
                ingest(made, [path], source="cloud")
        else:
            receipt = ingest(made, [path], source="cloud")
            assert [sums.currency for sums in receipt.loaded] == ["EUR"]
            assert "COLUMN_ASSUMED" in {finding.code for finding in receipt.delivery.findings}
