"""What is asked of speed and memory, and whether it was reached. Marks, never assertions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import Results

GIB_MB = 2**30 / 1e6
JOURNAL_SECONDS, JOURNAL_MB = 5.0, 500 * 2**20 / 1e6


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that is asked: the measured figure, the limit, and both in words."""

    what: str
    measured: float
    limit: float
    form: str = "{:.2f} ×"

    @property
    def reached(self) -> bool:
        return self.measured <= self.limit

    def row(self) -> tuple[str, str, str, str]:
        """As a row of a table."""
        shown = self.form.format
        return self.what, f"≤ {shown(self.limit)}", shown(self.measured), "reached" if self.reached else "MISSED"


def verdicts(found: Results) -> Iterator[Verdict]:
    """Everything that is asked and was measured."""
    series = found.series
    if found.has("floor"):
        yield from _allocation(found)
    if found.has("rules 100", "rules 2000"):
        many, few = series["rules 2000"], series["rules 100"]
        yield Verdict("2,000 rules, of 100 rules for the same charges", many.to_cube_s / few.to_cube_s, 1.3)
    if found.has("even shares", "staged shares"):
        ratio = series["staged shares"].cpu_s / series["even shares"].cpu_s
        yield Verdict("60 pools in five stages by metered usage, of even shares only", ratio, 1.2)
    if found.has("reciprocal"):
        yield Verdict("500 pools that serve each other, wall", series["reciprocal"].wall_s, 5.0, "{:.2f} s")
        yield Verdict("memory of that", series["reciprocal"].peak_mb, GIB_MB, "{:.0f} MB")
    if found.has("floor", "ingest Parquet"):
        ratio = series["ingest Parquet"].cpu_s / series["floor"].cpu_s
        yield Verdict("ingest of Parquet, of the floor", ratio, 1.5)
    if found.has("CSV floor", "ingest CSV"):
        ratio = series["ingest CSV"].cpu_s / series["CSV floor"].cpu_s
        yield Verdict("ingest of CSV, of DuckDB's CSV to Parquet", ratio, 2.0)
    if found.has("papers floor", "papers"):
        ratio = series["papers"].cpu_s / series["papers floor"].cpu_s
        yield Verdict("a statement of three pages as PDF, of a plain table of three pages", ratio, 2.0)
    if found.has("papers by 2"):
        many = series["papers by 2"]
        count = many.facts["documents"]
        yield Verdict("one of many such PDFs by two processes, wall", 1000 * many.wall_s / count, 50, "{:.0f} ms")
        yield Verdict("processor time of that", 1000 * many.cpu_s / count, 100, "{:.0f} ms")
    yield from _journals(found)
    yield from _review(found)
    for which in ("median", "largest", "share"):
        if found.has(f"explain {which}"):
            what = f"explain, {_LINES[which]}, wall"
            yield Verdict(what, series[f"explain {which}"].wall_s, 1.0, "{:.2f} s")


def _journals(found: Results) -> Iterator[Verdict]:
    """Every target has to keep the limits: it is the slowest and the largest that are named."""
    each = found.named("journals ")
    each.pop("floor", None)
    if each:
        slowest = max(each, key=lambda name: each[name].wall_s)
        largest = max(each, key=lambda name: each[name].peak_mb)
        lines = each[slowest].facts["lines"]
        what = f"{lines:,} journal lines for any of {len(each)} targets, slowest {slowest}"
        yield Verdict(f"{what}, wall", each[slowest].wall_s, JOURNAL_SECONDS, "{:.2f} s")
        most = max(series.cpu_s for series in each.values())
        yield Verdict("processor time of any of them", most, JOURNAL_SECONDS, "{:.2f} s")
        yield Verdict(f"memory of any of them, most {largest}", each[largest].peak_mb, JOURNAL_MB, "{:.0f} MB")


_ON = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
_QUICK_ENOUGH = ("invoice, its owner", "invoice, a controller", "close")
_MOST_QUERIES = 15


def _review(found: Results) -> Iterator[Verdict]:
    for database, shown in _ON.items():
        if found.has(f"review issue {database}"):
            issue = found.series[f"review issue {database}"]
            what = f"issue of {issue.facts['documents']:,} documents on {shown}, wall"
            yield Verdict(what, issue.wall_s, 60, "{:.0f} s")
        if found.has(f"review pages {database}"):
            series = found.series[f"review pages {database}"]
            for page in _QUICK_ENOUGH:
                if page in series.facts["pages"]:
                    yield Verdict(f"{page}, {shown}, p95", series.page(page, "p95_ms"), 150, "{:.0f} ms")
            most = max(page["queries"] for page in series.facts["pages"].values())
            yield Verdict(f"the most queries of a page, {shown}", most, _MOST_QUERIES, "{:.0f}")


_LINES = {"median": "a line of the median size", "largest": "the largest line", "share": "a share of a pool"}


def _allocation(found: Results) -> Iterator[Verdict]:
    series, floor = found.series, found.series["floor"].cpu_s
    if found.has("allocate"):
        run = series["allocate"]
        yield Verdict("classify and aggregate from the delivered files, of the floor", run.to_cube_s / floor, 2.0)
        share = 100 * run.after_cube_s / run.to_cube_s
        yield Verdict("everything after the cube, on top of that", share, 10, "{:.0f} %")
        yield Verdict("memory of an allocation", run.peak_mb, GIB_MB, "{:.0f} MB")
    if found.has("again 3"):
        yield Verdict("classify and aggregate again, of the floor", series["again 3"].to_cube_s / floor, 0.9)
        most = max(series[name].peak_mb for name in series if name.startswith("again"))
        yield Verdict("memory of allocating again, with the cache being made", most, GIB_MB, "{:.0f} MB")


def large_verdicts(found: Results) -> Iterator[Verdict]:
    """What is asked of ten times the rows."""
    if found.has("allocate", "large allocate"):
        large, small = found.series["large allocate"], found.series["allocate"]
        yield Verdict("ten times the rows, classified and aggregated", large.to_cube_s / small.to_cube_s, 10.5)
        yield Verdict("ten times the rows, the whole allocation", large.cpu_s / small.cpu_s, 10.5)
        yield Verdict("memory at ten times the rows", large.peak_mb, GIB_MB, "{:.0f} MB")
