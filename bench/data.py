"""Generated bills: FOCUS 1.2 files as a provider delivers them, one million rows each.

About 40 columns; hourly rows of two million resources, 40 % of them untagged, the others with 2, 5 or 10 tags, one of
them a name of its own; six invoices in two currencies; credits below zero, tax, purchases, commitments used and
unused. The same for a given version of the engine. Files are kept and used again; each needs less than 1 GiB to make.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

import duckdb

from apportion.periods import BillingPeriod
from bench.world import ENVIRONMENTS, ROLES, SKUS_PER_SERVICE, World, world

DATA = Path(os.environ.get("APPORTION_BENCH_DATA") or Path(__file__).parent / "data")
"""Where generated bills are kept: beside this file, or where the environment says."""
PERIOD = BillingPeriod(2026, 10)
FILE_ROWS = 1_000_000
RESOURCES = 2_000_000
_HOURS = 744
_SIDE_BY_SIDE = 2


class Costs(StrEnum):
    """The type of the cost columns: DOUBLE as AWS delivers, or exact decimals."""

    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL(38,18)"


def parquet(
    rows: int, *, directory: Path = DATA, costs: Costs = Costs.DOUBLE, resources: int = RESOURCES
) -> tuple[Path, ...]:
    """Parquet files (zstd) with so many rows in all, made where they are not there yet."""
    tables, query = _tables(world()), _query(costs, resources)
    made_by = f"{duckdb.__version__} {''.join(tables)} {query}"
    home = directory / f"parquet-{costs.name.lower()}-{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"
    home.mkdir(parents=True, exist_ok=True)

    def make(first: int) -> Path:
        last = min(first + FILE_ROWS, rows)
        part = "" if last - first == FILE_ROWS else f"-{last - first}"
        path = home / f"charges-{first // FILE_ROWS:04d}{part}.parquet"
        if not path.exists():
            with _engine() as connection:
                for table in tables:
                    connection.execute(table)
                _copy(connection, query.format(first=first, last=last), path, "FORMAT parquet, COMPRESSION zstd")
        return path

    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        return tuple(pool.map(make, range(0, rows, FILE_ROWS)))


def _engine() -> duckdb.DuckDBPyConnection:
    # One thread each, for with several a join hands rows on in another order every time.
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "400MB"})
    connection.execute("SET enable_progress_bar = false")
    return connection


def csv(charges: Path) -> Path:
    """The charges of one Parquet file as CSV: instants in ISO 8601, tags as JSON."""
    path = charges.with_suffix(".csv")
    if path.exists():
        return path
    with _engine() as connection:
        instants = ", ".join(
            f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ') AS {name}"
            for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
        )
        query = f"SELECT * REPLACE ({instants}, to_json(Tags) AS Tags) FROM read_parquet('{charges}')"
        _copy(connection, query, path, "FORMAT csv, HEADER")
    return path


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    unfinished = path.with_name(f"unfinished-{path.name}")
    connection.execute(f"COPY ({query}) TO '{unfinished}' ({options})")
    unfinished.rename(path)


def _tables(known: World) -> tuple[str, ...]:
    """The world as tables that rows are joined to."""
    accounts = ", ".join(
        f"({place}, '{one.id}', {one.billing_account}, '{one.currency}', {list(one.regions)}, "
        f"'{known.providers[one.provider].name}', "
        f"'{known.providers[one.provider].invoices[one.billing_account % 2]}')"
        for place, one in enumerate(known.accounts)
    )
    apps = ", ".join(
        f"({place}, '{app.name}', '{app.team}', {list(app.accounts)}, {list(app.shared)}, "
        f"{[int(name.split()[1]) for name in app.services]})"
        for place, app in enumerate(known.apps)
    )
    return (
        f"CREATE TABLE accounts AS FROM (VALUES {accounts}) "
        "t(account, account_id, payer, currency, regions, provider, invoice)",
        f"CREATE TABLE apps AS FROM (VALUES {apps}) t(app, app_name, team, own, shared, services)",
    )


def _part(*salted: object) -> str:
    """SQL for a number from 0 up to, not including, 1, that depends on the values only."""
    return f"(hash({', '.join(str(value) for value in salted)}) % 1000003 / 1000003.0)"


def _chosen(values: str, part: str, power: float) -> str:
    """SQL for an element of a list, the first ones more often."""
    return f"{values}[1 + floor(len({values}) * pow({part}, {power}))::INTEGER]"


_MANY_KEYS = ("app", "env", "team", "Name", "owner", "cost_center", "project", "tier", "backup", "version")


def _query(costs: Costs, resources: int) -> str:
    """SQL of the rows {first} to {last}. Everything about a resource depends on its number only."""
    stages = (
        f"""row AS (SELECT i, (hash(i, 1) % {resources})::INTEGER AS resource, hash(i, 2) AS dice,
            (hash(i, 3) % {_HOURS})::INTEGER AS hour, (1 + hash(i, 4) % 800) / 8.0
            * CASE WHEN hash(i, 5) % 1000 = 0 THEN 500 ELSE 1 END AS quantity
            FROM range({{first}}, {{last}}) t(i))""",
        f"""owned AS (SELECT *, floor({len(world().apps)} * pow({_part("resource", 11)}, 1.8))::INTEGER AS app,
            {list(ENVIRONMENTS)}[CASE WHEN {_part("resource", 12)} < 0.55 THEN 1 ELSE 2 + resource % 3 END] AS env,
            {list(ROLES)}[(1 + hash(resource, 13) % 4)::INTEGER] AS role FROM row)""",
        f"""placed AS (SELECT *,
            CASE WHEN hash(resource, 14) % 12 = 0 THEN {_chosen("shared", _part("resource", 15), 1.0)}
                 ELSE {_chosen("own", _part("resource", 15), 2.5)} END AS account,
            {_chosen("services", _part("resource", 16), 1.6)} AS service
            FROM owned JOIN apps USING (app))""",
        f"""priced AS (SELECT *,
            service * {SKUS_PER_SERVICE} + (hash(resource, 17) % {SKUS_PER_SERVICE})::INTEGER AS sku,
            ((sku * sku * 31) % 9973 + 7) / 1e6 AS price,
            CASE WHEN dice % 1000 < 60 AND account % 3 = 0 THEN 'Credit' WHEN dice % 1000 < 5 THEN 'Tax'
                 WHEN dice % 5000 = 25 THEN 'Purchase' ELSE 'Usage' END AS category,
            CASE WHEN category <> 'Usage' OR hash(resource, 18) % 16 <> 0 THEN ''
                 WHEN dice % 40 = 0 THEN 'Unused' ELSE 'Used' END AS covered,
            regions[1 + (hash(resource, 19) % 5 = 0)::INTEGER] AS region,
            category IN ('Tax', 'Purchase') AS bare
            FROM placed JOIN accounts USING (account))""",
        """costed AS (SELECT *, round(quantity * price, 10) AS listed, round(price * 0.93, 10) AS contracted_price,
            round(quantity * contracted_price, 10) AS contracted,
            CASE category WHEN 'Credit' THEN -round(contracted * 0.3, 10) WHEN 'Tax' THEN round(contracted * 7.3, 10)
                 WHEN 'Purchase' THEN round(contracted * 900, 10) ELSE contracted END AS cost
            FROM priced)""",
    )
    shown = ", ".join(f"{expression} AS {name}" for name, expression in _columns(costs).items())
    return f"WITH {', '.join(stages)} SELECT {shown} FROM costed"


def _columns(costs: Costs) -> dict[str, str]:
    exact = "" if costs is Costs.DOUBLE else "::VARCHAR"
    money = {
        "BilledCost": "CASE WHEN covered <> '' THEN 0 ELSE cost END",
        "EffectiveCost": "CASE WHEN covered <> '' THEN round(cost * 0.62, 10) "
        "WHEN category = 'Purchase' THEN 0 ELSE cost END",
        "ListCost": "CASE category WHEN 'Usage' THEN listed ELSE cost END",
        "ContractedCost": "CASE category WHEN 'Usage' THEN contracted ELSE cost END",
    }
    usage = "CASE WHEN category = 'Usage' THEN {} END"
    columns = {name: f"({value}){exact}::{costs.value}" for name, value in money.items()} | {
        "AvailabilityZone": "CASE WHEN NOT bare THEN region || chr((97 + resource % 3)::INTEGER) END",
        "BillingAccountId": "'7700' || lpad(payer::VARCHAR, 8, '0')",
        "BillingAccountName": "'Payer ' || payer",
        "BillingCurrency": "currency",
        "BillingPeriodEnd": f"TIMESTAMP '{PERIOD.end}'",
        "BillingPeriodStart": f"TIMESTAMP '{PERIOD.start}'",
        "ChargeCategory": "category",
        "ChargeClass": "NULL::VARCHAR",
        "ChargeDescription": "category || ' of SKU ' || sku || ' in ' || region",
        "ChargeFrequency": "CASE category WHEN 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END",
        "ChargePeriodEnd": f"TIMESTAMP '{PERIOD.start}' + to_hours(hour + 1)",
        "ChargePeriodStart": f"TIMESTAMP '{PERIOD.start}' + to_hours(hour)",
        "CommitmentDiscountCategory": "CASE WHEN covered <> '' OR category = 'Purchase' THEN 'Spend' END",
        "CommitmentDiscountId": "CASE WHEN covered <> '' OR category = 'Purchase' "
        "THEN 'commitment/' || payer || '/' || (resource % 40) END",
        "CommitmentDiscountStatus": "nullif(covered, '')",
        "ConsumedQuantity": usage.format("quantity::DOUBLE"),
        "ConsumedUnit": usage.format("'Hours'"),
        "ContractedUnitPrice": usage.format("contracted_price::DOUBLE"),
        "InvoiceId": "invoice",
        "InvoiceIssuerName": "provider || ', Inc.'",
        "ListUnitPrice": usage.format("price::DOUBLE"),
        "PricingCategory": usage.format("CASE WHEN covered <> '' THEN 'Committed' ELSE 'Standard' END"),
        "PricingQuantity": usage.format("quantity::DOUBLE"),
        "PricingUnit": usage.format("'Hours'"),
        "ProviderName": "provider",
        "PublisherName": "provider",
        "RegionId": "region",
        "RegionName": "'Region ' || region",
        "ResourceId": "CASE WHEN NOT bare THEN 'arn:cloud:' || service || ':' || account_id || ':resource/' "
        "|| md5(resource::VARCHAR) END",
        "ResourceName": "CASE WHEN NOT bare THEN app_name || '-' || role || '-' || resource END",
        "ResourceType": "CASE WHEN NOT bare THEN 'Instance' END",
        "ServiceCategory": "['Compute', 'Storage', 'Databases', 'Networking', 'Analytics'][1 + service % 5]",
        "ServiceName": "'Service ' || lpad(service::VARCHAR, 2, '0')",
        "SkuId": "'SKU' || sku",
        "SkuPriceId": "'SKU' || sku || '.1'",
        "SubAccountId": "account_id",
        "SubAccountName": "'account-' || account",
        "Tags": _tags(),
    }
    return dict(sorted(columns.items()))


def _tags() -> str:
    """The tags of a resource: none for 40 % of them, else the first 2, 5 or all 10 of these keys."""
    values = [
        "app_name", "env", "team", "'n-' || resource", "'owner' || resource % 900",
        "'cc' || (app * 3 + (env <> 'prod')::INTEGER) % 300", "'project' || app % 90", "'tier' || resource % 3",
        "'yes'", "'v' || resource % 9",
    ]  # fmt: skip
    cases = " ".join(
        f"WHEN resource % 10 < {below} THEN MAP({list(_MANY_KEYS[:count])}, [{', '.join(values[:count])}])"
        for below, count in ((7, 2), (9, 5))
    )
    none = "MAP([]::VARCHAR[], []::VARCHAR[])"
    every = f"MAP({list(_MANY_KEYS)}, [{', '.join(values)}])"
    return f"CASE WHEN bare OR resource % 10 < 4 THEN {none} {cases} ELSE {every} END"
