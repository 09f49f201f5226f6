"""Tables of what was measured, for the terminal and for docs/reference/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.limits import Verdict, large_verdicts, verdicts
from bench.results import Results, Series

SECTIONS = ("figures", "large")
_HEAD = ("Measured", "CPU s", "wall s", "MB", "of the floor", "")


def figures(found: Results) -> str:
    """The section of figures: what is asked, everything measured, where the time goes, and the alternatives."""
    parts = [
        _about(found),
        "### Asked and reached",
        _verdict_table(verdicts(found)),
    ]
    if measured := list(_measured(found)):
        parts += ["### Everything measured", _table(_HEAD, measured)]
    if found.has("breakdown"):
        parts += ["### Where the time of an allocation goes", _table(("Part", "of the time"), list(_shares(found)))]
    if found.has("allocate"):
        rivals = list(_rivals(found))
        parts += ["### What one would otherwise write", _table(_HEAD, rivals), _agreement(found)] if rivals else []
    if found.named("journals "):
        about = "Each target in a process of its own, which also made the journal; one round."
        parts += ["### Journals for finance systems", about, _table(_JOURNAL_HEAD, list(_journals(found)))]
    if reviewed := pages(found):
        parts.append(reviewed.rstrip())
    if found.failures:
        lines = [f"- {name}: {reason.splitlines()[-1][:200]}" for name, reason in found.failures.items()]
        parts += ["### Not measured", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def large(found: Results) -> str:
    """The section of ten times the rows."""
    rows = []
    for name in ("large floor", "large allocate"):
        if found.has(name):
            floor = found.series["large floor"].cpu_s if found.has("large floor") else None
            rows.append(_row(name.removeprefix("large ").capitalize(), found.series[name], floor))
    about = f"{10 * found.rows:,} rows in one billing period, {found.rules} rules, one round."
    return "\n\n".join([about, _verdict_table(large_verdicts(found)), _table(_HEAD, rows)]) + "\n"


_DATABASES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
_PAGE_HEAD = ("Page", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "a second", "queries")


def pages(found: Results) -> str:
    """The part about the review: how large the books are, and every page opened by twenty browsers at once."""
    parts = []
    for database, shown in _DATABASES.items():
        if found.has(f"review books {database}"):
            facts = found.series[f"review books {database}"].facts
            sizes = f"{facts['documents']:,} documents with {facts['lines']:,} lines before the last month is issued"
            parts.append(f"### The review on {shown}\n\n{sizes}, {facts['entries']:,} audit entries.")
        if found.has(f"review issue {database}"):
            issue = found.series[f"review issue {database}"]
            parts.append(
                f"{issue.facts['documents']:,} documents were issued in {issue.wall_s:.1f} s "
                f"({issue.cpu_s:.1f} CPU s of the program, {issue.peak_mb:.0f} MB)."
            )
        if found.has(f"review pages {database}"):
            parts.append(_table(_PAGE_HEAD, list(_pages(found.series[f"review pages {database}"]))))
    return "\n\n".join(parts) + "\n" if parts else ""


def _pages(series: Series) -> Iterator[tuple[str, ...]]:
    for name, facts in series.facts["pages"].items():
        figures = [f"{series.page(name, key):.0f}" for key in ("p50_ms", "p95_ms", "p99_ms")]
        cpu = f"{series.page(name, 'cpu_ms'):.1f}"
        yield (name, *figures, cpu, f"{series.page(name, 'a_second'):.0f}", str(facts["queries"]))


def write_section(path: Path, section: str, text: str) -> None:
    """Replace what stands between the marks of a section. Raises `ValueError` for a file without them."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    page = path.read_text(encoding="utf-8")
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path} has no place for {section}: {begin} … {end}")
    path.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}", encoding="utf-8")


def _about(found: Results) -> str:
    rounds = max((len(series.rounds) for series in found.series.values()), default=0)
    return (
        f"{found.rows:,} rows, {found.rules} rules. {found.machine['about']}; {found.machine['versions']}. "
        f"Medians of {rounds} rounds, one measurement after the other in each; memory is the highest of them."
    )


def _verdict_table(found: Iterable[Verdict]) -> str:
    return _table(("Asked", "limit", "measured", ""), [verdict.row() for verdict in found])


_SHOWN = {
    "floor": ("Floor: DuckDB decodes the columns needed", ""),
    "allocate": ("Allocation from the delivered files", "with the run saved"),
    "rules 100": ("the same, 100 rules", ""),
    "rules 2000": ("the same, 2,000 rules", ""),
    "rules 2000 thinned": ("the same, every twentieth of these 2,000", ""),
    "again 1": ("`apportion allocate`, first time", "all that the command does but start"),
    "again 2": ("second time, with another policy", "makes the cache"),
    "again 3": ("third time, with another policy", "reads the cache"),
    "even shares": ("Allocation, every pool shared evenly among 300 cost groups", ""),
    "staged shares": ("the same, 60 pools in five stages by metered usage", ""),
    "reciprocal": ("500 pools that serve each other and 100 of 5,000 cost groups each", "no charges read"),
    "explain median": ("`explain` of a line of the median size", ""),
    "explain largest": ("`explain` of the largest line", ""),
    "explain share": ("`explain` of a share of a pool", ""),
    "ingest Parquet": ("Ingest of Parquet", ""),
    "CSV floor": ("DuckDB turns 1,000,000 rows of CSV into Parquet", "floor of the next"),
    "ingest CSV": ("Ingest of that CSV", ""),
    "papers floor": ("PDFs with a plain table of three pages", "floor of the next"),
    "papers": ("Statements of three pages as PDF, one process", ""),
    "papers by 2": ("the same by two fresh processes", "with their start"),
}


def _measured(found: Results) -> Iterator[tuple[str, ...]]:
    for name, (shown, note) in _SHOWN.items():
        if not found.has(name):
            continue
        series = found.series[name]
        base = next((f"{kind} floor" for kind in ("CSV", "papers") if kind in name), "floor")
        floor = found.series[base].cpu_s if found.has(base) else None
        documents = series.facts.get("documents")
        counted = f"{documents} documents" if documents else ""
        yield _row(shown, series, floor, ", ".join(filter(None, (counted, note))))
        if series.has_cube and floor:
            ratio = f"{series.to_cube_s / floor:.2f} ×"
            facts = series.facts
            cells = f"{facts['cells']:,} cells"
            yield ("– up to the cube", f"{series.to_cube_s:.2f}", "", "", ratio, cells)
            sizes = f"{facts['lines']:,} lines, {facts['shares']:,} shares" if "lines" in facts else ""
            yield (
                "– after the cube",
                f"{series.after_cube_s:.2f}",
                "",
                "",
                f"{series.after_cube_s / floor:.2f} ×",
                sizes,
            )


_JOURNAL_HEAD = ("Target", "CPU s", "wall s", "MB", "of the floor", "files, MB")


def _journals(found: Results) -> Iterator[tuple[str, ...]]:
    each = found.named("journals ")
    floor = each.get("floor")
    for name, series in each.items():
        shown = "Floor: Python writes as many lines as plain CSV" if series is floor else f"`{name}`"
        yield _row(shown, series, floor.cpu_s if floor else None, f"{series.facts['mb']:.1f}")


def _row(shown: str, series: Series, floor: float | None, note: str = "") -> tuple[str, ...]:
    ratio = f"{series.cpu_s / floor:.2f} ×" if floor else ""
    return (shown, f"{series.cpu_s:.2f}", f"{series.wall_s:.2f}", f"{series.peak_mb:.0f}", ratio, note)


def _shares(found: Results) -> Iterator[tuple[str, str]]:
    series = found.series["breakdown"]
    seconds = dict(series.facts["seconds"])
    # The engine's clocks count waiting for a processor, too, so only their proportions are used.
    engine, whole = sum(seconds.values()), series.cpu_s
    outside = series.after_cube_s if series.has_cube else 0.0
    for name, spent in seconds.items():
        yield name, f"{100 * spent / engine * (whole - outside) / whole:.0f} %"
    yield "after the cube, in Python", f"{100 * outside / whole:.0f} %"


def _rivals(found: Results) -> Iterator[tuple[str, ...]]:
    floor = found.series["floor"].cpu_s if found.has("floor") else None
    names = {
        "allocate": "Apportion, up to the journal's doorstep: cube, shares, lines, run saved",
        "SQL": "One SQL statement with a CASE of all rules: the cube only",
        "Polars": "A Polars script, streaming: the cube only",
    }
    for name, shown in names.items():
        if found.has(name):
            yield _row(shown, found.series[name], floor)


def _agreement(found: Results) -> str:
    digest = found.series["allocate"].facts["digest"]
    compared = [name for name in ("SQL", "Polars") if found.has(name)]
    differing = [name for name in compared if found.series[name].facts["digest"] != digest]
    if differing:
        return f"**{' and '.join(differing)} came to other sums than Apportion.**"
    billed = found.series["allocate"].facts["billed"]
    return (
        f"{' and '.join(compared)} gave the same number of charges and the same cost for every rule, to the last "
        f"digit; in all {billed}. They were made to add exact decimals for that, by way of text."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is also readable as it stands: texts to the left, figures to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [head, rule, *rows]
    return "\n".join("| " + " | ".join(_padded(line, widths)) + " |" for line in lines)


def _padded(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
        yield cell.rjust(width) if place else cell.ljust(width)
