"""Delivered files for tests, made as a provider would write them, and what became of them."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from apportion.focus.finding import Finding
from apportion.ingest import copy, read
from apportion.ingest.charges import CheckedFile, Options, StagedFile, check_file
from apportion.ingest.delivery import FoundFile, find
from apportion.ingest.prepare import Supplied, prepare
from apportion.ingest.progress import Silent
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake
from apportion.warehouse.record import Delivery

RECEIVED_AT = "2026-11-03T08:00:00Z"

# One charge of FOCUS 1.2 that breaks no check.
CHARGE: Mapping[str, str] = {
    "BilledCost": "10.5",
    "BillingAccountId": "payer-1",
    "BillingAccountName": "Payer",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "Hours of a small server",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-10-02T00:00:00Z",
    "ChargePeriodStart": "2026-10-01T00:00:00Z",
    "CommitmentDiscountId": "",
    "CommitmentDiscountStatus": "",
    "ContractedCost": "10.5",
    "ContractedUnitPrice": "2.1",
    "EffectiveCost": "10.5",
    "InvoiceId": "INV-1",
    "InvoiceIssuerName": "Cloud, Inc.",
    "ListCost": "12.5",
    "ListUnitPrice": "2.5",
    "PricingCategory": "Standard",
    "PricingQuantity": "5",
    "PricingUnit": "Hours",
    "ProviderName": "Cloud",
    "PublisherName": "Cloud",
    "ResourceId": "server-1",
    "ServiceCategory": "Compute",
    "ServiceName": "Servers",
    "SubAccountId": "account-1",
    "Tags": '{"team": "web"}',
}

Row = Mapping[str, str]


def charge(**values: str) -> dict[str, str]:
    """The usual charge with other values."""
    return {**CHARGE, **values}


def without(*names: str, **values: str) -> dict[str, str]:
    """The usual charge with other values and without some columns."""
    return {name: value for name, value in charge(**values).items() if name not in names}


def csv_text(rows: Sequence[Row], delimiter: str = ",", line_end: str = "\n") -> str:
    """Rows as CSV with a header; only what must be quoted is quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue()


def write_csv(path: Path, rows: Sequence[Row], delimiter: str = ",") -> Path:
    """Rows as a CSV file, compressed as its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = csv_text(rows, delimiter).encode()
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    elif path.suffix == ".zst":
        path.write_bytes(zstd(content))
    else:
        path.write_bytes(content)
    return path


def zstd(content: bytes) -> bytes:
    """Text, compressed by the engine line by line: lines may hold neither tabs nor carriage returns."""
    with tempfile.TemporaryDirectory() as directory, closing(engine.connect()) as connection:
        plain, packed = Path(directory, "plain"), Path(directory, "packed.zst")
        plain.write_bytes(content)
        connection.execute(
            f"COPY (FROM read_csv({engine.literal(str(plain))}, columns = {{'line': 'VARCHAR'}}, header = false, "
            "delim = '\t', quote = '', escape = '', auto_detect = false)) "
            f"TO {engine.literal(str(packed))} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\t', "
            "COMPRESSION zstd)"
        ).fetchall()
        return packed.read_bytes()


# How a provider types its columns; what is not named is text.
TYPED: Mapping[str, str] = {
    "BilledCost": "DOUBLE",
    "EffectiveCost": "DOUBLE",
    "ListCost": "DOUBLE",
    "ContractedCost": "DOUBLE",
    "BillingPeriodStart": "TIMESTAMP",
    "BillingPeriodEnd": "TIMESTAMP",
    "ChargePeriodStart": "TIMESTAMP",
    "ChargePeriodEnd": "TIMESTAMP",
    "Tags": "MAP(VARCHAR, VARCHAR)",
}


def write_parquet(path: Path, rows: Sequence[Row], types: Mapping[str, str] = TYPED) -> Path:
    """Rows as a Parquet file. Values are text that the engine turns into their type; tags are JSON; '' is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with closing(engine.connect()) as connection:
        connection.execute(f"CREATE TABLE given (n INTEGER, {', '.join(f'{_quoted(name)} VARCHAR' for name in names)})")
        marks = ", ".join("?" for _ in range(len(names) + 1))
        for number, row in enumerate(rows):
            connection.execute(f"INSERT INTO given VALUES ({marks})", [number, *(row.get(name) for name in names)])
        columns = ", ".join(_typed(name, types.get(name, "VARCHAR")) for name in names)
        connection.execute(
            f"COPY (SELECT {columns} FROM given ORDER BY n) TO {engine.literal(str(path))} (FORMAT parquet)"
        ).fetchall()
    return path


def _typed(name: str, kind: str) -> str:
    quoted = _quoted(name)
    if kind == "VARCHAR":
        return quoted
    if kind.startswith(("MAP", "STRUCT")):
        return f"from_json(nullif({quoted}, ''), {engine.literal(_json_type(kind))}) AS {quoted}"
    return f"nullif({quoted}, '')::{kind} AS {quoted}"


def _json_type(kind: str) -> str:
    if kind.startswith("MAP"):
        return '"MAP(VARCHAR, VARCHAR)"'
    names = [part.split()[0] for part in kind.removeprefix("STRUCT(").removesuffix(")").split(", ")]
    return "{" + ", ".join(f'"{name}": "VARCHAR"' for name in names) + "}"


def _quoted(name: str) -> str:
    return engine.identifier(name)


def prepared(paths: Path | str | Iterable[Path | str], root: Path, **supplied: Any) -> Delivery:
    """A delivery as it would be committed, staged in `root`, which must not be there yet."""
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    root.mkdir()
    return prepare(find(listed), root, Supplied(supplied.pop("source", "cloud"), **supplied), RECEIVED_AT, Silent())


def delivered(directory: Path, rows: Sequence[Row], **supplied: Any) -> Delivery:
    """Rows as one CSV file, prepared."""
    path = write_csv(directory / "given" / "charges.csv", rows)
    try:
        return prepared(path, directory / "staged", **supplied)
    finally:
        shutil.rmtree(directory / "staged")


def checked(connection: engine.Connection, directory: Path, rows: Sequence[Row], **options: Any) -> CheckedFile:
    """Rows as one CSV file, checked by itself."""
    path = write_csv(directory / "given" / "charges.csv", rows)
    root = Path(tempfile.mkdtemp(dir=directory))
    for folder in ("files", "charges", "quarantine"):
        (root / folder).mkdir()
    kind = read.kind(path, path.name)
    copied = copy.copy(path, root / "files" / path.name, path.name, kind, intake.SPELLED_NULLS)
    staged = StagedFile(FoundFile(path, path.name), 0, root / "files" / path.name, kind, copied)
    return check_file(connection, staged, Options(root, "cloud", "id", {}, (), **{"quarantine": False, **options}))


def found(delivery: Delivery | CheckedFile, code: str, column: str | None = None) -> Finding:
    """The one finding of a code (and column)."""
    matching = [one for one in delivery.findings if one.code == code and column in (None, one.column)]
    assert len(matching) == 1, [(one.code, one.column) for one in delivery.findings]
    return matching[0]


def codes(delivery: Delivery) -> set[str]:
    """The codes of everything that was found."""
    return {finding.code for finding in delivery.findings}


def billed(delivery: Delivery) -> int:
    """Loaded BilledCost, in units of 10⁻¹⁸."""
    return sum(total.billed_units for totals in delivery.totals.values() for total in totals)


def effective(delivery: Delivery) -> int:
    """Loaded EffectiveCost, in units of 10⁻¹⁸."""
    return sum(total.effective_units for totals in delivery.totals.values() for total in totals)
