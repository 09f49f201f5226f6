"""Every format, spelling of header and type of column arrives as the same charges."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest

from apportion.money.amount import ONE, units
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.record import Dataset, Delivery
from tests.rooms.ingest.making import (
    CHARGE,
    TYPED,
    billed,
    charge,
    codes,
    csv_text,
    effective,
    prepared,
    without,
    write_csv,
    write_parquet,
)

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


@pytest.mark.parametrize(
    ("suffix", "delimiter"),
    [
        (".csv", ","),
        (".csv", ";"),
        (".csv", "\t"),
        (".csv", "|"),
        (".csv.gz", ","),
        (".csv.gz", ";"),
        (".csv.zst", ";"),
    ],
)
def test_csv_of_every_delimiter_and_compression(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = write_csv(tmp_path / f"october{suffix}", ROWS, delimiter)
    delivery = prepared(path, tmp_path / "staged")
    assert (billed(delivery), effective(delivery), delivery.files[0].rows) == (SUM, SUM, 3)
    assert delivery.dataset is Dataset.COST_AND_USAGE
    assert delivery.focus_version == "1.2"
    assert codes(delivery) <= QUIET
    assert list(delivery.totals) == [OCTOBER]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends(tmp_path: Path, line_end: str, mark: str) -> None:
    path = tmp_path / "october.csv"
    path.write_bytes((mark + csv_text(ROWS, line_end=line_end)).encode())
    assert billed(prepared(path, tmp_path / "staged")) == SUM


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


@pytest.mark.parametrize(
    "kind", ["DOUBLE", "DECIMAL(38,18)", "DECIMAL(20,10)", "DECIMAL(38,10)", "DECIMAL(38,28)", "VARCHAR"]
)
def test_costs_of_every_type(tmp_path: Path, kind: str) -> None:
    types = {**TYPED, **dict.fromkeys(("BilledCost", "EffectiveCost"), kind)}
    delivery = prepared(write_parquet(tmp_path / "october.parquet", ROWS, types), tmp_path / "staged")
    assert billed(delivery) == SUM


@pytest.mark.parametrize("kind", ["INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "SMALLINT", "FLOAT"])
def test_costs_in_whole_numbers_and_single_floats(tmp_path: Path, kind: str) -> None:
    types = {**TYPED, "BilledCost": kind, "EffectiveCost": kind}
    rows = [charge(BilledCost="12", EffectiveCost="12"), charge(BilledCost="30", EffectiveCost="30")]
    assert billed(prepared(write_parquet(tmp_path / "october.parquet", rows, types), tmp_path / "staged")) == 42 * ONE


def test_a_single_float_is_the_shortest_decimal_that_reads_back(tmp_path: Path) -> None:
    types = {**TYPED, "BilledCost": "FLOAT", "EffectiveCost": "FLOAT"}
    rows = [charge(BilledCost=text, EffectiveCost=text) for text in ("0.1", "12.335938", "1e-7")]
    delivery = prepared(write_parquet(tmp_path / "october.parquet", rows, types), tmp_path / "staged")
    assert billed(delivery) == units("12.4359381")


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS", "TIMESTAMP_MS", "DATE", "VARCHAR"])
def test_dates_of_every_type(tmp_path: Path, kind: str) -> None:
    dates = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
    types = {**TYPED, **dict.fromkeys(dates, kind)}
    delivery = prepared(write_parquet(tmp_path / "october.parquet", ROWS, types), tmp_path / "staged")
    assert list(delivery.totals) == [OCTOBER]
    assert codes(delivery) <= QUIET


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-10-01T00:00:00Z", "2026-10"),
        ("2026-10-01 00:00:00", "2026-10"),
        ("2026-10-01T00:00:00", "2026-10"),
        ("2026-10-01", "2026-10"),
        ("2026-10-01T00:00:00.000Z", "2026-10"),
        ("2026-10-01 00:00:00 UTC", "2026-10"),
        ("2026-09-30T22:00:00-02:00", "2026-10"),
        ("2026-11-01T01:00:00+02:00", "2026-10"),
        ("2026-10-01T00:00Z", "2026-10"),
    ],
)
def test_instants_with_and_without_zone(tmp_path: Path, text: str, month: str) -> None:
    rows = [charge(BillingPeriodStart=text, BillingPeriodEnd="")]
    path = tmp_path / "october"
    types = {**TYPED, "BillingPeriodStart": "VARCHAR"}
    made = write_csv(path, rows) if len(text) % 2 else write_parquet(path, rows, types)
    delivery = prepared(made, tmp_path / "staged")
    assert [str(period) for period in delivery.totals] == [month]
    [file] = delivery.charges
    with closing(engine.connect()) as connection:
        start = engine.billing_start(file)
        read_as = connection.execute(f"SELECT strftime({start}, '%Y-%m') FROM {engine.files([file.path])}").fetchall()
    assert read_as == [(month,)]


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


@pytest.mark.parametrize("spell", [str.lower, str.upper, "_".join, lambda name: f" {name} "])
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


@pytest.mark.parametrize(
    ("version", "columns"),
    [
        ("1.0", ()),
        ("1.1", ("SkuMeter",)),
        ("1.2", ("InvoiceId",)),
        ("1.3", ("InvoiceId", "ServiceProviderName", "AllocatedTags")),
        ("1.4", ("InvoiceId", "ServiceProviderName", "InvoiceDetailId")),
    ],
)
def test_the_version_is_told_by_the_columns(tmp_path: Path, version: str, columns: tuple[str, ...]) -> None:
    row = without("InvoiceId") | dict.fromkeys(columns, "x")
    if version == "1.4":
        del row["ProviderName"], row["PublisherName"]
    assert prepared(write_csv(tmp_path / "october.csv", [row]), tmp_path / "staged").focus_version == version


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
