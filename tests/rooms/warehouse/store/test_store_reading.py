"""What current deliveries say of a period: the same whatever the order they came in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apportion.errors import NotFoundError
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, Mode
from apportion.warehouse.serialize import from_text, to_text
from apportion.warehouse.snapshot import DeliveredInvoice
from apportion.warehouse.store import Committed, Workspace

Bring = Callable[..., Committed]
SEPTEMBER, OCTOBER = BillingPeriod(2026, 9), BillingPeriod(2026, 10)


def test_a_snapshot_does_not_depend_on_the_order_of_arrival(tmp_path: Path, parcel: Any) -> None:
    parcels = [
        parcel(contents=("z",), source="azure"),
        parcel(contents=("a", "b"), mode=Mode.APPEND),
        parcel(contents=("c",), mode=Mode.APPEND),
    ]
    found = []
    for number, order in enumerate(itertools.permutations(parcels)):
        workspace = Workspace.create(tmp_path / str(number))
        for hour, one in enumerate(order):
            with workspace.staging() as staged:
                sent = replace(one, received_at=f"2026-11-02T{hour:02}:00:00Z")
                workspace.commit_delivery(staged, sent.pack(staged))
        snapshot = workspace.snapshot(OCTOBER)
        found.append((snapshot.digest, [file.path.relative_to(workspace.root) for file in snapshot.files]))
    assert len(found[0][1]) == 4
    assert all(one == found[0] for one in found)


def test_a_delivery_of_two_months_is_mixed_and_each_month_has_its_digest(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    bring(parcel(contents=("azure",), source="azure"))
    bring(parcel(contents=("both",), rows={"2026-09": 10, "2026-10": 10}))
    assert [(file.name, file.mixed) for file in workspace.snapshot(OCTOBER).files] == [
        ("both.csv", True),
        ("azure.csv", False),
    ]
    only = Workspace.open(workspace.root).snapshot(SEPTEMBER)
    bring(parcel(contents=("azure",), source="azure2", rows={"2026-08": 1}))
    assert workspace.snapshot(SEPTEMBER) == only
    bring(parcel(contents=("october",), rows={"2026-10": 9}))
    assert [file.name for file in workspace.snapshot(SEPTEMBER).files] == ["both.csv"]
    assert [file.name for file in workspace.snapshot(OCTOBER).files] == ["october.csv", "azure.csv"]


def test_the_digest_follows_the_charges(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    digests = [workspace.snapshot(OCTOBER).digest]
    for one in (parcel(contents=("a",)), parcel(contents=("b",)), parcel(contents=("z",), source="azure")):
        bring(one)
        digests.append(workspace.snapshot(OCTOBER).digest)
    assert len(set(digests)) == 4
    both = parcel(contents=("both",), source="gcp", rows={"2026-11": 5, "2026-12": 5})
    bring(both)
    november, december = (workspace.snapshot(BillingPeriod(2026, month)) for month in (11, 12))
    assert november.files == december.files
    assert november.digest != december.digest


def test_totals_are_exact_and_issuers_have_one_name(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    days = [
        parcel(contents=("day1",), mode=Mode.APPEND, rows={"2026-10": 3}, issuer="AWS"),
        parcel(contents=("day2",), mode=Mode.APPEND, rows={"2026-10": 4}, issuer="Amazon Web Services"),
        parcel(contents=("other",), source="azure", rows={"2026-10": 5}, issuer="Microsoft"),
    ]
    for day in days:
        bring(day)
    merged, other = Workspace.open(workspace.root).totals(OCTOBER)
    assert (merged.source, merged.invoice_issuer, merged.rows) == ("aws", "Amazon", 7)
    assert merged.billed_units == 7 * 123_456_789_012_345_678_901_234_567
    assert (merged.effective_units, merged.list_units, merged.contracted_units) == (-7, None, 10)
    assert (other.source, other.invoice_issuer, other.rows) == ("azure", "Microsoft", 5)
    assert workspace.totals(SEPTEMBER) == ()


def test_provider_invoices_add_up_within_a_source_and_the_last_status_counts(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    first = DeliveredInvoice("aws", "AWS", "INV-1", "USD", 10**20, "Open", 5)
    for hour, invoices in enumerate(
        [(first,), (replace(first, invoice_issuer="Amazon", status="Issued"), replace(first, invoice_id="INV-0"))]
    ):
        bring(
            parcel(
                contents=(f"detail{hour}",),
                dataset=Dataset.INVOICE_DETAIL,
                mode=Mode.APPEND,
                rows={},
                invoices={"2026-10": invoices},
                received_at=f"2026-11-02T0{hour}:00:00Z",
            )
        )
    assert workspace.provider_invoices(OCTOBER) == (
        DeliveredInvoice("aws", "Amazon", "INV-0", "USD", 10**20, "Open", 5),
        DeliveredInvoice("aws", "Amazon", "INV-1", "USD", 2 * 10**20, "Issued", 10),
    )
    assert workspace.periods() == (OCTOBER,)
    assert workspace.snapshot(OCTOBER).files == ()


def test_findings_are_those_of_current_deliveries(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    old, new = parcel(contents=("old",)), parcel(contents=("new",))
    september, azure = parcel(contents=("s",), rows={"2026-09": 1}), parcel(contents=("z",), source="azure")
    for one in (old, new, september, azure):
        bring(one)

    def ids(*, period: BillingPeriod | None = None, source: str | None = None) -> set[str]:
        return {delivery.id for delivery, _ in workspace.findings(period, source)}

    assert ids() == {new.id, september.id, azure.id}
    assert ids(period=OCTOBER) == {new.id, azure.id}
    assert ids(source="aws") == {new.id, september.id}
    assert ids(period=OCTOBER, source="aws") == {new.id}
    assert {finding.code for _, finding in workspace.findings()} == {"NULL_SPELLING"}


def test_deliveries_come_in_order_of_arrival(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    parcels = [
        parcel(contents=(name,), mode=Mode.APPEND, received_at=f"2026-11-{day:02}T00:00:00Z")
        for day, name in enumerate("abcdef", start=2)
    ]
    assert [one.id for one in parcels] != sorted(one.id for one in parcels)
    for one in reversed(parcels):
        bring(one)
    assert [one.id for one in workspace.deliveries()] == [one.id for one in parcels]
    assert [one.id for one in workspace.deliveries(OCTOBER)] == [one.id for one in parcels]
    assert workspace.deliveries(SEPTEMBER) == ()


def test_an_unknown_delivery_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        workspace.delivery("deadbeef")


def test_a_workspace_may_be_moved(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel())
    moved = workspace.root.with_name("moved")
    workspace.root.rename(moved)
    (file,) = Workspace.open(moved).snapshot(OCTOBER).files
    assert file.path.is_relative_to(moved)
    assert file.path.read_text(encoding="utf-8") == "october"


def test_a_record_survives_as_text(parcel: Any, tmp_path: Path) -> None:
    invoice = DeliveredInvoice("aws", "AWS", "INV-1", "USD", -(10**30), "Issued", 0)
    sent = parcel(contents=("ä b", "c", "d"), quarantined={"2026-09": 2}, invoices={"2026-10": (invoice,)})
    delivery = replace(sent.pack(tmp_path), statuses={OCTOBER: (("AWS", "Open"), ("Ünïcode", "Closed"))})
    first, second, third = delivery.charges
    first = replace(first, quarantine=Path("q/1.parquet"), mixed=True)
    delivery = replace(delivery, charges=(first, replace(second, columns=second.columns[1:]), third))
    assert from_text(to_text(delivery)) == delivery
    assert f'"{-(10**30)}"' in to_text(delivery), "amounts stand as text"


@pytest.mark.parametrize("text", ["{}", "[]", '{"id": 1}', "not json"])
def test_a_damaged_record_does_not_become_a_delivery(text: str) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        from_text(text)
