"""Deliveries become current whole or not at all, and the guards refuse what would lose or double cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apportion.errors import (
    DuplicateDeliveryError,
    InputRefusedError,
    NotFoundError,
    SealedPeriodError,
    ShrinkingDeliveryError,
)
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, Mode
from apportion.warehouse.store import Committed, Workspace

Bring = Callable[..., Committed]
SEPTEMBER, OCTOBER, NOVEMBER = (BillingPeriod(2026, month) for month in (9, 10, 11))


def state(workspace: Workspace) -> dict[str, list[str]]:
    """Ids of what is current, by period."""
    return {str(period): [one.id for one in workspace.current(period)] for period in workspace.periods()}


def test_a_delivery_comes_back_equal_with_absolute_paths(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    sent = parcel(contents=("a", "b"), rows={"2026-10": 3, "2026-11": 4}, quarantined={"2026-10": 1})
    assert bring(sent) is Committed.LOADED
    home = workspace.root / ".apportion" / "deliveries" / "aws" / sent.id
    again = Workspace.open(workspace.root).delivery(sent.id)
    assert [file.path for file in again.charges] == [home / "charges" / "a.parquet", home / "charges" / "b.parquet"]
    scratch = workspace.root / "scratch"
    scratch.mkdir()
    packed = sent.pack(scratch)
    assert replace(again, charges=()) == replace(packed, charges=())
    assert [replace(file, path=file.path.relative_to(home)) for file in again.charges] == list(packed.charges)


def test_committed_files_are_read_only_and_staging_is_empty(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel())
    files = [path for path in (workspace.root / ".apportion" / "deliveries").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["october.parquet"]
    assert files[0].stat().st_mode & 0o222 == 0
    assert list((workspace.root / ".apportion" / "staging").iterdir()) == []


def test_overwrite_replaces_the_month_and_keeps_the_former_one(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    first, second = parcel(contents=("early",)), parcel(contents=("final",))
    bring(first)
    bring(second)
    assert state(workspace) == {"2026-10": [second.id]}
    assert {one.id for one in workspace.deliveries(OCTOBER)} == {first.id, second.id}
    assert all(file.path.is_file() for one in workspace.deliveries() for file in one.charges)


def test_overwrite_of_one_month_leaves_the_other_months_of_a_delivery(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    both = parcel(contents=("both",), rows={"2026-09": 10, "2026-10": 10})
    october = parcel(contents=("october",), rows={"2026-10": 12})
    bring(both)
    bring(october)
    assert state(workspace) == {"2026-09": [both.id], "2026-10": [october.id]}


def test_overwrite_touches_neither_other_sources_nor_other_datasets(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    others = [
        parcel(contents=("azure",), source="azure"),
        parcel(
            contents=("statuses",), dataset=Dataset.BILLING_PERIOD, rows={}, statuses={"2026-10": (("AWS", "Open"),)}
        ),
    ]
    for one in (*others, parcel(contents=("early",)), parcel(contents=("final",))):
        bring(one)
    assert {one.id for one in others} < {one.id for one in workspace.current(OCTOBER)}
    assert len(workspace.current(OCTOBER)) == 3


def test_append_adds_and_a_later_overwrite_replaces_all_of_it(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    days = [parcel(contents=(f"day{day}",), mode=Mode.APPEND) for day in range(3)]
    for day in days:
        assert bring(day) is Committed.LOADED
    assert state(workspace) == {"2026-10": sorted(day.id for day in days)}
    month = parcel(contents=("month",), rows={"2026-10": 300})
    bring(month)
    assert state(workspace) == {"2026-10": [month.id]}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_same_delivery_twice_changes_nothing(workspace: Workspace, bring: Bring, parcel: Any, mode: Mode) -> None:
    sent = parcel(mode=mode)
    bring(sent)
    before = (state(workspace), workspace.snapshot(OCTOBER), workspace.totals(OCTOBER))
    assert bring(sent) is Committed.UNCHANGED
    assert bring(replace(sent, received_at="2027-01-01T00:00:00Z")) is Committed.UNCHANGED
    assert (state(workspace), workspace.snapshot(OCTOBER), workspace.totals(OCTOBER)) == before


def test_a_former_delivery_sent_again_is_current_again(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    first, second = parcel(contents=("first",)), parcel(contents=("second",))
    for sent in (first, second, first):
        assert bring(sent) is Committed.LOADED
    assert state(workspace) == {"2026-10": [first.id]}
    assert all(file.path.is_file() for file in workspace.snapshot(OCTOBER).files)


def test_an_appended_delivery_sent_again_to_overwrite_is_the_only_one(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    first, second = (parcel(contents=(name,), mode=Mode.APPEND) for name in ("first", "second"))
    bring(first)
    bring(second)
    assert bring(replace(first, mode=Mode.OVERWRITE)) is Committed.LOADED
    assert state(workspace) == {"2026-10": [first.id]}


def test_a_delivery_of_no_billing_period_is_current_by_itself(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    first = parcel(contents=("contracts",), dataset=Dataset.CONTRACT_COMMITMENT, rows={})
    second = replace(first, contents=("contracts2",))
    assert [bring(first), bring(first), bring(second)] == [Committed.LOADED, Committed.UNCHANGED, Committed.LOADED]
    assert [one.id for one in workspace.current(None)] == [second.id]
    assert workspace.periods() == ()


# Guards.


def test_a_stray_row_of_another_month_does_not_wipe_that_month(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    september = parcel(contents=("september",), rows={"2026-09": 1000})
    stray = parcel(contents=("october",), rows={"2026-09": 1, "2026-10": 900})
    bring(september)
    with pytest.raises(ShrinkingDeliveryError) as caught:
        bring(stray)
    assert "1,000 rows for 2026-09" in caught.value.sentence
    assert "--allow-shrink" in caught.value.advice
    assert state(workspace) == {"2026-09": [september.id]}
    with pytest.raises(NotFoundError):
        workspace.delivery(stray.id)
    bring(stray, allow_shrink=True)
    assert state(workspace) == {"2026-09": [stray.id], "2026-10": [stray.id]}


@pytest.mark.parametrize(("rows", "refused"), [(50, False), (49, True)])
def test_half_a_month_is_the_limit(bring: Bring, parcel: Any, rows: int, refused: bool) -> None:
    bring(parcel(contents=("whole",), rows={"2026-10": 100}))
    smaller = parcel(contents=("smaller",), rows={"2026-10": rows})
    if refused:
        with pytest.raises(ShrinkingDeliveryError):
            bring(smaller)
    else:
        assert bring(smaller) is Committed.LOADED


def test_a_month_appended_in_parts_counts_as_the_sum_of_them(bring: Bring, parcel: Any) -> None:
    for day in range(3):
        bring(parcel(contents=(f"day{day}",), mode=Mode.APPEND))
    with pytest.raises(ShrinkingDeliveryError, match="300 rows"):
        bring(parcel(contents=("month",), rows={"2026-10": 149}))


def test_a_month_of_which_every_row_is_kept_aside_is_joined_not_wiped(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    september = parcel(contents=("september",), rows={"2026-09": 10})
    october = parcel(contents=("october",), rows={"2026-10": 10}, quarantined={"2026-09": 1, "2026-10": 2})
    bring(september)
    bring(october)
    assert [file.delivery_id for file in workspace.snapshot(SEPTEMBER).files] == [september.id]
    assert [(one.id, rows.rows) for one, rows in workspace.quarantined(SEPTEMBER)] == [(october.id, 1)]
    assert [(one.id, rows.rows) for one, rows in workspace.quarantined(OCTOBER)] == [(october.id, 2)]
    # The next delivery of October says what there is: the row kept aside of September goes with the old one.
    bring(parcel(contents=("october2",), rows={"2026-10": 12}))
    assert workspace.quarantined(SEPTEMBER) == ()
    assert state(workspace)["2026-09"] == [september.id]


def test_a_file_that_another_source_has_is_refused(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel(contents=("shared", "own"), source="aws"))
    with pytest.raises(DuplicateDeliveryError) as caught:
        bring(parcel(contents=("shared", "more"), source="aws-copy"))
    assert "shared.csv" in caught.value.sentence
    assert "'aws'" in caught.value.sentence
    assert state(workspace)["2026-10"] == [parcel(contents=("shared", "own")).id]


def test_a_file_appended_again_within_another_delivery_is_refused(bring: Bring, parcel: Any) -> None:
    bring(parcel(contents=("day1",), mode=Mode.APPEND))
    with pytest.raises(DuplicateDeliveryError):
        bring(parcel(contents=("day1", "day2"), mode=Mode.APPEND))


def test_a_file_may_come_again_when_it_does_not_count_twice(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel(contents=("part1", "empty")))
    whole = parcel(contents=("part1", "part2", "empty"))
    assert bring(whole) is Committed.LOADED, "overwrite replaces the delivery that had the file"
    assert bring(parcel(contents=("azure", "empty"), source="azure")) is Committed.LOADED, "an empty file is no cost"
    bring(parcel(contents=("other",)))
    assert bring(replace(whole, source="elsewhere")) is Committed.LOADED, "the first source has it no longer"
    assert len(workspace.current(OCTOBER)) == 3


def test_a_file_of_one_month_may_come_again_after_a_delivery_of_two(bring: Bring, parcel: Any) -> None:
    bring(parcel(contents=("september", "october"), rows={"2026-09": 10, "2026-10": 10}))
    assert bring(parcel(contents=("october", "late"), rows={"2026-10": 12})) is Committed.LOADED


def test_a_sealed_period_refuses_and_says_where_charges_go(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    sealed = parcel(contents=("october",))
    bring(sealed)
    workspace.seal(OCTOBER, {"snapshot": workspace.snapshot(OCTOBER).digest})
    workspace.seal(NOVEMBER, {})
    assert bring(sealed) is Committed.UNCHANGED
    for late in (
        parcel(contents=("late",)),
        parcel(contents=("late",), mode=Mode.APPEND),
        parcel(contents=("both",), rows={"2026-10": 100, "2026-12": 5}),
        parcel(contents=("azure",), source="azure"),
    ):
        with pytest.raises(SealedPeriodError) as caught:
            bring(late)
        assert "2026-10 is sealed" in caught.value.sentence
        assert "2026-12" in caught.value.advice
    assert state(workspace) == {"2026-10": [sealed.id]}
    assert list((workspace.root / ".apportion" / "deliveries").glob("*/*")) == [
        workspace.root / ".apportion" / "deliveries" / "aws" / sealed.id
    ]


def test_a_sealed_period_is_not_overwritten_by_a_part_of_it(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    first, second = (parcel(contents=(name,), mode=Mode.APPEND) for name in ("first", "second"))
    bring(first)
    bring(second)
    workspace.seal(OCTOBER, {})
    with pytest.raises(SealedPeriodError):
        bring(replace(first, mode=Mode.OVERWRITE))


def test_rows_kept_aside_of_a_sealed_period_stay_when_their_delivery_goes(
    workspace: Workspace, bring: Bring, parcel: Any
) -> None:
    october = parcel(contents=("october",), quarantined={"2026-09": 1})
    bring(october)
    workspace.seal(SEPTEMBER, {})
    assert bring(parcel(contents=("october2",))) is Committed.LOADED
    assert [(one.id, rows.rows) for one, rows in workspace.quarantined(SEPTEMBER)] == [(october.id, 1)]
    assert workspace.quarantined(OCTOBER) == ()


def test_statuses_of_a_sealed_period_stay_and_others_move(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    def statuses(october: str, november: str) -> Any:
        found = {"2026-10": (("AWS", october),), "2026-11": (("AWS", november),)}
        return parcel(contents=(october + november,), dataset=Dataset.BILLING_PERIOD, rows={}, statuses=found)

    bring(statuses("Closed", "Open"))
    workspace.seal(OCTOBER, {})
    bring(statuses("Open", "Closed"))
    assert workspace.billing_statuses(OCTOBER) == (("Amazon", "Closed"),)
    assert workspace.billing_statuses(NOVEMBER) == (("Amazon", "Closed"),)


def test_the_catalog_itself_keeps_what_is_sealed(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel())
    workspace.seal(OCTOBER, {"software": "0.1.0"})
    connection = sqlite3.connect(workspace.root / ".apportion" / "catalog.sqlite")
    try:
        for statement in (
            "UPDATE delivered_period SET is_current = 0",
            "DELETE FROM delivered_period",
            "UPDATE delivery SET document = '{}'",
            "UPDATE seal SET record = '{}'",
            "DELETE FROM seal",
            "INSERT INTO run VALUES ('2026-10', 'x')",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
    finally:
        connection.close()


# Records that do not fit.


@pytest.mark.parametrize("name", ["../aws", "", "a/b", ".hidden", "x" * 65])
def test_a_source_must_be_a_plain_name(workspace: Workspace, bring: Bring, parcel: Any, name: str) -> None:
    with pytest.raises(InputRefusedError):
        bring(parcel(source=name))
    assert workspace.deliveries() == ()


def test_a_record_that_promises_a_missing_file_is_refused(workspace: Workspace, parcel: Any) -> None:
    with workspace.lock("test"), workspace.staging() as staged:
        delivery = parcel().pack(staged)
        (staged / "charges" / "october.parquet").unlink()
        with pytest.raises(ValueError, match=r"october\.parquet"):
            workspace.commit_delivery(staged, delivery)
    assert workspace.deliveries() == ()


def test_a_link_is_refused(workspace: Workspace, parcel: Any, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("x", encoding="utf-8")
    with workspace.lock("test"), workspace.staging() as staged:
        delivery = parcel().pack(staged)
        (staged / "extra.csv").symlink_to(tmp_path / "outside.csv")
        with pytest.raises(ValueError, match="not links"):
            workspace.commit_delivery(staged, delivery)
    assert workspace.deliveries() == ()
    assert (tmp_path / "outside.csv").stat().st_mode & 0o200
