"""A month closed on real data: the FinOps Foundation's anonymised FOCUS 1.0 sample (CC-BY-4.0), not kept here."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from apportion.allocate.rule import Holder
from apportion.close.explain import explain
from apportion.close.month import Month, close
from apportion.ingest.load import ingest
from apportion.money.amount import plain, units
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "focus-sample-1.0" / "focus_sample_1.0.csv"
PERIOD = BillingPeriod(2024, 9)
pytestmark = [
    pytest.mark.skipif(not SAMPLE.is_file(), reason="the FOCUS sample is not beside the project"),
    pytest.mark.thorough,
]

SETTINGS = """\
company: SunBird
payer: {company: "1000", cost_center: "9900", department: "", ledger_account: "600100"}
ledger: {transferred_out: "600199"}
"""
ORGANIZATION = """\
groups:
  - code: sunbird
    name: SunBird
    coding: {company: "1000", ledger_account: "600100"}
    groups:
      - {code: peoria, name: Peoria Data, coding: {cost_center: "0010"}}
      - {code: tempe, name: Tempe AI, coding: {cost_center: "0020"}}
      - {code: vienna, name: Vienna AI, coding: {cost_center: "0030"}}
      - {code: platform, name: Platform, coding: {cost_center: "0040"}}
"""
# EffectiveCost of the sample is wrong in 608 of its 1,000 rows, so the month is charged on what was billed.
POLICY = """\
policy: SunBird, September 2024
cost_basis: billed
rules:
  - id: adjustments
    when: {ChargeCategory: [Adjustment, Credit]}
    charge_to: kept_central
  - id: business-unit
    when: {tags.business_unit: {exists: true}}
    charge_to: {tag: business_unit, aliases: units}
  - id: cloud-native
    when: {SubAccountName: {prefix: cloudnative}}
    charge_to: {cost_group: platform}
  - id: orion
    name: The account that everybody uses
    when: {SubAccountName: Atlas Orion}
    charge_to: {pool: orion}
  - id: untagged
    name: AWS without a business unit
    when: {ProviderName: AWS, tags.business_unit: {exists: false}, not: {ServiceCategory: Storage}}
    charge_to: {pool: untagged}
aliases:
  units: {PeoriaData: peoria, TempeAI: tempe, ViennaAI: vienna}
pools:
  - {id: orion, name: Orion, share: proportional to direct cost}
  - {id: untagged, name: AWS without a tag, share: {fixed: {orion: 50%, platform: 1/6, peoria: 1/3}}}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("sunbird")
    for name, text in (("apportion", SETTINGS), ("organization", ORGANIZATION), ("policy", POLICY)):
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
    made = Workspace.create(root)
    ingest(made, [SAMPLE], source="sample")
    return made


@pytest.fixture(scope="module")
def month(workspace: Workspace) -> Month:
    return close(workspace, PERIOD)


def test_both_costs_arrive_to_the_last_digit(workspace: Workspace) -> None:
    totals = [total for period in workspace.periods() for total in workspace.totals(period)]
    assert plain(sum(total.billed_units for total in totals)) == "20.52022672899"
    assert plain(sum(total.effective_units for total in totals)) == "14.97651418586"
    assert sum(total.rows for total in totals) == 1000


def test_one_row_was_billed_in_october_and_stays_out(workspace: Workspace, month: Month) -> None:
    assert [str(period) for period in workspace.periods()] == ["2024-09", "2024-10"]
    assert sum(cell.rows for cell in month.run.allocation.cells) == 999


def test_the_month_ties_out_and_is_sealed(workspace: Workspace, month: Month) -> None:
    assert month.tie_out.holds
    assert workspace.sealed(PERIOD) is not None
    kinds = {line.holder.holder for line in month.run.allocation.lines}
    assert kinds == {Holder.COST_GROUP, Holder.KEPT_CENTRAL, Holder.UNALLOCATED}


def test_the_lines_add_up_to_an_independent_sum_of_the_file(month: Month) -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["BillingPeriodStart"] == "2024-09-01 00:00:00"]
    for issuer in {row["InvoiceIssuerName"] for row in rows}:
        billed = sum(Decimal(row["BilledCost"]) for row in rows if row["InvoiceIssuerName"] == issuer)
        lines = [line for line in month.run.allocation.lines if line.scope.invoice_issuer == issuer]
        assert sum(line.units for line in lines) == units(f"{billed:f}")


def test_every_line_of_every_statement_can_be_explained(workspace: Workspace, month: Month) -> None:
    for statement in month.statements:
        for line in statement.lines[:3]:
            explained = explain(workspace, f"{statement.number}:{line.number}", most=2)
            assert explained.line == line
            assert explained.sources


def test_a_sealed_month_is_replayed_to_the_same_digits(workspace: Workspace, month: Month) -> None:
    (workspace.root / "policy.yaml").write_text("this is no longer a policy", encoding="utf-8")
    assert close(workspace, PERIOD).run.digest == month.run.digest
