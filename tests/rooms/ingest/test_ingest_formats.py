"""Every format, spelling of header and type of column arrives as the same charges."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from apportion.errors import UnreadableFileError
from apportion.money.amount import ONE, units
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.record import Dataset, Delivery
from tests.rooms.ingest.making import (
    CHARGE,
    TYPED,
    Row,
    billed,
    charge,
    codes,
    csv_text,
    prepared,
    without,
    write_csv,
    write_parquet,
)

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


OCTOBER = BillingPeriod(2026, 10)
ROWS = [
    charge(BilledCost="10.5", EffectiveCost="10.5"),
    charge(BilledCost="1.81E-8", EffectiveCost="1.81E-8", ListCost="1.9E-8", ContractedCost="1.81E-8"),
    charge(BilledCost="-3", EffectiveCost="-3", ChargeCategory="Credit"),
]
SUM = units("7.5000000181")
QUIET = {"UNIT_PRICE_DIFFERS"}  # the second and third row keep the unit price of the first


def read(delivery: Delivery, column: str) -> list[object]:
    """What every later query reads of one column, over all files."""
    rows: list[object] = []
    with closing(engine.connect()) as connection:
        for file in delivery.charges:
            table = engine.files([file.path])
            shown = engine.text(file.column(column))
            rows += [row[0] for row in connection.execute(f"SELECT {shown} FROM {table}").fetchall()]
    return rows


def numbered(number: int, rows: Sequence[Row] = ROWS) -> list[dict[str, str]]:
    """The rows under an invoice of their own, so that no file holds what another holds."""
    return [{**row, "InvoiceId": f"INV-{number}"} for row in rows]


def by_invoice(delivery: Delivery) -> dict[str | None, int]:
    """BilledCost by provider invoice: one for each file made from `numbered` rows."""
    found: Counter[str | None] = Counter()
    for totals in delivery.totals.values():
        for total in totals:
            found[total.invoice_id] += total.billed_units
    return dict(found)


def test_csv_of_every_delimiter_compression_mark_and_line_end(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    forms = [(suffix, delimiter) for suffix in (".csv", ".csv.gz") for delimiter in ",;\t|"] + [(".csv.zst", ";")]
    for number, (suffix, delimiter) in enumerate(forms):
        write_csv(folder / f"{number}{suffix}", numbered(number), delimiter)
    ends = [(mark, line_end) for mark in ("", "\ufeff") for line_end in ("\n", "\r\n", "\r")]
    for number, (mark, line_end) in enumerate(ends, start=len(forms)):
        (folder / f"{number}.csv").write_bytes((mark + csv_text(numbered(number), line_end=line_end)).encode())
    delivery = prepared(folder, tmp_path / "staged")
    assert by_invoice(delivery) == {f"INV-{number}": SUM for number in range(len(forms) + len(ends))}
    assert {file.rows for file in delivery.files} == {3}
    assert delivery.dataset is Dataset.COST_AND_USAGE
    assert delivery.focus_version == "1.2"
    assert codes(delivery) <= QUIET
    assert list(delivery.totals) == [OCTOBER]


def test_mixed_line_ends_and_blank_lines(tmp_path: Path) -> None:
    lines = csv_text(ROWS).splitlines()
    path = tmp_path / "october.csv"
    path.write_bytes(f"{lines[0]}\r\n{lines[1]}\n\n{lines[2]}\r\n\r\n{lines[3]}\n\n".encode())
    delivery = prepared(path, tmp_path / "staged")
    assert (billed(delivery), delivery.files[0].rows) == (SUM, 3)


def test_the_compression_is_told_by_the_bytes_not_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "october.csv"
    path.write_bytes(gzip.compress(csv_text(ROWS).encode()))
    assert billed(prepared(path, tmp_path / "one")) == SUM
    other = write_parquet(tmp_path / "november.csv.gz", ROWS)
    assert billed(prepared(other, tmp_path / "two")) == SUM


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    lines = csv_text(ROWS).splitlines(keepends=True)
    path = tmp_path / "october.csv.gz"
    path.write_bytes(gzip.compress("".join(lines[:2]).encode()) + gzip.compress("".join(lines[2:]).encode()))
    assert billed(prepared(path, tmp_path / "staged")) == SUM


def test_quoted_fields_hold_anything(tmp_path: Path) -> None:
    texts = ['say "yes", twice', "two\nlines", "two\r\nlines", "'; DROP TABLE charges; --", "x" * 3_000_000, "ünïcödé"]
    rows = [charge(ChargeDescription=text) for text in texts]
    delivery = prepared(write_csv(tmp_path / "october.csv", rows), tmp_path / "staged")
    assert read(delivery, "ChargeDescription") == texts


def test_the_rows_keep_their_order_and_the_original_bytes_stay(tmp_path: Path) -> None:
    rows = [charge(ResourceId=f"server-{number}") for number in range(5000)]
    path = write_csv(tmp_path / "october.csv", rows)
    delivery = prepared(path, tmp_path / "staged")
    assert read(delivery, "ResourceId") == [f"server-{number}" for number in range(5000)]
    kept = list((tmp_path / "staged" / "files").iterdir())
    assert [file.read_bytes() for file in kept] == [path.read_bytes()]
    assert sorted(folder.name for folder in (tmp_path / "staged").iterdir()) == ["charges", "files"]


def test_parquet_stays_as_it_came(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "october.parquet", ROWS)
    delivery = prepared(path, tmp_path / "staged")
    assert billed(delivery) == SUM
    [file] = delivery.charges
    assert file.path.read_bytes() == path.read_bytes()
    assert {column.name: column.type for column in file.columns}["BilledCost"] == "DOUBLE"
    assert codes(delivery) <= QUIET


def test_costs_of_every_type(tmp_path: Path) -> None:
    kinds = ["DOUBLE", "DECIMAL(38,18)", "DECIMAL(20,10)", "DECIMAL(38,10)", "DECIMAL(38,28)", "VARCHAR"]
    whole = ["INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "SMALLINT", "FLOAT"]
    counts = [charge(BilledCost=text, EffectiveCost=text) for text in ("12", "30")]
    for number, kind in enumerate(kinds + whole):
        types = {**TYPED, "BilledCost": kind, "EffectiveCost": kind}
        rows = numbered(number, counts if kind in whole else ROWS)
        write_parquet(tmp_path / "export" / f"{number}.parquet", rows, types)
    found = by_invoice(prepared(tmp_path / "export", tmp_path / "staged"))
    expected = [SUM] * len(kinds) + [42 * ONE] * len(whole)
    assert found == {f"INV-{number}": units_ for number, units_ in enumerate(expected)}


def test_a_single_float_is_the_shortest_decimal_that_reads_back(tmp_path: Path) -> None:
    types = {**TYPED, "BilledCost": "FLOAT", "EffectiveCost": "FLOAT"}
    rows = [charge(BilledCost=text, EffectiveCost=text) for text in ("0.1", "12.335938", "1e-7")]
    delivery = prepared(write_parquet(tmp_path / "october.parquet", rows, types), tmp_path / "staged")
    assert billed(delivery) == units("12.4359381")


def test_dates_of_every_type(tmp_path: Path) -> None:
    dates = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
    kinds = ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS", "TIMESTAMP_MS", "DATE", "VARCHAR"]
    for number, kind in enumerate(kinds):
        types = {**TYPED, **dict.fromkeys(dates, kind)}
        write_parquet(tmp_path / "export" / f"{number}.parquet", numbered(number), types)
    delivery = prepared(tmp_path / "export", tmp_path / "staged")
    assert {period: len(totals) for period, totals in delivery.totals.items()} == {OCTOBER: 2 * len(kinds)}
    assert codes(delivery) <= QUIET


INSTANTS = [
    ("2026-10-01T00:00:00Z", "2026-10"),
    ("2026-10-01 00:00:00", "2026-10"),
    ("2026-10-01T00:00:00", "2026-10"),
    ("2026-10-01", "2026-10"),
    ("2026-10-01T00:00:00.000Z", "2026-10"),
    ("2026-10-01 00:00:00 UTC", "2026-10"),
    ("2026-09-30T22:00:00-02:00", "2026-10"),
    ("2026-11-01T01:00:00+02:00", "2026-10"),
    ("2026-10-01T00:00Z", "2026-10"),
    ("2026-10-01T01:00:00+02", "2026-09"),
]


def test_instants_with_and_without_zone(tmp_path: Path) -> None:
    rows = [charge(BillingPeriodStart=text, BillingPeriodEnd="", InvoiceId=text) for text, _ in INSTANTS]
    made = {
        "csv": write_csv(tmp_path / "october.csv", rows),
        "parquet": write_parquet(tmp_path / "october.parquet", rows, {**TYPED, "BillingPeriodStart": "VARCHAR"}),
    }
    for form, path in made.items():
        delivery = prepared(path, tmp_path / form)
        months = {total.invoice_id: str(period) for period, totals in delivery.totals.items() for total in totals}
        assert months == dict(INSTANTS)
        [file] = delivery.charges
        with closing(engine.connect()) as connection:
            start = engine.billing_start(file)
            read_as = connection.execute(
                f"SELECT {engine.field_text(file, 'InvoiceId')}, strftime({start}, '%Y-%m') "
                f"FROM {engine.files([file.path])}"
            ).fetchall()
        assert dict(read_as) == dict(INSTANTS)


TAGS = {
    "json": ('{"team": "web", " org": "a", "org": "b"}', "VARCHAR"),
    "map": ('{"team": "web", " org": "a", "org": "b"}', "MAP(VARCHAR, VARCHAR)"),
    "braceless": ('"team": "web", " org": "a", "org": "b"', "VARCHAR"),
    "struct": ('{"team": "web", "org": "b"}', "STRUCT(team VARCHAR, org VARCHAR, never VARCHAR)"),
}


@pytest.mark.parametrize("form", list(TAGS))
def test_tags_in_every_form_keep_their_keys(tmp_path: Path, form: str) -> None:
    text, kind = TAGS[form]
    path = write_parquet(tmp_path / "october.parquet", [charge(Tags=text)], {**TYPED, "Tags": kind})
    delivery = prepared(path, tmp_path / "staged")
    [file] = delivery.charges
    keys = ["team", " org", "org", "never", "Team"]
    with closing(engine.connect()) as connection:
        shown = ", ".join(engine.tags(file.column("Tags"), keys))
        [tags] = connection.execute(f"SELECT {shown} FROM {engine.files([file.path])}").fetchall()
    assert tags == ("web", None if form == "struct" else "a", "b", None, None)


def test_text_in_bytes_is_read_as_text(tmp_path: Path) -> None:
    types = {**TYPED, "ServiceName": "BLOB", "BillingCurrency": "BLOB"}
    delivery = prepared(write_parquet(tmp_path / "october.parquet", [charge()], types), tmp_path / "staged")
    assert read(delivery, "ServiceName") == ["Servers"]
    assert delivery.totals[OCTOBER][0].currency == "USD"


@pytest.mark.parametrize("spell", [str.upper, "_".join])
def test_column_names_in_any_case_and_with_underscores(tmp_path: Path, spell: object) -> None:
    assert callable(spell)
    rows = [{spell(name): value for name, value in row.items()} for row in ROWS]
    delivery = prepared(write_csv(tmp_path / "october.csv", rows), tmp_path / "staged")
    assert billed(delivery) == SUM
    assert {column.name for column in delivery.charges[0].columns} == set(CHARGE)


def test_unknown_and_custom_columns_are_kept_as_they_are(tmp_path: Path) -> None:
    rows = [charge(Id="7", x_Team="web", **{'My column; "quoted"': "yes", "x_BilledCost": "99"})]
    for suffix, write in (("csv", write_csv), ("parquet", write_parquet)):
        delivery = prepared(write(tmp_path / f"october.{suffix}", rows), tmp_path / suffix)
        for name in ("Id", "x_Team", 'My column; "quoted"', "x_BilledCost"):
            assert read(delivery, name) == [rows[0][name]]
        assert billed(delivery) == units("10.5")


def test_columns_that_share_a_name_are_kept_apart(tmp_path: Path) -> None:
    names = [*CHARGE, "note", "NOTE", "note", ""]
    path = tmp_path / "october.csv"
    path.write_text(f"{','.join(names)}\n{','.join(_quoted([*CHARGE.values(), 'a', 'b', 'c', 'd']))}\n")
    delivery = prepared(path, tmp_path / "staged")
    physical = [column.physical for column in delivery.charges[0].columns]
    assert len({name.casefold() for name in physical}) == len(physical)
    assert billed(delivery) == units("10.5")


def _quoted(values: list[str]) -> list[str]:
    return ['"' + value.replace('"', '""') + '"' for value in values]


def test_a_hive_folder_gives_the_column_that_its_files_lack(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write_parquet(
        folder / "BillingCurrency=EUR" / "ServiceName=A%2FB" / "a.parquet", [without("BillingCurrency", "ServiceName")]
    )
    write_parquet(
        folder / "BillingCurrency=USD" / "a.parquet", [without("BillingCurrency", "ServiceName", InvoiceId="INV-2")]
    )
    delivery = prepared(folder, tmp_path / "staged")
    assert {total.currency for total in delivery.totals[OCTOBER]} == {"EUR", "USD"}
    assert read(delivery, "ServiceName") == ["A/B", None]


def test_contract_commitments_are_counted_and_charge_nobody(tmp_path: Path) -> None:
    row = {"ContractCommitmentId": "c-1", "ContractCommitmentCategory": "Spend", "ContractId": "k-1"}
    delivery = prepared(
        write_csv(tmp_path / "commitments.csv", [row, row | {"ContractId": "k-2"}]), tmp_path / "staged"
    )
    assert delivery.dataset is Dataset.CONTRACT_COMMITMENT
    assert (delivery.files[0].rows, delivery.charges, dict(delivery.totals)) == (2, (), {})


def test_invoice_detail_gives_provider_invoices(tmp_path: Path) -> None:
    line = {
        "BilledCost": "100.00", "BillingAccountId": "payer-1", "BillingCurrency": "USD", "InvoiceId": "INV-1",
        "BillingPeriodStart": "2026-10-01T00:00:00Z", "ChargeCategory": "Usage", "InvoiceDetailId": "L1",
        "InvoiceIssueStatus": "Issued", "InvoiceIssuerName": "Cloud, Inc.", "PaymentTerms": "Net 30",
        "InvoiceDetailGrain": "{}",
    }  # fmt: skip
    rows = [
        line,
        line | {"ChargeCategory": "Tax", "BilledCost": "7.3"},
        line | {"InvoiceId": "INV-2", "InvoiceIssueStatus": "Open"},
    ]
    delivery = prepared(write_csv(tmp_path / "invoices.csv", rows), tmp_path / "staged")
    assert delivery.dataset is Dataset.INVOICE_DETAIL
    one, two = delivery.invoices[OCTOBER]
    assert (one.invoice_id, one.billed_units, one.tax_units, one.status) == (
        "INV-1",
        units("107.3"),
        units("7.3"),
        "Issued",
    )
    assert (two.invoice_id, two.billed_units, two.tax_units, two.status) == ("INV-2", units("100"), 0, "Open")
    assert not delivery.charges


def test_billing_periods_give_their_status(tmp_path: Path) -> None:
    rows = [
        {"BillingPeriodStart": "2026-09-01T00:00:00Z", "BillingPeriodStatus": "Closed", "InvoiceIssuerName": "Cloud"},
        {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodStatus": "Open", "InvoiceIssuerName": "Cloud"},
    ]
    delivery = prepared(write_csv(tmp_path / "periods.csv", rows), tmp_path / "staged")
    assert dict(delivery.statuses) == {BillingPeriod(2026, 9): (("Cloud", "Closed"),), OCTOBER: (("Cloud", "Open"),)}


def test_json_tags_of_a_map_of_anything(tmp_path: Path) -> None:
    path = tmp_path / "october.parquet"
    write_parquet(path, [charge()], {**TYPED, "Tags": "VARCHAR"})
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE (MAP {{'floor': 3}} AS Tags) FROM {engine.files([path])}) "
            f"TO {engine.literal(str(tmp_path / 'number.parquet'))} (FORMAT parquet)"
        ).fetchall()
    delivery = prepared(tmp_path / "number.parquet", tmp_path / "staged")
    [file] = delivery.charges
    with closing(engine.connect()) as connection:
        [shown] = engine.tags(file.column("Tags"), ["floor"])
        assert connection.execute(f"SELECT {shown} FROM {engine.files([file.path])}").fetchall() == [("3",)]
    assert json.loads(CHARGE["Tags"]) == {"team": "web"}


def test_a_name_that_speaks_of_compression_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "GZIP stream of ZSTD.checksum.csv"
    path.write_text(csv_text(ROWS) + "1,2\n", encoding="utf-8")
    delivery = prepared(path, tmp_path / "staged", quarantine=True)
    assert (billed(delivery), "ROW_RAGGED" in codes(delivery)) == (SUM, True)


def test_a_row_that_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "october.csv"
    path.write_text(csv_text([charge(ChargeDescription="x" * 17 * 1024 * 1024)]), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="longer than 16 MiB"):
        prepared(path, tmp_path / "staged")


@pytest.mark.slow
def test_a_large_csv_keeps_its_order_and_fits_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "october.csv"
    wide = "abcdefghij" * 400
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CHARGE), lineterminator="\n")
        writer.writeheader()
        for number in range(60_000):
            writer.writerow(charge(ResourceId=f"server-{number}", ChargeDescription=f"{number} {wide}"))
    delivery = prepared(path, tmp_path / "staged")
    assert read(delivery, "ResourceId") == [f"server-{number}" for number in range(60_000)]
    with closing(engine.connect()) as connection:
        [file_] = delivery.charges
        sizes = connection.execute(
            f"SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata({engine.literal(str(file_.path))})"
        ).fetchall()
    assert len(sizes) > 1
    assert sum(rows for _, rows in sizes) == 60_000
