"""Usage delivered: every form of file, exact values, bad rows, and all of it or nothing."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from apportion.errors import (
    ApportionError,
    BadValueError,
    DuplicateDeliveryError,
    EmptyFileError,
    InputRefusedError,
    SealedPeriodError,
    ShrinkingDeliveryError,
    UnreadableFileError,
    WorkspaceBusyError,
)
from apportion.ingest.load import ingest
from apportion.ingest.usage import Receipt, load
from apportion.money.amount import plain
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace
from tests.rooms.cli.harbour import focus_csv

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


OCTOBER, NOVEMBER = BillingPeriod(2026, 10), BillingPeriod(2026, 11)
TEXT = """\
Period,METRIC,consumer,Value,Model
2026-10,tokens,web,1.5,small
2026-10-03,tokens,web,0.25,small
2026-10-31T23:30:00-02:00,tokens,web,1000,small
2026-10-31T22:30:00Z,tokens,shop,1E-18,
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "close")
    (tmp_path / "close" / "apportion.yaml").write_text("company: Harbour Foods\n", encoding="utf-8")
    return made


def held(workspace: Workspace, period: BillingPeriod = OCTOBER) -> list[tuple[str, str, dict[str, str], str]]:
    """What is current: metric, consumer, dimensions and value."""
    return [
        (row.metric, row.consumer, dict(row.dimensions), plain(row.value))
        for source, file in sorted(workspace.usage(period).items())
        if file.path is not None
        for row in stored.read(file.path, source)
    ]


OCTOBER_HELD = [("tokens", "shop", {}, "0.000000000000000001"), ("tokens", "web", {"model": "small"}, "1.75")]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def parquet(path: Path, columns: str, rows: str) -> Path:
    """A Parquet file of typed columns."""
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM (VALUES {rows}) AS t) TO {engine.literal(str(path))} (FORMAT parquet)"
        ).fetchall()
    return path


def as_plain(directory: Path) -> Path:
    return write(directory / "u.csv", TEXT)


def as_semicolons(directory: Path) -> Path:
    return write(directory / "u.csv", "\ufeff" + TEXT.replace(",", ";"))


def as_gzip(directory: Path) -> Path:
    path = directory / "u.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    return path


def as_zstd(directory: Path) -> Path:
    source, path = write(directory / "source.txt", TEXT), directory / "u.csv.zst"
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv({engine.literal(str(source))}, all_varchar = true)) "
            f"TO {engine.literal(str(path))} (FORMAT csv, COMPRESSION zstd)"
        ).fetchall()
    return path


def as_parquet(directory: Path) -> Path:
    rows = (
        "('2026-10-01', 'tokens', 'web', 1.5, 'small'), ('2026-10-03', 'tokens', 'web', 0.25, 'small'), "
        "('2026-10-31', 'tokens', 'shop', 1e-18, NULL), ('2026-11-01', 'tokens', 'web', 1000, 'small')"
    )
    columns = "col0::DATE AS period, col1 AS Metric, col2 AS consumer, col3::DOUBLE AS value, col4 AS model"
    return parquet(directory / "u.parquet", columns, rows)


@pytest.mark.parametrize("form", [as_plain, as_semicolons, as_gzip, as_zstd, as_parquet])
def test_every_form_of_file_holds_the_same_usage(
    workspace: Workspace, tmp_path: Path, form: Callable[[Path], Path]
) -> None:
    receipt = load(workspace, [form(tmp_path)], source="ai")
    assert (receipt.status, receipt.rows_delivered, receipt.rows_loaded, receipt.rows_aside) == ("loaded", 4, 4, 0)
    assert held(workspace) == OCTOBER_HELD
    assert held(workspace, NOVEMBER) == [("tokens", "web", {"model": "small"}, "1000")]
    totals = receipt.delivery.usage[OCTOBER].totals
    assert [(total.metric, total.rows, plain(total.value_units)) for total in totals] == [
        ("tokens", 3, "1.750000000000000001")
    ]


def test_the_same_usage_is_the_same_bytes_however_it_comes(workspace: Workspace, tmp_path: Path) -> None:
    one = load(workspace, [as_plain(tmp_path)], source="a").delivery.usage[OCTOBER].sha256
    receipt = load(workspace, [as_parquet(tmp_path)], source="a")
    assert (receipt.status, receipt.delivery.usage[OCTOBER].sha256) == ("loaded", one)
    assert stored.digest({"a": "1", "b": "2"}) == stored.digest({"b": "2", "a": "1"})
    assert stored.digest({}) == ""


def test_values_are_exact(workspace: Workspace, tmp_path: Path) -> None:
    rows = "".join(f"2026-10,n,web,{value}\n" for value in ["0.1"] * 10 + ["12345678901234567890.000000000000000001"])
    load(workspace, [write(tmp_path / "u.csv", f"period,metric,consumer,value\n{rows}")])
    assert held(workspace) == [("n", "web", {}, "12345678901234567891.000000000000000001")]
    doubles = parquet(
        tmp_path / "d.parquet",
        "'2026-10' AS period, 'd' AS metric, 'web' AS consumer, col0::DOUBLE AS value",
        "(0.1), (0.2), (1e-7)",
    )
    load(workspace, [doubles])
    assert ("d", "web", {}, "0.3000001") in held(workspace)


def test_delivering_twice_changes_nothing_and_a_later_one_replaces_its_months(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = load(workspace, [as_plain(tmp_path)], source="ai")
    assert load(workspace, [as_plain(tmp_path)], source="ai").status == "unchanged"
    assert len(workspace.deliveries()) == 1
    second = write(tmp_path / "v.csv", "period,metric,consumer,value\n2026-10,tokens,web,7\n2026-10,tokens,shop,8\n")
    receipt = load(workspace, [second], source="ai")
    assert receipt.replaced == (first.delivery.id,)
    assert held(workspace) == [("tokens", "shop", {}, "8"), ("tokens", "web", {}, "7")]
    assert held(workspace, NOVEMBER), "a month that the later delivery does not hold stays"
    third = write(tmp_path / "w.csv", "period,metric,consumer,value\n2026-10,seats,web,1\n2026-11,seats,web,1\n")
    assert load(workspace, [third], source="ai").replaced == tuple(sorted([first.delivery.id, receipt.delivery.id]))
    assert load(workspace, [as_plain(tmp_path)], source="ai").status == "loaded", "the first may come again"
    assert held(workspace) == OCTOBER_HELD


def test_sources_stand_beside_each_other_and_the_same_usage_counts_once(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, [as_plain(tmp_path)], source="ai")
    for again in (as_plain, as_parquet):
        with pytest.raises(DuplicateDeliveryError, match="same usage is already loaded for 2026-10"):
            load(workspace, [again(tmp_path)], source="other")
    wide = write(tmp_path / "wide.csv", "period,consumer,heads,seats\n2026-10,web,3,4\n")
    for metric in ("heads", "seats"):
        load(workspace, [wide], source=metric, assume={"metric": metric, "value": f"={metric}"})
    assert [value for *_, value in held(workspace)][2:] == ["3", "4"]


def test_a_month_of_usage_alone_is_no_month_of_charges(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, [as_plain(tmp_path)], source="ai")
    assert workspace.periods() == ()
    assert workspace.totals(OCTOBER) == ()
    assert workspace.quarantined(OCTOBER) == ()


def test_a_month_that_shrinks_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, [as_plain(tmp_path)], source="ai")
    less = write(tmp_path / "v.csv", "period,metric,consumer,value\n2026-10,tokens,web,7\n")
    with pytest.raises(ShrinkingDeliveryError):
        load(workspace, [less], source="ai")
    assert held(workspace) == OCTOBER_HELD
    assert load(workspace, [less], source="ai", allow_shrink=True).status == "loaded"


def test_a_sealed_month_keeps_its_usage(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, [as_plain(tmp_path)], source="ai")
    workspace.seal(OCTOBER, {})
    more = write(tmp_path / "v.csv", "period,metric,consumer,value\n2026-10,tokens,web,7\n2026-10,tokens,shop,8\n")
    for source in ("ai", "new"):
        with pytest.raises(SealedPeriodError, match="rows of usage") as refused:
            load(workspace, [more], source=source)
        assert "2026-11" in refused.value.advice
    assert held(workspace) == OCTOBER_HELD
    assert load(workspace, [as_plain(tmp_path)], source="ai").status == "unchanged"


# Bad rows.

BAD = """\
period,metric,consumer,value
2026-10,tokens,web,1
2026-10,tokens,,2
2026-10,tokens,web,1e400
2026-13,tokens,web,4
2026-10,,web,5
2026-10,tokens,web,
2026-10,tokens,web,"1,5"
2026-10,tokens,web,8
"""


def test_bad_rows_are_refused_with_row_and_column(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", BAD)
    with pytest.raises(BadValueError, match="5 more rows cannot be used") as refused:
        load(workspace, [path])
    assert str(refused.value.place) == "bad.csv, row 2, consumer"
    assert "--quarantine" in refused.value.advice
    assert workspace.deliveries() == ()


def test_bad_rows_are_kept_aside_counted_and_shown(workspace: Workspace, tmp_path: Path) -> None:
    receipt = load(workspace, [write(tmp_path / "bad.csv", BAD)], source="s", quarantine=True)
    assert (receipt.rows_delivered, receipt.rows_loaded, receipt.rows_aside) == (8, 2, 6)
    assert held(workspace) == [("tokens", "web", {}, "9")]
    found = {
        (finding.code, finding.column): [(each.row, each.value) for each in finding.examples]
        for _, finding in workspace.findings()
    }
    assert found == {
        ("USAGE_PERIOD_UNREADABLE", "period"): [(4, "2026-13")],
        ("USAGE_VALUE_MISSING", "value"): [(6, "")],
        ("USAGE_NUMBER_UNREADABLE", "value"): [(3, "1e400"), (7, "1,5")],
        ("USAGE_VALUE_MISSING", "metric"): [(5, "")],
        ("USAGE_VALUE_MISSING", "consumer"): [(2, "")],
    }
    directory = workspace.root / ".apportion" / "deliveries" / "s" / receipt.delivery.id
    with (directory / "aside.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["code"]) for row in rows] == [
        ("2", "USAGE_VALUE_MISSING"),
        ("3", "USAGE_NUMBER_UNREADABLE"),
        ("4", "USAGE_PERIOD_UNREADABLE"),
        ("5", "USAGE_VALUE_MISSING"),
        ("6", "USAGE_VALUE_MISSING"),
        ("7", "USAGE_NUMBER_UNREADABLE"),
    ]
    assert load(workspace, [tmp_path / "bad.csv"], source="s").status == "unchanged"


def test_ragged_rows_are_bad_rows(workspace: Workspace, tmp_path: Path) -> None:
    path = write(
        tmp_path / "u.csv", "period,metric,consumer,value\n2026-10,t,web,1\n2026-10,t,web\n2026-10,t,web,2,3,4\n"
    )
    with pytest.raises(BadValueError) as refused:
        load(workspace, [path])
    assert refused.value.place is not None
    assert refused.value.place.row == 2
    receipt = load(workspace, [path], quarantine=True)
    assert (receipt.rows_loaded, receipt.rows_aside) == (1, 2)


def test_negative_values_are_corrections_and_count(workspace: Workspace, tmp_path: Path) -> None:
    load(workspace, [write(tmp_path / "u.csv", "period,metric,consumer,value\n2026-10,t,web,5\n2026-10,t,web,-7.5\n")])
    assert held(workspace) == [("t", "web", {}, "-2.5")]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", UnreadableFileError, "no Parquet or CSV"),
        ("period,metric,consumer,value\n", EmptyFileError, "no row of usage"),
        ("period,metric,value\n2026-10,t,1\n", InputRefusedError, "Without this column there is no usage: consumer"),
        ("a,b\n1,2\n", InputRefusedError, "not the columns of usage"),
        ("period,metric,consumer,value,Env,env\n2026-10,t,w,1,a,b\n", InputRefusedError, "Several columns are called"),
        ("period,metric,consumer,value\n2026-10,t,,1\n", BadValueError, "Nothing stands"),
        ("period,metric,consumer,value\n2026-10,t,w,\x00\n", UnreadableFileError, "neither Parquet nor text"),
        ("[1, 2]", UnreadableFileError, "no allocations of OpenCost"),
        ('{"data": [', UnreadableFileError, "JSON cannot be read"),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    workspace: Workspace, tmp_path: Path, text: str, kind: type[ApportionError], said: str
) -> None:
    directory = tmp_path / "delivered"
    directory.mkdir()
    path = directory if not text else write(directory / "u.csv", text)
    with pytest.raises(kind, match=said):
        load(workspace, [path], source="s", quarantine=True)
    assert workspace.deliveries() == ()
    assert list((workspace.root / ".apportion" / "staging").iterdir()) == []


def test_a_sum_that_no_decimal_holds_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    rows = "2026-10,t,w,99999999999999999999\n" * 3
    with pytest.raises(BadValueError, match="add up to"):
        load(workspace, [write(tmp_path / "u.csv", f"period,metric,consumer,value\n{rows}")])


# What the files leave out.


def test_columns_are_assumed_taken_from_others_or_from_folders(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "period=2026-10"
    folder.mkdir()
    write(folder / "heads.csv", "Team,Heads,site\nweb,3,north\n")
    given = {"metric": "headcount", "consumer": "=team", "value": "=HEADS"}
    load(workspace, [folder], source="hr", assume=given)
    assert held(workspace) == [("headcount", "web", {"site": "north"}, "3")]
    seats = write(tmp_path / "seats.csv", "user,team\nann,web\nbob,web\ncat,shop\n")
    given = {"metric": "seats", "period": "2026-10", "consumer": "=team", "value": "1"}
    load(workspace, [seats], source="seats", assume=given)
    assert [row for row in held(workspace) if row[0] == "seats"] == [
        ("seats", "shop", {"user": "cat"}, "1"),
        ("seats", "web", {"user": "ann"}, "1"),
        ("seats", "web", {"user": "bob"}, "1"),
    ]
    with pytest.raises(BadValueError, match="not a billing period"):
        load(workspace, [seats], source="x", assume={**given, "period": "October"})
    with pytest.raises(InputRefusedError, match="no such column"):
        load(workspace, [seats], source="x", assume={**given, "consumer": "=Squad"})


def test_settings_of_a_source_hold_for_usage(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / "apportion.yaml").write_text(
        "company: X\nsources:\n  hr: {assume: {metric: heads}, nulls: [unknown], quarantine: true}\n", encoding="utf-8"
    )
    again = Workspace.open(workspace.root)
    path = write(tmp_path / "u.csv", "period,consumer,value\n2026-10,web,2\n2026-10,unknown,3\n")
    receipt = load(again, [path], source="hr")
    assert (receipt.rows_loaded, receipt.rows_aside) == (1, 1)
    assert held(again) == [("heads", "web", {}, "2")]


def test_one_file_may_be_charges_and_usage(workspace: Workspace, tmp_path: Path) -> None:
    text = focus_csv([{"BilledCost": "10"}]).splitlines()
    split = f"{text[0]},AllocatedMethodId,AllocatedResourceId\n{text[1]},even,pod-1\n"
    path = write(tmp_path / "focus.csv", split)
    ingest(workspace, [path], source="aws")
    load(workspace, [path], source="aws")
    assert workspace.totals(OCTOBER)[0].rows == 1
    assert [(metric, consumer, value) for metric, consumer, _, value in held(workspace)] == [
        ("cluster.split.cost", "pod-1", "10")
    ]
    assert ingest(workspace, [path], source="aws").status == "unchanged"


def test_a_workspace_in_use_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace.open(workspace.root)
    with other.lock("test"), pytest.raises(WorkspaceBusyError):
        load(workspace, [as_plain(tmp_path)])
    assert workspace.deliveries() == ()


def test_a_delivery_that_breaks_off_leaves_the_former_one(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(workspace, [as_plain(tmp_path)], source="ai")
    more = write(tmp_path / "v.csv", "period,metric,consumer,value\n2026-10,tokens,web,7\n2026-10,tokens,shop,8\n")

    def broken(*_: object) -> str:
        raise KeyboardInterrupt

    for place in (
        "apportion.warehouse.usage.write",
        "apportion.warehouse.disk.move",
        "apportion.warehouse.disk.harden",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, broken)
            with pytest.raises(KeyboardInterrupt):
                load(workspace, [more], source="ai")
        assert held(workspace) == OCTOBER_HELD
        assert list((workspace.root / ".apportion" / "staging").iterdir()) == []
    assert isinstance(load(workspace, [more], source="ai"), Receipt)
