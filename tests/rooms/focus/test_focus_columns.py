"""The column catalogue against the published one, and what it tells from the columns of a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from apportion.focus.columns import (
    BILLING_PERIOD,
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    DATASETS,
    ESSENTIAL,
    INVOICE_DETAIL,
    VERSIONS,
    Level,
    columns,
)
from apportion.focus.versions import column_id, fold, recognise

PUBLISHED = Path(__file__).parents[4] / "shared" / "reference" / "focus-columns"
PUBLISHED_NAMES = {
    COST_AND_USAGE: "CostAndUsage",
    CONTRACT_COMMITMENT: "ContractCommitment",
    INVOICE_DETAIL: "InvoiceDetail",
    BILLING_PERIOD: "BillingPeriod",
}
TYPES = {"String": "text", "Decimal": "decimal", "Date/Time": "instant", "JSON": "json", "JSON Object": "json"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_catalogue_is_the_published_one(version: str) -> None:
    path = PUBLISHED / f"focus_{version}{'_draft' if version == '1.4' else ''}.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with path.open(encoding="utf-8") as file:
        published = list(csv.DictReader(file))
    for dataset, name in PUBLISHED_NAMES.items():
        expected = {
            row["column"]: (TYPES[row["data_type"]], row["feature_level"].lower(), row["nullable"] == "True")
            for row in published
            if row["dataset"] == name
        }
        found = {
            one.name: (one.type.value, one.level.value, one.nullable) for one in columns(dataset, version).values()
        }
        assert found == expected, dataset


@pytest.mark.parametrize(("version", "count"), [("1.0", 43), ("1.1", 50), ("1.2", 57), ("1.3", 65), ("1.4", 65)])
def test_the_number_of_columns_of_each_version(version: str, count: int) -> None:
    found = columns(COST_AND_USAGE, version)
    assert len(found) == count
    assert set(ESSENTIAL) <= {name for name, facts in found.items() if facts.level is Level.MANDATORY}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("dataset", list(DATASETS))
def test_every_version_of_every_dataset_is_recognised(dataset: str, version: str) -> None:
    names = list(columns(dataset, version))
    if not names:
        assert recognise([]) is None
        return
    found = recognise(names)
    assert found is not None
    assert (found.dataset, found.version, found.missing(), found.repeated) == (dataset, version, (), ())
    assert found.ids == tuple(names)


@pytest.mark.parametrize("name", ["BilledCost", "billed_cost", "BILLEDCOST", "Billed_Cost", " billedcost "])
def test_case_underscores_and_blanks_do_not_matter(name: str) -> None:
    assert column_id(name) == "BilledCost"


@pytest.mark.parametrize("name", ["x_BilledCost", "X_billed_cost", "Billed Cost", "BilledCosts", "Id", ""])
def test_custom_and_unknown_columns_are_no_focus_columns(name: str) -> None:
    assert column_id(name) is None


def test_folded_names_are_unique() -> None:
    for facts in DATASETS.values():
        assert len({fold(name) for name in facts}) == len(facts)


def test_the_exact_spelling_has_the_column_and_the_other_is_kept() -> None:
    found = recognise(["billed_cost", "BilledCost", "EffectiveCost"])
    assert found is not None
    assert (found.ids, found.repeated) == ((None, "BilledCost", "EffectiveCost"), ())


@pytest.mark.parametrize("names", [["billed_cost", "BILLEDCOST"], ["BilledCost", "BilledCost"]])
def test_a_column_that_is_there_twice_is_ambiguous(names: list[str]) -> None:
    found = recognise([*names, "EffectiveCost"])
    assert found is not None
    assert found.repeated == ("BilledCost",)


@pytest.mark.parametrize("names", [[], ["name", "price"], ["InvoiceId", "Tags"], ["x_BilledCost"]])
def test_what_is_no_focus_dataset(names: list[str]) -> None:
    assert recognise(names) is None


def test_provider_names_tell_1_3_from_1_4() -> None:
    shared = ["BilledCost", "ServiceProviderName"]
    assert [found.version for names in ([*shared, "ProviderName"], shared) if (found := recognise(names))] == [
        "1.3",
        "1.4",
    ]
