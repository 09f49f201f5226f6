"""Figures become ratios, marks and tables, and only the marked sections of the page are written."""

from pathlib import Path
from typing import Any

import pytest

from bench import limits, report
from bench.meter import Meter, peak_mb
from bench.results import Results, Series


def _round(cpu_s: float, *, classify: float | None = None, peak: float = 100.0, **facts: Any) -> dict[str, Any]:
    parts = {} if classify is None else {"span": 0.5, "compile": 0.5, "classify": classify}
    return {"cpu_s": cpu_s, "wall_s": cpu_s / 2, "peak_mb": peak, "parts": parts, "facts": facts}


def _results(**series: list[dict[str, Any]]) -> Results:
    named = {name.replace("_", " "): Series(rounds) for name, rounds in series.items()}
    return Results(10_000_000, 500, {"about": "a machine", "versions": "of programs"}, named)


ALLOCATE = _round(11.0, classify=9.0, cells=7, lines=5, shares=3, digest="d", billed="1.5")


def test_medians_and_highest_memory() -> None:
    series = Series([_round(3.0), _round(1.0, peak=300.0), _round(2.0)])
    assert (series.cpu_s, series.wall_s, series.peak_mb) == (2.0, 1.0, 300.0)


def test_up_to_the_cube_and_after_it() -> None:
    series = Series([ALLOCATE])
    assert (series.to_cube_s, series.after_cube_s) == (10.0, 1.0)


def test_marks() -> None:
    found = _results(floor=[_round(5.0)], allocate=[ALLOCATE], again_3=[_round(6.0, classify=4.0)])
    rows = {row[0]: row[1:] for row in (verdict.row() for verdict in limits.verdicts(found))}
    assert rows["classify and aggregate from the delivered files, of the floor"] == ("≤ 2.00 ×", "2.00 ×", "reached")
    assert rows["everything after the cube, on top of that"] == ("≤ 10 %", "10 %", "reached")
    assert rows["classify and aggregate again, of the floor"] == ("≤ 0.90 ×", "1.00 ×", "MISSED")


def test_what_is_not_measured_is_not_judged() -> None:
    assert list(limits.verdicts(_results())) == []
    assert list(limits.large_verdicts(_results(allocate=[ALLOCATE]))) == []


def test_rivals_that_agree_and_that_do_not() -> None:
    same = _results(floor=[_round(5.0)], allocate=[ALLOCATE], SQL=[_round(50.0, digest="d", billed="1.5")])
    other = _results(floor=[_round(5.0)], allocate=[ALLOCATE], SQL=[_round(50.0, digest="e", billed="1.4")])
    assert "to the last digit; in all 1.5" in report.figures(same)
    assert "**SQL came to other sums than Apportion.**" in report.figures(other)


def test_what_failed_is_said() -> None:
    found = _results(floor=[_round(5.0)])
    found.failures["Polars"] = "Traceback\nModuleNotFoundError: No module named 'polars'"
    assert "- Polars: ModuleNotFoundError: No module named 'polars'" in report.figures(found)


def test_only_the_section_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n", encoding="utf-8")
    report.write_section(page, "figures", "new\n")
    report.write_section(page, "figures", "newer\n")
    assert page.read_text(encoding="utf-8") == (
        "before\n<!-- figures: begin -->\n\nnewer\n\n<!-- figures: end -->\nafter\n"
    )
    with pytest.raises(ValueError, match="has no place for large"):
        report.write_section(page, "large", "x")


def test_the_page_has_both_sections() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "performance.md").read_text(encoding="utf-8")
    assert all(f"<!-- {section}: {end} -->" in page for section in report.SECTIONS for end in ("begin", "end"))


def test_the_meter_adds_up_what_it_watches() -> None:
    meter = Meter()
    with meter.watching(limits, verdicts="judging"), meter.running():
        limits.verdicts(_results())
        held = bytearray(50_000_000)
        held[::4096] = b"x" * len(held[::4096])
    before = peak_mb()
    figures = meter.figures()
    assert set(figures["parts"]) == {"judging"}
    assert figures["cpu_s"] > 0
    assert 50 < before <= figures["peak_mb"] <= peak_mb()  # a page more may come in between
