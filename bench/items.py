"""The things that are measured, each a function that runs in a process of its own.

Every function takes the meter and plain options, prepares outside of the measured block, and gives facts about what
was done: sizes, and digests that tell whether two of them came to the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from apportion.allocate import allocator, run_file, waterfall
from apportion.allocate.policy import Policy, PoolOrder
from apportion.allocate.rule import Holder
from apportion.allocate.usage import NO_USAGE
from apportion.close import explain as explaining
from apportion.close import month as months
from apportion.close import run as runs
from apportion.errors import ConservationError
from apportion.ingest import load
from apportion.warehouse import queries
from apportion.warehouse.store import Workspace
from bench import data, floors, policies, rivals, sharing, workspaces
from bench.breakdown import profiled
from bench.journals import journal_files, journal_floor
from bench.meter import Meter
from bench.papers import pdf_alone, pdf_floor, pdf_workers
from bench.review import review_books, review_issue
from bench.visits import review_pages

Facts = dict[str, Any]
SCRATCH = data.DATA / "scratch"


def floor(meter: Meter, *, rows: int) -> Facts:
    """The floor: plain DuckDB decodes the columns that rules and statements need."""
    paths = data.parquet(rows)
    connection = floors.engine()
    with meter.running():
        floors.scan(connection, paths)
    return {}


def allocate(meter: Meter, *, rows: int, rules: int, every: int = 1) -> Facts:
    """Allocate a period straight from the delivered files and save the run; `every` takes each so-manieth rule only.

    Everything up to the cube is watched by itself.
    """
    snapshot = workspaces.snapshot(data.parquet(rows))
    policy, organization = _thinned(policies.policy(rules), every), policies.organization()
    with (
        _scratch("run") as directory,
        meter.watching(queries, span="span", classify="classify"),
        meter.watching(allocator, compile_rules="compile"),
    ):
        sidecars = directory / runs.SIDECARS
        sidecars.mkdir()
        with meter.running():
            allocation, decisions = allocator.allocate(
                policy, organization, snapshot, sidecars=sidecars, issuer_aliases={}
            )
            run_file.save(allocation, decisions, directory)
        sidecar_bytes = sum(path.stat().st_size for path in sidecars.iterdir())
    by_rule: rivals.Totals = defaultdict(lambda: (0, Decimal(0)))
    places = {rule.id: place for place, rule in enumerate(policy.rules)}
    for cell in allocation.cells:
        place = len(places) if cell.rule_id is None else places[cell.rule_id]
        count, cost = by_rule[place]
        by_rule[place] = (count + cell.rows, cost + Decimal(cell.units).scaleb(-18))
    return {
        "rules": len(policy.rules),
        "cells": len(allocation.cells),
        "shares": len(allocation.shares),
        "lines": len(allocation.lines),
        "matched": sum(cell.rows for cell in allocation.cells if cell.rule_id is not None),
        "sidecar_mb": sidecar_bytes / 1e6,
        **_checked(by_rule),
    }


def breakdown(meter: Meter, *, rows: int, rules: int) -> Facts:
    """Where the time of an allocation goes, by the engine's operators; profiling makes it a little slower."""
    snapshot = workspaces.snapshot(data.parquet(rows))
    policy, organization = policies.policy(rules), policies.organization()
    with (
        _scratch("profiles") as directory,
        profiled(directory) as told,
        meter.watching(queries, span="span", classify="classify"),
        meter.watching(allocator, compile_rules="compile"),
    ):
        sidecars = directory / runs.SIDECARS
        sidecars.mkdir()
        with meter.running():
            allocator.allocate(policy, organization, snapshot, sidecars=sidecars, issuer_aliases={})
        return {"seconds": dict(told())}


def sql_case(meter: Meter, *, rows: int, rules: int) -> Facts:
    """What a user would otherwise write: one SQL statement with a CASE of all rules."""
    statement = rivals.case_statement(policies.policy(rules).rules, data.parquet(rows), exact=True)
    connection = floors.engine()
    with meter.running():
        found = connection.execute(statement).fetchall()
    return _checked(rivals.totals(found))


def polars_script(meter: Meter, *, rows: int, rules: int) -> Facts:
    """What a user would otherwise write: a Polars script, streaming."""
    query = rivals.polars_query(policies.policy(rules).rules, data.parquet(rows), exact=True)
    with meter.running():
        found = query.collect(engine="streaming").rows()
    return _checked(rivals.totals(found))


def workspace(meter: Meter, *, root: str, rows: int, rules: int) -> Facts:
    """Prepare a workspace with the charges in it; that is not reported, for it is measured as `ingest`."""
    workspaces.write(Path(root), rules)
    with meter.running():
        load.ingest(Workspace.create(Path(root)), list(data.parquet(rows)), source=workspaces.SOURCE)
    return {}


def allocate_again(meter: Meter, *, root: str, rules: int, variant: int) -> Facts:
    """Allocate the period of a workspace under a changed policy, as `apportion allocate` does."""
    workspaces.write(Path(root), rules, variant)
    opened = Workspace.open(Path(root))
    with (
        meter.watching(queries, span="span", classify="classify"),
        meter.watching(allocator, compile_rules="compile"),
        meter.watching(runs, read_inputs="inputs"),
        meter.running(),
    ):
        run = runs.allocate(opened, data.PERIOD)
    cached = sum(path.stat().st_size for path in (Path(root) / ".apportion" / "cache").rglob("*") if path.is_file())
    return {"cells": len(run.allocation.cells), "cache_mb": cached / 1e6}


def share(meter: Meter, *, rows: int, rules: int, staged: bool) -> Facts:
    """Allocate a period whose pools are shared evenly, or in five stages by metered usage, and save the run."""
    snapshot = workspaces.snapshot(data.parquet(rows))
    organization, policy, usage = policies.organization(), sharing.even(policies.policy(rules)), NO_USAGE
    if staged:
        policy, usage = sharing.staged(policy)
    with _scratch("run") as directory:
        sidecars = directory / runs.SIDECARS
        sidecars.mkdir()
        with meter.running():
            allocation, decisions = allocator.allocate(
                policy, organization, snapshot, sidecars=sidecars, issuer_aliases={}, usage=usage
            )
            run_file.save(allocation, decisions, directory)
    return {"shares": len(allocation.shares), "lines": len(allocation.lines)}


def reciprocal(meter: Meter, *, groups: int, pools: int, recipients: int) -> Facts:
    """Share pools that all serve each other, and prove that what came in went out."""
    cells, made, tree = sharing.reciprocal(groups, pools, recipients)
    with meter.running():
        shared = waterfall.share_pools(
            cells, made, waterfall.Circumstances(tree, data.PERIOD, PoolOrder.RECIPROCAL)
        ).shares
    out = sum(one.units for one in shared if one.target.holder is Holder.COST_GROUP)
    if out != sum(cell.units for cell in cells):
        raise ConservationError(f"{out} units went out of the loop.")
    return {"shares": len(shared)}


def explain(meter: Meter, *, root: str, which: str) -> Facts:
    """Explain one line of the workspace's run with its source rows: the median or largest direct line, or a share."""
    opened = Workspace.open(Path(root))
    number, charges = _line(opened, which)
    with meter.running():
        explained = explaining.explain(opened, number)
    found = sum(source.found.rows for source in explained.sources)
    return {"reference": number, "charges": charges, "source_rows": found, "amounts": len(explained.sources)}


def csv_convert(meter: Meter, *, rows: int) -> Facts:
    """The floor of CSV: what DuckDB takes to turn the same file into Parquet."""
    path = data.csv(data.parquet(rows)[0])
    connection = floors.engine()
    with _scratch("csv") as directory, meter.running():
        floors.convert(connection, path, directory / "charges.parquet")
    return {"mb": path.stat().st_size / 1e6}


def ingest(meter: Meter, *, rows: int, csv: bool) -> Facts:
    """Load a delivery into a fresh workspace: checks, totals, hashes and findings included."""
    charges = data.parquet(rows)
    paths = [data.csv(charges[0])] if csv else list(charges)
    with _scratch("ingest") as directory:
        workspaces.write(directory, 100)
        fresh = Workspace.create(directory)
        with meter.running():
            load.ingest(fresh, paths, source=workspaces.SOURCE)
        totals = fresh.totals(data.PERIOD)
        findings = fresh.findings()
    return {
        "rows": sum(total.rows for total in totals),
        "billed": str(sum((Decimal(total.billed_units) for total in totals), Decimal(0)).scaleb(-18)),
        "findings": len(findings),
    }


ITEMS: Mapping[str, Callable[..., Facts]] = {
    function.__name__: function
    for function in (
        floor, allocate, breakdown, sql_case, polars_script, workspace, allocate_again, share, reciprocal, explain,
        csv_convert, ingest, pdf_floor, pdf_alone, pdf_workers, journal_floor, journal_files,
        review_books, review_issue, review_pages,
    )
}  # fmt: skip


@contextmanager
def _scratch(name: str) -> Iterator[Path]:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=SCRATCH, ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _thinned(policy: Policy, every: int) -> Policy:
    return policy if every == 1 else replace(policy, rules=policy.rules[::every], pools=policy.pools)


def _checked(found: rivals.Totals) -> Facts:
    """Rows and exact costs by rule as a digest, and their sums."""
    lines = [f"{place} {count} {cost.normalize():f}" for place, (count, cost) in sorted(found.items())]
    return {
        "charges": sum(count for count, _ in found.values()),
        "billed": f"{sum((cost for _, cost in found.values()), Decimal(0)).normalize():f}",
        "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }


def _line(opened: Workspace, which: str) -> tuple[str, int]:
    """The reference of a line, and how many charges its cells hold (0 for a share of a pool)."""
    run = runs.current(opened, data.PERIOD)
    rows: dict[tuple[object, ...], int] = defaultdict(int)
    for cell in run.allocation.cells:
        rows[cell.target, cell.scope, cell.service, cell.charge_category] += cell.rows
    direct, shares = [], []
    for statement in months.statements(run):
        for place, line in enumerate(statement.lines, start=1):
            reference = f"{statement.number}:{place}"
            held = rows.get((statement.holder, line.scope, line.service, line.charge_category), 0)
            if line.pool_id:
                shares.append((reference, 0))
            elif held:
                direct.append((reference, held))
    if which == "share":
        return _median(shares)
    direct.sort(key=lambda line: line[1])
    return direct[-1] if which == "largest" else _median(direct)


def _median(lines: Sequence[tuple[str, int]]) -> tuple[str, int]:
    return lines[len(lines) // 2]
