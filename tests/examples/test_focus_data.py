"""Public FOCUS data, loaded and compared with sums that know nothing of this project.

The files are the FinOps Foundation's (CC-BY-4.0) and those of focus-data-toolkit (MIT); they are not kept here.
"""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Context, Decimal, localcontext
from pathlib import Path

import pytest

from apportion.errors import BadValueError
from apportion.ingest.delivery import find
from apportion.ingest.prepare import Supplied, prepare
from apportion.ingest.progress import Silent
from apportion.money.amount import plain, units
from apportion.warehouse.record import Dataset, Delivery

DATA = Path(__file__).parents[3] / "shared" / "data"
SAMPLE = DATA / "focus-sample-1.0" / "focus_sample_1.0.csv"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SAMPLE.is_file(), reason=f"{DATA} is not there")]

CURRENCY = {"BillingCurrency": "USD"}
SCENARIO = {**CURRENCY, "EffectiveCost": "=BilledCost", "BillingPeriodStart": "2026-05"}
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


def loaded(path: Path, root: Path, **supplied: object) -> Delivery:
    root.mkdir()
    assume = supplied.pop("assume", {})
    given = Supplied("public", assume=assume, **supplied)  # type: ignore[arg-type]
    return prepare(find([path]), root, given, "2026-11-03T08:00:00Z", Silent())


def independent(path: Path) -> tuple[int, dict[str, Decimal]]:
    """Rows, and sums of the cost columns, by the standard library alone."""
    sums: Counter[str] = Counter()
    count = 0
    with localcontext(Context(prec=60)), path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            count += 1
            for name in COSTS:
                if row.get(name) not in (None, "", "NULL", "null", "(null)"):
                    sums[name] += Decimal(row[name])  # type: ignore[assignment]
    return count, {name: Decimal(sums[name]) for name in COSTS}


def sums(delivery: Delivery) -> dict[str, int]:
    totals = [total for parts in delivery.totals.values() for total in parts]
    return {
        "BilledCost": sum(total.billed_units for total in totals),
        "EffectiveCost": sum(total.effective_units for total in totals),
        "ListCost": sum(total.list_units or 0 for total in totals),
        "ContractedCost": sum(total.contracted_units or 0 for total in totals),
    }


def charges() -> list[tuple[str, dict[str, str]]]:
    files: list[tuple[str, dict[str, str]]] = []
    for folder, assume in (("focus-sample-1.0", {}), ("focus-spec-examples/commitments", CURRENCY),
                           ("focus-spec-examples/corrections", CURRENCY), ("focus-synthetic", {})):  # fmt: skip
        for path in sorted((DATA / folder).rglob("*.csv")):
            if any(word in path.name for word in ("contract_commitment", "billing_period", "invoice_detail")):
                continue
            files.append((str(path.relative_to(DATA)), SCENARIO if path.name.startswith("scenarios") else assume))
    return files


@pytest.mark.parametrize(("name", "assume"), charges(), ids=[Path(name).stem[-40:] for name, _ in charges()])
def test_totals_equal_an_independent_sum(tmp_path: Path, name: str, assume: dict[str, str]) -> None:
    rows, expected = independent(DATA / name)
    delivery = loaded(DATA / name, tmp_path / "staged", assume=assume)
    found = sums(delivery)
    assert delivery.files[0].rows == rows
    assert not delivery.quarantined
    for cost in COSTS:
        if cost == "EffectiveCost" and "EffectiveCost" in assume:
            assert found[cost] == found["BilledCost"]
        else:
            assert Decimal(found[cost]).scaleb(-18) == expected[cost], cost


def test_the_real_sample_arrives_to_the_last_digit_with_its_dirt_listed(tmp_path: Path) -> None:
    delivery = loaded(SAMPLE, tmp_path / "staged")
    assert delivery.focus_version == "1.0"
    found = sums(delivery)
    assert plain(found["BilledCost"]) == "20.52022672899"
    assert plain(found["EffectiveCost"]) == "14.97651418586"
    assert {str(period): sum(total.rows for total in totals) for period, totals in delivery.totals.items()} == {
        "2024-09": 999,
        "2024-10": 1,
    }
    assert "Id" in {column.name for column in delivery.charges[0].columns}
    dirt = {(finding.code, finding.column): finding.rows for finding in delivery.findings}
    assert dirt["EFFECTIVE_COST_ZERO", "EffectiveCost"] == 608
    assert dirt["NEGATIVE_UNMARKED", "BilledCost"] == 12  # the thirteenth is a credit
    assert dirt["INSTANT_FORM", "ChargePeriodStart"] == 1000
    assert dirt["NULL_SPELLED", "ChargeClass"] == 1000
    assert dirt["VALUE_SPELLING", "ChargeFrequency"] == 7
    assert dirt["COST_NOT_GIVEN", "ContractedCost"] == 7
    assert dirt["BILLING_PERIODS_SEVERAL", "BillingPeriodStart"] == 1
    assert dirt["ISSUER_SPELLINGS", "InvoiceIssuerName"] == 942
    assert dirt["INVOICE_ID_MISSING", "InvoiceId"] == 1000
    examples = {finding.code: finding.examples for finding in delivery.findings}
    assert {example.value for example in examples["TAG_KEYS_SIMILAR"]} == {"' org' beside 'org'"}
    assert examples["BILLING_PERIODS_SEVERAL"][0].row == 945
    assert {example.value for example in examples["VALUE_SPELLING"]} == {"Usage-based"}


@pytest.mark.parametrize(
    ("name", "row", "field", "value"),
    [
        ("simple_saas_agreements_a1.csv", 1, "BilledCost", "$10,000.00 "),
        ("virtual_currency_pricing_model_a1.csv", 1, "BillingPeriodStart", "4/1/25"),
        ("virtual_currency_pricing_model_a2.csv", 1, "BillingPeriodStart", "4/1/25"),
    ],
)
def test_examples_that_break_their_own_specification_are_refused(
    tmp_path: Path, name: str, row: int, field: str, value: str
) -> None:
    with pytest.raises(BadValueError) as refused:
        loaded(DATA / "focus-spec-examples" / "saas" / name, tmp_path / "staged")
    assert str(refused.value.place) == f"{name}, row {row}, {field}"
    assert f"'{value}'" in refused.value.sentence


def test_an_hour_that_no_day_has_is_read_as_null(tmp_path: Path) -> None:
    path = DATA / "focus-spec-examples" / "commitments" / "commitment_discount_purchase_scenario_3.csv"
    delivery = loaded(path, tmp_path / "staged", assume=CURRENCY)
    [finding] = [one for one in delivery.findings if one.code == "DATE_UNREADABLE"]
    assert [(example.row, example.value) for example in finding.examples] == [(4, "2023-02-01T30:00:00Z")]


def test_provider_invoices_of_invoice_detail(tmp_path: Path) -> None:
    folder = DATA / "focus-spec-examples" / "invoice-detail"
    one = loaded(folder / "invoice_detail_1.csv", tmp_path / "one")
    [(invoice,)] = one.invoices.values()
    assert (plain(invoice.billed_units), plain(invoice.tax_units), invoice.status) == ("1578.63", "128.63", "Issued")
    two = loaded(folder / "invoice_detail_2_payment_currency.csv", tmp_path / "two")
    [(invoice,)] = two.invoices.values()
    assert (plain(invoice.billed_units), plain(invoice.tax_units), invoice.currency) == ("3.33", "0.3", "USD")


def test_invoice_detail_agrees_with_its_charges(tmp_path: Path) -> None:
    folder = DATA / "focus-synthetic" / "1.4-gcp"
    charged = loaded(folder / "synthetic_focus_1_4_cost_and_usage.csv", tmp_path / "one")
    invoiced = loaded(folder / "synthetic_focus_1_4_invoice_detail.csv", tmp_path / "two")
    assert invoiced.dataset is Dataset.INVOICE_DETAIL
    by_invoice: Counter[str | None] = Counter()
    for total in next(iter(charged.totals.values())):
        by_invoice[total.invoice_id] += total.billed_units
    [invoices] = invoiced.invoices.values()
    assert {invoice.invoice_id: invoice.billed_units for invoice in invoices} == dict(by_invoice)
    assert sum(by_invoice.values()) == units("57289.565245352334")


def test_billing_periods_and_commitments_charge_nobody(tmp_path: Path) -> None:
    periods = loaded(DATA / "focus-synthetic" / "1.4-gcp" / "synthetic_focus_1_4_billing_period.csv", tmp_path / "one")
    assert {str(period): found for period, found in periods.statuses.items()} == {
        "2026-05": (("Google Cloud", "Closed"),)
    }
    path = DATA / "focus-synthetic" / "focus_1_3_contract_commitment_azure.csv"
    commitments = loaded(path, tmp_path / "two")
    assert commitments.dataset is Dataset.CONTRACT_COMMITMENT
    assert commitments.files[0].rows == independent(path)[0]
    assert not periods.charges
    assert not commitments.charges
