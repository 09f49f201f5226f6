"""``python -m bench``: measure, print the tables, and write them to docs/reference/performance.md.

``--quick`` is a smoke run on a tenth of the rows that writes nothing; ``--large`` adds ten times the rows. ``--only
journals`` (papers, review, ingest, ...) measures what has this in its name, and ``--update`` puts that into the page.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from apportion.post.formats import targets
from bench import data, journals, report, review
from bench.items import SCRATCH
from bench.process import ROOT, MeasurementFailedError, Task, measure, task
from bench.results import Results, machine

ROWS, QUICK_ROWS, RULES = 10_000_000, 1_000_000, 500
DOCUMENTS, QUICK_DOCUMENTS = 200, 20
PAGE = ROOT / "docs" / "reference" / "performance.md"
RESULTS = ROOT / "bench" / "results.json"
_WITHOUT_CHARGES = ("review", "journals", "papers")
_LARGE_BYTES = 10_000_000_000


def main() -> int:
    """Run the benchmark; the exit status says only whether everything could be measured."""
    options = _options()
    found = Results(options.rows, options.rules, machine())
    before = Results.load(RESULTS) if options.update else None
    if before:
        before.overlaid(found)  # asked now, not after measuring
    if not options.only.startswith(_WITHOUT_CHARGES):
        print(f"Charges: {options.rows:,} rows ...", file=sys.stderr, flush=True)
        data.csv(data.parquet(options.rows)[0])
    space = SCRATCH / "workspace"
    try:
        size = review.QUICK if options.quick else review.FULL
        lines = journals.QUICK_LINES if options.quick else journals.LINES
        for turn in range(options.rounds):
            everything = chain(
                _tasks(options.rows, options.rules, str(space), first=turn == 0),
                _journals(lines) if turn == 0 else (),
                _review(review.databases(), size, first=turn == 0),
            )
            for name, wanted in everything:
                if not options.only or options.only in name or _is_needed(name, options.only):
                    _measure(found, name, wanted, f"round {turn + 1} of {options.rounds}")
        if options.large:
            _measure_large(found, options.rows, options.rules)
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(report.figures(found))
    if options.large:
        print(report.large(found))
    if before:
        found = before.overlaid(found)
    if before or not (options.quick or options.only):
        found.save(RESULTS)
        report.write_section(PAGE, "figures", report.figures(found))
        if options.large:
            report.write_section(PAGE, "large", report.large(found))
        print(f"Written to {PAGE.relative_to(ROOT)}", file=sys.stderr)
    return 1 if found.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed and memory.")
    parser.add_argument(
        "--quick", action="store_true", help=f"a smoke run: {QUICK_ROWS:,} rows, one round, writes nothing"
    )
    parser.add_argument("--large", action="store_true", help="also ten times the rows (8 GB of disk, some minutes)")
    parser.add_argument("--rounds", type=int, help="rounds of every measurement (3)")
    parser.add_argument("--rows", type=int, help=f"rows of the period ({ROWS:,})")
    parser.add_argument("--rules", type=int, default=RULES, help=f"rules of the policy ({RULES})")
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="only measurements with this in their name; writes nothing"
    )
    parser.add_argument(
        "--update", action="store_true", help="with --only: write the page, with the other figures as they were"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    if options.update and (options.quick or not options.only or not RESULTS.exists()):
        parser.error("--update wants --only, no --quick, and the figures of a whole run before it")
    options.rows = options.rows or (QUICK_ROWS if options.quick else ROWS)
    return options


def _tasks(rows: int, rules: int, space: str, *, first: bool) -> Iterator[tuple[str, Task]]:
    """One round: every measurement once. What is only shown beside is measured in the first round alone."""
    yield "floor", task("floor", rows=rows)
    yield "allocate", task("allocate", rows=rows, rules=rules)
    yield "rules 100", task("allocate", rows=rows, rules=100)
    yield "rules 2000", task("allocate", rows=rows, rules=2_000)
    yield "rules 2000 thinned", task("allocate", rows=rows, rules=2_000, every=20)
    yield "even shares", task("share", rows=rows, rules=rules, staged=False)
    yield "staged shares", task("share", rows=rows, rules=rules, staged=True)
    yield "reciprocal", task("reciprocal", groups=5_000, pools=500, recipients=100)
    yield "ingest Parquet", task("ingest", rows=rows, csv=False)
    yield "CSV floor", task("csv_convert", rows=rows)
    yield "ingest CSV", task("ingest", rows=rows, csv=True)
    documents = DOCUMENTS if rows >= ROWS else QUICK_DOCUMENTS
    yield "papers floor", task("pdf_floor", documents=documents)
    yield "papers", task("pdf_alone", documents=documents)
    yield "papers by 2", task("pdf_workers", documents=documents, workers=2)
    yield "workspace", task("workspace", root=space, rows=rows, rules=rules)
    for turn in range(3):
        yield f"again {turn + 1}", task("allocate_again", root=space, rules=rules, variant=turn)
    for which in ("median", "largest", "share"):
        yield f"explain {which}", task("explain", root=space, which=which)
    if first:
        yield "SQL", task("sql_case", rows=rows, rules=rules)
        yield "Polars", task("polars_script", rows=rows, rules=rules)
        yield "breakdown", task("breakdown", rows=rows, rules=rules)


def _is_needed(name: str, only: str) -> bool:
    """What others are measured in."""
    if not only.startswith("review"):
        return name == "workspace" and not only.startswith(_WITHOUT_CHARGES)
    database = only.rpartition(" ")[2]
    return name.startswith(("review books", "review issue")) and (database not in review.ALL or database in name)


def _journals(lines: int) -> Iterator[tuple[str, Task]]:
    """A journal rendered for every target there is."""
    yield "journals floor", task("journal_floor", lines=lines)
    for name in targets.names():
        yield f"journals {name}", task("journal_files", lines=lines, name=name)


def _review(databases: Sequence[str], size: review.Size, *, first: bool) -> Iterator[tuple[str, Task]]:
    """The review on both databases: made and issued in the first round, its pages opened in every one."""
    for database in databases:
        root = str(SCRATCH / f"review-{database}")
        if first:
            yield f"review books {database}", task("review_books", root=root, database=database, **size.of(database))
            yield f"review issue {database}", task("review_issue", root=root, database=database)
        yield f"review pages {database}", task("review_pages", root=root, database=database, requests=size.requests)


def _measure(found: Results, name: str, wanted: Task, progress: str) -> None:
    if name == "workspace":
        shutil.rmtree(Path(str(dict(wanted.options)["root"])), ignore_errors=True)
    try:
        measured = measure(wanted)
    except MeasurementFailedError as error:
        found.failures[name] = str(error)
        print(f"{progress}: {name} could not be measured: {str(error).splitlines()[-1]}", file=sys.stderr, flush=True)
        return
    if name == "workspace":
        return
    found.add(name, measured)
    print(
        f"{progress}: {name:20} {measured['cpu_s']:7.2f} CPU s {measured['wall_s']:7.2f} s "
        f"{measured['peak_mb']:6.0f} MB",
        file=sys.stderr,
        flush=True,
    )


def _measure_large(found: Results, rows: int, rules: int) -> None:
    data.DATA.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in data.DATA.rglob("*.parquet"))
    if shutil.disk_usage(data.DATA).free + there < _LARGE_BYTES:
        found.failures["large"] = f"there are less than {_LARGE_BYTES:,} bytes free below {data.DATA.name}"
        return
    print(f"Charges: {10 * rows:,} rows ...", file=sys.stderr, flush=True)
    data.parquet(10 * rows)
    _measure(found, "large floor", task("floor", rows=10 * rows), "ten times the rows")
    _measure(found, "large allocate", task("allocate", rows=10 * rows, rules=rules), "ten times the rows")


if __name__ == "__main__":
    sys.exit(main())
