"""Journals for finance systems are measured for every target, and the slowest and the largest are judged."""

from pathlib import Path
from typing import Any

import pytest

from apportion.ledger.auditor import audit
from apportion.post.formats import targets
from bench import __main__ as command
from bench import limits, report
from bench.items import ITEMS
from bench.journals import journal, journal_files, journal_floor, options
from bench.meter import Meter
from bench.results import Results, Series

MACHINE = {"about": "a machine", "versions": "of programs"}


def _round(cpu_s: float, wall_s: float, peak_mb: float) -> dict[str, Any]:
    facts = {"lines": 100_000, "files": 1, "mb": 12.34}
    return {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb, "parts": {}, "facts": facts}


def _results(**series: dict[str, Any]) -> Results:
    return Results(1, 1, MACHINE, {f"journals {name}": Series([each]) for name, each in series.items()})


def test_the_measured_journal_is_in_balance_and_has_the_lines_that_are_asked() -> None:
    made = journal(1_000)
    assert sum(len(entry.postings) for entry in made.entries) == 1_000
    assert audit(made.entries) == ()


def test_every_target_is_measured_once_and_against_a_floor() -> None:
    wanted = dict(command._journals(2_000))
    assert list(wanted) == ["journals floor", *(f"journals {name}" for name in targets.names())]
    assert {task.item for task in wanted.values()} <= set(ITEMS)
    assert {dict(task.options)["lines"] for task in wanted.values()} == {2_000}


@pytest.mark.thorough
@pytest.mark.parametrize("name", targets.names())
def test_what_is_measured_is_what_the_target_reads_back(name: str) -> None:
    meter = Meter()
    facts = journal_files(meter, lines=500, name=name)
    files = targets.render(name, journal(500), options(name)).files
    assert facts == {"lines": 500, "files": len(files), "mb": round(sum(map(len, files.values())) / 1e6, 1)}
    assert meter.wall_s > 0
    assert targets.parse(name, files) == journal(500)


def test_the_floor_writes_every_line() -> None:
    meter = Meter()
    assert journal_floor(meter, lines=20_000) == {"lines": 20_000, "files": 1, "mb": 2.2}
    assert meter.wall_s > 0


def test_the_slowest_and_the_largest_are_judged_and_the_floor_is_not() -> None:
    found = _results(floor=_round(9.0, 9.0, 900.0), csv=_round(1.0, 5.0, 525.0), json=_round(5.1, 4.0, 524.0))
    assert [verdict.row() for verdict in limits.verdicts(found)] == [
        ("100,000 journal lines for any of 2 targets, slowest csv, wall", "≤ 5.00 s", "5.00 s", "reached"),
        ("processor time of any of them", "≤ 5.00 s", "5.10 s", "MISSED"),
        ("memory of any of them, most csv", "≤ 524 MB", "525 MB", "MISSED"),
    ]


def test_every_target_is_shown_beside_the_floor() -> None:
    shown = report.figures(_results(floor=_round(0.5, 0.5, 100.0), json=_round(1.25, 1.5, 200.0)))
    assert "### Journals for finance systems" in shown
    rows = [[cell.strip() for cell in line.split("|")] for line in shown.splitlines() if "`json`" in line]
    assert rows == [["", "`json`", "1.25", "1.50", "200", "2.50 ×", "12.3", ""]]
    assert "### Journals" not in report.figures(_results())


def test_newer_figures_take_the_place_of_the_same_ones(tmp_path: Path) -> None:
    before = _results(csv=_round(1.0, 1.0, 1.0), json=_round(2.0, 2.0, 2.0))
    before.failures["journals odoo-csv"] = "it stopped"
    before.save(tmp_path / "results.json")
    newer = _results(**{"json": _round(3.0, 3.0, 3.0), "odoo-csv": _round(4.0, 4.0, 4.0)})
    after = Results.load(tmp_path / "results.json").overlaid(newer)
    assert {name: series.cpu_s for name, series in after.named("journals ").items()} == {
        "csv": 1.0,
        "json": 3.0,
        "odoo-csv": 4.0,
    }
    assert after.failures == {}


def test_figures_of_another_size_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="of another machine, other versions or another size"):
        Results(1, 1, MACHINE).overlaid(Results(2, 1, MACHINE))


@pytest.mark.parametrize("only", ["journals", "papers"])
def test_what_needs_no_charges_makes_none(only: str) -> None:
    assert only in command._WITHOUT_CHARGES
    assert not command._is_needed("workspace", only)
    assert command._is_needed("workspace", "explain")
