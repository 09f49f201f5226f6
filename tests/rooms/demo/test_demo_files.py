"""The files: the same bytes every time, the planned totals, and what each vendor's format promises."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from apportion import demo
from apportion.demo import DemoCompany, DemoDelivery
from apportion.demo.expand import Writer
from apportion.demo.meters import METERS
from apportion.demo.plan import SOURCES
from apportion.errors import InputRefusedError, StorageError
from apportion.focus.columns import BILLING_PERIOD, COST_AND_USAGE, INVOICE_DETAIL, columns
from apportion.focus.versions import recognise
from apportion.money.amount import from_decimal
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, Mode

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


Row = dict[str, Any]
Current = Callable[[str, BillingPeriod], list[Row]]
Read = Callable[[DemoDelivery], Iterator[Row]]

MAY, JUNE = BillingPeriod(2026, 5), BillingPeriod(2026, 6)
SOURCE_NAMES = [source.name for source in SOURCES]


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def money(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = demo.write(tmp_path / "one", rows=2_000, months=2)
    again = demo.write(tmp_path / "two", rows=2_000, months=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert first.totals == again.totals


def test_another_seed_is_another_year(tmp_path: Path) -> None:
    one = demo.write(tmp_path / "one", rows=400, months=1)
    told: list[int] = []
    two = demo.write(tmp_path / "two", rows=400, months=1, seed=7, progress=told.append)
    assert sum(told) == 400
    assert one.totals != two.totals
    assert digests(tmp_path / "one").keys() == digests(tmp_path / "two").keys()


@pytest.mark.parametrize("source", SOURCE_NAMES)
def test_totals_by_source_and_month_are_those_planned(company: DemoCompany, current: Current, source: str) -> None:
    for total in company.totals:
        if total.source != source:
            continue
        rows = current(source, total.period)
        with localcontext(prec=60):
            billed = sum((money(row["BilledCost"]) for row in rows), Decimal())
            effective = sum((money(row["EffectiveCost"]) for row in rows), Decimal())
        assert len(rows) == total.rows
        assert from_decimal(billed) == total.billed_units
        assert from_decimal(effective) == total.effective_units
        assert {row["BillingCurrency"] for row in rows} == {total.currency}


def test_rows_in_all_are_those_asked_for(company: DemoCompany, current: Current) -> None:
    rows = sum(len(current(total.source, total.period)) for total in company.totals)
    assert rows == sum(total.rows for total in company.totals) == 5_000


@pytest.mark.parametrize("source", SOURCES, ids=SOURCE_NAMES)
def test_columns_are_complete_for_the_version(current: Current, source: Any) -> None:
    expected = columns(COST_AND_USAGE, source.version)
    never = [facts.name for facts in expected.values() if not facts.nullable]
    for row in current(source.name, JUNE):
        assert expected.keys() <= row.keys()
        assert all(name in expected or name.startswith("x_") for name in row)
        assert [name for name in never if row[name] in (None, "")] == []


@pytest.mark.parametrize("source", SOURCES, ids=SOURCE_NAMES)
def test_the_version_is_recognised_from_the_columns(current: Current, source: Any) -> None:
    found = recognise(list(current(source.name, JUNE)[0]))
    assert found is not None
    assert (found.dataset, found.version) == (COST_AND_USAGE, source.version)


@pytest.mark.parametrize("source", SOURCE_NAMES)
def test_costs_are_unit_price_times_quantity(current: Current, source: str) -> None:
    priced = [row for row in current(source, MAY) if row["ListUnitPrice"] not in (None, "")]
    assert priced
    for row in priced:
        quantity = money(row["PricingQuantity"])
        assert money(row["ListCost"]) == money(row["ListUnitPrice"]) * quantity
        assert money(row["ContractedCost"]) == money(row["ContractedUnitPrice"]) * quantity


def test_charges_lie_within_their_billing_period_unless_they_correct(company: DemoCompany, current: Current) -> None:
    for total in company.totals:
        for row in current(total.source, total.period):
            start, end = str(row["ChargePeriodStart"])[:10], str(row["ChargePeriodEnd"])[:10]
            assert start <= end
            assert str(row["BillingPeriodStart"])[:7] == str(total.period)
            if row["ChargeClass"] in (None, ""):
                assert str(total.period.starts_on) <= start
                assert end <= str(total.period.ends_on)
            else:
                assert end <= str(total.period.starts_on)


def test_rows_of_one_resource_differ_in_time_and_amount(tmp_path: Path, read: Read) -> None:
    company = demo.write(tmp_path / "demo", rows=20_000, months=1)
    [delivery] = [one for one in company.deliveries if one.source == "aws" and one.dataset is Dataset.COST_AND_USAGE]
    rows = [
        row for row in read(delivery) if row["ResourceName"] == "storefront-ec2-01" and not row["CommitmentDiscountId"]
    ]
    assert len(rows) > 30
    assert len({row["ChargePeriodStart"] for row in rows}) == len(rows)
    assert len({row["BilledCost"] for row in rows}) > len(rows) // 2
    assert {row["ResourceId"] for row in rows} == {rows[0]["ResourceId"]}


def test_aws_comes_in_a_hive_partition_with_a_manifest(company: DemoCompany, current: Current) -> None:
    delivery = next(one for one in company.deliveries if one.source == "aws" and one.period == JUNE)
    data, metadata = delivery.paths
    assert data.name == metadata.name == "BILLING_PERIOD=2026-06"
    manifest = json.loads((metadata / "kestrel-focus-Manifest.json").read_text(encoding="utf-8"))
    assert [Path(name).name for name in manifest["dataFiles"]] == [path.name for path in sorted(data.iterdir())]
    tags = [row["Tags"] for row in current("aws", JUNE) if row["Tags"]]
    assert all(isinstance(found, dict) for found in tags)


def test_azure_counts_its_rows_and_changes_the_form_of_its_tags(company: DemoCompany, current: Current) -> None:
    runs = [one for one in company.deliveries if one.source == "azure"]
    for delivery in runs:
        [folder] = delivery.paths
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["blobCount"] == len(manifest["blobs"]) == len(list(folder.glob("*.gz")))
        assert manifest["byteCount"] == sum(path.stat().st_size for path in folder.glob("*.gz"))
    march, april = BillingPeriod(2026, 3), BillingPeriod(2026, 4)
    assert {row["Tags"][:1] for row in current("azure", march) if row["Tags"]} == {'"'}
    assert {row["Tags"][:1] for row in current("azure", april) if row["Tags"]} == {"{"}


def test_a_restated_month_has_more_rows_and_a_repeated_one_the_same_bytes(company: DemoCompany, read: Read) -> None:
    early, late = [one for one in company.deliveries if one.source == "azure" and one.period == BillingPeriod(2026, 3)]
    counts = [len(list(read(one))) for one in (early, late)]
    manifests = [
        json.loads((one.paths[0] / "manifest.json").read_text("utf-8"))["dataRowCount"] for one in (early, late)
    ]
    assert counts == manifests
    assert counts[0] < counts[1]
    first, again = [one for one in company.deliveries if one.source == "kubernetes" and one.period == JUNE]
    assert digests(first.paths[0]) == digests(again.paths[0])
    assert first.paths != again.paths


def test_deliveries_come_month_by_month_and_replace(company: DemoCompany) -> None:
    periods = [delivery.period for delivery in company.deliveries]
    assert periods == sorted(periods)
    assert tuple(dict.fromkeys(periods)) == company.periods
    assert {delivery.mode for delivery in company.deliveries} == {Mode.OVERWRITE}
    assert all(path.exists() for delivery in company.deliveries for path in delivery.paths)
    assert sum(bool(delivery.note) for delivery in company.deliveries) == 4


def test_usage_comes_as_one_file_for_each_meter_and_month(company: DemoCompany) -> None:
    found = [delivery for delivery in company.deliveries if delivery.dataset is Dataset.USAGE]
    assert [(each.source, each.period) for each in found] == [
        (meter.name, period) for period in company.periods for meter in METERS
    ]
    metrics: dict[BillingPeriod, set[str]] = defaultdict(set)
    for each in found:
        [path] = each.paths
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        assert list(rows[0])[:4] == ["period", "metric", "consumer", "value"]
        assert {row["period"] for row in rows} == {str(each.period)}
        assert all(int(row["value"]) > 0 for row in rows)
        kinds = [tuple(text for name, text in row.items() if name != "value") for row in rows]
        assert len(set(kinds)) == len(kinds)
        metrics[each.period] |= {row["metric"] for row in rows}
    every = metrics[company.periods[0]]
    assert len(every) == 16
    january = BillingPeriod(2026, 1)
    assert metrics.pop(january) == every - {"cpu_used"}
    assert all(of_month == every for of_month in metrics.values())


def test_rates_are_agreed_on_for_every_month_and_billing_currency(company: DemoCompany) -> None:
    with (company.root / "rates.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["period"], row["from"], row["to"]) for row in csv.DictReader(file)]
    assert rows == [(str(period), currency, "SEK") for period in company.periods for currency in ("EUR", "USD")]


def test_the_invoices_agree_with_the_data_to_the_cent_but_for_one(company: DemoCompany, current: Current) -> None:
    odd: list[tuple[str, str, Decimal]] = []
    issuers = set()
    for delivery in company.deliveries:
        if delivery.dataset is not Dataset.INVOICE_DETAIL:
            continue
        cost: dict[str, Decimal] = defaultdict(Decimal)
        for row in current(delivery.source, delivery.period):
            cost[row["InvoiceId"]] += money(row["BilledCost"])
        with delivery.paths[0].open(encoding="utf-8", newline="") as file:
            detail = list(csv.DictReader(file))
        assert set(detail[0]) == columns(INVOICE_DETAIL, "1.4").keys()
        billed: dict[str, Decimal] = defaultdict(Decimal)
        for row in detail:
            billed[row["InvoiceId"]] += Decimal(row["BilledCost"])
            issuers.add(row["InvoiceIssuerName"])
        assert billed.keys() == cost.keys()
        for invoice, amount in billed.items():
            if abs(amount - cost[invoice]) > Decimal("0.005"):
                odd.append((delivery.source, str(delivery.period), amount - cost[invoice].quantize(Decimal("0.01"))))
    assert odd == [("aws", "2026-02", Decimal("0.02"))]
    assert issuers == {"Amazon Web Services EMEA SARL", "Google Cloud EMEA Limited", "Tokenhouse, Inc."}


def test_invoice_detail_ids_are_those_of_the_cost_data(company: DemoCompany, current: Current) -> None:
    for delivery in company.deliveries:
        if delivery.dataset is Dataset.INVOICE_DETAIL and delivery.source != "aws":  # FOCUS 1.2 has no such column
            with delivery.paths[0].open(encoding="utf-8", newline="") as file:
                stated = {row["InvoiceDetailId"] for row in csv.DictReader(file)}
            assert {row["InvoiceDetailId"] for row in current(delivery.source, delivery.period)} == stated


def test_google_says_that_its_months_are_closed(company: DemoCompany) -> None:
    found = [one for one in company.deliveries if one.dataset is Dataset.BILLING_PERIOD]
    assert [one.period for one in found] == list(company.periods)
    with found[0].paths[0].open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row.keys() == columns(BILLING_PERIOD, "1.4").keys()
    assert row["BillingPeriodStatus"] == "Closed"


@pytest.mark.parametrize("name", ["policy.yaml", "deliveries"])
def test_a_directory_that_is_taken_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputRefusedError, match=f"already holds {name}"):
        demo.write(tmp_path, rows=400, months=1)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="is not a directory"):
        demo.write(tmp_path / "demo", rows=400, months=1)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "own.txt").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(Writer, "write", full)
    with pytest.raises(StorageError):
        demo.write(tmp_path, rows=400, months=1)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]
